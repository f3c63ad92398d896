"""Runs that people log, and what they log of the gateway's calls: each change one transaction."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.chat import Json
from tracking import run_names as names
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import METRICS, PARAMS
from tracking.mlflow.errors import invalid, missing
from tracking.run_tables import run_datasets, run_inputs, run_latest, run_metrics, run_models, run_params, runs
from tracking.tables import calls, experiments

RUN_NAME, MODELS = "mlflow.runName", "mlflow.log-model.history"
"""Tags: a run's name is also one, and so is the list of what clients of MLflow 2 call its models."""
CONTEXT = "mlflow.data.context"
STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One value of a metric. It may be NaN or infinite."""

    key: str
    value: float
    timestamp_ms: int
    step: int = 0
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None

    def rank(self) -> tuple[int, int, float]:
        """The latest value of a metric is the one that ranks highest."""
        return self.step, self.timestamp_ms, -math.inf if math.isnan(self.value) else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None
    profile: str | None
    tags: list[Json]
    """Each `{"key": ..., "value": ...}`."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The run that a transaction writes to, its row locked."""

    row: sa.RowMapping
    table: sa.Table

    @property
    def is_call(self) -> bool:
        return self.table is calls


class LoggedRuns:
    """A gateway's call takes tags, metrics and parameters beside its own, and inputs and outputs; all else of it is as
    it was. To whom a `key_id` is given, calls by other keys are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = postgresql.insert if database.postgres else sqlite.insert

    async def create(
        self, experiment_id: int, name: str | None, user_id: str | None, started_ms: int | None, tags: Tags
    ) -> str:
        """The id of a new run, which is RUNNING."""
        if name and tags.get(RUN_NAME, name) != name:
            raise invalid(
                f"Both 'run_name' argument and '{RUN_NAME}' tag are specified, but with different values "
                f"(run_name='{name}', {RUN_NAME}='{tags[RUN_NAME]}')."
            )
        name = name or tags.get(RUN_NAME) or names.random_name()
        id = uuid.uuid4().hex
        started_us = _now() if started_ms is None else started_ms * 1000
        async with self._database.changing() as connection:
            root = await _root(connection, experiment_id)
            await connection.execute(
                runs.insert().values(
                    id=id,
                    experiment_id=experiment_id,
                    name=name,
                    user_id=user_id,
                    status="RUNNING",
                    started_us=started_us,
                    lifecycle_stage="active",
                    artifact_uri=f"{root}/{id}/artifacts",
                    tags={**tags, RUN_NAME: name},
                )
            )
        return id

    async def update(self, id: str, status: str | None, ended_ms: int | None, name: str | None) -> None:
        async with self._database.changing() as connection:
            held = await _hold(connection, id)
            _must_be_logged(held, "its status, end and name")
            changes: Json = {}
            if status is not None:
                changes["status"] = status
            if ended_ms is not None:
                changes["ended_us"] = ended_ms * 1000
            if name:
                changes |= {"name": name, "tags": {**held.row["tags"], RUN_NAME: name}}
            if changes:
                await connection.execute(runs.update().where(runs.c.id == id).values(changes))

    async def delete(self, id: str) -> None:
        await self._move(id, "deleted", _now())

    async def restore(self, id: str) -> None:
        await self._move(id, "active", None)

    async def _move(self, id: str, stage: str, deleted_us: int | None) -> None:
        async with self._database.changing() as connection:
            _must_be_logged(await _hold(connection, id, deleted=True), "that it happened")
            moved = runs.update().where(runs.c.id == id).values(lifecycle_stage=stage, deleted_us=deleted_us)
            await connection.execute(moved)

    async def log(
        self, id: str, metrics: Sequence[Metric], params: Tags, tags: Tags, *, key_id: str | None = None
    ) -> None:
        """All of it or nothing."""
        async with self._database.changing() as connection:
            held = await _hold(connection, id, key_id)
            if params:
                await self._params(connection, held, params)
            if metrics:
                await self._metrics(connection, held, metrics)
            if tags:
                await _retag(connection, held, {**(held.row["tags"] or {}), **tags})

    async def log_model(self, id: str, model: Json, *, key_id: str | None = None) -> None:
        """Add a model, as clients of MLflow 2 say it, to the run's own list of them, which is a tag."""
        async with self._database.changing() as connection:
            held = await _hold(connection, id, key_id)
            tags = dict(held.row["tags"] or {})
            before = tags.get(MODELS, "[]")
            try:
                listed = [*orjson.loads(before), model]
            except (orjson.JSONDecodeError, TypeError) as exc:
                raise invalid(f"the tag {MODELS} of run {id} is not a list of models: {before[:100]!r}") from exc
            said = names.limited(orjson.dumps(listed).decode(), MODELS, names.TAG_VALUE_MOST)
            await _retag(connection, held, {**tags, MODELS: said})

    async def delete_tag(self, id: str, key: str, *, key_id: str | None = None) -> None:
        async with self._database.changing() as connection:
            held = await _hold(connection, id, key_id)
            tags = dict(held.row["tags"] or {})
            if tags.pop(key, None) is None:
                raise missing(f"No tag with name: {key} in run with id {id}")
            await _retag(connection, held, tags)

    async def log_inputs(
        self, id: str, datasets: Sequence[Dataset], models: Sequence[str], *, key_id: str | None = None
    ) -> None:
        async with self._database.changing() as connection:
            held = await _hold(connection, id, key_id)
            for dataset in datasets:
                await self._dataset(connection, held, dataset)
            await self._models(connection, id, "input", [(model, 0) for model in models])

    async def log_outputs(self, id: str, models: Sequence[tuple[str, int]], *, key_id: str | None = None) -> None:
        """Logged models that a run made, each with the step at which it did."""
        async with self._database.changing() as connection:
            await _hold(connection, id, key_id)
            await self._models(connection, id, "output", models)

    async def _params(self, connection: AsyncConnection, held: _Held, params: Tags) -> None:
        id = held.row["id"]
        if held.is_call and (own := sorted(PARAMS.keys() & params.keys())):
            raise invalid(f"Run {id!r} is a call of the gateway, which knows its params {', '.join(own)} itself.")
        p = run_params.c
        there = await connection.execute(sa.select(p.key, p.value).where(p.run_id == id, p.key.in_(list(params))))
        known = {row.key: row.value for row in there}
        for key, value in params.items():
            if known.get(key, value) != value:
                raise invalid(
                    f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                    f"value='{known[key]}' for run ID='{id}'. Attempted logging new value '{value}'."
                )
        if new := [{"run_id": id, "key": key, "value": value} for key, value in params.items() if key not in known]:
            await connection.execute(run_params.insert(), new)

    async def _metrics(self, connection: AsyncConnection, held: _Held, metrics: Sequence[Metric]) -> None:
        id, best = held.row["id"], dict[str, Metric]()
        for metric in metrics:
            if metric.key not in best or metric.rank() >= best[metric.key].rank():
                best[metric.key] = metric
        if held.is_call and (own := sorted(METRICS.keys() & best.keys())):
            raise invalid(f"Run {id!r} is a call of the gateway, which measured its {', '.join(own)} itself.")
        logged = self._insert(run_metrics).on_conflict_do_nothing()
        await connection.execute(logged, [_history(id, metric) for metric in metrics])
        found = await connection.execute(
            sa.select(run_latest).where(run_latest.c.run_id == id, run_latest.c.key.in_(list(best)))
        )
        for row in found:
            value = math.nan if row.value is None else row.value
            if Metric(key=row.key, value=value, timestamp_ms=row.timestamp_ms, step=row.step).rank() > (
                best[row.key].rank()
            ):
                del best[row.key]
        if best:
            latest = self._insert(run_latest)
            changed = {column.name: column for column in latest.excluded if column.name not in ("run_id", "key")}
            upsert = latest.on_conflict_do_update(index_elements=["run_id", "key"], set_=changed)
            await connection.execute(upsert, [_latest(id, metric) for metric in best.values()])

    async def _dataset(self, connection: AsyncConnection, held: _Held, dataset: Dataset) -> None:
        named = {"experiment_id": held.row["experiment_id"], "name": dataset.name, "digest": dataset.digest}
        told = {each: getattr(dataset, each) for each in ("source_type", "source", "schema", "profile")}
        await connection.execute(self._insert(run_datasets).values(**named, **told).on_conflict_do_nothing())
        where = [run_datasets.c[name] == value for name, value in named.items()]
        found = (await connection.execute(sa.select(run_datasets.c.id).where(*where))).scalar_one()
        context = next((tag["value"] for tag in dataset.tags if tag["key"] == CONTEXT), None)
        used = {"run_id": held.row["id"], "dataset_id": found, "context": context, "tags": dataset.tags}
        await connection.execute(self._insert(run_inputs).values(used).on_conflict_do_nothing())

    async def _models(
        self, connection: AsyncConnection, id: str, direction: str, models: Sequence[tuple[str, int]]
    ) -> None:
        rows = [{"run_id": id, "direction": direction, "model_id": model, "step": step} for model, step in models]
        if rows:
            await connection.execute(self._insert(run_models).on_conflict_do_nothing(), rows)


