"""Experiments, runs and what is logged of them, by MLflow's own client and as others write to the same API."""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.data.numpy_dataset import from_numpy
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException, RestException

from tests.harness import PLAIN, Gateway

pytestmark = [
    pytest.mark.usefixtures("gatelog"),
    # MLflow calls pandas in a way that pandas will not take one day.
    pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0"),
]
Json = dict[str, Any]
BATCH_MOST = 1_000


def found(experiment: str, filter: str = "", **more: Any) -> list[str]:
    runs = mlflow.search_runs([experiment], filter, output_format="list", **more)
    return [run.info.run_id for run in runs]


def test_an_experiment_is_made_tagged_renamed_put_away_and_taken_back(client: MlflowClient) -> None:
    id = client.create_experiment("first-name", tags={"team": "search"})
    client.set_experiment_tag(id, "stage", "draft")
    client.rename_experiment(id, "second-name")
    experiment = client.get_experiment(id)
    assert (experiment.name, experiment.tags) == ("second-name", {"team": "search", "stage": "draft"})
    assert experiment.artifact_location == f"mlflow-artifacts:/{id}"
    assert 0 < (experiment.creation_time or 0) <= (experiment.last_update_time or 0)
    client.delete_experiment_tag(id, "stage")
    assert client.get_experiment(id).tags == {"team": "search"}
    again = client.get_experiment_by_name("second-name")
    assert again is not None
    assert again.experiment_id == id
    assert client.get_experiment_by_name("first-name") is None
    run = client.create_run(id)
    before = client.create_run(id)
    client.delete_run(before.info.run_id)
    client.delete_experiment(id)
    assert (
        client.get_experiment(id).lifecycle_stage == client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    )
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.create_run(id)
    with pytest.raises(RestException, match=r"already exists\. It is deleted") as taken:
        client.create_experiment("second-name")
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.restore_experiment(id)
    stages = [client.get_run(each.info.run_id).info.lifecycle_stage for each in (run, before)]
    assert stages == ["active", "deleted"]


def test_what_is_not_there_is_said_to_be_missing(client: MlflowClient) -> None:
    for asked in (lambda: client.get_experiment("999"), lambda: client.get_run("0" * 32)):
        with pytest.raises(RestException) as refused:
            asked()
        assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(RestException, match="Invalid experiment ID"):
        client.get_experiment("seven")


def test_experiments_are_searched_page_by_page(client: MlflowClient) -> None:
    made = [client.create_experiment(f"paged {n}", tags={"paged": str(n % 2)}) for n in range(5)]
    assert [each.experiment_id for each in client.search_experiments(filter_string="name LIKE 'paged %'")] == made[::-1]
    odd = client.search_experiments(filter_string="tags.paged = '1'", order_by=["name ASC"])
    assert [each.name for each in odd] == ["paged 1", "paged 3"]
    pages, token = [], None
    while True:
        page = client.search_experiments(
            filter_string="name ILIKE 'PAGED %'", order_by=["name DESC"], max_results=2, page_token=token
        )
        pages.append([each.name[-1] for each in page])
        if not (token := page.token):
            break
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    client.delete_experiment(made[0])
    gone = client.search_experiments(view_type=ViewType.DELETED_ONLY, filter_string="name LIKE 'paged %'")
    assert [each.name for each in gone] == ["paged 0"]


