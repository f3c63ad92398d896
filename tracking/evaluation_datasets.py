"""Datasets of evaluation: questions with what is expected of their answers, kept under a name and added to."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects import postgresql, sqlite

from providers.chat import Json
from tracking import order as orders
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import Field, Fields
from tracking.grammar import Source
from tracking.mlflow.errors import missing
from tracking.search import where
from tracking.tables import experiments
from tracking.trace_log import now_us
from tracking.trace_tables import (
    evaluation_dataset_experiments,
    evaluation_datasets,
    evaluation_records,
)

PAGE, PAGE_MOST = 1000, 50_000
HASHES = 500
"""Records that one statement looks for."""
AUTHOR = "mlflow.user"
_d, _r, _e = evaluation_datasets.c, evaluation_records.c, evaluation_dataset_experiments.c
_times = {
    "created_time": Field(_d.created_us, "time", required=True),
    "last_update_time": Field(_d.updated_us, "time", required=True),
}
FIELDS = Fields(
    {
        "metrics": {},
        "params": {},
        "attributes": {
            "dataset_id": Field(_d.id, required=True),
            "name": Field(_d.name, required=True),
            "created_by": Field(_d.created_by),
            "last_updated_by": Field(_d.updated_by),
            **_times,
        },
    },
    _d.tags,
)


class EvaluationDatasets:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name
        self._insert = postgresql.insert if database.postgres else sqlite.insert

    async def create(self, name: str, tags: Mapping[str, str], experiment_ids: Sequence[int]) -> Json:
        now, author = now_us(), tags.get(AUTHOR)
        row: dict[str, Any] = {
            "id": f"d-{uuid.uuid4().hex}",
            "name": name,
            "tags": dict(tags),
            "schema": None,
            "records": 0,
            "digest": _digest(name, now),
            "created_us": now,
            "updated_us": now,
            "created_by": author,
            "updated_by": author,
        }
        async with self._database.changing() as connection:
            await connection.execute(evaluation_datasets.insert().values(row))
            await self._add_to(connection, row["id"], experiment_ids)
        return _shown(row, experiment_ids)

    async def get(self, id: str) -> Json:
        async with self._database.asking() as connection:
            return await _one(connection, id)

    async def delete(self, id: str) -> None:
        """To delete what is not there is no fault, as in MLflow."""
        async with self._database.changing() as connection:
            await connection.execute(evaluation_records.delete().where(_r.dataset_id == id))
            await connection.execute(evaluation_dataset_experiments.delete().where(_e.dataset_id == id))
            await connection.execute(evaluation_datasets.delete().where(_d.id == id))

    async def page(
        self,
        experiment_ids: Sequence[int],
        filter: str,
        order_by: Sequence[str],
        size: int,
        token: str | None,
    ) -> tuple[list[Json], str | None]:
        """Those of any of these experiments, or of all; the newest first unless told otherwise."""
        order = orders.order(order_by or ("created_time DESC",), FIELDS, self._dialect, "dataset_id")
        query = orders.fingerprint("datasets", sorted(experiment_ids), filter, list(order_by))
        conditions = [where(Source(filter), FIELDS, self._dialect)]
        if experiment_ids:
            linked = sa.select(_e.dataset_id).where(_e.experiment_id.in_(experiment_ids))
            conditions.append(_d.id.in_(linked))
        if token is not None:
            conditions.append(order.after(orders.values(token, query, order)))
        select = sa.select(evaluation_datasets, *order.columns()).where(*conditions)
        async with self._database.asking() as connection:
            found = await connection.execute(select.order_by(*order.clauses()).limit(size + 1))
            rows = found.mappings().all()
            linked_to = await _experiments_of(connection, [row["id"] for row in rows[:size]])
        shown = [_shown(row, linked_to.get(row["id"], [])) for row in rows[:size]]
        if len(rows) <= size:
            return shown, None
        last = tuple(rows[size - 1][f"order_{n}"] for n in range(len(order.terms)))
        return shown, orders.token(query, last)

    async def set_tags(self, id: str, tags: Mapping[str, str | None]) -> Json:
        """Added to those that there are; one that is None is taken away."""
        async with self._database.changing() as connection:
            row = await _row(connection, id, lock=True)
            left = {name: value for name, value in {**row["tags"], **tags}.items() if value is not None}
            values = {"tags": left, "updated_us": now_us(), "updated_by": tags.get(AUTHOR) or row["updated_by"]}
            await connection.execute(evaluation_datasets.update().where(_d.id == id).values(values))
            return await _one(connection, id)

    async def upsert(self, id: str, records: Sequence[Json]) -> tuple[int, int]:
        """How many were new, and how many were there: of those, outputs are replaced, expectations and tags added."""
        now = now_us()
        async with self._database.changing() as connection:
            dataset = await _row(connection, id, lock=True)
            hashes = [_hash(record) for record in records]
            known = await self._known(connection, id, list(dict.fromkeys(hashes)))
            new: dict[str, dict[str, Any]] = {}
            changed: dict[str, dict[str, Any]] = {}
            updated = 0
            for hashed, record in zip(hashes, records, strict=True):
                there = new.get(hashed) or known.get(hashed)
                if there is None:
                    new[hashed] = _fresh(id, hashed, record, now)
                    continue
                updated += 1
                there |= _merged(there, record, now)
                if hashed in known:
                    changed[hashed] = there
            if new:
                await connection.execute(evaluation_records.insert(), list(new.values()))
            for row in changed.values():
                await connection.execute(evaluation_records.update().where(_r.id == row["id"]).values(row))
            authors = [name for record in records if (name := (record.get("tags") or {}).get(AUTHOR))]
            values = {
                "records": dataset["records"] + len(new),
                "schema": _schema(dataset["schema"], records),
                "digest": _digest(dataset["name"], now),
                "updated_us": now,
                "updated_by": authors[-1] if authors else dataset["updated_by"],
            }
            await connection.execute(evaluation_datasets.update().where(_d.id == id).values(values))
        return len(new), updated

    async def records(self, id: str, size: int, after: str | None) -> tuple[list[Json], str | None]:
        """In the order in which they were added, after the one with this id."""
        select = sa.select(evaluation_records).where(_r.dataset_id == id).order_by(_r.id).limit(size + 1)
        async with self._database.asking() as connection:
            await _row(connection, id)
            found = await connection.execute(select if after is None else select.where(_r.id > after))
            rows = found.mappings().all()
        return [_record(row) for row in rows[:size]], rows[size - 1]["id"] if len(rows) > size else None

    async def delete_records(self, id: str, ids: Sequence[str]) -> int:
        async with self._database.changing() as connection:
            dataset = await _row(connection, id, lock=True)
            which = sa.and_(_r.dataset_id == id, _r.id.in_(ids))
            gone: int = (await connection.execute(evaluation_records.delete().where(which))).rowcount
            now = now_us()
            values = {
                "records": dataset["records"] - gone,
                "digest": _digest(dataset["name"], now),
                "updated_us": now,
            }
            await connection.execute(evaluation_datasets.update().where(_d.id == id).values(values))
        return gone

    async def experiments(self, id: str) -> list[int]:
        async with self._database.asking() as connection:
            await _row(connection, id)
            return (await _experiments_of(connection, [id])).get(id, [])

    async def link(self, id: str, experiment_ids: Sequence[int]) -> Json:
        async with self._database.changing() as connection:
            await _row(connection, id, lock=True)
            await self._add_to(connection, id, experiment_ids)
            return await _one(connection, id)

    async def unlink(self, id: str, experiment_ids: Sequence[int]) -> Json:
        async with self._database.changing() as connection:
            await _row(connection, id, lock=True)
            which = sa.and_(_e.dataset_id == id, _e.experiment_id.in_(experiment_ids))
            await connection.execute(evaluation_dataset_experiments.delete().where(which))
            return await _one(connection, id)

    async def _add_to(self, connection: AsyncConnection, id: str, experiment_ids: Sequence[int]) -> None:
        found = await connection.execute(sa.select(experiments.c.id).where(experiments.c.id.in_(experiment_ids)))
        known = set(found.scalars())
        for experiment in experiment_ids:
            if experiment not in known:
                raise missing(f"No Experiment with id={experiment} exists")
        if known:
            rows = [{"dataset_id": id, "experiment_id": each} for each in sorted(known)]
            insert = self._insert(evaluation_dataset_experiments).on_conflict_do_nothing()
            await connection.execute(insert, rows)

    async def _known(self, connection: AsyncConnection, id: str, hashes: Sequence[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for n in range(0, len(hashes), HASHES):
            which = sa.and_(_r.dataset_id == id, _r.input_hash.in_(hashes[n : n + HASHES]))
            rows = await connection.execute(sa.select(evaluation_records).where(which))
            found |= {row["input_hash"]: {**row} for row in rows.mappings()}
        return found


async def _row(connection: AsyncConnection, id: str, *, lock: bool = False) -> sa.RowMapping:
    select = sa.select(evaluation_datasets).where(_d.id == id)
    row = (await connection.execute(select.with_for_update() if lock else select)).mappings().one_or_none()
    if row is None:
        raise missing(f"Evaluation dataset with id '{id[:100]}' not found")
    return row


async def _one(connection: AsyncConnection, id: str) -> Json:
    row = await _row(connection, id)
    return _shown(row, (await _experiments_of(connection, [id])).get(id, []))


async def _experiments_of(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[int]]:
    select = sa.select(_e.dataset_id, _e.experiment_id).where(_e.dataset_id.in_(ids)).order_by(_e.experiment_id)
    found: dict[str, list[int]] = {}
    for row in await connection.execute(select):
        found.setdefault(row.dataset_id, []).append(row.experiment_id)
    return found


def _shown(row: Mapping[str, Any] | sa.RowMapping, experiment_ids: Sequence[int]) -> Json:
    """MLflow's Dataset, in which three objects are JSON within JSON."""
    counted = row["schema"] is not None
    return {
        "dataset_id": row["id"],
        "name": row["name"],
        "tags": orjson.dumps(row["tags"]).decode(),
        "schema": orjson.dumps(row["schema"]).decode() if counted else None,
        "profile": orjson.dumps({"num_records": row["records"]}).decode() if counted else None,
        "digest": row["digest"],
        "created_time": row["created_us"] // 1000,
        "last_update_time": row["updated_us"] // 1000,
        "created_by": row["created_by"],
        "last_updated_by": row["updated_by"],
        "experiment_ids": [str(each) for each in experiment_ids],
    }