async def _root(connection: AsyncConnection, experiment_id: int) -> str:
    """Where an experiment's artifacts are."""
    e = experiments.c
    found = await connection.execute(sa.select(e.artifact_location, e.lifecycle_stage).where(e.id == experiment_id))
    row = found.one_or_none()
    if row is None:
        raise names.no_experiment(experiment_id)
    if row.lifecycle_stage != "active":
        raise invalid(
            f"The experiment {experiment_id} must be in the 'active' state. Current state is {row.lifecycle_stage}."
        )
    return row.artifact_location or f"mlflow-artifacts:/{experiment_id}"


async def _hold(connection: AsyncConnection, id: str, key_id: str | None = None, *, deleted: bool = False) -> _Held:
    names.run_id(id)
    found = await connection.execute(sa.select(runs).where(runs.c.id == id).with_for_update())
    if (row := found.mappings().one_or_none()) is not None:
        if row["lifecycle_stage"] != "active" and not deleted:
            raise invalid(f"The run {id} must be in the 'active' state. Current state is {row['lifecycle_stage']}.")
        return _Held(row, runs)
    mine = [calls.c.id == id] + ([] if key_id is None else [calls.c.key_id == key_id])
    of_call = sa.select(calls.c.id, calls.c.experiment_id, calls.c.tags).where(*mine).with_for_update()
    row = (await connection.execute(of_call)).mappings().one_or_none()
    if row is None:
        raise names.no_run(id)
    return _Held(row, calls)


