"""Experiments and logged runs as the page reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.harness import PLAIN, Gateway

Json = dict[str, Any]
START = 1_767_225_600_000


class Client:
    """Logs as MLflow's clients do, and reads as the page does."""

    def __init__(self, gateway: Gateway) -> None:
        self._http = httpx.Client(base_url=gateway.url, headers=gateway.headers, timeout=30, **PLAIN)

    def close(self) -> None:
        self._http.close()

    def log(self, path: str, **body: Any) -> Json:
        answer = self._http.post(f"/api/2.0/mlflow/{path}", json=body)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def ask(self, path: str, status: int = 200, as_key: str | None = None, **query: Any) -> Json:
        headers = {} if as_key is None else {"authorization": f"Bearer {as_key}"}
        answer = self._http.get(path, params=query, headers=headers)
        assert answer.status_code == status, answer.text
        found: Json = answer.json()
        return found

    def run(self, experiment: str, name: str, n: int = 0, parent: str | None = None, **params: str) -> str:
        tags = [{"key": "mlflow.parentRunId", "value": parent}] if parent else []
        sent: Json = {"experiment_id": experiment, "run_name": name, "start_time": START + n, "tags": tags}
        id: str = self.log("runs/create", **sent)["run"]["info"]["run_id"]
        self.log("runs/log-batch", run_id=id, params=[{"key": key, "value": value} for key, value in params.items()])
        return id

    def call(self, **headers: str) -> str:
        body = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
        answer = self._http.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        id: str = answer.headers["x-gatelog-run-id"]
        return id

    def key(self, role: str) -> str:
        key: str = self._http.post("/api/keys", json={"name": role, "role": role}).json()["key"]
        return key


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    targets = [{"provider": "demo", "model": "echo"}]
    config = {"endpoints": [{"name": "chat", "type": "chat", "targets": targets}]}
    gateway = Gateway(tmp_path_factory.mktemp("experiments") / "gateway", config)
    asyncio.run(gateway.start())
    try:
        yield gateway
    finally:
        gateway.kill()


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[Client]:
    made = Client(gateway)
    yield made
    made.close()


def test_experiments_are_listed_with_how_much_is_in_them(client: Client) -> None:
    id = client.log("experiments/create", name="100% sure_thing")["experiment_id"]
    client.log("experiments/create", name="100 surely")
    client.run(id, "one")
    found = client.ask("/api/experiments", query="100% sure_")["experiments"]
    assert [each["name"] for each in found] == ["100% sure_thing"]
    assert found[0]["runs"] == 1
    assert found[0]["last_run_at"] == "2026-01-01T00:00:00.000Z"
    assert found[0]["last_call_at"] is None
    client.log("experiments/delete", experiment_id=id)
    assert client.ask("/api/experiments", query="100% sure_")["experiments"] == []
    assert len(client.ask("/api/experiments", query="100% sure_", view="deleted")["experiments"]) == 1
    client.ask("/api/experiments", 400, view="all")


def test_runs_of_an_experiment_are_paged_searched_and_ordered(client: Client) -> None:
    id = client.log("experiments/create", name="sweep")["experiment_id"]
    runs = [client.run(id, f"run-{n}", n, lr=str(n / 10)) for n in range(5)]
    for n, run in enumerate(runs):
        client.log("runs/log-metric", run_id=run, key="loss", value=5 - n, timestamp=START, step=1)
    client.log("runs/log-metric", run_id=runs[0], key="odd", value="NaN", timestamp=START)
    told = client.ask(f"/api/experiments/{id}")
    assert (told["params"], told["metrics"]) == (["lr"], ["loss", "odd"])
    page = client.ask(f"/api/experiments/{id}/runs", page_size=3)
    assert [run["name"] for run in page["runs"]] == ["run-4", "run-3", "run-2"]
    rest = client.ask(f"/api/experiments/{id}/runs", page_size=3, page_token=page["next_page_token"])
    assert [run["name"] for run in rest["runs"]] == ["run-1", "run-0"]
    assert rest["next_page_token"] is None
    assert rest["runs"][1]["metrics"] == {"loss": 5, "odd": "NaN"}
    assert rest["runs"][1]["params"] == {"lr": "0.0"}
    found = client.ask(f"/api/experiments/{id}/runs", filter="metrics.loss < 4", order_by="metrics.loss ASC")["runs"]
    assert [run["metrics"]["loss"] for run in found] == [1, 2, 3]
    client.ask(f"/api/experiments/{id}/runs", 400, filter="metrics.loss <")
    client.ask(f"/api/experiments/{id}/runs", 400, kind="other")
    client.ask("/api/experiments/987654", 404)