def test_a_run_keeps_what_was_logged_of_it(experiment: str, client: MlflowClient) -> None:
    with mlflow.start_run(run_name="parent", tags={"t": "1"}, description="why") as parent:
        mlflow.log_param("a", 1)
        mlflow.log_params({"b": 2.5, "c": "three"})
        for step, value in enumerate((0.5, 0.25, 1.5)):
            mlflow.log_metric("loss", value, step=step)
        mlflow.log_metrics({"nan": math.nan, "up": math.inf, "down": -math.inf, "tiny": 5e-324}, step=7)
        mlflow.set_tags({"t": "2", "u": "three"})
        with mlflow.start_run(nested=True) as child:
            pass
    run = mlflow.get_run(parent.info.run_id)
    assert run.data.params == {"a": "1", "b": "2.5", "c": "three"}
    assert math.isnan(run.data.metrics.pop("nan"))
    assert run.data.metrics == {"loss": 1.5, "up": math.inf, "down": -math.inf, "tiny": 5e-324}
    assert {"t": "2", "u": "three", "mlflow.note.content": "why"}.items() <= run.data.tags.items()
    assert (run.info.run_name, run.info.status, run.info.lifecycle_stage) == ("parent", "FINISHED", "active")
    assert run.info.start_time <= run.info.end_time
    assert run.info.artifact_uri == f"mlflow-artifacts:/{experiment}/{run.info.run_id}/artifacts"
    assert found(experiment, f"tags.mlflow.parentRunId = '{run.info.run_id}'") == [child.info.run_id]
    client.delete_tag(run.info.run_id, "u")
    assert "u" not in client.get_run(run.info.run_id).data.tags
    with pytest.raises(RestException, match="No tag with name: u in run with id"):
        client.delete_tag(run.info.run_id, "u")
    client.update_run(run.info.run_id, "KILLED", "renamed")
    again = client.get_run(run.info.run_id)
    assert (again.info.status, again.info.run_name, again.data.tags["mlflow.runName"]) == (
        "KILLED",
        "renamed",
        "renamed",
    )


def test_a_run_that_nobody_named_has_a_name(experiment: str, client: MlflowClient) -> None:
    run = client.create_run(experiment)
    assert run.info.run_name
    assert run.data.tags == {"mlflow.runName": run.info.run_name}


def test_params_do_not_change(experiment: str, client: MlflowClient) -> None:
    id = client.create_run(experiment).info.run_id
    client.log_param(id, "p", "1")
    client.log_param(id, "p", "1")
    with pytest.raises(MlflowException, match=r"Changing param values is not allowed\. Param with key='p'"):
        client.log_param(id, "p", "2")
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_batch(id, [Metric("m", 1, 0, 0)], [Param("q", "1"), Param("p", "2")], [RunTag("t", "v")])
    run = client.get_run(id)
    assert (run.data.params, run.data.metrics, "t" in run.data.tags) == ({"p": "1"}, {}, False)


def test_a_batch_is_refused_by_its_limits(rest: httpx.Client, experiment: str, client: MlflowClient) -> None:
    id = client.create_run(experiment).info.run_id

    def refused(**batch: Any) -> str:
        answer = rest.post("/api/2.0/mlflow/runs/log-batch", json={"run_id": id, **batch})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), answer.text
        return str(answer.json()["message"])

    metric = {"key": "m", "value": 1, "timestamp": 1}
    assert refused(metrics=[metric] * (BATCH_MOST + 1)).startswith(
        "A batch logging request can contain at most 1000 metrics. Got 1001 metrics."
    )
    for what in ("params", "tags"):
        several = [{"key": f"k{n}", "value": "v"} for n in range(101)]
        assert f"at most 100 {what}. Got 101 {what}." in refused(**{what: several})
    fitting = {"metrics": [metric] * 950, "tags": [{"key": f"k{n}", "value": "v"} for n in range(51)]}
    assert "at most 1000 metrics, params, and tags. Got 1001" in refused(**fitting)
    assert "Duplicate parameter keys" in refused(params=[{"key": "k", "value": "1"}, {"key": "k", "value": "1"}])
    assert refused(metrics=[{"key": "m", "timestamp": 1}]) == "Missing value for required parameter 'metrics[0].value'."
    assert "params[0].key" in refused(params=[{"key": "../up", "value": "1"}])
    assert "exceeds the maximum length of 6000" in refused(params=[{"key": "k", "value": "x" * 6001}])
    assert "exceeds the maximum length of 250" in refused(tags=[{"key": "k" * 251, "value": ""}])
    assert "at most 1000000 bytes" in refused(params=[{"key": "k", "value": "x" * 1_000_001}])
    assert "which the store cannot hold" in refused(tags=[{"key": "k", "value": "a\0b"}])
    assert client.get_run(id).data.to_dictionary() == {
        "metrics": {}, "params": {}, "tags": {"mlflow.runName": client.get_run(id).info.run_name}
    }  # fmt: skip


