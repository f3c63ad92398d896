"""Signed-in browsers and the one-time tokens that sign them in, as they are kept: by hash."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from tracking.database import Database
from tracking.tables import login_tokens, sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One browser. Times are microseconds since the epoch."""

    id: str
    """The hash of what its cookie holds."""
    key_id: str
    created_us: int
    seen_us: int
    expires_us: int


COLUMNS = [sessions.c[name] for name in SessionRecord.__slots__]


class SessionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, record: SessionRecord) -> None:
        """Those that are over by then are removed with it."""
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(sessions).where(sessions.c.expires_us <= record.created_us))
            await connection.execute(sa.insert(sessions).values(asdict(record)))

    async def get(self, id: str) -> SessionRecord | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(sa.select(*COLUMNS).where(sessions.c.id == id))).mappings().first()
        return None if row is None else SessionRecord(**row)

    async def seen(self, id: str, at_us: int) -> None:
        async with self._database.writing() as connection:
            await connection.execute(sa.update(sessions).where(sessions.c.id == id).values(seen_us=at_us))

    async def delete(self, id: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(sessions).where(sessions.c.id == id))

    async def delete_all(self, key_id: str) -> None:
        """Those of every browser that is signed in with a key."""
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(sessions).where(sessions.c.key_id == key_id))

    async def offer(self, hash: str, now_us: int, expires_us: int) -> None:
        """Keep a token; those that are over are removed with it."""
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(login_tokens).where(login_tokens.c.expires_us <= now_us))
            await connection.execute(sa.insert(login_tokens).values(hash=hash, expires_us=expires_us))

    async def redeem(self, hash: str, now_us: int) -> bool:
        """Whether the token was good, which it never is again."""
        async with self._database.writing() as connection:
            used = await connection.execute(
                sa.update(login_tokens)
                .where(
                    login_tokens.c.hash == hash,
                    login_tokens.c.used_us.is_(None),
                    login_tokens.c.expires_us > now_us,
                )
                .values(used_us=now_us)
            )
        return bool(used.rowcount)
