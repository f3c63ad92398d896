"""Experiments by name: found, or made when they are named for the first time."""

from __future__ import annotations

import time
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tracking.tables import experiments

DEFAULT = 0


async def ids(connection: AsyncConnection, names: Iterable[str]) -> dict[str, int]:
    """The id of each of these, made in this transaction where there was none. Several processes may do so at once."""
    wanted = sorted(set(names))
    known = await _known(connection, wanted)
    if missing := [name for name in wanted if name not in known]:
        now = time.time_ns() // 1000
        rows = [{"name": name, "lifecycle_stage": "active", "created_us": now, "updated_us": now} for name in missing]
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        await connection.execute(insert(experiments).on_conflict_do_nothing(), rows)
        known |= await _known(connection, missing)
    return known


async def _known(connection: AsyncConnection, names: list[str]) -> dict[str, int]:
    found = await connection.execute(
        sa.select(experiments.c.name, experiments.c.id).where(experiments.c.name.in_(names))
    )
    return {row.name: row.id for row in found}
