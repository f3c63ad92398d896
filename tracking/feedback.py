"""What people say of calls: assessments of MLflow's, of which everybody has one by each name."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import NotFound
from tracking.call_traces import trace_id
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.rest import Caller, iso
from tracking.tables import calls
from tracking.trace_tables import assessments

KEY = "gatelog.key_id"
"""In the metadata of an assessment: whose it is."""
RECORDED_SECONDS, LOOK_SECONDS = 5.0, 0.1
"""How long a call that has just ended is waited for."""
AT_ONCE = 500
"""Traces that one statement looks for."""
_a = assessments.c


class Feedback:
    """`key_id` narrows each method to the calls of one key; to others' it is as if they were not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, run_id: str, caller: Caller, *, key_id: str | None = None) -> list[Json]:
        await self._recorded(run_id, key_id)
        query = sa.select(assessments).where(_a.trace_id == trace_id(run_id), _a.valid).order_by(_a.created_us, _a.id)
        async with self._database.asking() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_shown(row, caller) for row in rows]

    async def of_many(self, run_ids: Sequence[str], caller: Caller) -> dict[str, list[Json]]:
        """Of runs that the caller may see, each of which has something said of it."""
        found: dict[str, list[Json]] = {}
        async with self._database.asking() as connection:
            for n in range(0, len(run_ids), AT_ONCE):
                ids = {trace_id(run_id): run_id for run_id in run_ids[n : n + AT_ONCE]}
                query = sa.select(assessments).where(_a.trace_id.in_(list(ids)), _a.valid)
                for row in (await connection.execute(query.order_by(_a.created_us, _a.id))).mappings():
                    found.setdefault(ids[row["trace_id"]], []).append(_shown(row, caller))
        return found

    async def say(
        self,
        run_id: str,
        name: str,
        value: bool | int | float | str | None,
        rationale: str | None,
        caller: Caller,
        *,
        metadata: dict[str, str] | None = None,
        beside: bool = False,
        key_id: str | None = None,
    ) -> None:
        """In place of what this caller said by that name before, or beside it; None takes it back."""
        await self._recorded(run_id, key_id)
        async with self._database.changing() as connection:
            if not beside:
                await self._forget(connection, run_id, name, caller)
            if value is not None:
                await connection.execute(
                    assessments.insert().values(_row(run_id, name, value, rationale, caller, metadata))
                )

    async def _forget(self, connection: AsyncConnection, run_id: str, name: str, caller: Caller) -> None:
        query = sa.select(_a.id, _a.metadata).where(_a.trace_id == trace_id(run_id), _a.name == name)
        mine = [row.id for row in await connection.execute(query) if (row.metadata or {}).get(KEY) == _key(caller)]
        if mine:
            await connection.execute(assessments.delete().where(_a.id.in_(mine)))

    async def _recorded(self, run_id: str, key_id: str | None) -> None:
        until = time.monotonic() + RECORDED_SECONDS
        asked = run_id.isascii() and "\x00" not in run_id
        while asked:
            async with self._database.asking() as connection:
                found = (await connection.execute(sa.select(calls.c.key_id).where(calls.c.id == run_id))).one_or_none()
            if found is not None and key_id in (None, found.key_id):
                return
            if found is not None or time.monotonic() > until:
                break
            await asyncio.sleep(LOOK_SECONDS)
        raise NotFound(f"there is no run {run_id[:100]!r}")


def _row(
    run_id: str,
    name: str,
    value: bool | int | float | str,
    rationale: str | None,
    caller: Caller,
    metadata: dict[str, str] | None,
) -> dict[str, Any]:
    now = time.time_ns() // 1000
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return {
        "id": f"a-{uuid.uuid4().hex}",
        "trace_id": trace_id(run_id),
        "name": name,
        "kind": "feedback",
        "value": {"value": value},
        "text": text,
        "number": number,
        "source": {"source_type": "HUMAN", "source_id": caller.name},
        "rationale": rationale,
        "metadata": {**(metadata or {}), KEY: _key(caller)},
        "valid": True,
        "created_us": now,
        "updated_us": now,
    }


def _key(caller: Caller) -> str:
    return caller.key_id or ""


def _shown(row: sa.RowMapping, caller: Caller) -> Json:
    source, said = row["source"] or {}, row["value"] or {}
    return {
        "id": row["id"],
        "name": row["name"],
        "value": said.get("value"),
        "rationale": row["rationale"],
        "by": source.get("source_id"),
        "source": source.get("source_type"),
        "mine": (row["metadata"] or {}).get(KEY) == _key(caller),
        "created_at": iso(row["created_us"]),
    }
