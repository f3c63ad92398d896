"""Configurations that were in use: each by its revision, without its secrets, and when it was taken up."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.chat import Json
from tracking.database import Database, answering
from tracking.page_tables import config_revisions
from tracking.rest import iso

MOST = 500
_r = config_revisions.c


class Revisions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, revision: str, settings: Json) -> None:
        """It is taken up now, for the first time or again. Several workers may say so at once."""
        insert = postgresql.insert if self._database.postgres else sqlite.insert
        now = time.time_ns() // 1000
        values = {"revision": revision, "settings": settings, "first_us": now, "last_us": now}
        known = insert(config_revisions).values(values)
        async with self._database.writing() as connection:
            await connection.execute(known.on_conflict_do_update(index_elements=[_r.revision], set_={"last_us": now}))

    async def all(self) -> list[Json]:
        """The one that was taken up last comes first."""
        query = sa.select(_r.revision, _r.first_us, _r.last_us).order_by(_r.last_us.desc(), _r.revision).limit(MOST)
        with answering():
            async with self._database.reading() as connection:
                rows = (await connection.execute(query)).mappings().all()
        return [_shown(row) for row in rows]

    async def get(self, revision: str) -> Json | None:
        """With its settings."""
        query = sa.select(config_revisions).where(_r.revision == revision)
        with answering():
            async with self._database.reading() as connection:
                row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else {**_shown(row), "settings": row["settings"]}


def _shown(row: sa.RowMapping) -> Json:
    return {"revision": row["revision"], "first_at": iso(row["first_us"]), "last_at": iso(row["last_us"])}
