"""Claims to idempotency keys: who asked first, and with what."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.errors import StorageUnavailable
from tracking.database import AWAY, Database, reason
from tracking.engines import AsyncConnection
from tracking.tables import idempotency

KEPT_SECONDS = 24 * 3600


class Claim(NamedTuple):
    """The call that an idempotency key belongs to."""

    request_hash: str
    run_id: str


class Claims:
    """A key is claimed in the store before its call is made, so no two processes can make the same call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = postgresql.insert if database.postgres else sqlite.insert
        self._insert = insert(idempotency).on_conflict_do_nothing()

    async def claim(self, owner: str, key: str, request_hash: str, run_id: str) -> Claim | None:
        """Claim a key for a run; None when it is now this run's, or the claim that was there before."""
        now = time.time_ns() // 1000
        mine = (idempotency.c.key_id == owner) & (idempotency.c.idempotency_key == key)
        async with self._writing() as connection:
            await connection.execute(
                sa.delete(idempotency).where(mine & (idempotency.c.created_us < now - KEPT_SECONDS * 1_000_000))
            )
            made = await connection.execute(
                self._insert.values(
                    key_id=owner, idempotency_key=key, request_hash=request_hash, run_id=run_id, created_us=now
                )
            )
            if made.rowcount == 1:
                return None
            found = await connection.execute(sa.select(idempotency.c.request_hash, idempotency.c.run_id).where(mine))
            row = found.one()
        return Claim(row.request_hash, row.run_id)

    async def release(self, owner: str, key: str, run_id: str) -> None:
        """Give up a claim whose call was never made."""
        async with self._writing() as connection:
            await connection.execute(
                sa.delete(idempotency).where(
                    (idempotency.c.key_id == owner)
                    & (idempotency.c.idempotency_key == key)
                    & (idempotency.c.run_id == run_id)
                )
            )

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """Without the store nobody can tell whether a call was made before, so it is not made."""
        try:
            async with self._database.writing() as connection:
                yield connection
        except AWAY as exc:
            raise StorageUnavailable(
                f"the store does not answer, so an Idempotency-Key cannot be honoured now: {reason(exc)}", retry_after=5
            ) from exc