def _record(row: sa.RowMapping) -> Json:
    return {
        "dataset_record_id": row["id"],
        "dataset_id": row["dataset_id"],
        "inputs": row["inputs"],
        "outputs": row["outputs"],
        "expectations": row["expectations"],
        "tags": row["tags"],
        "source": row["source"],
        "source_type": (row["source"] or {}).get("source_type"),
        "source_id": ((row["source"] or {}).get("source_data") or {}).get("trace_id"),
        "created_time": row["created_us"] // 1000,
        "last_update_time": row["updated_us"] // 1000,
        "created_by": row["created_by"],
        "last_updated_by": row["updated_by"],
    }


def _hash(record: Json) -> str:
    return hashlib.sha256(orjson.dumps(record["inputs"], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _digest(name: str, now: int) -> str:
    """Another after every change."""
    return hashlib.sha256(f"{name}:{now}".encode()).hexdigest()[:8]


def _fresh(dataset_id: str, hashed: str, record: Json, now: int) -> dict[str, Any]:
    author = (record.get("tags") or {}).get(AUTHOR)
    return {
        "id": f"dr-{uuid_utils.uuid7().hex}",
        "dataset_id": dataset_id,
        "input_hash": hashed,
        "inputs": record["inputs"],
        "outputs": record.get("outputs"),
        "expectations": record.get("expectations"),
        "tags": record.get("tags"),
        "source": record.get("source"),
        "created_us": now,
        "updated_us": now,
        "created_by": author,
        "updated_by": author,
    }


def _merged(there: Mapping[str, Any], record: Json, now: int) -> dict[str, Any]:
    tags = {**(there["tags"] or {}), **(record.get("tags") or {})}
    return {
        "outputs": record["outputs"] if "outputs" in record else there["outputs"],
        "expectations": {**(there["expectations"] or {}), **(record.get("expectations") or {})} or None,
        "tags": tags or None,
        "updated_us": now,
        "updated_by": (record.get("tags") or {}).get(AUTHOR) or there["updated_by"],
    }


def _schema(there: Json | None, records: Sequence[Json]) -> Json | None:
    """The type of each key that any record has had, by where it stands."""
    if there is None and not records:
        return None
    schema: Json = there or {"inputs": {}, "outputs": {}, "expectations": {}, "version": "1.0"}
    for record in records:
        for part in ("inputs", "outputs", "expectations"):
            said = record.get(part)
            if isinstance(said, dict):
                if isinstance(schema[part], dict):
                    for name, value in said.items():
                        schema[part].setdefault(name, _type(value))
            elif said is not None and not schema[part]:
                schema[part] = _type(said)
    return schema


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
        case str():
            return "string"
        case list():
            return f"array<{_type(value[0]) if value else 'any'}>"
        case _:
            return "object"
