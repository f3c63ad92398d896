"""Experiments: found by name or made when first named; renamed, tagged, put away and searched."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.chat import Json
from tracking import order as orders
from tracking import run_names as names
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import Field, Fields
from tracking.grammar import Source
from tracking.mlflow.errors import exists, invalid, missing
from tracking.run_tables import runs
from tracking.search import where
from tracking.tables import experiments

DEFAULT = 0
_e = experiments.c
_TIMES = {
    "creation_time": Field(_e.created_us, "time", required=True),
    "last_update_time": Field(_e.updated_us, "time", required=True),
}
FIELDS = Fields(
    {
        "metrics": {},
        "params": {},
        "attributes": {
            "name": Field(_e.name, required=True),
            "experiment_id": Field(sa.cast(_e.id, sa.String), required=True),
            "id": Field(sa.type_coerce(_e.id, sa.BigInteger), "number", required=True),
            **_TIMES,
        },
    },
    _e.tags,
)
NEWEST = ("last_update_time DESC", "id DESC")


class Experiments:
    """As MLflow's API shows them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name

    async def create(self, name: str, artifact_location: str | None, tags: Mapping[str, str]) -> int:
        now = _now()
        async with self._changing() as connection:
            await _must_be_free(connection, name)
            values = {"artifact_location": artifact_location, "tags": dict(tags), "created_us": now, "updated_us": now}
            made = await connection.execute(
                experiments.insert().values(name=name, lifecycle_stage="active", **values).returning(_e.id)
            )
            return int(made.scalar_one())

    async def get(self, id: int) -> Json:
        async with self._database.asking() as connection:
            found = await connection.execute(sa.select(experiments).where(_e.id == id))
            row = found.mappings().one_or_none()
        if row is None:
            raise names.no_experiment(id)
        return _shown(row)

    async def named(self, name: str) -> Json:
        async with self._database.asking() as connection:
            found = await connection.execute(sa.select(experiments).where(_e.name == name))
            row = found.mappings().one_or_none()
        if row is None:
            raise missing(f"Could not find experiment with name '{name}'")
        return _shown(row)

    async def rename(self, id: int, name: str) -> None:
        async with self._changing() as connection:
            row = await _hold(connection, id)
            if row["name"] != name:
                await _must_be_free(connection, name)
            await _change(connection, id, name=name)

    async def delete(self, id: int) -> None:
        """With its runs; its calls stay, since a call is recorded whatever becomes of its experiment."""
        if id == DEFAULT:
            raise invalid("Cannot delete the default experiment, where calls go that name no other.")
        async with self._changing() as connection:
            await _hold(connection, id)
            await _change(connection, id, lifecycle_stage="deleted")
            active = runs.update().where(runs.c.experiment_id == id, runs.c.lifecycle_stage == "active")
            await connection.execute(active.values(lifecycle_stage="deleted", deleted_us=_now()))

    async def restore(self, id: int) -> None:
        async with self._changing() as connection:
            row = await _hold(connection, id, stage="deleted")
            await _change(connection, id, lifecycle_stage="active")
            # Those that went with it come back, and not those that had been deleted before.
            gone = runs.update().where(runs.c.experiment_id == id, runs.c.deleted_us >= row["updated_us"])
            await connection.execute(gone.values(lifecycle_stage="active", deleted_us=None))

    async def set_tag(self, id: int, key: str, value: str) -> None:
        async with self._changing() as connection:
            row = await _hold(connection, id)
            await _change(connection, id, tags={**(row["tags"] or {}), key: value})

    async def delete_tag(self, id: int, key: str) -> None:
        async with self._changing() as connection:
            tags = dict((await _hold(connection, id))["tags"] or {})
            if tags.pop(key, None) is None:
                raise missing(f"No tag with name: {key} in experiment with id {id}")
            await _change(connection, id, tags=tags)

    async def page(
        self, filter: str, order_by: Sequence[str], size: int, token: str | None, view: str
    ) -> tuple[list[Json], str | None]:
        """Those changed last come first unless told otherwise. `view` is one of `run_search.VIEWS`."""
        order = orders.order(order_by or NEWEST, FIELDS, self._dialect, "id")
        query = orders.fingerprint(filter, list(order_by), view)
        conditions = [where(Source(filter), FIELDS, self._dialect)]
        if view != "ALL":
            conditions.append(_e.lifecycle_stage == ("active" if view == "ACTIVE_ONLY" else "deleted"))
        if token is not None:
            conditions.append(order.after(orders.values(token, query, order)))
        select = sa.select(experiments, *order.columns()).where(*conditions)
        async with self._database.asking() as connection:
            found = await connection.execute(select.order_by(*order.clauses()).limit(size + 1))
            rows = found.mappings().all()
        if len(rows) <= size:
            return [_shown(row) for row in rows], None
        last = tuple(rows[size - 1][f"order_{n}"] for n in range(len(order.terms)))
        return [_shown(row) for row in rows[:size]], orders.token(query, last)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.changing() as connection:
            try:
                yield connection
            except sa.exc.IntegrityError as exc:  # another process gave the name away after we looked
                raise exists("An experiment of this name already exists.") from exc


async def ids(connection: AsyncConnection, names: Iterable[str]) -> dict[str, int]:
    """The id of each of these, made in this transaction where there was none. Several processes may do so at once."""
    wanted = sorted(set(names))
    known = await _known(connection, wanted)
    if missing := [name for name in wanted if name not in known]:
        now = _now()
        rows = [{"name": name, "lifecycle_stage": "active", "created_us": now, "updated_us": now} for name in missing]
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        await connection.execute(insert(experiments).on_conflict_do_nothing(), rows)
        known |= await _known(connection, missing)
    return known


async def _known(connection: AsyncConnection, names: list[str]) -> dict[str, int]:
    found = await connection.execute(sa.select(_e.name, _e.id).where(_e.name.in_(names)))
    return {row.name: row.id for row in found}


async def _hold(connection: AsyncConnection, id: int, stage: str = "active") -> sa.RowMapping:
    """Its row, locked; refused unless it is in this stage."""
    found = await connection.execute(sa.select(experiments).where(_e.id == id).with_for_update())
    row = found.mappings().one_or_none()
    if row is None:
        raise names.no_experiment(id)
    if row["lifecycle_stage"] != stage:
        raise invalid(f"The experiment {id} must be in the '{stage}' state. Current state is {row['lifecycle_stage']}.")
    return row


async def _must_be_free(connection: AsyncConnection, name: str) -> None:
    found = await connection.execute(sa.select(_e.lifecycle_stage).where(_e.name == name))
    if (stage := found.scalar_one_or_none()) is not None:
        hint = "" if stage == "active" else " It is deleted: restore it, or choose another name."
        raise exists(f"Experiment(name={name}) already exists.{hint}")


async def _change(connection: AsyncConnection, id: int, **values: Any) -> None:
    await connection.execute(experiments.update().where(_e.id == id).values(updated_us=_now(), **values))


def _shown(row: sa.RowMapping) -> Json:
    return {
        "experiment_id": str(row["id"]),
        "name": row["name"],
        "artifact_location": row["artifact_location"] or f"mlflow-artifacts:/{row['id']}",
        "lifecycle_stage": row["lifecycle_stage"],
        "last_update_time": row["updated_us"] // 1000,
        "creation_time": row["created_us"] // 1000,
        "workspace": "default",
        **({"tags": [{"key": key, "value": value} for key, value in row["tags"].items()]} if row["tags"] else {}),
    }


def _now() -> int:
    return time.time_ns() // 1000
