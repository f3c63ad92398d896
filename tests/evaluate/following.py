"""Evaluations over the REST API of a real server, for tests: made, followed to a point, read back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.harness import Gateway

Json = dict[str, Any]
OVER = ("finished", "stopped", "failed")


async def post(gateway: Gateway, path: str, body: Json, status: int = 200) -> Json:
    async with gateway.client() as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == status, answer.text
    payload: Json = answer.json()
    return payload


async def get(gateway: Gateway, path: str, **query: Any) -> Json:
    async with gateway.client() as client:
        answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    payload: Json = answer.json()
    return payload


async def make(gateway: Gateway, **spec: Any) -> Json:
    return await post(gateway, "/api/evaluations", {"name": "test", **spec}, 201)


async def until(gateway: Gateway, id: str, reached: Callable[[Json], bool], seconds: float = 120.0) -> Json:
    """The evaluation's head, once it is so."""
    end = time.monotonic() + seconds
    head: Json = {}
    while time.monotonic() < end:
        try:
            head = await get(gateway, f"/api/evaluations/{id}")
        except httpx.TransportError:
            pass
        else:
            if reached(head):
                return head
        await asyncio.sleep(0.1)
    raise AssertionError(f"it is not so after {seconds} s: {head}; the server's log:\n{gateway.log[-3000:]}")


async def over(gateway: Gateway, id: str, seconds: float = 120.0) -> Json:
    return await until(gateway, id, lambda head: head["state"] in OVER, seconds)


async def grid_of(gateway: Gateway, id: str) -> Json:
    return await get(gateway, f"/api/evaluations/{id}", cells="true")


async def children(gateway: Gateway, id: str, count: int) -> list[Json]:
    """The runs below an evaluation's."""
    return await gateway.settled(count, filter=f"parent_run_id = '{id}'")


def asked(many: int) -> list[Json]:
    return [{"inputs": {"question": f"question {n}"}, "tags": {"parity": str(n % 2)}} for n in range(many)]


def variant(name: str, **more: Any) -> Json:
    return {
        "name": name,
        "endpoint": "model",
        "messages": f"{name}: {{{{ question }}}}",
        "params": {"max_tokens": 64},
        **more,
    }
