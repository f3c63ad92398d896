"""docs/mlflow.md says of every route of MLflow's API whether it is here, and it is so."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2, mlflow_artifacts_pb2, model_registry_pb2, service_pb2, webhooks_pb2

from tests.harness import PLAIN, Gateway
from tracking.mlflow.services import rows

CONFIG = {"endpoints": [{"name": "chat", "targets": [{"provider": "demo", "model": "echo"}]}]}
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "mlflow.md").read_text()
ROWS: dict[str, str] = dict(
    re.findall(r"^\| `([23]\.0 [^`]+|/[^`]+)` \| (works|differs|not there) \|", PAGE, re.MULTILINE)
)
PROTOS: Any = (
    service_pb2.MlflowService,
    model_registry_pb2.ModelRegistryService,
    webhooks_pb2.WebhookService,
    mlflow_artifacts_pb2.MlflowArtifactsService,
)
PUBLIC = frozenset({"/version", "/health"})
SPOKEN_BY = {
    "/v1/traces": "POST",
    "/ajax-api/2.0/mlflow/upload-artifact": "POST",
    "/gateway/mlflow/v1/chat/completions": "POST",
}
"""Of the routes that no proto names, those that are not read with GET."""
Route = tuple[str, str]


def published() -> Iterator[Route]:
    """Every method and path that the installed MLflow's protos have."""
    for service in PROTOS:
        for method in service.DESCRIPTOR.methods:
            for each in method.GetOptions().Extensions[databricks_pb2.rpc].endpoints:
                yield each.method, f"/api/{each.since.major}.0/{each.path.lstrip('/')}"


def served() -> Iterator[Route]:
    """Every one of MLflow's that the gateway serves."""
    for path, _, methods, _ in rows():
        yield methods[0], path


def state(path: str) -> str | None:
    """What the page says of a route: by the last row that fits it."""
    said = [None, *(said for pattern, said in ROWS.items() if fits(pattern, path))]
    return said[-1]


def fits(pattern: str, path: str) -> bool:
    """Whether a row is about a route; what a parameter of its path is called does not matter."""
    short = re.sub(r"^/(?:ajax-)?api/([23]\.0)/mlflow/", r"\1 ", path)
    names = (path, short, path.replace("/ajax-api/", "/api/", 1))
    return any(fnmatchcase(nameless(each), nameless(pattern)) for each in names)


def nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.fixture(scope="module")
def stranger(gatelog: Gateway) -> Iterator[httpx.Client]:
    """Somebody without a key, to whom a route that is there says so with 401, and does nothing."""
    with httpx.Client(base_url=gatelog.url, **PLAIN) as client:
        yield client


def is_there(stranger: httpx.Client, method: str, path: str) -> bool:
    status = stranger.request(method, re.sub(r"\{[^}]*\}|<[^>]*>", "x", path)).status_code
    assert status in ((200,) if path in PUBLIC else (401, 404, 405)), f"{method} {path}: {status}"
    return status in (200, 401)


def test_what_the_page_says_of_mlflows_api_is_so(stranger: httpx.Client) -> None:
    routes = set(published())
    assert len(routes) > 180
    wrong = []
    for method, path in sorted(routes, key=lambda route: route[1]):
        said, there = state(path), is_there(stranger, method, path)
        if said is None or there != (said != "not there"):
            wrong.append(f"{method} {path}: the page says {said}, and it is {'there' if there else 'not there'}")
    assert not wrong


def test_every_route_that_is_served_is_on_the_page() -> None:
    routes = set(served())
    assert len(routes) > 100
    assert not [route for route in routes if state(route[1]) not in ("works", "differs")]


def test_every_row_of_the_page_is_about_some_route(stranger: httpx.Client) -> None:
    known = {path for _, path in (*published(), *served())}
    for pattern, said in ROWS.items():
        if pattern.startswith("/") and "*" not in pattern:
            assert is_there(stranger, SPOKEN_BY.get(pattern, "GET"), pattern) == (said != "not there"), pattern
        else:
            assert any(fits(pattern, path) for path in known), pattern


def test_the_examples_run_as_they_stand(gatelog: Gateway, experiment: str, client: MlflowClient) -> None:
    """Those of the pages on MLflow and on the registry; what they leave to their reader is given here."""
    client.create_registered_model("support")
    given = {"os": os, "mlflow": mlflow, "experiment_id": experiment, "client": client}
    run = 0
    for page in ("mlflow", "registry"):
        for example in re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL):
            here = example.replace("gl-...", gatelog.key).replace("http://127.0.0.1:4000", gatelog.url)
            exec(compile(here, page, "exec"), dict(given))
            run += 1
    assert run == 4
    assert client.get_model_version_by_alias("support", "live").source == "gateway:/chat"


def test_a_call_is_not_started_again_and_takes_artifacts(call: Callable[..., str], client: MlflowClient) -> None:
    id = call("chat", team="search")
    with pytest.raises(MlflowException, match="its status, end and name cannot be changed"):
        mlflow.start_run(run_id=id)
    client.log_text(id, "why it was so", "notes.txt")
    assert [each.path for each in client.list_artifacts(id)] == ["notes.txt"]
    run = client.get_run(id)
    assert (run.info.run_name, run.info.status) == ("chat", "FINISHED")
    assert {"team": "search", "key": "admin", "gatelog.status": "ok", "mlflow.source.type": "GATEWAY"}.items() <= (
        run.data.tags.items()
    )
    trace = mlflow.get_trace(f"tr-{id}")
    assert trace is not None
    assert trace.info.tags["team"] == "search"


def test_a_part_of_a_file_is_answered_with_all_of_it(experiment: str, client: MlflowClient, rest: httpx.Client) -> None:
    id = client.create_run(experiment).info.run_id
    client.log_text(id, "whole", "a.txt")
    asked = {"path": "a.txt", "run_id": id}
    answer = rest.get("/get-artifact", params=asked, headers={"range": "bytes=0-1"})
    assert (answer.status_code, answer.text) == (200, "whole")


def test_nothing_is_told_of_budgets(rest: httpx.Client) -> None:
    budget = {"entity": "BUDGET_POLICY", "action": "EXCEEDED"}
    webhook = {"name": "budget", "url": "https://93.184.215.14/hook", "events": [budget]}
    answer = rest.post("/api/2.0/mlflow/webhooks", json=webhook)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json()["message"].startswith("there is no event BUDGET_POLICY.EXCEEDED")