def test_the_history_of_a_metric_is_whole_and_in_order(
    rest: httpx.Client, experiment: str, client: MlflowClient
) -> None:
    id, other = (client.create_run(experiment).info.run_id for _ in range(2))
    values = [0.5, math.nan, math.inf, -math.inf, 2.0]
    client.log_batch(id, [Metric("m", value, 1000 + n, n) for n, value in enumerate(values)])
    client.log_batch(id, [Metric("m", 2.0, 1004, 4)])
    client.log_batch(id, [Metric("m", 9.0, 900, 1)])
    history = client.get_metric_history(id, "m")
    assert [(each.step, each.timestamp) for each in history] == [(1, 900), *((n, 1000 + n) for n in range(5))]
    assert [repr(each.value) for each in history] == ["9.0", "0.5", "nan", "inf", "-inf", "2.0"]
    assert client.get_run(id).data.metrics == {"m": 2.0}
    assert client.get_metric_history(id, "never") == []
    pages, token = [], None
    while True:
        query = {"run_id": id, "metric_key": "m", "max_results": 2} | ({"page_token": token} if token else {})
        page = rest.get("/api/2.0/mlflow/metrics/get-history", params=query).json()
        pages.append([each["value"] for each in page["metrics"]])
        if not (token := page.get("next_page_token")):
            break
    assert pages == [[9.0, 0.5], ["NaN", "Infinity"], ["-Infinity", 2.0]]
    client.log_batch(other, [Metric("m", n, n, n) for n in range(BATCH_MOST)])
    bulk = rest.get(
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"run_id": [id, other], "metric_key": "m"}
    ).json()["metrics"]
    assert len(bulk) == 6 + BATCH_MOST
    assert {each["run_id"] for each in bulk} == {id, other}
    some = rest.get(
        "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval",
        params={"run_ids": [id, other], "metric_key": "m", "max_results": 10},
    ).json()["metrics"]
    steps = [each["step"] for each in some if each["run_id"] == other]
    assert (steps[0], steps[-1]) == (0, BATCH_MOST - 1)
    assert 10 <= len(steps) <= 12
    one_sided: Json = {"run_ids": [id], "metric_key": "m", "start_step": 1}
    refused = rest.get("/api/2.0/mlflow/metrics/get-history-bulk-interval", params=one_sided)
    assert "both must be specified" in refused.json()["message"]


def test_what_a_run_used_is_kept_and_found(rest: httpx.Client, experiment: str) -> None:
    data = from_pandas(pd.DataFrame({"a": np.arange(3.0)}), name="iris")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="train", tags={"split": "7"})
        mlflow.log_input(data, context="train")
    with mlflow.start_run() as other:
        mlflow.log_input(from_numpy(np.arange(4.0), name="digits"), context="test")
    inputs = mlflow.get_run(run.info.run_id).inputs
    assert inputs is not None
    used = inputs.dataset_inputs
    assert [(each.dataset.name, each.dataset.digest) for each in used] == [("iris", data.digest)]
    assert {tag.key: tag.value for tag in used[0].tags} == {"mlflow.data.context": "train", "split": "7"}
    assert found(experiment, "datasets.name = 'iris'") == [run.info.run_id]
    assert found(experiment, f"dataset.digest = '{data.digest}' AND datasets.context = 'train'") == [run.info.run_id]
    assert found(experiment, "datasets.context IN ('test', 'none')") == [other.info.run_id]
    assert found(experiment, "datasets.name IS NULL") == []
    summaries = rest.post("/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": [experiment]})
    assert [(each["name"], each["context"]) for each in summaries.json()["dataset_summaries"]] == [
        ("digits", "test"), ("iris", "train")
    ]  # fmt: skip


