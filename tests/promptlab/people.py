"""A gateway with a pretend provider, and people with keys who use it, for tests of what the page is built on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.harness import Gateway

Json = dict[str, Any]
PRICE = {"input": 1, "output": 2}
WORDS = 5


class Person:
    """Somebody with a key; the administrator without one."""

    def __init__(self, gateway: Gateway, key: str | None = None) -> None:
        self.gateway, self.key = gateway, key

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    async def __call__(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        async with self.gateway.client(timeout=150.0) as client:
            return await client.request(method, path, json=body, params=query, headers=self.headers)

    async def good(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer to what must succeed."""
        answer = await self(method, path, body, **query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def calls(self, model: str, body: bytes | None = None, **more: Any) -> str:
        """The run of a call that was recorded."""
        sent = body or orjson.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}], **more})
        async with self.gateway.client() as client:
            headers = {**self.headers, "content-type": "application/json"}
            answer = await client.post("/v1/chat/completions", content=sent, headers=headers)
        assert answer.status_code == 200, answer.text
        id: str = answer.headers["x-gatelog-run-id"]
        await self.gateway.run(id)
        return id

    @asynccontextmanager
    async def hears(self, path: str, last: str | None = None) -> AsyncIterator[AsyncIterator[Json]]:
        """The events of a stream."""
        headers = {**self.headers, **({"last-event-id": last} if last else {})}
        async with self.gateway.client() as client, client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
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


def column(id: str, endpoint: str | None = "good", **more: Any) -> Json:
    messages = [{"role": "system", "content": "You help {{company}}."}]
    return {"id": id, "name": id.upper(), "endpoint": endpoint, "messages": messages, **more}


def row(id: str, company: str = "ACME", **more: Any) -> Json:
    return {"id": id, "values": {"company": company}, "messages": [{"role": "user", "content": "Hi"}], **more}


def state(columns: list[Json], rows: list[Json], **more: Any) -> Json:
    return {"columns": columns, "rows": rows, **more}


async def lab_of(someone: Person, made: Json) -> str:
    id: str = (await someone.good("POST", "/api/lab", {"state": made}))["id"]
    return id


async def over(heard: AsyncIterator[Json], count: int) -> list[Json]:
    """Events until so many cells are over."""
    told: list[Json] = []
    async for event in heard:
        told.append(event)
        count -= event["event"] == "cell"
        if count == 0:
            break
    return told


async def person(gateway: Gateway, name: str, role: str = "caller") -> Person:
    made = await Person(gateway).good("POST", "/api/keys", {"name": name, "role": role})
    return Person(gateway, made["key"])


@contextmanager
def serving(folder: Path, behaviours: dict[str, str], **more: Any) -> Iterator[Gateway]:
    """An endpoint for each behaviour of the provider, by name; the URL says what that is."""
    config = {
        "providers": {
            name: {"dialect": "openai", "base_url": url, "api_key": "sk-12345678"} for name, url in behaviours.items()
        },
        "endpoints": [
            {"name": name, "targets": [{"provider": name, "model": f"model-{name}", "price": PRICE}], "retries": 0}
            for name in behaviours
        ],
        **more,
    }
    gateway = Gateway(folder / "gateway", config)
    asyncio.run(gateway.start())
    try:
        yield gateway
    finally:
        gateway.kill()
