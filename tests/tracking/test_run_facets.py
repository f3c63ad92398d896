"""Facets add up to the runs that a search finds, and say when they were cut short."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tracking.kept import BASE_US, opened, row, varied
from tracking import run_facets, run_help
from tracking.run_facets import RunFacets
from tracking.runs import Runs

pytestmark = pytest.mark.anyio
ROWS = [each for each in varied(400) if (each["cost_nanos"] or 0) < 2**62]
"""Without those that cost billions, whose sum no database holds."""
FILTERS = ("", "status = 'ok'", "tags.team = 'search'", "metrics.cost_nanos > 999 OR params.model IS NULL")


@pytest.mark.parametrize("filter", FILTERS)
async def test_they_add_up_to_what_the_search_finds(store: str, filter: str) -> None:
    async with opened(store, ROWS) as database:
        found = await RunFacets(database).count(filter, buckets=50)
        runs = (await Runs(database).page(filter, page_size=1000)).runs
    assert (found["runs"], found["cut"]) == (len(runs), False)
    for facet, of in (("status", "status"), ("model", "model"), ("provider", "provider"), ("key", "key_id")):
        counts = {each["value"]: each["runs"] for each in found["facets"][facet]}
        assert counts == Counter(run[of] for run in runs)
        assert found["more"][facet] == 0
    buckets = found["histogram"]["buckets"]
    assert sum(bucket["runs"] for bucket in buckets) == len(runs)
    assert sum(bucket["errors"] for bucket in buckets) == sum(run["status"] == "upstream_error" for run in runs)
    known = [run["cost"]["nanos"] for run in runs if run["cost"]["nanos"] is not None]
    assert (found["cost"]["nanos"], found["cost"]["unknown_calls"]) == (sum(known), len(runs) - len(known))


async def test_a_histogram_has_no_more_buckets_than_asked_for(store: str) -> None:
    rows = [row(n, started_us=BASE_US + n * 37_000_000) for n in range(300)]
    async with opened(store, rows) as database:
        for most in (1, 7, 60, 200):
            found = (await RunFacets(database).count(buckets=most))["histogram"]
            assert len(found["buckets"]) <= most + 1
        narrow = {"since": str(BASE_US // 1000 + 37_000), "until": str(BASE_US // 1000 + 74_000)}
        assert (await RunFacets(database).count(narrow=narrow))["runs"] == 1


async def test_windows_one_after_another_count_each_run_once(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_facets, "FIRST", 7)
    monkeypatch.setattr(run_facets, "LARGEST", 14)
    at_once = [row(n, started_us=BASE_US + 5_000_000) for n in range(1_000, 1_100)]
    async with opened(store, ROWS + at_once) as database:
        assert (await RunFacets(database).count())["runs"] == len(ROWS) + 100
        mine = sum(each["key_id"] == "k1" for each in ROWS + at_once)
        assert (await RunFacets(database).count(key_id="k1"))["runs"] == mine


async def test_what_could_not_be_counted_in_time_is_said(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_facets, "FIRST", 10)
    rows = [row(n, started_us=BASE_US + n * 1_000_000) for n in range(100)]
    async with opened(store, rows) as database:
        found = await RunFacets(database).count(seconds=-1.0)
        assert (found["runs"], found["cut"]) == (0, True)
        everything = await RunFacets(database).count(seconds=60.0)
        assert (everything["runs"], everything["cut"], everything["covered_since"]) == (
            100,
            False,
            "2026-01-01T00:00:00.000Z",
        )


async def test_an_empty_store_has_nothing_to_count(store: str) -> None:
    async with opened(store) as database:
        found = await RunFacets(database).count("status = 'ok'")
    assert (found["runs"], found["histogram"]["buckets"], found["covered_since"]) == (0, [], None)


async def test_names_of_tags_come_with_the_most_frequent_first(store: str) -> None:
    rows = [row(n, tags={"team": "a"} if n % 3 else {"team": "b", "area": "x"}) for n in range(30)]
    async with opened(store, rows) as database:
        assert await run_help.tag_names(database) == ["team", "area"]
        assert await run_help.tag_names(database, key_id="nobody") == []