def test_requests_are_read_as_each_client_writes_them(rest: httpx.Client, experiment: str) -> None:
    """R sends numbers as strings, old Python clients encode JSON twice, and the page asks below /ajax-api."""
    start = {"experiment_id": experiment, "start_time": "1000", "run_name": "r", "unknown": 1}
    run = rest.post("/ajax-api/2.0/mlflow/runs/create", json=start).json()["run"]
    id = run["info"]["run_id"]
    assert (run["info"]["start_time"], run["info"]["run_uuid"]) == (1000, id)
    metric = {"run_uuid": id, "key": "m", "value": "0.5", "timestamp": "1", "step": "2"}
    assert rest.post("/api/2.0/mlflow/runs/log-metric", json=metric).json() == {}
    twice = json.dumps(json.dumps({"run_id": id, "key": "nan", "value": "NaN", "timestamp": 1}))
    headers = {"content-type": "application/json"}
    assert rest.post("/api/2.0/mlflow/runs/log-metric", content=twice, headers=headers).json() == {}
    bare = json.dumps({"run_id": id, "key": "down", "value": -math.inf, "timestamp": 1})
    assert rest.post("/api/2.0/mlflow/runs/log-metric", content=bare, headers=headers).json() == {}
    data = rest.get("/api/2.0/mlflow/runs/get", params={"run_uuid": id}).json()["run"]["data"]
    assert {each["key"]: each["value"] for each in data["metrics"]} == {"m": 0.5, "nan": "NaN", "down": "-Infinity"}
    searched = rest.post("/api/2.0/mlflow/runs/search", json={"experiment_ids": [experiment], "max_results": "10"})
    assert [each["info"]["run_id"] for each in searched.json()["runs"]] == [id]
    assert rest.post("/api/2.0/mlflow/runs/search", json={"experiment_ids": []}).json() == {}
    assert rest.get("/api/2.0/mlflow/experiments/search", params={"max_results": "1"}).json()["next_page_token"]


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({}, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'run_id'."),
        ({"run_id": 31}, 400, "INVALID_PARAMETER_VALUE", "Invalid value 31 for parameter 'run_id' supplied"),
        ({"run_id": "../x"}, 400, "INVALID_PARAMETER_VALUE", "Missing value for required parameter 'key'."),
        ("{", 400, "BAD_REQUEST", "the body is not JSON"),
        ("[1]", 400, "BAD_REQUEST", "the body is no JSON object"),
        ({"run_id": "f" * 32, "key": "k", "value": "v"}, 404, "RESOURCE_DOES_NOT_EXIST", "Run with id=ffff"),
    ],
)
def test_a_fault_is_told_by_code_and_name(
    rest: httpx.Client, body: Json | str, status: int, code: str, message: str
) -> None:
    sent = body if isinstance(body, str) else json.dumps(body)
    answer = rest.post("/api/2.0/mlflow/runs/set-tag", content=sent)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert message in answer.json()["message"]


def test_the_server_says_what_it_is(gatelog: Gateway, rest: httpx.Client) -> None:
    with httpx.Client(base_url=gatelog.url, **PLAIN) as stranger:
        assert stranger.get("/version").text == "3.18.0"
        assert stranger.get("/health").text == "OK"
        refused = stranger.get("/api/2.0/mlflow/runs/get")
        assert (refused.status_code, refused.json()["error_code"]) == (401, "UNAUTHENTICATED")
    info = rest.get("/api/3.0/mlflow/server-info").json()
    assert (info["store_type"], info["workspaces_enabled"]) == ("SqlStore", False)
    nowhere = rest.get("/api/2.0/mlflow/no/such")
    assert (nowhere.status_code, nowhere.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
