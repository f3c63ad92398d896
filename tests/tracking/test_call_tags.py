"""A rare tag leads to its calls, whatever becomes of them, and whether or not they are indexed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.tracking.kept import BASE_US, Row, add, opened, row
from tracking.call_tags import RARE, CallTags, by_rare_tags
from tracking.database import Database
from tracking.fields import CALLS
from tracking.grammar import Source
from tracking.logged_runs import LoggedRuns
from tracking.run_search import RunSearch
from tracking.runs import Runs
from tracking.tables import calls
from tracking.traces import Traces

pytestmark = pytest.mark.anyio


def ticketed(n: int, ticket: str, **more: str) -> Row:
    return row(n, tags={"ticket": ticket, "team": "search", **more})


async def found(database: Database, filter: str) -> list[str]:
    """By each of the searches, which have to agree."""
    ids = [run["id"] for run in (await Runs(database).page(filter)).runs]
    runs, _ = await RunSearch(database).page([0], filter, [], 100, None)
    traces = await Traces(database).page([0], filter)
    assert [run["info"]["run_id"] for run in runs] == ids
    assert [trace["trace_id"] for trace in traces.infos] == [f"tr-{id}" for id in ids]
    return ids


async def test_calls_are_found_by_a_tag_before_and_after_it_is_indexed(store: str) -> None:
    rows = [ticketed(n, f"T-{n // 2}") for n in range(40)]
    async with opened(store, rows) as database:
        wanted = [rows[15]["id"], rows[14]["id"]]
        assert await found(database, "tags.ticket = 'T-7'") == wanted
        await CallTags(database).index()
        assert await found(database, "tags.ticket = 'T-7'") == wanted
        later = ticketed(50, "T-7")
        await add(database, [later])
        assert await found(database, "tags.ticket = 'T-7' AND tags.team IN ('search', 'x')") == [later["id"], *wanted]
        assert await found(database, "tags.ticket = 'T-7' AND tags.team != 'search'") == []
        assert await found(database, "tags.ticket IN ('T-7', 'T-0') AND metrics.attempts > 9") == []


async def test_a_tag_that_changes_is_found_by_what_it_is(store: str) -> None:
    rows = [ticketed(n, f"T-{n}") for n in range(3)]
    async with opened(store, rows) as database:
        await CallTags(database).index()
        await LoggedRuns(database).log(rows[1]["id"], [], {}, {"ticket": "moved"})
        assert await found(database, "tags.ticket = 'T-1'") == []
        assert await found(database, "tags.ticket = 'moved'") == [rows[1]["id"]]


async def test_calls_after_all_were_deleted_are_found(store: str) -> None:
    async with opened(store, [ticketed(n, "old") for n in range(5)]) as database:
        await CallTags(database).index()
        async with database.writing() as connection:
            await connection.execute(sa.delete(calls))
        fresh = ticketed(9, "new")
        await add(database, [fresh])
        assert await found(database, "tags.ticket = 'new'") == [fresh["id"]]
        await CallTags(database).index()
        assert await found(database, "tags.ticket = 'new'") == [fresh["id"]]
        assert await found(database, "tags.ticket = 'old'") == []


async def test_long_values_that_begin_alike_are_told_apart(store: str) -> None:
    rows = [ticketed(n, "x" * 200 + str(n)) for n in range(3)]
    async with opened(store, rows) as database:
        await CallTags(database).index()
        assert await found(database, f"tags.ticket = '{'x' * 200}1'") == [rows[1]["id"]]


async def test_a_tag_that_many_have_is_not_looked_up_one_by_one(tmp_path: object) -> None:
    rows = [ticketed(n, f"T-{n}") for n in range(RARE + 1)]
    async with opened(f"sqlite:///{tmp_path}/gatelog.db", rows) as database:
        await CallTags(database).index()
        async with database.reading() as connection:
            assert await by_rare_tags(connection, Source("tags.team = 'search'"), CALLS) == []
            assert len(await by_rare_tags(connection, Source("tags.ticket = 'T-1'"), CALLS)) == 1
        newest = await Runs(database).page("tags.team = 'search'", page_size=1)
        assert newest.runs[0]["times"]["started_unix_ms"] == (BASE_US + RARE * 1_357) // 1000