def _must_be_logged(held: _Held, what: str) -> None:
    if held.is_call:
        raise invalid(
            f"Run {held.row['id']!r} is a call of the gateway: {what} cannot be changed. Tags, and metrics and params "
            "beside its own, can be logged."
        )


async def _retag(connection: AsyncConnection, held: _Held, tags: dict[str, str]) -> None:
    changes: Json = {"tags": tags}
    if not held.is_call and tags.get(RUN_NAME):
        changes["name"] = tags[RUN_NAME]
    await connection.execute(held.table.update().where(held.table.c.id == held.row["id"]).values(changes))


def _history(id: str, metric: Metric) -> dict[str, Any]:
    nan = math.isnan(metric.value)
    measured = {
        "model_id": metric.model_id or "",
        "dataset_name": metric.dataset_name,
        "dataset_digest": metric.dataset_digest,
    }
    return {**_latest(id, metric), **measured, "value": 0.0 if nan else metric.value, "nan": nan}


def _latest(id: str, metric: Metric) -> dict[str, Any]:
    return {
        "run_id": id,
        "key": metric.key,
        "value": None if math.isnan(metric.value) else metric.value,
        "timestamp_ms": metric.timestamp_ms,
        "step": metric.step,
    }


def _now() -> int:
    return time.time_ns() // 1000
