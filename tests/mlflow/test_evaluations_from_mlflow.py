"""Evaluations as MLflow's own client reads and extends them: runs, traces, assessments, artifacts and datasets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.genai.datasets import get_dataset
from mlflow.genai.scorers import scorer

from tests.harness import Gateway

pytestmark = pytest.mark.filterwarnings("default")
ROWS = 8


def made(rest: httpx.Client, **more: Any) -> str:
    """The id of an evaluation that is over."""
    spec = {
        "name": "echoes",
        "experiment": f"echoes {time.time_ns()}",
        "rows": [
            {"inputs": {"q": f"say {n}"}, "expectations": {"expected_response": f"say {n}"}, "tags": {"n": str(n)}}
            for n in range(ROWS)
        ],
        "variants": [
            {"name": "plain", "endpoint": "demo/echo", "messages": "{{ q }}"},
            {"name": "loud", "endpoint": "demo/echo", "messages": "{{ q }}!"},
        ],
        "scorers": ["exact"],
        **more,
    }
    head = rest.post("/api/evaluations", json=spec)
    assert head.status_code == 201, head.text
    id = str(head.json()["id"])
    for _ in range(600):
        head = rest.get(f"/api/evaluations/{id}")
        if head.json()["state"] in ("finished", "stopped", "failed"):
            assert head.json()["state"] == "finished", head.text
            return id
        time.sleep(0.05)
    raise AssertionError(head.text)


def until(done: Callable[[], bool]) -> None:
    for _ in range(1200):
        if done():
            return
        time.sleep(0.05)
    raise AssertionError("it has not happened")


def test_an_evaluation_is_a_run_with_its_cells_as_children(rest: httpx.Client, client: MlflowClient) -> None:
    id = made(rest)
    parent = client.get_run(id)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["exact/plain"] == 1.0
    assert parent.data.metrics["exact/loud"] == 0.0
    assert parent.data.metrics["cells"] == 2 * ROWS
    assert parent.data.params["rows"] == str(ROWS)
    assert parent.inputs is not None
    assert parent.inputs.dataset_inputs[0].dataset.name == "echoes"

    found = mlflow.search_runs(
        experiment_ids=[parent.info.experiment_id], filter_string=f"tags.`mlflow.parentRunId` = '{id}'"
    )
    assert len(found) == 2 * ROWS
    assert set(found["tags.gatelog.variant"]) == {"plain", "loud"}
    assert set(found["status"]) == {"FINISHED"}
    loud = mlflow.search_runs(
        experiment_ids=[parent.info.experiment_id],
        filter_string="tags.`gatelog.variant` = 'loud'",
        output_format="list",
    )
    assert len(loud) == ROWS


def test_scores_are_assessments_of_the_cells_traces_and_results_an_artifact(rest: httpx.Client) -> None:
    id = made(rest)
    experiment = mlflow.get_run(id).info.experiment_id
    traces = mlflow.search_traces(locations=[experiment], run_id=id, return_type="list")
    assert len(traces) == 2 * ROWS
    given = {(each.name, each.value) for trace in traces for each in trace.info.assessments}
    assert given == {("exact", True), ("exact", False)}
    sources = {each.source.source_type for trace in traces for each in trace.info.assessments}
    assert sources == {"CODE"}
    results = json.loads(mlflow.artifacts.load_text(f"runs:/{id}/evaluation.json"))
    assert len(results["cells"]) == 2 * ROWS
    assert results["primary"] == "exact"

    by_hand = {
        "scores": [
            {"row": cell["row"], "variant": cell["variant"], "name": "taste", "value": cell["variant"] == "loud"}
            for cell in results["cells"]
        ],
        "metrics": [{"name": "taste", "kind": "binary"}],
    }
    assert rest.post(f"/api/evaluations/{id}/scores", json=by_hand).status_code == 200
    until(lambda: mlflow.get_run(id).data.metrics.get("taste/loud") == 1.0)
    assert mlflow.get_run(id).data.metrics["taste/plain"] == 0.0
    until(lambda: "report.json" in {each.path for each in mlflow.artifacts.list_artifacts(f"runs:/{id}/")})
    card = rest.get(f"/api/evaluations/{id}/card", timeout=60).json()
    names = {each.path for each in mlflow.artifacts.list_artifacts(f"runs:/{id}/")}
    assert names == {"evaluation.json", "report.html", "report.md", "report.json"}
    assert json.loads(mlflow.artifacts.load_text(f"runs:/{id}/report.json")) == card
    assert "taste" in mlflow.artifacts.load_text(f"runs:/{id}/report.md")
    page = mlflow.artifacts.load_text(f"runs:/{id}/report.html")
    assert page.startswith("<!doctype html>")
    assert f"{str(rest.base_url).rstrip('/')}/runs/" in page
    assert "taste" in mlflow.artifacts.load_text(f"runs:/{id}/evaluation.json")


def test_genai_evaluate_extends_an_evaluation_with_scorers_of_its_own(rest: httpx.Client) -> None:
    id = made(rest)
    experiment = mlflow.get_run(id).info.experiment_id
    mlflow.set_experiment(experiment_id=experiment)

    @scorer
    def short(outputs: Any) -> bool:
        return len(str(outputs)) < 10_000

    traces = mlflow.search_traces(run_id=id, return_type="pandas")
    with mlflow.start_run(run_id=id):
        result = mlflow.genai.evaluate(data=traces, scorers=[short])
    assert result.run_id == id
    assert result.metrics["short/mean"] == 1.0
    parent = mlflow.get_run(id)
    assert parent.data.metrics["short/mean"] == 1.0
    assert parent.data.metrics["exact/plain"] == 1.0
    names = {
        each.name for trace in mlflow.search_traces(run_id=id, return_type="list") for each in trace.info.assessments
    }
    assert names >= {"exact", "short"}


def test_a_dataset_of_mlflows_is_evaluated_and_one_of_ours_is_read_by_mlflow(
    gatelog: Gateway, rest: httpx.Client, experiment: str
) -> None:
    theirs = mlflow.genai.datasets.create_dataset(name="theirs", experiment_id=experiment)
    theirs.merge_records(
        [
            {"inputs": {"q": "one"}, "expectations": {"expected_response": "one"}, "tags": {"gatelog.cluster": "s"}},
            {"inputs": {"q": "two"}, "expectations": {"expected_response": "zwei"}},
        ]
    )
    id = made(rest, rows=None, dataset={"name": theirs.dataset_id})
    head = rest.get(f"/api/evaluations/{id}").json()
    assert (head["dataset"]["name"], head["dataset"]["version"], head["rows"]) == ("theirs", 1, 2)
    cells = rest.get(f"/api/evaluations/{id}/cells", params={"variant": "plain"}).json()["cells"]
    assert {cell["cluster"] for cell in cells} == {"s", None}
    assert mlflow.get_run(id).data.metrics["exact/plain"] == 0.5

    ours = rest.post(
        "/api/datasets", json={"name": "ours", "rows": [{"question": "a", "expected": "b", "cluster": "u"}]}
    )
    assert ours.status_code == 201, ours.text
    read = get_dataset(dataset_id=ours.json()["dataset"]["id"])
    (record,) = read.to_df().to_dict("records")
    assert record["inputs"] == {"question": "a"}
    assert record["expectations"] == {"expected_response": "b"}
    assert record["tags"]["gatelog.cluster"] == "u"
