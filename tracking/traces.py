"""Traces as they are read: those that applications send and those of gateway calls, found by one search."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard

from providers.chat import Json
from providers.errors import InvalidRequest
from tracking import call_traces, shape
from tracking import order as orders
from tracking.assessments import shown
from tracking.call_tags import by_rare_tags
from tracking.call_traces import PREFIX
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.grammar import Source
from tracking.order import Order, Values
from tracking.payloads import Payloads, payloads_of
from tracking.runs import detailed
from tracking.tables import calls
from tracking.trace_search import TIE, Side, condition, sides
from tracking.trace_tables import assessments, spans, trace_prompts, traces
from tracking.windows import windows

PAGE, PAGE_MOST = 100, 500
LINKED_PROMPTS = "mlflow.linkedPrompts"


@dataclass(frozen=True, slots=True)
class Page:
    infos: list[Json]
    next_page_token: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    info: Json
    """MLflow's TraceInfoV3."""
    spans: list[Json]


class Traces:
    """`key_id` narrows each method to the calls of one key; to others' it is as if they were not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name
        self._sides = sides(self._dialect)

    async def page(
        self,
        experiments: Sequence[int],
        filter: str = "",
        order_by: Sequence[str] = (),
        size: int = PAGE,
        token: str | None = None,
        *,
        key_id: str | None = None,
    ) -> Page:
        """Traces that pass a filter, newest first unless told otherwise."""
        if not 1 <= size <= PAGE_MOST:
            raise InvalidRequest(f"max_results is {size}; say 1 to {PAGE_MOST}", param="max_results")
        query = orders.fingerprint("traces", sorted(experiments), filter, list(order_by), key_id)
        each = [orders.order(order_by, side.fields, self._dialect, TIE) for side in self._sides]
        after = None if token is None else orders.values(token, query, each[0])
        found: list[tuple[Values, str]] = []
        async with self._database.asking() as connection:
            for side, order in zip(self._sides, each, strict=True):
                select = sa.select(side.id.label("trace"), *order.columns()).select_from(side.table)
                select = select.where(*self._conditions(side, experiments, filter, key_id))
                if after is not None:
                    select = select.where(order.after(after))
                if side.table is calls:
                    select = select.where(*await by_rare_tags(connection, Source(filter), side.fields))
                rows: list[sa.Row[Any]] = []
                async for window in windows(connection, Source(filter), order, after):
                    left = select.order_by(*order.clauses()).limit(size + 1 - len(rows))
                    rows += await connection.execute(left, window)
                    if len(rows) > size:
                        break
                found += [(tuple(row[1:]), row[0]) for row in rows]
            found.sort(key=functools.cmp_to_key(_comparison(each[0])))
            ids = [id for _, id in found[:size]]
            whole = await self._infos(connection, ids, key_id)
        infos = [whole[id] for id in ids]
        return Page(infos, orders.token(query, found[size - 1][0]) if len(found) > size else None)

    async def infos(self, ids: Sequence[str], *, key_id: str | None = None) -> list[Json]:
        """Of those that there are, in this order."""
        async with self._database.asking() as connection:
            found = await self._infos(connection, ids, key_id)
        return [found[id] for id in ids if id in found]

    async def several(self, ids: Sequence[str], *, key_id: str | None = None) -> list[Trace]:
        """Whole traces. A client's has below its spans the gateway calls that they made."""
        async with self._database.asking() as connection:
            infos = await self._infos(connection, ids, key_id)
            bodies = await self._bodies(connection, [id for id in ids if id in infos], key_id)
        return [Trace(infos[id], bodies.get(id, [])) for id in ids if id in infos]

    def _conditions(
        self, side: Side, experiments: Sequence[int], filter: str, key_id: str | None
    ) -> list[sa.ColumnElement[bool]]:
        conditions = [condition(Source(filter), side, self._dialect)]
        if experiments:
            conditions.append(side.experiment_id.in_(experiments))
        if key_id is not None and side.table is calls:
            conditions.append(calls.c.key_id == key_id)
        return conditions

    async def _infos(self, connection: AsyncConnection, ids: Sequence[str], key_id: str | None) -> dict[str, Json]:
        found: dict[str, Json] = {}
        rows = await connection.execute(sa.select(traces).where(traces.c.id.in_(ids)))
        for row in rows.mappings():
            found[row["id"]] = _info(row)
        left = [id.removeprefix(PREFIX) for id in ids if id not in found]
        if left:
            made = (
                (await connection.execute(_calls(calls.c.id.in_(left), key_id).order_by(calls.c.id))).mappings().all()
            )
            found |= await asyncio.to_thread(_infos_of_calls, made, await payloads_of(connection, made))
        said = await connection.execute(
            sa.select(assessments).where(assessments.c.trace_id.in_(found)).order_by(assessments.c.created_us)
        )
        for row in said.mappings():
            found[row["trace_id"]].setdefault("assessments", []).append(shown(row))
        await _with_prompts(connection, found)
        return found

    async def _bodies(
        self, connection: AsyncConnection, ids: Sequence[str], key_id: str | None
    ) -> dict[str, list[Json]]:
        s = spans.c
        rows = await connection.execute(
            sa.select(s.trace_id, s.body).where(s.trace_id.in_(ids)).order_by(s.trace_id, s.started_ns, s.span_id)
        )
        kept = rows.all()
        digits = [id.removeprefix(PREFIX) for id in ids]
        which = sa.or_(calls.c.id.in_(digits), calls.c.trace_id.in_(digits))
        made = (await connection.execute(_calls(which, key_id).order_by(calls.c.id))).mappings().all()
        return await asyncio.to_thread(_unpacked, set(ids), kept, made, await payloads_of(connection, made))


