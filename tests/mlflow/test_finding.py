"""Runs and the gateway's calls, found together by MLflow's own client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Param, Run, ViewType
from mlflow.exceptions import MlflowException, RestException

from tests.harness import PLAIN, Gateway

Json = dict[str, Any]
PRICED = {"provider": "demo", "model": "echo", "price": {"input": 1000, "output": 2000}}
CHEAP = {"provider": "demo", "model": "words", "price": {"input": 1, "output": 2}}
CONFIG: Json = {"endpoints": [{"name": "dear", "targets": [PRICED]}, {"name": "cheap", "targets": [CHEAP]}]}


def found(experiment: str, filter: str = "", **more: Any) -> list[str]:
    runs = mlflow.search_runs([experiment], filter, output_format="list", **more)
    return [run.info.run_id for run in runs]


def logged(name: str, **metrics: float) -> str:
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_metrics(metrics)
        mlflow.log_param("which", name)
    return str(run.info.run_id)


def test_runs_are_searched_by_all_that_they_have(experiment: str, client: MlflowClient) -> None:
    one, two, three = (logged(name, m=n, odd=n % 2) for n, name in enumerate(("one", "two", "three"), 1))
    for filter, expected in (
        ("metrics.m > 1 and params.which = 'two'", [two]),
        ("metrics.m >= 2 AND metrics.odd = 1", [three]),
        ("params.which = 'one' OR metrics.m = 3", [three, one]),
        ("NOT (metrics.m = 2) AND attributes.status = 'FINISHED'", [three, one]),
        ("params.which LIKE 't%'", [three, two]),
        ("params.`which` ILIKE 'T%' AND tags.`mlflow.runName` != 'two'", [three]),
        ("attributes.run_name = 'one'", [one]),
        (f"run_id IN ('{one}', '{two}')", [two, one]),
        ("metrics.never > 0", []),
        ("params.never IS NULL AND metrics.m < 2", [one]),
        ('attributes."Created" > 0', [three, two, one]),
    ):
        assert found(experiment, filter) == expected, filter
    assert found(experiment, order_by=["metrics.odd ASC", "metrics.m DESC"]) == [two, three, one]
    assert found(experiment, order_by=["params.which"]) == [one, three, two]
    client.delete_run(two)
    assert found(experiment) == [three, one]
    assert found(experiment, run_view_type=ViewType.DELETED_ONLY) == [two]
    assert found(experiment, run_view_type=ViewType.ALL) == [three, two, one]
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.log_metric(two, "m", 1)
    client.restore_run(two)
    assert found(experiment, max_results=2) == [three, two]
    with pytest.raises(RestException, match="filter, column 12: ") as refused:
        found(experiment, "metrics.m =! 1")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_calls_are_found_by_model_cost_latency_and_tag(
    experiment: str, client: MlflowClient, call: Callable[..., str]
) -> None:
    dear, cheap, own = call("dear", team="search"), call("cheap", team="chat"), logged("own", latency_ms=1e9)
    assert found(experiment, "params.model = 'echo'") == [dear]
    assert found(experiment, "params.provider = 'demo' AND params.endpoint = 'cheap'") == [cheap]
    run: Run = client.get_run(dear)
    cost, latency = run.data.metrics["cost_usd"], run.data.metrics["latency_ms"]
    assert cost == (3 * 1000 + 3 * 2000) / 1_000_000
    assert found(experiment, f"metrics.cost_usd = {cost} AND metrics.latency_ms = {latency}") == [dear]
    assert found(experiment, "metrics.cost_usd < 0.001") == [cheap]
    assert found(experiment, "metrics.latency_ms > 0 AND metrics.latency_ms < 100000000 AND tags.team = 'chat'") == [
        cheap
    ]
    assert found(experiment, "tags.key = 'admin' AND status = 'FINISHED'") == [cheap, dear]
    assert found(experiment) == [own, cheap, dear]
    assert found(experiment, order_by=["metrics.latency_ms DESC"])[0] == own
    assert found(experiment, order_by=["metrics.cost_usd DESC"]) == [dear, cheap, own]
    assert (run.data.params["model"], run.data.params["stream"], run.info.status) == ("echo", "False", "FINISHED")
    assert run.data.tags["team"] == "search"
    assert run.info.experiment_id == experiment
    assert [each.value for each in client.get_metric_history(dear, "cost_usd")] == [cost]


def test_pages_of_runs_and_calls_are_one_order(experiment: str, client: MlflowClient, call: Callable[..., str]) -> None:
    for n in range(4):
        logged(f"run {n}", cost_usd=n / 1_000_000)
        call("dear" if n % 2 else "cheap")
    for order_by in ([], ["metrics.cost_usd ASC"], ["params.model DESC", "metrics.total_tokens"], ["run_id"]):
        whole = found(experiment, order_by=order_by)
        assert len(set(whole)) == 8
        pages: list[str] = []
        token = None
        while True:
            page = client.search_runs([experiment], order_by=order_by, max_results=3, page_token=token)
            pages += [run.info.run_id for run in page]
            if not (token := page.token):
                break
        assert pages == whole, order_by
    first = client.search_runs([experiment], max_results=3)
    with pytest.raises(RestException, match="belongs to another query"):
        client.search_runs([experiment], "metrics.cost_usd > 0", max_results=3, page_token=first.token)


def test_a_call_takes_tags_and_metrics_of_others_and_keeps_its_own(
    experiment: str, client: MlflowClient, call: Callable[..., str]
) -> None:
    id = call("dear")
    client.set_tag(id, "reviewed", "yes")
    client.log_metric(id, "helpfulness/mean", 0.75)
    client.log_param(id, "judge", "somebody")
    assert found(experiment, "tags.reviewed = 'yes' AND metrics.`helpfulness/mean` > 0.5") == [id]
    run = client.get_run(id)
    assert (run.data.metrics["helpfulness/mean"], run.data.params["judge"]) == (0.75, "somebody")
    client.delete_tag(id, "reviewed")
    assert found(experiment, "tags.reviewed IS NOT NULL") == []
    refused: list[Callable[[], object]] = [
        lambda: client.log_metric(id, "cost_usd", 0),
        lambda: client.log_batch(id, params=[Param("model", "other")]),
        lambda: client.update_run(id, "FAILED"),
        lambda: client.delete_run(id),
    ]
    for change in refused:
        with pytest.raises(MlflowException, match="is a call of the gateway"):
            change()
    assert client.get_run(id).data.metrics["cost_usd"] > 0


def test_a_caller_finds_its_own_calls_alone(
    gatelog: Gateway, rest: httpx.Client, experiment: str, call: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rest.post("/api/keys", json={"name": "someone", "role": "caller"}).json()["key"]
    others, own, run = call("cheap"), call("cheap", key), logged("open to all")
    assert set(found(experiment)) == {others, own, run}
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", key)
    assert set(found(experiment)) == {own, run}
    for hidden in (lambda: mlflow.get_run(others), lambda: MlflowClient().set_tag(others, "mine", "now")):
        with pytest.raises(RestException) as refused:
            hidden()
        assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    viewer = rest.post("/api/keys", json={"name": "looker", "role": "viewer"}).json()["key"]
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", viewer)
    assert set(found(experiment)) == {others, own, run}
    with pytest.raises(RestException) as forbidden:
        MlflowClient().create_experiment("not mine")
    assert forbidden.value.error_code == "PERMISSION_DENIED"


def test_calls_are_found_while_others_are_made(
    gatelog: Gateway, experiment: str, client: MlflowClient, call: Callable[..., str]
) -> None:
    known = [call("dear", round=str(n)) for n in range(3)]
    over = threading.Event()
    made: list[int] = []

    def keep_calling() -> None:
        asked = {"model": "cheap", "messages": [{"role": "user", "content": "go on"}]}
        with httpx.Client(base_url=gatelog.url, headers=gatelog.headers, **PLAIN) as plain:
            while not over.is_set():
                made.append(plain.post("/v1/chat/completions", json=asked).status_code)

    callers = [threading.Thread(target=keep_calling) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        for n in range(10):
            assert found(experiment, "params.model = 'echo' AND metrics.cost_usd > 0.001") == known[::-1]
            assert found(experiment, f"metrics.latency_ms >= 0 AND tags.round = '{n % 3}'") == [known[n % 3]]
    finally:
        over.set()
        for caller in callers:
            caller.join()
    assert len(made) > 10
    assert set(made) == {200}
