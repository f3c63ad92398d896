"""Traces as they are written: what applications send of them, in any order, and what is changed about them later."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard
from sqlalchemy.dialects import postgresql, sqlite

from tracking.assessments import seen
from tracking.call_traces import (
    ARTIFACTS,
    COST,
    IN_STORE,
    METADATA_MOST,
    NAME,
    PREFIX,
    PREVIEW,
    SCHEMA,
    SESSION,
    TOKENS,
    USER,
    artifacts,
)
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.mlflow.errors import invalid, missing
from tracking.payloads import LEVEL
from tracking.rows import NUL, REPLACEMENT
from tracking.spans import INPUTS, OUTPUTS, Span, searched, text, total
from tracking.tables import calls, experiments
from tracking.trace_tables import assessments, spans, trace_prompts, trace_runs, traces

BATCH = 1000
"""Traces that one statement deletes."""
TAG_PREFIX = "mlflow.traceTag."
"""Of a root span's attributes, which become tags of the trace."""
_SESSIONS = ("session.id", "gen_ai.conversation.id")
_t, _s = traces.c, spans.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a client says of a trace as a whole."""

    id: str
    experiment_id: int
    started_us: int
    duration_us: int | None
    state: str
    client_request_id: str | None
    request_preview: str | None
    response_preview: str | None
    metadata: Mapping[str, str]
    tags: Mapping[str, str]


class TraceLog:
    """`key_id` narrows what is changed about gateway calls to those of one key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = postgresql.insert if database.postgres else sqlite.insert

    async def tell(self, told: Told) -> None:
        """Keep what is said of a whole trace; its spans may have come before, and may come after."""
        async with self._database.changing() as connection:
            await _experiment(connection, told.experiment_id)
            row = await self._row(connection, told.id, told.experiment_id, told.started_us)
            metadata = {**row["metadata"], **told.metadata}
            where = {ARTIFACTS: artifacts(str(told.experiment_id), told.id)}
            values = {
                "experiment_id": told.experiment_id,
                "started_us": told.started_us,
                "duration_us": told.duration_us,
                "state": told.state,
                "client_request_id": told.client_request_id,
                "session": metadata.get(SESSION),
                "request_preview": told.request_preview,
                "response_preview": told.response_preview,
                "metadata": metadata,
                "tags": {**where, **row["tags"], **told.tags},
                "told": True,
            }
            await connection.execute(traces.update().where(_t.id == told.id).values(values))

    async def spans(self, experiment_id: int, sent: Sequence[Span], run_id: str | None = None) -> None:
        """Keep spans, each in its trace, all or none. One that is sent again replaces what it was."""
        if not sent:
            return
        rows = await asyncio.to_thread(_rows, sent)
        by_trace: dict[str, list[Span]] = {}
        for span in sent:
            by_trace.setdefault(PREFIX + span.trace_id, []).append(span)
        async with self._database.changing() as connection:
            await _experiment(connection, experiment_id)
            # In one order, so that two batches of the same traces cannot wait for each other.
            known = {
                id: await self._row(connection, id, experiment_id, _earliest(by_trace[id])) for id in sorted(by_trace)
            }
            statement = self._insert(spans)
            new = {column: statement.excluded[column] for column in rows[0] if column not in ("trace_id", "span_id")}
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["trace_id", "span_id"], set_=new), rows
            )
            for id, row in known.items():
                await self._gather(connection, row, by_trace[id])
            if run_id is not None:
                await self._link(connection, sorted(by_trace), run_id)

    async def set_tag(self, id: str, name: str, value: str, *, key_id: str | None = None) -> None:
        async with self._database.changing() as connection:
            await self._change_tags(connection, id, key_id, {name: value})

    async def delete_tag(self, id: str, name: str, *, key_id: str | None = None) -> None:
        async with self._database.changing() as connection:
            await self._change_tags(connection, id, key_id, {name: None})

    async def link(self, ids: Sequence[str], run_id: str, *, key_id: str | None = None) -> None:
        """Traces to a run, which `run_id` then finds."""
        async with self._database.changing() as connection:
            for id in ids:
                await seen(connection, id, key_id)
            await self._link(connection, ids, run_id)

    async def link_prompts(self, id: str, prompts: Sequence[tuple[str, str]], *, key_id: str | None = None) -> None:
        """Versions of prompts, by name, to a trace."""
        async with self._database.changing() as connection:
            await seen(connection, id, key_id)
            rows = [{"trace_id": id, "name": name, "version": version} for name, version in prompts]
            if rows:
                await connection.execute(self._insert(trace_prompts).on_conflict_do_nothing(), rows)

    async def delete(
        self,
        experiment_id: int,
        *,
        ids: Sequence[str] | None = None,
        until_ms: int | None = None,
        most: int | None = None,
    ) -> int:
        """Delete an experiment's traces, by id, or the oldest of those that began by some time. How many there were.

        The trace of a gateway call is its run: that goes when its time is over, with what it cost, and not before.
        """
        async with self._database.changing() as connection:
            select = sa.select(_t.id).where(_t.experiment_id == experiment_id)
            if ids is not None:
                digits = [id.removeprefix(PREFIX) for id in ids]
                called = sa.select(calls.c.id).where(calls.c.id.in_(digits), calls.c.experiment_id == experiment_id)
                if (of_call := (await connection.execute(called.limit(1))).scalar_one_or_none()) is not None:
                    raise invalid(
                        f"trace {PREFIX + of_call!r} is of a gateway call, which cannot be deleted: it is kept as "
                        "long as the configuration's retention says"
                    )
                select = select.where(_t.id.in_(ids))
            if until_ms is not None:
                select = select.where(_t.started_us < (until_ms + 1) * 1000)
            chosen = select.order_by(_t.started_us, _t.id).limit(most)
            gone = list((await connection.execute(chosen)).scalars())
            for n in range(0, len(gone), BATCH):
                these = gone[n : n + BATCH]
                for table in (spans, assessments, trace_runs, trace_prompts):
                    await connection.execute(sa.delete(table).where(table.c.trace_id.in_(these)))
                await connection.execute(traces.delete().where(_t.id.in_(these)))
        return len(gone)

    async def _row(self, connection: AsyncConnection, id: str, experiment_id: int, started_us: int) -> sa.RowMapping:
        """The trace's row, made where there is none, and ours until the transaction ends."""
        new = {
            "id": id,
            "experiment_id": experiment_id,
            "started_us": started_us,
            "state": "IN_PROGRESS",
            "metadata": dict(SCHEMA),
            "tags": {ARTIFACTS: artifacts(str(experiment_id), id)},
            "told": False,
        }
        await connection.execute(self._insert(traces).values(new).on_conflict_do_nothing())
        found = await connection.execute(sa.select(traces).where(_t.id == id).with_for_update())
        return found.mappings().one()

    async def _gather(self, connection: AsyncConnection, row: sa.RowMapping, sent: Sequence[Span]) -> None:
        """What a trace's spans say of it; of one that the client told of, only that they are here."""
        if row["told"]:
            await connection.execute(
                traces.update().where(_t.id == row["id"]).values(tags={**row["tags"], IN_STORE: "TRACKING_STORE"})
            )
            return
        kept = (
            await connection.execute(
                sa.select(_s.span_id, _s.parent_span_id, _s.usage, _s.cost, _s.started_ns, _s.ended_ns).where(
                    _s.trace_id == row["id"]
                )
            )
        ).all()
        started = min(each.started_ns for each in kept) // 1000
        ends = [each.ended_ns for each in kept if each.ended_ns is not None]
        used = {
            TOKENS: total([(each.span_id, each.parent_span_id, each.usage) for each in kept]),
            COST: total([(each.span_id, each.parent_span_id, each.cost) for each in kept]),
        }
        metadata = {
            **row["metadata"],
            **_said(sent),
            **{name: orjson.dumps(sums).decode() for name, sums in used.items() if sums is not None},
        }
        values: dict[str, Any] = {
            "started_us": started,
            "duration_us": max(ends) // 1000 - started if ends else None,
            "session": metadata.get(SESSION),
            "tags": {**row["tags"], IN_STORE: "TRACKING_STORE"},
            "metadata": metadata,
        }
        root = next((span for span in sent if span.parent_id is None), None)
        if root is not None:
            attributes = searched(root.attributes)
            asked, answered = attributes.get(INPUTS), attributes.get(OUTPUTS)
            values["state"] = "ERROR" if root.status == "ERROR" else "OK"
            values["request_preview"], values["response_preview"] = _cut(asked, PREVIEW), _cut(answered, PREVIEW)
            values["tags"] |= {NAME: root.name.replace(NUL, REPLACEMENT)} | {
                name.removeprefix(TAG_PREFIX): each for name, each in attributes.items() if name.startswith(TAG_PREFIX)
            }
            shown = {"mlflow.traceInputs": asked, "mlflow.traceOutputs": answered}
            metadata |= {name: each[:METADATA_MOST] for name, each in shown.items() if each is not None}
        await connection.execute(traces.update().where(_t.id == row["id"]).values(values))

    async def _change_tags(
        self, connection: AsyncConnection, id: str, key_id: str | None, changes: Mapping[str, str | None]
    ) -> None:
        called = await seen(connection, id, key_id)
        table, own = (calls, id.removeprefix(PREFIX)) if called else (traces, id)
        found = await connection.execute(sa.select(table.c.tags).where(table.c.id == own).with_for_update())
        tags: dict[str, str | None] = found.scalar_one() or {}
        for name, value in changes.items():
            if value is None and name not in tags:
                raise missing(f"No tag with name: {name[:250]} in trace with ID {id[:100]}.")
        left = {name: value for name, value in {**tags, **changes}.items() if value is not None}
        await connection.execute(table.update().where(table.c.id == own).values(tags=left))

    async def _link(self, connection: AsyncConnection, ids: Sequence[str], run_id: str) -> None:
        rows = [{"run_id": run_id, "trace_id": id} for id in ids]
        if rows:
            await connection.execute(self._insert(trace_runs).on_conflict_do_nothing(), rows)


