"""What is too old goes, what is not stays, and two processes do not do it at once."""

from __future__ import annotations

import asyncio
import time

import pytest
import sqlalchemy as sa

from tests.tracking.kept import Row, add, opened, row, say
from tracking import retention
from tracking.database import Database, open_store
from tracking.retention import BATCH, Deleted, Retention
from tracking.tables import calls, meta, payload_blocks

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
