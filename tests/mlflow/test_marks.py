"""Every call of MLflow's SDK that was recorded against its own server is made against ours by some test.

Those that no other module makes are made here: evaluations, and those of the client of deployments.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
import pandas as pd
import pytest
from mlflow.deployments import get_deploy_client
from mlflow.genai import datasets
from mlflow.genai.scorers import scorer

from tests.harness import Gateway

pytestmark = pytest.mark.filterwarnings("default")
CONFIG = {"endpoints": [{"name": "chat", "targets": [{"provider": "demo", "model": "echo"}]}]}
TESTS = Path(__file__).parent
RECORDING = TESTS.parents[1].parent / "shared/reference/mlflow/client-recording-3.18.jsonl"
NO_CALL = frozenset({"end", "exit", "autolog_off"})
"""Marks after which nothing was asked of the server."""
MADE: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("test_tracking", "test_a_run_keeps_what_was_logged_of_it"): {
        "start_run": "mlflow.start_run(",
        "log_param": "mlflow.log_param(",
        "log_params": "mlflow.log_params(",
        "log_metric": "mlflow.log_metric(",
        "log_metrics": "mlflow.log_metrics(",
        "set_tag": "mlflow.set_tags(",
        "end_run": "with mlflow.start_run(",
        "get_run": "mlflow.get_run(",
        "search_runs": "mlflow.search_runs(",
    },
    ("test_tracking", "test_what_a_run_used_is_kept_and_found"): {"log_input": "mlflow.log_input("},
    ("test_tracking", "test_params_do_not_change"): {"log_batch": "client.log_batch("},
    ("test_tracking", "test_the_history_of_a_metric_is_whole_and_in_order"): {
        "get_metric_history": "client.get_metric_history("
    },
    ("test_tracking", "test_experiments_are_searched_page_by_page"): {
        "search_experiments": "client.search_experiments("
    },
    ("test_finding", "test_runs_are_searched_by_all_that_they_have"): {"delete_run": "client.delete_run("},
    ("test_artifacts", "test_text_is_logged_listed_and_loaded"): {"log_text": "mlflow.log_text("},
    ("test_artifacts", "test_files_and_folders_are_logged_and_downloaded_as_they_are"): {
        "list_artifacts": "list_artifacts(",
        "download_artifact": "download_artifacts(",
    },
    ("test_traces", "test_traces_are_found_by_what_they_are"): {
        "search_traces": "mlflow.search_traces(",
        "search_traces_filter": "filter_string=",
    },
    ("test_traces", "test_a_traced_function_is_read_back_with_its_nested_spans"): {
        "trace:_@mlflow.trace_call": "@mlflow.trace",
        "get_trace": "mlflow.get_trace(",
    },
    ("test_traces", "test_feedback_and_expectations_are_logged_changed_found_and_deleted"): {
        "log_feedback": "mlflow.log_feedback(",
        "log_expectation": "mlflow.log_expectation(",
        "update_assessment": "mlflow.update_assessment(",
        "delete_assessment": "mlflow.delete_assessment(",
    },
    ("test_traces", "test_tags_are_set_changed_and_deleted"): {"set_trace_tag": "mlflow.set_trace_tag("},
    ("test_traces", "test_traces_are_deleted_by_id_and_by_time"): {"delete_traces": "client.delete_traces("},
    ("test_traces", "test_traces_of_a_run_and_those_linked_to_it_are_found_by_it"): {
        "link_traces_to_run": ".link_traces_to_run("
    },
    ("test_prompts", "test_a_prompt_is_registered_loaded_and_filled_by_mlflow"): {
        "prompt_register": "register_prompt(",
        "prompt_load": 'load_prompt("prompts:/greeting/1")',
        "prompt_set_alias": "set_prompt_alias(",
        "prompt_load_alias": 'load_prompt("prompts:/greeting@production")',
        "prompt_load_latest": 'load_prompt("prompts:/greeting@latest")',
    },
    ("test_prompts", "test_prompts_and_models_are_searched_apart"): {
        "prompt_search": "search_prompts(",
        "prompt_tags": "client.set_prompt_version_tag(",
        "prompt_search_versions": "client.search_prompt_versions(",
    },
    ("test_prompts", "test_chat_prompts_keep_their_messages_format_and_model"): {"prompt_v2_chat": "register_prompt("},
    ("test_logged_models", "test_autolog_keeps_the_params_the_metrics_and_the_model"): {
        "autolog()_call": "mlflow.sklearn.autolog(",
        "sklearn_fit_under_autolog": "fitted()",
    },
    ("test_logged_models", "test_a_registered_version_of_a_logged_model_is_loaded_by_number_and_by_alias"): {
        "log_model_registered_model_name": "registered_model_name=",
        "load_model_models:/rm1/1": "models:/rm/",
        "register_model_runs:/": "mlflow.register_model(",
        "load_by_alias": "models:/rm@champion",
    },
    ("test_logged_models", "test_models_are_made_finished_tagged_and_deleted_by_hand"): {
        "logged_models": "mlflow.get_logged_model("
    },
    ("test_registry", "test_an_alias_means_one_version_until_it_is_moved"): {
        "rm_alias/tag/stage": "client.set_registered_model_alias("
    },
    ("test_registry", "test_tags_are_set_changed_and_taken_away"): {
        "rm_alias/tag/stage": "client.set_registered_model_tag("
    },
    ("test_registry", "test_a_version_moves_through_the_stages"): {
        "rm_alias/tag/stage": "client.transition_model_version_stage("
    },
    ("test_registry", "test_models_and_versions_are_found_by_what_they_are"): {
        "search_rm/mv": "client.search_model_versions("
    },
    ("test_registry", "test_a_model_is_renamed_and_deleted_with_all_that_was_its_own"): {
        "delete": "client.delete_registered_model("
    },
    ("test_artifacts", "test_a_table_grows_and_is_loaded_with_its_run"): {"log_table_image_dict": "mlflow.log_table("},
    ("test_artifacts", "test_an_image_comes_back_pixel_for_pixel"): {"log_table_image_dict": "mlflow.log_image("},
    ("test_artifacts", "test_a_dict_comes_back_from_json_and_yaml"): {"log_table_image_dict": "mlflow.log_dict("},
    ("test_marks", "test_a_function_is_evaluated_as_it_answers"): {"genai.evaluate_predict_fn": "predict_fn="},
    ("test_genai_evaluate", "test_logged_calls_are_evaluated_where_they_are"): {
        "genai.evaluate_on_traces": "data=mlflow.search_traces("
    },
    ("test_marks", "test_answers_that_were_given_before_are_evaluated"): {"genai.evaluate_static_outputs": '"outputs"'},
    ("test_datasets", "test_a_dataset_is_made_filled_and_read_as_a_table"): {
        "create_dataset": "datasets.create_dataset(",
        "dataset_merge_records": ".merge_records(",
        "dataset_to_df": ".to_df(",
        "get_dataset": "datasets.get_dataset(",
    },
    ("test_datasets", "test_datasets_are_searched_tagged_and_deleted"): {
        "search_datasets": "datasets.search_datasets(",
        "set_dataset_tags": "datasets.set_dataset_tags(",
        "delete_dataset": "datasets.delete_dataset(",
    },
    ("test_marks", "test_a_dataset_is_evaluated_and_named_by_the_run"): {"evaluate(dataset)": "evaluate(data=made"},
    ("test_datasets", "test_scorers_are_registered_in_versions_listed_read_and_deleted"): {
        "scorer.register": "polite.register(",
        "list_scorers": "list_scorers(",
        "get_scorer": "get_scorer(",
        "delete_scorer": "delete_scorer(",
    },
    ("test_webhooks", "test_a_webhook_is_kept_changed_and_deleted"): {
        "create_webhook": "client.create_webhook(",
        "list_webhooks": "client.list_webhooks(",
        "delete_webhook": "client.delete_webhook(",
    },
    ("test_marks", "test_endpoints_are_listed_read_and_asked_by_the_client_of_deployments"): {
        "deployments_list": ".list_endpoints(",
        "deployments_get": ".get_endpoint(",
        "deployments_predict": ".predict(",
    },
    ("test_marks", "test_a_table_of_answers_is_evaluated_as_mlflow_2_did"): {
        "evaluate_legacy": "mlflow.evaluate,",
        "models.evaluate": "mlflow.models.evaluate",
    },
    ("test_marks", "test_an_experiment_is_set_by_name"): {
        "set_experiment": "mlflow.set_experiment(",
        "trace:_set_experiment_exp2": "mlflow.set_experiment(",
    },
}
"""What makes the calls that a mark stands for: a module and a test, and of each mark the words of the call in it."""


@scorer
def exact(outputs: Any, expectations: dict[str, Any]) -> bool:
    return bool(outputs == expectations["expected_response"])


def evaluated(data: Any, **more: Any) -> tuple[list[bool], Any]:
    """What the scorer said of each row, by the traces that the server has of them, and the run."""
    result = mlflow.genai.evaluate(data=data, scorers=[exact], **more)
    mlflow.flush_trace_async_logging()
    found: Any = mlflow.search_traces(run_id=result.run_id, return_type="list")
    said = [each.value for trace in found for each in trace.info.assessments if each.name == "exact"]
    run = mlflow.get_run(result.run_id)
    assert run.data.metrics["exact/mean"] == sum(said) / len(said)
    return sorted(said), run


def test_an_experiment_is_set_by_name(gatelog: Gateway) -> None:
    made = mlflow.set_experiment("by name")
    assert mlflow.set_experiment("by name").experiment_id == made.experiment_id
    assert mlflow.get_experiment_by_name("by name") is not None


def test_a_function_is_evaluated_as_it_answers(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_MAX_WORKERS", "2")
    rows = [
        {"inputs": {"q": q}, "expectations": {"expected_response": expected}}
        for q, expected in (("a", "A"), ("b", "x"))
    ]
    said, run = evaluated(rows, predict_fn=lambda q: q.upper())
    assert said == [False, True]
    assert (run.info.status, run.info.experiment_id) == ("FINISHED", experiment)


def test_answers_that_were_given_before_are_evaluated(experiment: str) -> None:
    rows = [{"inputs": {"q": "a"}, "outputs": "A", "expectations": {"expected_response": "A"}}]
    assert evaluated(rows)[0] == [True]


def test_a_dataset_is_evaluated_and_named_by_the_run(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_GENAI_EVAL_MAX_WORKERS", "2")
    made = datasets.create_dataset(name="judged", experiment_id=experiment)
    made.merge_records([{"inputs": {"q": q}, "expectations": {"expected_response": q.upper()}} for q in "ab"])
    result = mlflow.genai.evaluate(data=made, scorers=[exact], predict_fn=lambda q: q.upper())
    run = mlflow.get_run(result.run_id)
    assert run.data.metrics == {"exact/mean": 1.0}
    assert run.inputs is not None
    assert "judged" in [each.dataset.name for each in run.inputs.dataset_inputs]


@pytest.mark.parametrize("evaluate", [mlflow.evaluate, mlflow.models.evaluate], ids=["legacy", "models"])
def test_a_table_of_answers_is_evaluated_as_mlflow_2_did(experiment: str, evaluate: Any) -> None:
    table = pd.DataFrame({"inputs": ["a", "b"], "ground_truth": ["A", "B"], "predictions": ["A", "x"]})
    with mlflow.start_run() as run:
        result = evaluate(
            data=table, targets="ground_truth", predictions="predictions", extra_metrics=[mlflow.metrics.exact_match()]
        )
    kept = mlflow.get_run(run.info.run_id)
    assert kept.data.metrics == result.metrics == {"exact_match/v1": 0.5}
    assert kept.inputs is not None
    assert [each.dataset.name for each in kept.inputs.dataset_inputs] == ["dataset"]


def test_endpoints_are_listed_read_and_asked_by_the_client_of_deployments(gatelog: Gateway) -> None:
    client: Any = get_deploy_client(gatelog.url)  # type: ignore[no-untyped-call]  # MLflow says no types of it
    assert [each.name for each in client.list_endpoints()] == ["chat"]
    assert client.get_endpoint("chat").name == "chat"
    asked = {"messages": [{"role": "user", "content": "hello there"}]}
    answer = client.predict(endpoint="chat", inputs=asked)
    assert answer["choices"][0]["message"]["content"] == "hello there"


def test_a_mark_is_said_to_be_made_where_it_is() -> None:
    missing = [
        f"{module}::{name} for {mark}: {words}"
        for (module, name), calls in MADE.items()
        for mark, words in calls.items()
        if words not in source(module, name)
    ]
    assert not missing


def source(module: str, name: str) -> str:
    """The text of a test, and of the functions of its module that it calls."""
    text = (TESTS / f"{module}.py").read_text()
    lines = text.splitlines()
    written = {
        each.name: "\n".join(lines[min([each.lineno, *(d.lineno for d in each.decorator_list)]) - 1 : each.end_lineno])
        for each in ast.parse(text).body
        if isinstance(each, ast.FunctionDef)
    }
    found = written.pop(name)
    while called := [each for each in written if f"{each}(" in found]:
        found += "\n".join(written.pop(each) for each in called)
    return found


@pytest.mark.skipif(not RECORDING.exists(), reason="the recording of MLflow's client is not beside the repository")
def test_every_recorded_mark_has_a_test() -> None:
    asked = [urlsplit(json.loads(line)["p"]) for line in RECORDING.read_text().splitlines()]
    marks = {url.query.removeprefix("MARK=") for url in asked if url.query.startswith("MARK=")}
    made = {mark for calls in MADE.values() for mark in calls}
    assert marks == made | NO_CALL
