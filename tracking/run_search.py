"""Runs read back as MLflow's users know them: those that people logged and the gateway's calls, as one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any, Literal

import sqlalchemy as sa

from providers.chat import Json
from tracking import order as orders
from tracking import run_names as names
from tracking import run_shape as shape
from tracking.call_tags import by_rare_tags
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.grammar import Source
from tracking.run_fields import Side, condition, sides
from tracking.run_tables import run_datasets, run_inputs, run_latest, run_models, run_params, runs
from tracking.tables import calls

VIEWS = ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")
NEWEST = "attributes.start_time DESC"
"""The order of runs that no other tells apart."""
AT_ONCE = 1_000
"""Runs whose parts are asked for in one statement."""
_COLUMNS = {runs.name: shape.OF_LOGGED, calls.name: shape.OF_CALL}
_SHAPES = {runs.name: shape.of_logged, calls.name: shape.of_call}
Found = tuple[str, sa.RowMapping]
"""The name of a table, and a row of it."""


class RunSearch:
    """To whom a `key_id` is given, calls by other keys are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name
        self._logged, self._called = sides(self._dialect)

    async def get(self, id: str, *, key_id: str | None = None) -> Json:
        names.run_id(id)
        async with self._database.asking() as connection:
            for side in (self._logged, self._called):
                mine = [side.table.c.id == id, *_visible(side, key_id)]
                found = await connection.execute(sa.select(*_COLUMNS[side.table.name]).where(*mine))
                if (row := found.mappings().one_or_none()) is not None:
                    parts = await _parts(connection, [id])
                    return _SHAPES[side.table.name](row, parts)
        raise names.no_run(id)

    async def page(
        self,
        experiments: Sequence[int],
        filter: str,
        order_by: Sequence[str],
        size: int,
        token: str | None,
        view: str = "ACTIVE_ONLY",
        *,
        key_id: str | None = None,
        only: Literal["logged", "calls"] | None = None,
    ) -> tuple[list[Json], str | None]:
        """Runs that pass a filter, newest first unless told otherwise, and the token of the next page."""
        query = orders.fingerprint(filter, list(order_by), sorted(experiments), view, only)
        if order_by:
            order_by = [*order_by, NEWEST]
        searched = [side for kind, side in (("logged", self._logged), ("calls", self._called)) if only in (None, kind)]
        if view == "DELETED_ONLY":
            searched = [self._logged]
        made = [(side, orders.order(order_by, side.fields, self._dialect)) for side in searched]
        selects = []
        for side, order in made:
            table = side.table
            where = [condition(Source(filter), side, self._dialect), table.c.experiment_id.in_(experiments)]
            where += _visible(side, key_id)
            if table is runs and view != "ALL":
                where.append(runs.c.lifecycle_stage == ("active" if view == "ACTIVE_ONLY" else "deleted"))
            if token is not None:
                where.append(order.after(orders.values(token, query, order)))
            select = sa.select(*_COLUMNS[table.name], *order.columns()).where(*where)
            selects.append((side, select.order_by(*order.clauses()).limit(size + 1)))
        found: list[Found] = []
        async with self._database.asking() as connection:
            for side, select in selects:
                if side.table is calls:
                    select = select.where(*await by_rare_tags(connection, Source(filter), side.fields))
                found += [(side.table.name, row) for row in (await connection.execute(select)).mappings()]
            order = made[0][1]
            found = await asyncio.to_thread(_merged, found, order)
            page = found[:size]
            parts = await _parts(connection, [row["id"] for _, row in page])
        shown = await asyncio.to_thread(lambda: [_SHAPES[name](row, parts) for name, row in page])
        return shown, orders.token(query, _values(page[-1], order)) if len(found) > size else None

    async def datasets(self, experiments: Sequence[int]) -> list[Json]:
        """What the active runs of these experiments used."""
        d, i = run_datasets.c, run_inputs.c
        select = (
            sa.select(d.experiment_id, d.name, d.digest, i.context)
            .join_from(run_datasets, run_inputs, i.dataset_id == d.id)
            .join(runs, runs.c.id == i.run_id)
            .where(d.experiment_id.in_(experiments), runs.c.lifecycle_stage == "active")
            .distinct()
            .order_by(d.experiment_id, d.name, d.digest, i.context)
            .limit(AT_ONCE)
        )
        async with self._database.asking() as connection:
            rows = (await connection.execute(select)).mappings().all()
        return [{name: str(value) for name, value in row.items() if value is not None} for row in rows]


def _visible(side: Side, key_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [calls.c.key_id == key_id] if side.table is calls and key_id is not None else []


def _values(found: Found, order: orders.Order) -> orders.Values:
    return tuple(found[1][f"order_{n}"] for n in range(len(order.terms)))


def _merged(found: list[Found], order: orders.Order) -> list[Found]:
    """Both tables' rows in one order, by the rules of `order.Order`: absent values last, texts by code point."""
    descending = [term.descending for term in order.terms]

    def compared(one: orders.Values, other: orders.Values) -> int:
        for ours, theirs, down in zip(one, other, descending, strict=True):
            if ours == theirs:
                continue
            if ours is None or theirs is None:
                return 1 if ours is None else -1
            return -1 if (ours > theirs if down else ours < theirs) else 1
        return 0

    place = cmp_to_key(compared)
    return sorted(found, key=lambda each: place(_values(each, order)))


async def _parts(connection: AsyncConnection, ids: Sequence[str]) -> shape.Parts:
    parts = shape.Parts()
    for start in range(0, len(ids), AT_ONCE):
        await _gather(connection, ids[start : start + AT_ONCE], parts)
    return parts


async def _gather(connection: AsyncConnection, ids: Sequence[str], parts: shape.Parts) -> None:
    async def rows(table: sa.FromClause, *columns: Any) -> Sequence[sa.RowMapping]:
        select = sa.select(*columns).select_from(table).where(columns[0].in_(ids)).order_by(*columns[:2])
        return (await connection.execute(select)).mappings().all()

    for row in await rows(run_latest, *run_latest.c):
        parts.metrics.setdefault(row["run_id"], []).append(shape.metric(row, row["value"]))
    for row in await rows(run_params, *run_params.c):
        parts.params.setdefault(row["run_id"], []).append({"key": row["key"], "value": row["value"]})
    used = run_inputs.join(run_datasets, run_inputs.c.dataset_id == run_datasets.c.id)
    for row in await rows(used, *run_inputs.c, *[each for each in run_datasets.c if each.name != "id"]):
        told = ("name", "digest", "source_type", "source", "schema", "profile")
        dataset = {name: row[name] for name in told if row[name] is not None}
        parts.datasets.setdefault(row["run_id"], []).append({"tags": row["tags"], "dataset": dataset})
    for row in await rows(run_models, *run_models.c):
        if row["direction"] == "input":
            parts.inputs.setdefault(row["run_id"], []).append({"model_id": row["model_id"]})
        else:
            made = {"model_id": row["model_id"], "step": row["step"]}
            parts.outputs.setdefault(row["run_id"], []).append(made)
