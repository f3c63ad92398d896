"""What somebody looks for again: searches by a name, of one key or shared."""

from __future__ import annotations

import time
import uuid

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import Forbidden, InvalidRequest, NotFound
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.page_tables import saved_views
from tracking.rest import Caller, iso

MOST = 500
"""Of one key."""
_v = saved_views.c


class SavedViews:
    """Everybody reads what is shared; only who made a view changes it, and administrators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, page: str | None, caller: Caller) -> list[Json]:
        visible = sa.or_(_v.shared, _mine(caller))
        query = sa.select(saved_views).where(visible).order_by(_v.name, _v.id)
        async with self._database.asking() as connection:
            rows = (await connection.execute(query if page is None else query.where(_v.page == page))).mappings().all()
        return [_shown(row, caller) for row in rows]

    async def create(self, page: str, name: str, query: Json, shared: bool, caller: Caller) -> Json:
        now = time.time_ns() // 1000
        row = {
            "id": f"v-{uuid.uuid4().hex}",
            "page": page,
            "name": name,
            "query": query,
            "shared": shared,
            "key_id": caller.key_id,
            "made_by": caller.name,
            "created_us": now,
            "updated_us": now,
        }
        async with self._database.changing() as connection:
            count = sa.select(sa.func.count()).select_from(saved_views).where(_mine(caller))
            if (await connection.execute(count)).scalar_one() >= MOST:
                raise InvalidRequest(f"there are {MOST} views already; delete one first", code="too_many_views")
            await connection.execute(saved_views.insert().values(row))
            return _shown(
                (await connection.execute(sa.select(saved_views).where(_v.id == row["id"]))).mappings().one(), caller
            )

    async def change(self, id: str, name: str, query: Json, shared: bool, caller: Caller) -> Json:
        values = {"name": name, "query": query, "shared": shared, "updated_us": time.time_ns() // 1000}
        async with self._database.changing() as connection:
            await _own(connection, id, caller)
            await connection.execute(saved_views.update().where(_v.id == id).values(values))
            row = (await connection.execute(sa.select(saved_views).where(_v.id == id))).mappings().one()
        return _shown(row, caller)

    async def delete(self, id: str, caller: Caller) -> None:
        async with self._database.changing() as connection:
            await _own(connection, id, caller)
            await connection.execute(saved_views.delete().where(_v.id == id))


def _mine(caller: Caller) -> sa.ColumnElement[bool]:
    return _v.key_id.is_(None) if caller.key_id is None else _v.key_id == caller.key_id


async def _own(connection: AsyncConnection, id: str, caller: Caller) -> None:
    row = (await connection.execute(sa.select(_v.key_id, _v.shared).where(_v.id == id))).one_or_none()
    mine = row is not None and row.key_id == caller.key_id
    if row is None or not (mine or row.shared or caller.role == "admin"):
        raise NotFound(f"there is no view {id[:100]!r}")
    if not (mine or caller.role == "admin"):
        raise Forbidden("another key made this view; save one of your own")


def _shown(row: sa.RowMapping, caller: Caller) -> Json:
    return {
        "id": row["id"],
        "page": row["page"],
        "name": row["name"],
        "query": row["query"],
        "shared": row["shared"],
        "mine": row["key_id"] == caller.key_id,
        "by": row["made_by"],
        "updated_at": iso(row["updated_us"]),
    }
