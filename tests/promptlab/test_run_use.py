"""What is done with logged calls: judged, taken into datasets, looked for again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.harness import Gateway
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
Json = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Vendor() as vendor:
        provider = {"dialect": "openai", "base_url": vendor.url("ok", tokens=3), "api_key": "sk-12345678"}
        target = {"provider": "good", "model": "m"}
        config = {
            "providers": {"good": provider},
            "endpoints": [
                {"name": "kept", "targets": [target]},
                {"name": "unkept", "targets": [target], "log_payloads": "none"},
            ],
        }
        gateway = Gateway(tmp_path_factory.mktemp("using") / "gateway", config)
        asyncio.run(gateway.start())
        try:
            yield gateway
        finally:
            gateway.kill()


class Person:
    """Somebody with a key."""

    def __init__(self, gateway: Gateway, key: str | None = None) -> None:
        self.gateway, self.key = gateway, key

    async def __call__(self, method: str, path: str, body: Json | None = None, **query: Any) -> httpx.Response:
        async with self.gateway.client() as client:
            headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
            return await client.request(method, path, json=body, params=query, headers=headers)

    async def calls(self, model: str = "kept", **more: Any) -> str:
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}
        answer = await self("POST", "/v1/chat/completions", body)
        assert answer.status_code == 200, answer.text
        id: str = answer.headers["x-gatelog-run-id"]
        return id


async def person(gateway: Gateway, name: str, role: str = "caller") -> Person:
    made = await Person(gateway)("POST", "/api/keys", {"name": name, "role": role})
    return Person(gateway, made.json()["key"])


async def test_what_somebody_says_of_a_call_is_changed_and_taken_back_by_them_alone(gateway: Gateway) -> None:
    ann, admin = await person(gateway, "ann"), Person(gateway)
    run = await ann.calls()
    path = f"/api/runs/{run}/feedback"
    said = await ann("PUT", path, {"name": "thumb", "value": True})
    assert said.status_code == 200, said.text
    await admin("PUT", path, {"name": "thumb", "value": False, "rationale": "rude"})
    await ann("PUT", path, {"name": "note", "value": "short"})
    await ann("PUT", path, {"name": "note", "value": "too short"})
    found = (await ann("GET", path)).json()["feedback"]
    assert [(each["name"], each["value"], each["by"], each["mine"]) for each in found] == [
        ("thumb", True, "ann", True),
        ("thumb", False, "admin", False),
        ("note", "too short", "ann", True),
    ]
    await ann("PUT", path, {"name": "thumb", "value": None})
    left = (await admin("GET", path)).json()["feedback"]
    assert [(each["name"], each["rationale"], each["mine"]) for each in left] == [
        ("thumb", "rude", True),
        ("note", None, False),
    ]
    trace = await admin("GET", f"/api/3.0/mlflow/traces/tr-{run}")
    assert trace.status_code == 200
    assert {each["assessment_name"] for each in trace.json()["trace"]["trace_info"]["assessments"]} == {"thumb", "note"}


async def test_of_anothers_call_nothing_is_said(gateway: Gateway) -> None:
    ann, bob = await person(gateway, "ann"), await person(gateway, "bob")
    run = await ann.calls()
    await gateway.run(run)
    assert (await bob("PUT", f"/api/runs/{run}/feedback", {"name": "thumb", "value": True})).status_code == 404
    viewer = await person(gateway, "eve", "viewer")
    assert (await viewer("GET", f"/api/runs/{run}/feedback")).json() == {"feedback": []}
    assert (await viewer("PUT", f"/api/runs/{run}/feedback", {"name": "thumb", "value": True})).status_code == 403
    for body in (
        {"name": "thumb"},
        {"name": "", "value": 1},
        {"name": "x", "value": []},
        {"name": "x", "value": 1, "y": 2},
    ):
        assert (await ann("PUT", f"/api/runs/{run}/feedback", body)).status_code == 400


async def test_calls_become_records_of_a_dataset(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    first, second = await ann.calls(), await ann.calls(messages=[{"role": "user", "content": "Ho"}])
    unkept = await ann.calls("unkept")
    for id in (first, second, unkept):
        await gateway.run(id)
    ids = [first, second, unkept, "nothing"]
    made = await ann("POST", "/api/runs/dataset", {"dataset": "greetings", "run_ids": ids, "expect": "answer"})
    assert made.status_code == 200, made.text
    said = made.json()
    assert (said["added"], said["updated"]) == (2, 0)
    assert [(each["run_id"], each["why"][:14]) for each in said["left_out"]] == [
        (unkept, "what was said "),
        ("nothing", "there is no su"),
    ]
    again = await ann("POST", "/api/runs/dataset", {"dataset_id": said["dataset_id"], "run_ids": [first]})
    assert (again.json()["added"], again.json()["updated"]) == (0, 1)
    records = await ann("GET", f"/api/3.0/mlflow/datasets/{said['dataset_id']}/records")
    found = records.json()["records"]
    assert isinstance(found, str) or len(found) == 2
    for body, status in (
        ({"dataset_id": "d-nothing", "run_ids": [first]}, 404),
        ({"dataset": "x", "run_ids": [unkept]}, 400),
        ({"dataset": "x", "dataset_id": "y", "run_ids": [first]}, 400),
        ({"dataset": "x", "run_ids": []}, 400),
    ):
        assert (await ann("POST", "/api/runs/dataset", body)).status_code == status


async def test_a_view_is_its_makers_to_change_and_everybodys_to_read_once_shared(gateway: Gateway) -> None:
    ann, bob, admin = await person(gateway, "ann"), await person(gateway, "bob"), Person(gateway)
    mine = (await ann("POST", "/api/views", {"page": "runs", "name": "errors", "query": {"filter": "x"}})).json()
    shared = (await ann("POST", "/api/views", {"page": "runs", "name": "all", "query": {}, "shared": True})).json()
    assert (mine["mine"], mine["shared"], mine["by"]) == (True, False, "ann")
    seen = (await bob("GET", "/api/views", page="runs")).json()["views"]
    assert [(each["id"], each["mine"]) for each in seen] == [(shared["id"], False)]
    assert (await ann("GET", "/api/views", page="lab")).json()["views"] == []
    changed = {"name": "mistakes", "query": {"filter": "y"}, "shared": False}
    assert (await bob("PUT", f"/api/views/{shared['id']}", changed)).status_code == 403
    assert (await bob("DELETE", f"/api/views/{mine['id']}")).status_code == 404
    after = (await ann("PUT", f"/api/views/{mine['id']}", changed)).json()
    assert (after["name"], after["query"]) == ("mistakes", {"filter": "y"})
    assert (await admin("DELETE", f"/api/views/{shared['id']}")).status_code == 204
    assert [each["name"] for each in (await ann("GET", "/api/views")).json()["views"]] == ["mistakes"]
    large = {"page": "runs", "name": "large", "query": {"filter": "x" * 70_000}}
    assert (await ann("POST", "/api/views", large)).status_code == 400
