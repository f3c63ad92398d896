"""What is too old goes, what is not stays, and two processes do not do it at once."""

from __future__ import annotations

import asyncio
import time

import pytest
import sqlalchemy as sa

from providers.errors import InvalidRequest
from tests.tracking.kept import Row, add, opened, row, say
from tests.tracking.logged import WORDS
from tests.tracking.test_usage import several
from tracking import retention
from tracking.call_tag_tables import call_tags
from tracking.call_tags import CallTags
from tracking.database import Database, open_store
from tracking.logged_runs import Dataset, LoggedRuns, Metric
from tracking.retention import BATCH, Deleted, Retention
from tracking.rows import Rows
from tracking.run_tables import run_inputs, run_latest, run_metrics, run_models, run_params
from tracking.tables import calls, meta, payload_blocks
from tracking.trace_tables import assessments, spans, trace_runs, traces
from tracking.usage import Keeping
from tracking.usage_report import Question, UsageReports
from tracking.usage_tables import usage
from tracking.writer import Writer

pytestmark = pytest.mark.anyio


def aged(n: int, days: float) -> Row:
    ms = int((time.time() - days * 86_400) * 1000)
    return row(n, id=f"{ms:012x}7000800{n:013x}", started_us=ms * 1000)


async def ids(database: Database, table: sa.Table) -> set[object]:
    async with database.reading() as connection:
        return set((await connection.execute(sa.select(*table.primary_key))).scalars())


async def blocks_of(database: Database, run: Row) -> set[object]:
    async with database.reading() as connection:
        query = sa.select(calls.c.payload_block).where(calls.c.id == run["id"])
        return set((await connection.execute(query)).scalars())


async def test_what_was_said_goes_before_the_runs_do(store: str) -> None:
    old, middling, new = aged(1, 40), aged(2, 10), aged(3, 1)
    async with opened(store, [old, middling, new]) as database:
        for kept in (old, middling, new):
            await say(database, kept["id"], b"{}", None, None)
        assert await Retention(database, runs_days=30, payloads_days=7).sweep() == Deleted(runs=1, blocks=2)
        assert await ids(database, calls) == {middling["id"], new["id"]}
        assert await ids(database, payload_blocks) == await blocks_of(database, new)
        assert await Retention(database, runs_days=30, payloads_days=7).sweep() == Deleted(runs=0, blocks=0)


@pytest.mark.parametrize("payloads_days", [None, 60])
async def test_what_was_said_never_outlives_its_run(store: str, payloads_days: float | None) -> None:
    old = aged(1, 40)
    async with opened(store, [old]) as database:
        await say(database, old["id"], b"{}", None, None)
        assert await Retention(database, runs_days=30, payloads_days=payloads_days).sweep() == Deleted(1, 1)
        assert await ids(database, payload_blocks) == set()


async def test_without_ages_everything_is_kept(store: str) -> None:
    old = aged(1, 4_000)
    async with opened(store, [old]) as database:
        await say(database, old["id"], b"{}", None, None)
        assert await Retention(database, runs_days=None, payloads_days=None).sweep() == Deleted(0, 0)
        assert await Retention(database, runs_days=None, payloads_days=1).sweep() == Deleted(0, 1)
        assert await ids(database, calls) == {old["id"]}


async def test_many_go_in_batches_between_which_others_write(store: str) -> None:
    async with opened(store, [aged(n, 40) for n in range(BATCH * 2 + 1)]) as database:
        sweep = asyncio.create_task(Retention(database, runs_days=30, payloads_days=None).sweep())
        await add(database, [aged(9_999, 0)])
        assert await sweep == Deleted(BATCH * 2 + 1, 0)
        assert len(await ids(database, calls)) == 1


async def test_only_one_of_several_processes_sweeps(store: str) -> None:
    others = [open_store(store) for _ in range(3)]
    async with opened(store, [aged(n, 40) for n in range(BATCH + 1)]) as database:
        try:
            sweeps = [Retention(each, runs_days=30, payloads_days=None).sweep() for each in (database, *others)]
            done = await asyncio.gather(*sweeps)
        finally:
            for other in others:
                await other.close()
        # One that came when another had finished may have swept as well, and found nothing.
        assert sorted(each.runs for each in done if each is not None and each.runs) == [BATCH + 1]
        assert await ids(database, calls) == set()


async def test_a_lease_is_given_back_and_one_whose_holder_died_runs_out(store: str) -> None:
    async with opened(store, [aged(1, 40)]) as database:
        soon, past = int(time.time() * 1000) + 60_000, int(time.time() * 1000) - 1
        sweeper = Retention(database, runs_days=30, payloads_days=None)
        async with database.writing() as connection:
            held = '{"holder":"another","until_ms":%d}'
            await connection.execute(sa.insert(meta).values(name=retention.LEASE, value=held % soon))
        assert await sweeper.sweep() is None
        assert len(await ids(database, calls)) == 1
        async with database.writing() as connection:
            await connection.execute(sa.update(meta).where(meta.c.name == retention.LEASE).values(value=held % past))
        assert await sweeper.sweep() == Deleted(1, 0)
        async with database.reading() as connection:
            left = sa.select(sa.func.count()).select_from(meta).where(meta.c.name == retention.LEASE)
            assert (await connection.execute(left)).scalar_one() == 0


