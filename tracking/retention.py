"""How long things are kept: what is older goes, in small batches, by one process at a time.

Ages of calls are read from their ids, which are UUIDv7 and so begin with the time: deleting needs no index but the
primary keys. With a call goes all that was logged and said about it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from tracking.call_traces import PREFIX
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.payloads import first_number
from tracking.run_tables import run_inputs, run_latest, run_metrics, run_models, run_params
from tracking.tables import calls, meta, payload_blocks
from tracking.trace_tables import assessments, spans, trace_prompts, trace_runs, traces
from tracking.usage import DAY, HOUR, MINUTE
from tracking.usage_report import kept_from
from tracking.usage_tables import texts, usage, usage_groups

BATCH = 500
"""Rows a transaction: on SQLite it keeps the recorder waiting, some ms."""
PAUSE_SECONDS = 0.05
"""Between batches, so that others come to write."""
LEASE_SECONDS = 60.0
LEASE = "retention.lease"
OF_RUNS = (run_params, run_latest, run_metrics, run_inputs, run_models, trace_runs)
OF_TRACES = (assessments, trace_prompts, trace_runs)
"""What is logged of calls as runs, and said of them and of others as traces."""
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Deleted:
    runs: int
    blocks: int
    """Of what was said in runs."""
    traces: int = 0
    """That applications sent."""


class Retention:
    """None keeps forever. What was said goes with its run at the latest, so `payloads_days` may only be shorter.

    Usage by the minute is kept for `minutes_days`, by the hour for `hours_days`, and by the day forever.
    """

    def __init__(
        self,
        database: Database,
        *,
        runs_days: float | None,
        payloads_days: float | None,
        traces_days: float | None = None,
        minutes_days: float | None = None,
        hours_days: float | None = None,
    ) -> None:
        if runs_days is not None and (payloads_days is None or payloads_days > runs_days):
            payloads_days = runs_days
        self._database = database
        self._runs_days, self._payloads_days = runs_days, payloads_days
        self._traces_days = traces_days if traces_days is not None else payloads_days
        self._usage_days = {MINUTE: minutes_days, HOUR: hours_days}
        self._holder = secrets.token_hex(8)

    async def sweep(self) -> Deleted | None:
        """Delete all that is too old now; None where another process is at it."""
        now = int(time.time() * 1000)
        if not await self._lease(now):
            return None
        try:
            # What was said first: a payload whose run is gone would be found by nobody.
            await self._delete(texts.c.id, _first_id, now, self._payloads_days)
            blocks = await self._delete(payload_blocks.c.number, first_number, now, self._payloads_days)
            runs = await self._delete(calls.c.id, _first_id, now, self._runs_days, _forget_calls)
            sent = await self._delete(traces.c.started_us, lambda ms: ms * 1000, now, self._traces_days, _forget_traces)
            for seconds, days in self._usage_days.items():
                if days is not None:
                    await self._thin(seconds, now - int(days * _DAY_MS))
        finally:
            await self._release()
        return Deleted(runs, blocks, sent)

    async def _delete(
        self,
        age: sa.Column[Any],
        first_of: Callable[[int], int | str],
        now: int,
        days: float | None,
        forget: Callable[[AsyncConnection, Sequence[Any]], Awaitable[None]] | None = None,
    ) -> int:
        """`forget` removes what belongs to the rows with these keys, before they go."""
        if days is None:
            return 0
        table, oldest_kept = age.table, first_of(max(0, now - int(days * _DAY_MS)))
        (key,) = table.primary_key.columns
        batch = sa.select(key).where(age < oldest_kept).order_by(age).limit(BATCH)
        deleted = 0
        while True:
            async with self._database.writing() as connection:
                if not await self._renew(connection):
                    return deleted
                if forget is None:
                    done = await connection.execute(sa.delete(table).where(key.in_(batch)))
                else:
                    keys = (await connection.execute(batch)).scalars().all()
                    await forget(connection, keys)
                    done = await connection.execute(sa.delete(table).where(key.in_(keys)))
            deleted += done.rowcount
            if done.rowcount < BATCH:
                return deleted
            await asyncio.sleep(PAUSE_SECONDS)

    async def _thin(self, seconds: int, before_ms: int) -> None:
        """Delete usage of this size of time, by whole days. Reports learn of it first, so that they miss nothing."""
        before_us = max(0, before_ms // (DAY * 1000) * DAY * 1_000_000)
        async with self._database.writing() as connection:
            if not await self._renew(connection):
                return
            known = sa.select(meta.c.value).where(meta.c.name == kept_from(seconds))
            held = (await connection.execute(known)).scalar_one_or_none()
            if held is None:
                await connection.execute(sa.insert(meta).values(name=kept_from(seconds), value=str(before_us)))
            elif int(held) < before_us:
                later = sa.update(meta).where(meta.c.name == kept_from(seconds))
                await connection.execute(later.values(value=str(before_us)))
        u = usage.c
        # By group, because that is what the rows are ordered by.
        old = [u.seconds == seconds, u.start_us < before_us]
        having = sa.select(usage_groups.c.id).where(sa.exists().where(u.group_id == usage_groups.c.id, *old))
        async with self._database.reading() as connection:
            groups = (await connection.execute(having)).scalars().all()
        place = sa.tuple_(*usage.primary_key.columns)
        for group in groups:
            some = sa.select(*usage.primary_key.columns).where(u.group_id == group, *old).limit(BATCH)
            while True:
                async with self._database.writing() as connection:
                    if not await self._renew(connection):
                        return
                    done = await connection.execute(sa.delete(usage).where(u.group_id == group, *old, place.in_(some)))
                if done.rowcount < BATCH:
                    break
                await asyncio.sleep(PAUSE_SECONDS)

    async def _lease(self, now: int) -> bool:
        """Take the lease if nobody has it, or if whoever had it let it run out."""
        async with self._database.writing() as connection:
            query = sa.select(meta.c.value).where(meta.c.name == LEASE)
            held: str | None = (await connection.execute(query)).scalar_one_or_none()
            if held is None:
                try:
                    async with connection.begin_nested():
                        await connection.execute(sa.insert(meta).values(name=LEASE, value=self._until()))
                except sa.exc.IntegrityError:  # another process was faster
                    return False
                return True
            lease = orjson.loads(held)
            if lease["until_ms"] > now and lease["holder"] != self._holder:
                return False
            # Only if it is still as it was read: two processes may both have found it run out.
            taken = sa.update(meta).where(meta.c.name == LEASE, meta.c.value == held).values(value=self._until())
            return (await connection.execute(taken)).rowcount == 1

    async def _renew(self, connection: AsyncConnection) -> bool:
        """In each batch's own transaction, so a batch whose lease was lost deletes nothing."""
        renewed = sa.update(meta).where(self._ours()).values(value=self._until())
        return (await connection.execute(renewed)).rowcount == 1

    async def _release(self) -> None:
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(meta).where(self._ours()))

    def _ours(self) -> sa.ColumnElement[bool]:
        return (meta.c.name == LEASE) & meta.c.value.contains(self._holder, autoescape=True)

    def _until(self) -> str:
        until = int((time.time() + LEASE_SECONDS) * 1000)
        return orjson.dumps({"holder": self._holder, "until_ms": until}).decode()


async def _forget_calls(connection: AsyncConnection, ids: Sequence[str]) -> None:
    for table in OF_RUNS:
        await connection.execute(sa.delete(table).where(table.c.run_id.in_(ids)))
    await _forget_traces(connection, [PREFIX + id for id in ids])


async def _forget_traces(connection: AsyncConnection, ids: Sequence[str]) -> None:
    for table in (*OF_TRACES, spans):
        await connection.execute(sa.delete(table).where(table.c.trace_id.in_(ids)))


def _first_id(ms: int) -> str:
    """What is smaller than every id made since."""
    return f"{ms:012x}"
