"""Every configuration that was in use is kept, without its secrets."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.harness import Start

pytestmark = pytest.mark.anyio
FIRST: dict[str, Any] = {"providers": {"openai": {"api_key": "sk-very-secret"}}, "endpoints": []}
ENDPOINT = {"name": "chat", "targets": [{"provider": "demo", "model": "words"}]}


async def listed(client: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    """The revisions, once there are so many."""
    found: list[dict[str, Any]] = []
    for _ in range(200):
        found = (await client.get("/api/gateway/revisions")).json()["revisions"]
        if len(found) >= count:
            break
        await asyncio.sleep(0.05)
    return found


async def test_a_configuration_that_was_taken_up_can_be_read_when_another_is_in_use(start_gateway: Start) -> None:
    gateway = await start_gateway(FIRST)
    async with gateway.client() as client:
        (first,) = await listed(client, 1)
        assert first["in_use"]
        gateway.write_config({**gateway.config, "endpoints": [ENDPOINT]})
        second, again = await listed(client, 2)
        assert (again["revision"], again["in_use"], second["in_use"]) == (first["revision"], False, True)
        for revision, names in ((first["revision"], []), (second["revision"], ["chat"])):
            answer = await client.get(f"/api/gateway/revisions/{revision}")
            assert "sk-very-secret" not in answer.text
            assert [each["name"] for each in answer.json()["settings"]["endpoints"]] == names
        gateway.write_config({**gateway.config, "endpoints": []})
        for _ in range(200):
            back = await listed(client, 2)
            if back[0]["revision"] == first["revision"]:
                break
            await asyncio.sleep(0.05)
        assert [each["in_use"] for each in back] == [True, False], "the one taken up last comes first"
        assert back[0]["first_at"] == first["first_at"]
        assert (await client.get("/api/gateway/revisions/nothing")).status_code == 404