async def test_with_a_call_goes_all_that_was_logged_and_said_about_it(store: str) -> None:
    old, new = aged(1, 40), aged(2, 1)
    async with opened(store, [old, new]) as database:
        runs = LoggedRuns(database)
        rows = Dataset(name="rows", digest="1", source_type="local", source="{}", schema=None, profile=None, tags=[])
        for call in (old, new):
            await runs.log(call["id"], [Metric(key="good", value=1.0, timestamp_ms=1)], {"judge": "ann"}, {"a": "b"})
            await runs.log_inputs(call["id"], [rows], ["m-1"])
            async with database.writing() as connection:
                await connection.execute(sa.insert(assessments).values(**said_of(f"tr-{call['id']}")))
                await connection.execute(sa.insert(trace_runs).values(run_id="r", trace_id=f"tr-{call['id']}"))
        await CallTags(database).index()
        assert await Retention(database, runs_days=30, payloads_days=None).sweep() == Deleted(1, 0)
        async with database.reading() as connection:
            for table in (run_params, run_latest, run_metrics, run_inputs, run_models):
                left = (await connection.execute(sa.select(table.c.run_id))).scalars().all()
                assert left == [new["id"]], table.name
            for table in (assessments, trace_runs):
                left = (await connection.execute(sa.select(table.c.trace_id))).scalars().all()
                assert left == [f"tr-{new['id']}"], table.name
            if not database.postgres:
                assert (await connection.execute(sa.select(call_tags.c.id))).scalars().all() == [new["id"]]


@pytest.mark.parametrize(("days", "left"), [({"payloads_days": 30}, 1), ({"payloads_days": 30, "traces_days": 90}, 2)])
async def test_traces_of_applications_go_with_what_was_said(store: str, days: dict[str, float], left: int) -> None:
    async with opened(store, []) as database:
        for n, age in enumerate((1, 60, 400)):
            us, id = int((time.time() - age * 86_400) * 1_000_000), f"tr-{n}"
            about = {"experiment_id": 0, "started_us": us, "state": "OK", "metadata": {}, "tags": {}, "told": True}
            span = {"span_id": "s", "name": "n", "type": "LLM", "status": "OK", "started_ns": 1, "attributes": {}}
            async with database.writing() as connection:
                await connection.execute(sa.insert(traces).values(id=id, **about))
                await connection.execute(sa.insert(spans).values(trace_id=id, body=b"", **span))
                await connection.execute(sa.insert(assessments).values(**said_of(id)))
        done = await Retention(database, **{"runs_days": None, **days}).sweep()
        assert done == Deleted(0, 0, 3 - left)
        async with database.reading() as connection:
            for table in (traces, spans, assessments):
                count = sa.select(sa.func.count()).select_from(table)
                assert (await connection.execute(count)).scalar_one() == left, table.name


async def test_usage_that_is_thinned_out_still_counts_every_call(store: str) -> None:
    now = int(time.time())
    noon = now // 86_400 * 86_400 - 60 * 86_400 + 43_200
    database = open_store(store)
    await database.migrate()
    batch = several(2_000)
    for n, call in enumerate(batch):
        assert call.begin is not None
        call.begin["started_us"] = (noon + n * 10) * 1_000_000
    assert await Writer(database, Rows(WORDS)).write(batch) == []
    reports = UsageReports(database, Keeping(database))
    window = Question(since=noon + 610, until=noon + 7_200)
    before = (await reports.report(window))["total"]["calls"]
    retention = Retention(database, runs_days=None, payloads_days=None, minutes_days=30, hours_days=90)
    assert await retention.sweep() == await retention.sweep() == Deleted(0, 0)
    async with database.reading() as connection:
        sizes = (await connection.execute(sa.select(usage.c.seconds).distinct().order_by(usage.c.seconds))).scalars()
        assert sizes.all() == [3_600, 86_400]
    report = await reports.report(window)
    assert report["since"] == (await reports.report(Question(since=noon, until=noon + 7_200)))["since"]
    assert report["total"]["calls"] > before
    with pytest.raises(InvalidRequest, match="usage by minute is kept since"):
        await reports.report(Question(since=noon, until=noon + 60, bucket="minute"))
    assert (await reports.report(Question(since=noon, until=now, bucket="hour")))["total"]["calls"] == 2_000
    assert await Retention(database, runs_days=None, payloads_days=None, hours_days=30).sweep() == Deleted(0, 0)
    whole = await reports.report(window)
    assert whole["total"]["calls"] == 2_000
    assert whole["since"].endswith("T00:00:00Z")
    await database.close()


def said_of(trace: str) -> Row:
    said = {"kind": "feedback", "name": "good", "value": {"value": 4}, "text": "4", "number": 4.0, "valid": True}
    return {"id": f"a-{trace}", "trace_id": trace, "created_us": 1, "updated_us": 1, **said}
