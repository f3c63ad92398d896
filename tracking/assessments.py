"""What is said about traces: feedback and expectations, by people, judges and code."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.chat import Json
from tracking import spans
from tracking.call_traces import PREFIX, moment
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.mlflow.errors import invalid, missing
from tracking.rows import NUL, REPLACEMENT
from tracking.tables import calls
from tracking.trace_tables import assessments, trace_runs, traces

KINDS = ("feedback", "expectation", "issue")
_a = assessments.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One, as somebody gives it. `value` is the object that MLflow has under the name of its kind."""

    name: str
    kind: str
    value: Json
    source: Json | None
    span_id: str | None = None
    rationale: str | None = None
    metadata: dict[str, str] | None = None
    overrides: str | None = None
    valid: bool = True
    created_us: int
    updated_us: int


class Assessments:
    """`key_id` narrows each method to the calls of one key; to others' it is as if they were not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, trace_id: str, said: Assessment, *, key_id: str | None = None) -> Json:
        """One that overrides another leaves that in place, no longer valid."""
        row = _row_of(f"a-{uuid.uuid4().hex}", trace_id, said)
        async with self._changing(trace_id, key_id) as connection:
            if said.overrides is not None:
                which = sa.and_(_a.id == said.overrides, _a.trace_id == trace_id)
                done = await connection.execute(assessments.update().where(which).values(valid=False))
                if not done.rowcount:
                    raise _unknown(trace_id, said.overrides)
            await connection.execute(assessments.insert().values(row))
        return shown(row)

    async def add(self, given: Sequence[tuple[str, str, Assessment]], run_id: str) -> None:
        """Many at once, each with its id and its trace's, and their traces linked to a run. One that is there stays."""
        insert = postgresql.insert if self._database.postgres else sqlite.insert
        rows = [_row_of(id, trace_id, said) for id, trace_id, said in given]
        links = [{"run_id": run_id, "trace_id": trace_id} for trace_id in {trace_id for _, trace_id, _ in given}]
        if not rows:
            return
        async with self._database.changing() as connection:
            await connection.execute(insert(assessments).on_conflict_do_nothing(), rows)
            await connection.execute(insert(trace_runs).on_conflict_do_nothing(), links)

    async def get(self, trace_id: str, id: str, *, key_id: str | None = None) -> Json:
        async with self._database.asking() as connection:
            await seen(connection, trace_id, key_id)
            return shown(await self._row(connection, trace_id, id))

    async def update(
        self, trace_id: str, id: str, changes: Mapping[str, Any], now: int, *, key_id: str | None = None
    ) -> Json:
        """`changes` are of `name`, `rationale`, `metadata` (added to what there is), `valid` and its kind's value."""
        async with self._changing(trace_id, key_id) as connection:
            row = dict(await self._row(connection, trace_id, id))
            for kind in KINDS:
                if kind in changes:
                    if kind != row["kind"]:
                        raise invalid(f"assessment {id!r} is of {row['kind']}, and cannot be changed to one of {kind}")
                    row |= {"value": changes[kind], **_compared(kind, changes[kind])}
            row |= {name: changes[name] for name in ("name", "rationale", "valid") if name in changes}
            if "metadata" in changes:
                row["metadata"] = {**(row["metadata"] or {}), **changes["metadata"]}
            row["updated_us"] = now
            await connection.execute(assessments.update().where(_a.id == id).values(row))
        return shown(row)

    async def delete(self, trace_id: str, id: str, *, key_id: str | None = None) -> None:
        """One that overrode another makes that valid again. To delete what is not there is no fault, as in MLflow."""
        async with self._changing(trace_id, key_id) as connection:
            which = sa.and_(_a.id == id, _a.trace_id == trace_id)
            overridden = (await connection.execute(sa.select(_a.overrides).where(which))).scalar_one_or_none()
            await connection.execute(assessments.delete().where(which))
            if overridden is not None:
                await connection.execute(assessments.update().where(_a.id == overridden).values(valid=True))

    async def _row(self, connection: AsyncConnection, trace_id: str, id: str) -> sa.RowMapping:
        found = await connection.execute(sa.select(assessments).where(_a.id == id, _a.trace_id == trace_id))
        row = found.mappings().one_or_none()
        if row is None:
            raise _unknown(trace_id, id)
        return row

    @asynccontextmanager
    async def _changing(self, trace_id: str, key_id: str | None) -> AsyncIterator[AsyncConnection]:
        async with self._database.changing() as connection:
            await seen(connection, trace_id, key_id)
            yield connection


async def seen(connection: AsyncConnection, trace_id: str, key_id: str | None) -> bool:
    """Whether a trace is a gateway call's; a 404 where there is none that the caller may see."""
    if (await connection.execute(sa.select(traces.c.id).where(traces.c.id == trace_id))).first() is not None:
        return False
    called = sa.select(calls.c.key_id).where(calls.c.id == trace_id.removeprefix(PREFIX))
    row = (await connection.execute(called)).first()
    if row is None or not trace_id.startswith(PREFIX) or key_id not in (None, row.key_id):
        raise missing(f"Trace with ID '{trace_id[:100]}' not found.")
    return True


def shown(row: Mapping[str, Any] | sa.RowMapping) -> Json:
    """MLflow's Assessment."""
    said = {
        "assessment_id": row["id"],
        "assessment_name": row["name"],
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "source": row["source"],
        "create_time": moment(row["created_us"]),
        "last_update_time": moment(row["updated_us"]),
        row["kind"]: row["value"],
        "rationale": row["rationale"],
        "metadata": row["metadata"] or None,
        "overrides": row["overrides"],
        "valid": row["valid"],
    }
    return {name: each for name, each in said.items() if each is not None}


def _row_of(id: str, trace_id: str, said: Assessment) -> dict[str, Any]:
    return {
        "id": id,
        "trace_id": trace_id,
        "name": said.name,
        "kind": said.kind,
        "value": said.value,
        **_compared(said.kind, said.value),
        "span_id": said.span_id,
        "source": said.source,
        "rationale": said.rationale,
        "metadata": said.metadata,
        "overrides": said.overrides,
        "valid": said.valid,
        "created_us": said.created_us,
        "updated_us": said.updated_us,
    }


def _compared(kind: str, value: Json) -> dict[str, Any]:
    """What a search compares: a value of several parts by its JSON."""
    held = value.get("issue_name") if kind == "issue" else value.get("value")
    if held is None and "serialized_value" in value:
        held = value["serialized_value"].get("value")
    if isinstance(held, float) and held.is_integer():
        held = int(held)  # MLflow's clients send every number as a float
    number = float(held) if isinstance(held, int | float) and not isinstance(held, bool) else None
    return {"text": None if held is None else spans.text(held).replace(NUL, REPLACEMENT), "number": number}


def _unknown(trace_id: str, id: str) -> Exception:
    return missing(f"Assessment with ID '{id[:100]}' not found for trace '{trace_id[:100]}'")
