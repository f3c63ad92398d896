"""What the page finds runs by: facets, help with the grammar, a live tail, and runs side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from tests.harness import Gateway
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
Json = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Vendor() as vendor:
        provider = {"dialect": "openai", "base_url": vendor.url("ok", tokens=3), "api_key": "sk-12345678"}
        config = {
            "providers": {"good": provider},
            "endpoints": [
                {"name": name, "targets": [{"provider": "good", "model": f"model-{name}"}]} for name in ("one", "two")
            ],
        }
        gateway = Gateway(tmp_path_factory.mktemp("finding") / "gateway", config)
        asyncio.run(gateway.start())
        try:
            yield gateway
        finally:
            gateway.kill()


async def call(gateway: Gateway, model: str = "one", key: str | None = None, **more: Any) -> str:
    async with gateway.client() as client:
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **more}
        headers = {"authorization": f"Bearer {key}"} if key else {}
        answer = await client.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        id: str = answer.headers["x-gatelog-run-id"]
    await gateway.run(id)
    return id


async def made(gateway: Gateway, name: str, role: str = "caller") -> Json:
    async with gateway.client() as client:
        answer = await client.post("/api/keys", json={"name": name, "role": role})
        key: Json = answer.json()
        return key


async def get(gateway: Gateway, path: str, key: str | None = None, **query: Any) -> httpx.Response:
    async with gateway.client() as client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return await client.get(path, params=query, headers=headers)


@asynccontextmanager
async def listening(
    gateway: Gateway, path: str, last: str | None = None, **query: Any
) -> AsyncIterator[AsyncIterator[Json]]:
    headers = {"last-event-id": last} if last else {}
    async with gateway.client() as client, client.stream("GET", path, params=query, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        lines = response.aiter_lines()
        assert await anext(lines) == ": still here"
        yield events(lines)


async def events(lines: AsyncIterator[str]) -> AsyncIterator[Json]:
    event: Json = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            yield event
            event = {}
        elif name in ("event", "id"):
            event[name] = value
        elif name == "data":
            event["data"] = orjson.loads(value)


async def test_facets_name_the_keys_that_whoever_asks_may_know_of(gateway: Gateway) -> None:
    key = await made(gateway, "billing")
    await call(gateway, "two", key["key"])
    await call(gateway, "two")
    found = (await get(gateway, "/api/runs/facets", endpoint="two")).json()
    assert found["runs"] == 2
    assert found["facets"]["endpoint"] == [{"value": "two", "runs": 2}]
    named = {each["value"]: each["name"] for each in found["facets"]["key"]}
    assert named == {key["id"]: "billing", "admin": "admin"}
    own = (await get(gateway, "/api/runs/facets", key["key"])).json()
    assert (own["runs"], own["facets"]["key"][0]["name"]) == (1, "billing")


async def test_a_wrong_question_about_facets_is_refused(gateway: Gateway) -> None:
    for query, param in (({"filter": "status ="}, "filter"), ({"buckets": "0"}, "buckets"), ({"x": "1"}, "x")):
        answer = await get(gateway, "/api/runs/facets", **query)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_search_box_is_told_what_there_is_and_where_it_is_wrong(gateway: Gateway) -> None:
    help = (await get(gateway, "/api/runs/fields")).json()
    fields = {field["key"]: field for field in help["fields"]}
    assert "NOT IN" in fields["metrics.cost_usd"]["operators"]
    assert "ok" in fields["attributes.status"]["values"]
    assert fields["params.endpoint"]["values"] == ["one", "two"]
    assert fields["params.stream"]["values"] == ["TRUE", "FALSE"]
    assert (await get(gateway, "/api/runs/check", filter="status = 'ok'")).json() == {"ok": True}
    wrong = (await get(gateway, "/api/runs/check", filter="status = gpt")).json()
    assert (wrong["ok"], wrong["param"], wrong["column"]) == (False, "filter", 10)
    assert wrong["message"].startswith("found 'gpt', where")
    order = (await get(gateway, "/api/runs/check", order_by="cost")).json()
    assert (order["ok"], order["param"], order["column"]) == (False, "order_by", 1)


async def test_the_tail_tells_of_each_run_that_passes_once(gateway: Gateway) -> None:
    await call(gateway, "one")
    async with listening(gateway, "/api/runs/tail", endpoint="one") as heard:
        await call(gateway, "two")
        first, second = await call(gateway, "one"), await call(gateway, "one")
        told = [await anext(heard), await anext(heard)]
    assert [event["event"] for event in told] == ["run", "run"]
    assert [event["data"]["id"] for event in told] == [first, second]
    third = await call(gateway, "one")
    async with listening(gateway, "/api/runs/tail", last=told[-1]["id"], endpoint="one") as heard:
        again = [event["data"]["id"] async for event in heard_until(heard, third)]
    assert again[-1] == third


async def heard_until(heard: AsyncIterator[Json], id: str) -> AsyncIterator[Json]:
    async for event in heard:
        yield event
        if event["data"]["id"] == id:
            return


async def test_a_caller_hears_of_its_own_runs_alone(gateway: Gateway) -> None:
    key = await made(gateway, "own")
    async with gateway.client() as client:
        headers = {"authorization": f"Bearer {key['key']}"}
        async with client.stream("GET", "/api/runs/tail", headers=headers) as response:
            lines = response.aiter_lines()
            assert await anext(lines) == ": still here"
            await call(gateway, "one")
            mine = await call(gateway, "one", key["key"])
            assert (await anext(events(lines)))["data"]["id"] == mine


async def test_runs_side_by_side_say_what_differs(gateway: Gateway) -> None:
    ids = [await call(gateway, "one", temperature=0.5), await call(gateway, "two", temperature=0.5)]
    async with gateway.client() as client:
        found = (await client.get("/api/runs/compare", params=[("id", id) for id in ids])).json()
        assert [run["id"] for run in found["runs"]] == ids
        assert {"endpoint", "model", "request.model"} <= set(found["different"])
        assert {"kind", "request.temperature", "request.messages[0].content"} <= set(found["same"])
        for query in ("id=a", f"id={ids[0]}&id={ids[0]}", f"id={ids[0]}&x=1"):
            assert (await client.get(f"/api/runs/compare?{query}")).status_code == 400
        assert (await client.get(f"/api/runs/compare?id={ids[0]}&id=nothing")).status_code == 404


async def test_an_open_tail_does_not_keep_the_server_from_stopping(tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Gateway(tmp_path_factory.mktemp("stopping") / "gateway", {})
    await other.start()
    try:
        async with listening(other, "/api/runs/tail") as heard:
            assert await asyncio.wait_for(other.stop(), 5) == 0
            assert [event async for event in heard] == []
    finally:
        other.kill()