def now_us() -> int:
    return time.time_ns() // 1000


async def _experiment(connection: AsyncConnection, id: int) -> None:
    found = await connection.execute(sa.select(experiments.c.lifecycle_stage).where(experiments.c.id == id))
    stage = found.scalar_one_or_none()
    if stage is None:
        raise missing(f"No Experiment with id={id} exists")
    if stage != "active":
        raise invalid(f"The experiment {id} must be in the 'active' state.")


def _rows(sent: Sequence[Span]) -> list[dict[str, Any]]:
    compress = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False).compress
    # Of two with the same id in one request the last counts: an upsert may not meet a row twice.
    by_id = {(span.trace_id, span.span_id): span for span in sent}
    return [
        {
            "trace_id": PREFIX + span.trace_id,
            "span_id": span.span_id,
            "parent_span_id": span.parent_id,
            "name": span.name.replace(NUL, REPLACEMENT),
            "type": span.type.replace(NUL, REPLACEMENT),
            "status": span.status,
            "started_ns": span.started_ns,
            "ended_ns": span.ended_ns,
            "attributes": searched(span.attributes),
            "usage": span.usage,
            "cost": span.cost,
            "body": compress(orjson.dumps(span.body)),
        }
        for span in by_id.values()
    ]


def _earliest(sent: Sequence[Span]) -> int:
    return min(span.started_ns for span in sent) // 1000


def _said(sent: Sequence[Span]) -> dict[str, str]:
    """Whose session and user spans say that they are of, by OpenTelemetry's names."""
    found: dict[str, str] = {}
    for span in sent:
        for name in _SESSIONS:
            if name in span.attributes:
                found.setdefault(SESSION, text(span.attributes[name]).replace(NUL, REPLACEMENT))
        if "user.id" in span.attributes:
            found.setdefault(USER, text(span.attributes["user.id"]).replace(NUL, REPLACEMENT))
    return found


def _cut(said: str | None, most: int) -> str | None:
    return said if said is None or len(said) <= most else said[: most - 3] + "..."
