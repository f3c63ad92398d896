"""How long runs are kept: what is older goes, in small batches, by one process at a time.

Ages are read from ids, which are UUIDv7 and so begin with the time: deleting needs no index but the primary keys.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from tracking.database import Database
from tracking.payloads import first_number
from tracking.tables import calls, meta, payload_blocks
from tracking.usage_tables import texts

BATCH = 500
"""Rows a transaction: on SQLite it keeps the recorder waiting, some ms."""
PAUSE_SECONDS = 0.05
"""Between batches, so that others come to write."""
LEASE_SECONDS = 60.0
LEASE = "retention.lease"
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Deleted:
    runs: int
    blocks: int
    """Of what was said in runs."""


class Retention:
    """None keeps forever. What was said goes with its run at the latest, so `payloads_days` may only be shorter."""

    def __init__(self, database: Database, *, runs_days: float | None, payloads_days: float | None) -> None:
        if runs_days is not None and (payloads_days is None or payloads_days > runs_days):
            payloads_days = runs_days
        self._database = database
        self._runs_days, self._payloads_days = runs_days, payloads_days
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
            runs = await self._delete(calls.c.id, _first_id, now, self._runs_days)
        finally:
            await self._release()
        return Deleted(runs, blocks)

    async def _delete(
        self, key: sa.Column[Any], first_of: Callable[[int], int | str], now: int, days: float | None
    ) -> int:
        if days is None:
            return 0
        oldest_kept = first_of(max(0, now - int(days * _DAY_MS)))
        batch = sa.select(key).where(key < oldest_kept).order_by(key).limit(BATCH)
        deleted = 0
        while True:
            async with self._database.writing() as connection:
                if not await self._renew(connection):
                    return deleted
                done = await connection.execute(sa.delete(key.table).where(key.in_(batch)))
            deleted += done.rowcount
            if done.rowcount < BATCH:
                return deleted
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


def _first_id(ms: int) -> str:
    """What is smaller than every id made since."""
    return f"{ms:012x}"