def test_a_run_is_told_with_its_parent_and_its_children(client: Client) -> None:
    id = client.log("experiments/create", name="kin")["experiment_id"]
    parent = client.run(id, "search")
    children = [client.run(id, f"trial-{n}", n, parent) for n in range(3)]
    told = client.ask(f"/api/logged-runs/{parent}")
    assert told["parent"] is None
    assert told["kind"] == "logged"
    assert [(each["id"], each["kind"], each["name"]) for each in told["children"]] == [
        (child, "logged", f"trial-{n}") for n, child in enumerate(children)
    ]
    assert client.ask(f"/api/logged-runs/{children[1]}")["parent"]["name"] == "search"
    client.ask(f"/api/logged-runs/{'0' * 32}", 404)
    client.ask("/api/logged-runs/what", 404)


def test_a_call_is_a_run_too_for_those_who_may_see_it(client: Client, gateway: Gateway) -> None:
    id = client.call(**{"x-gatelog-experiment": "with calls"})
    asyncio.run(gateway.run(id))
    experiment = client.ask("/api/experiments", query="with calls")["experiments"][0]
    assert experiment["runs"] == 0
    assert experiment["last_call_at"] is not None
    listed = client.ask(f"/api/experiments/{experiment['id']}/runs", kind="all")["runs"]
    assert [(run["id"], run["kind"]) for run in listed] == [(id, "call")]
    assert client.ask(f"/api/experiments/{experiment['id']}/runs")["runs"] == []
    stranger = client.key("caller")
    client.ask(f"/api/logged-runs/{id}", 404, stranger)
    assert client.ask(f"/api/experiments/{experiment['id']}/runs", as_key=stranger, kind="calls")["runs"] == []
    assert client.ask("/api/experiments", as_key=stranger, query="with calls")["experiments"][0]["last_call_at"] is None


def test_a_metric_of_several_runs_is_told_by_step(client: Client) -> None:
    id = client.log("experiments/create", name="curves")["experiment_id"]
    runs = [client.run(id, name) for name in ("a", "b")]
    values = [
        {"key": "loss", "value": "NaN" if step == 7 else 1 / (step + 1), "timestamp": START + step, "step": step}
        for step in range(1000)
    ]
    client.log("runs/log-batch", run_id=runs[0], metrics=values)
    answer = client.ask("/api/logged-runs/metrics", id=runs, key="loss", points=2500)
    one, other = answer["runs"]
    assert one["steps"] == list(range(1000))
    assert one["times_unix_ms"][9] == START + 9
    assert one["values"][:2] == [1, 0.5]
    assert one["values"][7] is None
    assert other == {"id": runs[1], "steps": [], "times_unix_ms": [], "values": []}
    few = client.ask("/api/logged-runs/metrics", id=runs[0], key="loss", points=10)["runs"][0]
    assert len(few["steps"]) == 10
    assert (few["steps"][0], few["steps"][-1]) == (0, 999)
    client.ask("/api/logged-runs/metrics", 400, id=runs[0])
    client.ask("/api/logged-runs/metrics", 400, id=runs[0], key="loss", what=1)
