"""What calls came to, asked of a running gateway."""

from __future__ import annotations

import pytest

from tests.harness import Start

pytestmark = pytest.mark.anyio
CONFIG = {"endpoints": [{"name": "chat", "type": "chat", "targets": [{"provider": "demo", "model": "words"}]}]}


async def test_calls_are_in_the_usage_as_soon_as_they_are_runs(start_gateway: Start) -> None:
    gateway = await start_gateway(CONFIG)
    asked = {"model": "chat", "messages": [{"role": "user", "content": "hello"}], "user": "ann"}
    async with gateway.client() as client:
        for n in range(6):
            headers = {"x-gatelog-tags": '{"team": "blue"}'} if n % 2 else {}
            assert (await client.post("/v1/chat/completions", json=asked, headers=headers)).status_code == 200
        runs = await gateway.settled(6)
        usage = (await client.get("/api/usage", params={"group_by": "endpoint,provider", "bucket": "minute"})).json()
        by_tag = (await client.get("/api/usage", params={"group_by": "tags.team", "user": "ann"})).json()
        by_team = (await client.get("/api/usage", params={"group_by": "tags.team"})).json()
        words = await gateway.settled(6, filter="text = 'HELLO'")  # indexed a batch a second, however few are in it
        faults = [
            await client.get("/api/usage", params=params)
            for params in (
                {"bucket": "week"},
                {"since": "yesterday"},
                {"colour": "red"},
                {"group_by": "endpoint,endpoint"},
            )
        ]
    assert {(row["endpoint"], row["provider"]) for row in usage["usage"]} == {("chat", "demo")}
    total = usage["total"]
    assert (total["calls"], total["errors"]) == (6, 0)
    assert total["tokens"]["output_tokens"] == sum(run["usage"]["output_tokens"] for run in runs)
    longest = max(run["times"]["duration_ms"] for run in runs)
    assert abs(total["latency_ms"]["p99"] - longest) <= longest * usage["relative_error"] + 0.001
    assert by_tag["error"]["message"].startswith("usage is counted by tags.team and by user")
    assert [(row["tags.team"], row["calls"]) for row in by_team["usage"]] == [("blue", 3)]
    assert len(words) == 6
    assert [fault.status_code for fault in faults] == [400] * 4