def _calls(which: sa.ColumnElement[bool], key_id: str | None) -> sa.Select[Any]:
    select = sa.select(*shape.COLUMNS).where(which)
    return select if key_id is None else select.where(calls.c.key_id == key_id)


def _info(row: sa.RowMapping) -> Json:
    return {
        "trace_id": row["id"],
        "client_request_id": row["client_request_id"],
        "trace_location": call_traces.location(str(row["experiment_id"])),
        "request_time": call_traces.moment(row["started_us"]),
        "execution_duration": call_traces.duration(row["duration_us"]),
        "state": row["state"],
        "request_preview": row["request_preview"],
        "response_preview": row["response_preview"],
        "trace_metadata": dict(row["metadata"]),
        "tags": dict(row["tags"]),
    }


def _infos_of_calls(rows: Sequence[sa.RowMapping], payloads: Payloads) -> dict[str, Json]:
    return {PREFIX + row["id"]: call_traces.info(row, detailed(row, payloads, raw=False)) for row in rows}


async def _with_prompts(connection: AsyncConnection, infos: Mapping[str, Json]) -> None:
    """The tag in which MLflow's clients look for the prompts that a trace was linked to."""
    p = trace_prompts.c
    rows = await connection.execute(
        sa.select(p.trace_id, p.name, p.version).where(p.trace_id.in_(infos)).order_by(p.name, p.version)
    )
    linked: dict[str, list[Json]] = {}
    for row in rows:
        linked.setdefault(row.trace_id, []).append({"name": row.name, "version": row.version})
    for id, prompts in linked.items():
        tags = infos[id]["tags"]
        here = orjson.loads(tags[LINKED_PROMPTS]) if LINKED_PROMPTS in tags else []
        tags[LINKED_PROMPTS] = orjson.dumps([*here, *(each for each in prompts if each not in here)]).decode()


def _unpacked(
    ids: set[str], kept: Sequence[Any], made: Sequence[sa.RowMapping], payloads: Payloads
) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    unpack = zstandard.ZstdDecompressor().decompress
    for row in kept:
        found.setdefault(row.trace_id, []).append(orjson.loads(unpack(row.body)))
    for call in made:
        called = call_traces.spans_of(call, detailed(call, payloads, raw=False))
        id = PREFIX + call["id"]
        if id in ids and id not in found:
            found[id] = called
        caller = PREFIX + (call["trace_id"] or "")
        if caller in ids:
            found.setdefault(caller, []).extend(call_traces.within(called, call["trace_id"], call["parent_span_id"]))
    return found


def _comparison(order: Order) -> Callable[[tuple[Values, str], tuple[Values, str]], int]:
    """How the database orders, for rows of two of its tables: what has no value comes last."""
    descending = [term.descending for term in order.terms]

    def compare(one: tuple[Values, str], other: tuple[Values, str]) -> int:
        for a, b, down in zip(one[0], other[0], descending, strict=True):
            if a == b:
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            return (-1 if a > b else 1) if down else (-1 if a < b else 1)
        return 0

    return compare
