"""A run reads back as it was recorded, with all that was said in it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import orjson
import pytest

from providers.errors import InvalidRequest, StorageUnavailable
from tests.postgres import Postgres
from tests.tracking.kept import BASE_US, Row, add, opened, row, say
from tracking.database import open_store
from tracking.runs import Run, Runs

pytestmark = pytest.mark.anyio
PAGE = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()
REQUEST = b'{"model":"support","messages":[{"role":"user","content":"hi"}]}'
ANSWER = b'{"id":"c1","choices":[{"index":0,"message":{"role":"assistant","content":"ho"},"finish_reason":"stop"}]}'
STREAM = (
    b'data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}\n\n'
    b'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


def documented() -> tuple[Row, Run]:
    """The run of the page, as a row and as it is shown."""
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return (
        row(
            42,
            id="019b76da80007000800000000000002a",
            started_us=BASE_US,
            endpoint="support",
            requested_model="support",
            duration_us=1_234_567,
            ttft_us=1_234_000,
            upstream_us=1_233_500,
            cache_read_tokens=0,
            reasoning_tokens=2,
            cost_nanos=75_000,
            end_user="ann",
            tags={"team": "search"},
            upstream_request_id="req_1",
            prompt_name="support-reply",
            prompt_version=3,
            max_output=100,
        ),
        orjson.loads(found[1]),
    )


async def test_a_run_is_shown_as_its_page_says(store: str) -> None:
    kept, shown = documented()
    async with opened(store, [kept]) as database:
        page = await Runs(database).page()
    assert page.runs == [shown]
    assert page.next_page_token is None


async def test_what_is_unknown_is_null_and_never_zero(store: str) -> None:
    bare = dict.fromkeys(row(0)) | {"id": "0" * 32, "started_us": BASE_US, "experiment_id": 9, "status": "interrupted"}
    bare |= {"usage_basis": "none", "usage_suspect": False}
    async with opened(store, [bare]) as database:
        run = await Runs(database).get("0" * 32)
    assert run is not None
    assert run["cost"] == {"usd": None, "nanos": None, "basis": "none"}
    assert {value for name, value in run["usage"].items() if name not in {"basis", "suspect"}} == {None}
    assert {value for name, value in run["times"].items() if not name.startswith("started")} == {None}
    assert (run["tags"], run["error"], run["experiment"], run["request"], run["attempts"]) == (
        {},
        None,
        None,
        None,
        None,
    )


async def test_one_run_comes_with_its_attempts_price_request_and_response(store: str) -> None:
    kept = row(1)
    async with opened(store, [kept]) as database:
        await say(database, kept["id"], REQUEST, ANSWER, "json")
        runs = Runs(database)
        run = await runs.get(kept["id"])
        payload = await runs.payload(kept["id"])
    assert run is not None
    assert payload is not None
    assert (run["request"], run["response"]) == (orjson.loads(REQUEST), orjson.loads(ANSWER))
    assert run["attempts"] == [{"provider": "openai", "model": "gpt-4o", "status": "ok"}]
    assert run["price"] == {"source": "test"}
    assert (payload.request, payload.response, payload.response_type) == (REQUEST, ANSWER, "json")


async def test_a_stream_is_shown_whole_or_raw(store: str) -> None:
    kept = row(1, stream=True)
    async with opened(store, [kept]) as database:
        await say(database, kept["id"], REQUEST, STREAM, "sse")
        whole = await Runs(database).get(kept["id"])
        raw = await Runs(database).get(kept["id"], raw=True)
    assert whole is not None
    assert raw is not None
    assert whole["response"]["choices"][0]["message"]["content"] == "Hello"
    assert raw["response"] == STREAM.decode()


async def test_a_body_that_is_no_json_is_shown_as_text(store: str) -> None:
    kept = row(1, response_truncated=True)
    async with opened(store, [kept]) as database:
        await say(database, kept["id"], REQUEST, ANSWER[:20], "json")
        run = await Runs(database).get(kept["id"])
    assert run is not None
    assert run["response"] == ANSWER[:20].decode()


async def test_a_key_sees_its_own_runs_alone(store: str) -> None:
    mine, other, nobodys = row(1, key_id="k1"), row(2, key_id="k2"), row(3, key_id=None)
    async with opened(store, [mine, other, nobodys]) as database:
        runs = Runs(database)
        assert [run["id"] for run in (await runs.page(key_id="k1")).runs] == [mine["id"]]
        assert [run["id"] async for run in runs.export(key_id="k1")] == [mine["id"]]
        for id in (other["id"], nobodys["id"]):
            assert await runs.get(id) is not None
            assert await runs.get(id, key_id="k1") is None
            assert await runs.payload(id, key_id="k1") is None


@pytest.mark.parametrize("id", ["", "no such", "'; DROP TABLE calls; --", "\x00", "é\ud800"])
async def test_an_id_that_no_run_has_gives_nothing(store: str, id: str) -> None:
    async with opened(store, [row(1)]) as database:
        assert await Runs(database).get(id) is None
        assert await Runs(database).payload(id) is None


async def test_simple_questions_need_no_filter(store: str) -> None:
    rows = [
        row(n, started_us=BASE_US + n * 1_000_000, model=f"m{n}", status=["ok", "rejected"][n % 2]) for n in range(4)
    ]
    async with opened(store, rows) as database:
        runs = Runs(database)

        async def found(**narrow: str) -> list[str]:
            return sorted(run["model"] for run in (await runs.page(narrow=narrow)).runs)

        assert await found(model="m1") == ["m1"]
        assert await found(model="m1' OR 1=1 --") == []
        assert await found(status="ok", since="2026-01-01T00:00:01Z") == ["m2"]
        assert await found(since=str(BASE_US // 1000 + 1000), until="2026-01-01T00:00:03Z") == ["m1", "m2"]
        assert await found(endpoint="chat", provider="openai") == ["m0", "m1", "m2", "m3"]
        with pytest.raises(InvalidRequest, match="'soon' is no time for start_time") as caught:
            await found(until="soon")
        assert caught.value.param == "until"
        with pytest.raises(InvalidRequest, match="which no stored text can hold"):
            await found(model="\x00")


@pytest.mark.parametrize("size", [0, -1, 1001])
async def test_a_page_has_a_bounded_size(store: str, size: int) -> None:
    async with opened(store) as database:
        with pytest.raises(InvalidRequest, match="say 1 to 1000"):
            await Runs(database).page(page_size=size)


async def test_an_export_has_every_run_in_detail(store: str) -> None:
    rows = [row(n) for n in range(450)]
    async with opened(store, rows) as database:
        await say(database, rows[3]["id"], REQUEST, ANSWER, "json")
        found = [run async for run in Runs(database).export(order_by=["attributes.run_id"])]
    assert [run["id"] for run in found] == [row["id"] for row in rows]
    assert found[3]["request"] == orjson.loads(REQUEST)


async def test_a_tail_gives_each_run_once_also_one_that_took_longer_than_those_after_it(store: str) -> None:
    def now(n: int) -> Row:
        us = time.time_ns() // 1000
        return row(n, id=f"{us // 1000:012x}7000800{n:013x}", started_us=us)

    async with opened(store, [row(0), now(1)]) as database:
        tail = Runs(database).tail("status = 'ok'")
        slow, quick, failed = now(2), now(3), now(4) | {"status": "rejected"}
        assert await tail.more() == []
        await add(database, [quick, failed])
        assert [run["id"] for run in await tail.more()] == [quick["id"]]
        await add(database, [slow])
        assert [run["id"] for run in await tail.more()] == [slow["id"]]
        assert await tail.more() == []


@pytest.mark.postgres
async def test_a_store_that_is_away_is_a_503(postgres_server: Postgres) -> None:
    database = open_store(f"postgresql://postgres@127.0.0.1:{postgres_server.port}/no_such_database")
    try:
        with pytest.raises(StorageUnavailable, match="the store does not answer"):
            await Runs(database).page()
    finally:
        await database.close()
