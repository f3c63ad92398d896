"""A server that is told to stop finishes what it has begun."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness import Start

pytestmark = pytest.mark.anyio


async def test_a_server_that_stops_lets_its_calls_finish(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    body: dict[str, Any] = {"model": "demo/words@40", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    async with gateway.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
        pieces = response.aiter_text()
        heard = await anext(pieces)
        stopping = asyncio.create_task(gateway.stop())
        async for piece in pieces:
            heard += piece
    assert heard.endswith("data: [DONE]\n\n")
    assert await stopping == 0
