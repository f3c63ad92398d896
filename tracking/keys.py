"""Virtual keys as they are kept: everything about a key but the key itself."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.tables import keys, meta

VERSION = "keys_version"
"""The row of `meta` that changes whenever a key does, so that other processes need to look at nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One key. Times are microseconds since the epoch."""

    id: str
    name: str
    role: str
    hash: str
    """HMAC-SHA256 of the key, in hexadecimal."""
    first4: str
    last4: str
    created_us: int
    created_by: str | None = None
    expires_us: int | None = None
    revoked_us: int | None = None
    last_used_us: int | None = None
    """To the minute: a gateway writes it down once a minute, and when it stops."""


COLUMNS = [keys.c[name] for name in KeyRecord.__slots__]


class KeyStore:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = postgresql.insert if database.postgres else sqlite.insert

    async def version(self) -> str | None:
        """Different after every change of any key."""
        async with self._database.reading() as connection:
            found: str | None = await connection.scalar(sa.select(meta.c.value).where(meta.c.name == VERSION))
        return found

    async def load_all(self) -> list[KeyRecord]:
        """Those that have not been revoked."""
        return await self._select(sa.select(*COLUMNS).where(keys.c.revoked_us.is_(None)))

    async def all(self) -> list[KeyRecord]:
        """Those that have been revoked too, the newest first."""
        return await self._select(sa.select(*COLUMNS).order_by(keys.c.created_us.desc(), keys.c.id))

    async def create(self, record: KeyRecord) -> None:
        async with self._database.writing() as connection:
            await connection.execute(sa.insert(keys).values(asdict(record)))
            await self._changed(connection)

    async def revoke(self, id: str) -> bool:
        """Whether there is such a key. One that is revoked already stays as it was."""
        async with self._database.writing() as connection:
            revoked = await connection.execute(
                sa.update(keys)
                .where(keys.c.id == id, keys.c.revoked_us.is_(None))
                .values(revoked_us=time.time_ns() // 1000)
            )
            if revoked.rowcount:
                await self._changed(connection)
                return True
            known = await connection.scalar(sa.select(keys.c.id).where(keys.c.id == id))
        return known is not None

    async def used(self, at_us: Mapping[str, int]) -> None:
        """When each of these was last used. A later use, which another process wrote down, stays."""
        last = keys.c.last_used_us
        update = (
            sa.update(keys)
            .where(keys.c.id == sa.bindparam("key"), sa.or_(last.is_(None), last < sa.bindparam("at")))
            .values(last_used_us=sa.bindparam("at"))
        )
        async with self._database.writing() as connection:
            await connection.execute(update, [{"key": id, "at": at} for id, at in sorted(at_us.items())])

    async def _select(self, query: sa.Select[tuple[object, ...]]) -> list[KeyRecord]:
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [KeyRecord(**row) for row in rows.mappings()]

    async def _changed(self, connection: AsyncConnection) -> None:
        """A random version: a count could be the same in two processes, and clocks differ."""
        version = secrets.token_hex(8)
        row = self._insert(meta).values(name=VERSION, value=version)
        await connection.execute(row.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": version}))
