"""Judges' certificates as they are kept, and the labels of people that they are made from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import NotFound
from tracking.call_traces import PREFIX, trace_id
from tracking.database import Database
from tracking.judge_tables import judge_certificates
from tracking.trace_log import now_us
from tracking.trace_tables import assessments

AT_ONCE = 500
"""Runs that one query asks of."""
_j, _a = judge_certificates.c, assessments.c


class Certificates:
    """They are everybody's: whoever may judge by a judge may know how good it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, values: Mapping[str, Any]) -> Json:
        row = {**values, "id": f"c-{uuid.uuid4().hex}", "created_us": now_us()}
        async with self._database.changing() as connection:
            await connection.execute(judge_certificates.insert().values(row))
        return shown(row)

    async def all(self, metrics: Sequence[str] | None = None, *, size: int | None = None) -> list[Json]:
        """The newest first."""
        select = sa.select(judge_certificates).order_by(_j.created_us.desc(), _j.id).limit(size)
        if metrics is not None:
            select = select.where(_j.metric.in_(metrics))
        async with self._database.asking() as connection:
            return [shown(row) for row in (await connection.execute(select)).mappings()]

    async def get(self, id: str) -> Json:
        async with self._database.asking() as connection:
            found = await connection.execute(sa.select(judge_certificates).where(_j.id == id))
            row = found.mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no certificate {id[:100]!r}")
        return shown(row)

    async def delete(self, id: str) -> None:
        async with self._database.changing() as connection:
            gone = await connection.execute(judge_certificates.delete().where(_j.id == id))
        if not gone.rowcount:
            raise NotFound(f"there is no certificate {id[:100]!r}")

    async def labels(self, run_ids: Sequence[str], name: str) -> dict[str, list[Json]]:
        """What people said of these calls by that name, by run: the oldest first."""
        found: dict[str, list[Json]] = {}
        said = sa.select(_a.trace_id, _a.value, _a.source, _a.metadata, _a.rationale, _a.created_us)
        said = said.where(_a.kind == "feedback", _a.name == name, _a.valid).order_by(_a.created_us, _a.id)
        async with self._database.asking() as connection:
            for at in range(0, len(run_ids), AT_ONCE):
                traces = [trace_id(run) for run in run_ids[at : at + AT_ONCE]]
                for row in await connection.execute(said.where(_a.trace_id.in_(traces))):
                    source = row.source or {}
                    if source.get("source_type") != "HUMAN":
                        continue
                    label = {"value": (row.value or {}).get("value"), "by": source.get("source_id")}
                    found.setdefault(row.trace_id.removeprefix(PREFIX), []).append(label)
        return found


def shown(row: Mapping[str, Any] | sa.RowMapping) -> Json:
    """A certificate with its figures beside what it is of."""
    return {
        "id": row["id"],
        "metric": row["metric"],
        "digest": row["digest"],
        "identity": row["identity"],
        "evaluation_id": row["evaluation_id"],
        "labels": row["labels"],
        "made_by": row["made_by"],
        "created_us": row["created_us"],
        **row["figures"],
    }
