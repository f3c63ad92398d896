"""Any window of usage, in any bucket, counts each call once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from providers.errors import InvalidRequest
from tests.tracking.test_usage import START_US, several, write
from tracking import sketch
from tracking.database import open_store
from tracking.usage import Keeping
from tracking.usage_report import Question, UsageReports

pytestmark = pytest.mark.anyio
SINCE = START_US // 1_000_000
COUNT = 9_000
"""Seconds, with one call in each: from 12:13:20 on the 23rd to 14:43:20."""


async def reports(store: str, *questions: Question, key_id: str | None = None) -> list[dict[str, Any]]:
    database = open_store(store)
    try:
        return [
            await UsageReports(database, Keeping(database)).report(question, key_id=key_id) for question in questions
        ]
    finally:
        await database.close()


async def test_any_window_in_any_bucket_counts_each_call_once(store: str) -> None:
    batch = several(COUNT)
    await write(store, batch[:4_000], batch[4_000:])
    windows = [(0, COUNT), (-100_000, 100_000), (40, 100), (1_000, 8_000), (2_800, 6_400), (8_990, 9_100)]
    for (since, until), bucket in itertools.product(windows, (None, "minute", "hour", "day")):
        question = Question(since=SINCE + since, until=SINCE + until, bucket=bucket, group_by=("endpoint", "model"))
        [report] = await reports(store, question)
        first, last = (SINCE + since) // 60 * 60, -(-(SINCE + until) // 60) * 60
        inside = [call for n, call in enumerate(batch) if first <= SINCE + n < last and call.end is not None]
        assert report["total"]["calls"] == len(inside)
        assert report["total"]["cost"]["nanos"] == sum(call.end["cost_nanos"] or 0 for call in inside if call.end)
        assert sum(row["calls"] for row in report["usage"]) == len(inside)
        durations = sorted(call.end["duration_us"] for call in inside if call.end)
        middle = durations[-(-len(durations) // 2) - 1] / 1000
        assert abs(report["total"]["latency_ms"]["p50"] - middle) <= middle * sketch.RELATIVE_ERROR + 0.001


async def test_usage_is_narrowed_by_what_it_is_counted_by(store: str) -> None:
    batch = several(500)
    await write(store, batch)
    since, until = SINCE - 3_600, SINCE + 3_600
    questions = [
        Question(since=since, until=until, only={"endpoint": ["chat"]}),
        Question(since=since, until=until, only={"key": ["k1"], "user": ["ann", "bob"]}),
        Question(since=since, until=until, group_by=("tags.team",), only={"key": ["k2"]}),
    ]
    chat, people, teams = await reports(store, *questions)
    begun = [(call.begin or {}, call.end or {}) for call in batch]
    assert chat["total"]["calls"] == sum(begin.get("endpoint") == "chat" for begin, _ in begun)
    asked = sum(begin.get("key_id") == "k1" and begin.get("user") is not None for begin, _ in begun)
    assert people["total"]["calls"] == asked
    assert {row["tags.team"]: row["calls"] for row in teams["usage"]} == {
        team: sum(begin.get("tags", {}).get("team") == team and begin["key_id"] == "k2" for begin, _ in begun)
        for team in ("blue", "red")
    }


async def test_a_key_sees_its_own_calls_only(store: str) -> None:
    batch = several(100)
    await write(store, batch)
    [report] = await reports(store, Question(since=SINCE, until=SINCE + 100, group_by=("key",)), key_id="k1")
    assert [row["key"] for row in report["usage"]] == ["k1"]
    assert report["total"]["calls"] == sum((call.begin or {}).get("key_id") == "k1" for call in batch)


async def test_a_window_without_calls_is_empty_and_not_an_error(store: str) -> None:
    await write(store, several(1))
    [report] = await reports(store, Question(since=0, until=60))
    assert (report["usage"], report["total"]["calls"], report["total"]["latency_ms"]["p50"]) == ([], 0, None)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (Question(since=5, until=5), "since is not before until"),
        (Question(since=0, until=60, group_by=("colour",)), "not counted by 'colour'"),
        (Question(since=0, until=60, group_by=("user",), only={"tags.team": ["x"]}), "not by both at once"),
        (Question(since=0, until=60, group_by=("user",), bucket="minute"), "say bucket=hour"),
        (Question(since=0, until=60, group_by=("key", "model"), bucket="minute"), "say bucket=hour"),
        (Question(since=0, until=60, group_by=("user", "model")), "counted by key alone, and not by model"),
        (Question(since=0, until=60, only={"prompt_version": ["x"]}), "say a whole number"),
    ],
)
async def test_what_is_not_counted_is_refused(tmp_path: Any, question: Question, says: str) -> None:
    store = f"sqlite:///{tmp_path}/gatelog.db"
    await write(store)
    with pytest.raises(InvalidRequest, match=says):
        await reports(store, question)
