"""Brings what another MLflow holds into our store: its experiments, runs, models, prompts, datasets, scorers and files.

Everything keeps its name or id. A run is written in one transaction, so what is interrupted can be begun again; what
was brought before and has not changed there is passed over.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.errors import GatewayError
from tracking.artifact_paths import SCHEME, located
from tracking.artifacts import Artifacts
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.logged_runs import CONTEXT, RUN_NAME
from tracking.model_tables import logged_models
from tracking.moving.evaluation_of_theirs import bring_dataset, bring_scorer
from tracking.moving.registry_of_theirs import bring_registered
from tracking.moving.theirs import Json, Kept, Theirs, UnreadableError
from tracking.run_names import run_id as checked_run_id
from tracking.run_tables import run_datasets, run_inputs, run_latest, run_metrics, run_models, run_params, runs
from tracking.tables import calls, experiments

HISTORIES = 8
"""Metrics of a run that are read at once."""
MANY = 5_000
"""Rows in one statement."""
MODEL_STATUS = "LOGGED_MODEL_"

Progress = Callable[[str, int, int | None], None]
"""What is being brought, how many so far, of how many."""


@dataclass(slots=True)
class Brought:
    """What was done. `skipped` says what was not, and why."""

    made: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def count(self, what: str, there: bool, differs: bool = True) -> None:
        (self.made if not there else self.changed if differs else self.unchanged)[what] += 1


class Bringing:
    """`artifacts` is where files go; None leaves them where they are."""

    def __init__(self, database: Database, artifacts: Artifacts | None, theirs: Theirs, progress: Progress) -> None:
        self._database, self._artifacts, self._theirs, self._progress = database, artifacts, theirs, progress
        self._insert = postgresql.insert if database.postgres else sqlite.insert
        self._brought = Brought()
        self._places: dict[str, str] = {}
        """Their URI of a run's or model's artifacts, and ours."""

    async def bring(self) -> Brought:
        found = sorted(await self._theirs.experiments(), key=lambda each: int(each["experiment_id"]))
        ours: dict[str, int] = {}
        for n, each in enumerate(found):
            self._progress("experiments", n, len(found))
            ours[each["experiment_id"]] = await self._experiment(each)
        self._progress("experiments", len(found), len(found))
        for theirs, id in ours.items():
            async for model in self._theirs.logged_models(theirs):
                await self._tried("logged model", model["info"]["model_id"], self._model(model, id))
            async for run in self._theirs.runs(theirs):
                await self._tried("run", run["info"]["run_id"], self._run(run, id))
                self._progress("runs", sum(each["runs"] for each in self._counts()), None)
        registered = await self._theirs.registered()
        for n, each in enumerate(registered):
            self._progress("models and prompts", n, len(registered))
            bringing = bring_registered(self._database, self._theirs, each, self._place, self._brought.count)
            await self._tried("registered model", each["name"], bringing)
        self._progress("models and prompts", len(registered), len(registered))
        await self._tried("evaluation datasets", "of all experiments", self._datasets(ours))
        for each in found:
            # Of a deleted experiment a server tells none.
            if each.get("lifecycle_stage") != "deleted":
                scorers = self._scorers(each["experiment_id"], ours[each["experiment_id"]])
                await self._tried("scorers of experiment", each["name"], scorers)
        for what, count in (await self._theirs.others()).items():
            if count:
                self._brought.skipped.append((what, "they are not imported"))
        return self._brought

    async def _datasets(self, ours: Mapping[str, int]) -> None:
        """`ours` are our experiments by the ids of theirs."""
        found = await self._theirs.datasets()
        for n, each in enumerate(found):
            self._progress("evaluation datasets", n, len(found))
            bringing = bring_dataset(self._database, self._theirs, each, ours, self._brought.count)
            await self._tried("evaluation dataset", each["name"], bringing)

    async def _scorers(self, theirs: str, experiment_id: int) -> None:
        for scorer in await self._theirs.scorers(theirs):
            bringing = bring_scorer(self._database, scorer, experiment_id, self._brought.count)
            await self._tried("scorer", scorer["name"], bringing)

    def _counts(self) -> Sequence[Counter[str]]:
        return self._brought.made, self._brought.changed, self._brought.unchanged

    async def _tried(self, what: str, name: str, doing: Any) -> None:
        try:
            await doing
        except (KeyError, ValueError, TypeError, GatewayError, UnreadableError) as exc:
            said = f"there is no {exc} in what the server says of it" if isinstance(exc, KeyError) else str(exc)
            self._brought.skipped.append((f"{what} {name}", said))

    async def _experiment(self, theirs: Json) -> int:
        e = experiments.c
        tags = {each["key"]: each["value"] for each in theirs.get("tags", ())}
        now = time.time_ns() // 1000
        values = {
            "name": theirs["name"],
            "lifecycle_stage": theirs.get("lifecycle_stage") or "active",
            "tags": tags,
            "created_us": _us(theirs.get("creation_time")) or now,
            "updated_us": _us(theirs.get("last_update_time")) or now,
        }
        async with self._database.changing() as connection:
            known = (await connection.execute(sa.select(e.id, e.tags).where(e.name == theirs["name"]))).one_or_none()
            if known is None:
                made = await connection.execute(sa.insert(experiments).values(values).returning(e.id))
                id = int(made.scalar_one())
            else:
                id = int(known.id)
                merged = {**tags, **(known.tags or {})}
                if merged != (known.tags or {}):
                    await connection.execute(sa.update(experiments).where(e.id == id).values(tags=merged))
            self._brought.count("experiments", known is not None, False)
            return id

    async def _model(self, theirs: Json, experiment_id: int) -> None:
        info, m = theirs["info"], logged_models.c
        id = info["model_id"]
        uri = await self._files(
            info["artifact_uri"], None, f"{SCHEME}:/{experiment_id}/models/{id}/artifacts", f"model {id}"
        )
        values = {
            "experiment_id": experiment_id,
            "name": info["name"],
            "model_type": info.get("model_type") or None,
            "source_run_id": info.get("source_run_id") or None,
            "status": str(info["status"]).removeprefix(MODEL_STATUS),
            "artifact_uri": uri,
            "params": _pairs(theirs.get("data", {}).get("params", ())),
            "tags": _pairs(info.get("tags", ())),
            "created_us": _us(info["creation_timestamp_ms"]),
            "updated_us": _us(info["last_updated_timestamp_ms"]),
        }
        async with self._database.changing() as connection:
            found = await connection.execute(sa.select(logged_models).where(m.id == id))
            known = found.mappings().one_or_none()
            differs = known is None or any(known[name] != value for name, value in values.items())
            if known is None:
                await connection.execute(sa.insert(logged_models).values(id=id, **values))
            elif differs:
                await connection.execute(sa.update(logged_models).where(m.id == id).values(values))
        self._brought.count("logged models", known is not None, differs)

    async def _run(self, theirs: Json, experiment_id: int) -> None:
        info, data = theirs["info"], theirs.get("data", {})
        id = checked_run_id(info.get("run_id") or info["run_uuid"])
        place = f"{SCHEME}:/{experiment_id}/{id}/artifacts"
        uri = await self._files(info.get("artifact_uri") or "", id, place, f"run {id}")
        tags, params = _pairs(data.get("tags", ())), _pairs(data.get("params", ()))
        name = info.get("run_name") or tags.get(RUN_NAME) or id
        ended = _us(info.get("end_time"))
        deleted = info.get("lifecycle_stage") == "deleted"
        values = {
            "experiment_id": experiment_id,
            "name": name,
            "user_id": info.get("user_id") or None,
            "status": info["status"],
            "started_us": _us(info.get("start_time")) or 0,
            "ended_us": ended,
            "lifecycle_stage": "deleted" if deleted else "active",
            "artifact_uri": uri,
            "tags": {**tags, RUN_NAME: name},
        }
        latest = [_latest(id, each) for each in data.get("metrics", ())]
        async with self._database.asking() as connection:
            known = await _known(connection, id)
            if known is not None and known == {**values, "params": params, "latest": _by_key(latest)}:
                self._brought.count("runs", True, False)
                return
        gate = asyncio.Semaphore(HISTORIES)

        async def history(key: str) -> list[Json]:
            async with gate:
                return await self._theirs.history(id, key)

        histories = await asyncio.gather(*(history(each["key"]) for each in latest))
        metrics = [_value(id, each) for values_of_one in histories for each in values_of_one]
        async with self._database.changing() as connection:
            if (await connection.execute(sa.select(calls.c.id).where(calls.c.id == id))).first() is not None:
                raise ValueError("a call of the gateway has this id")
            stamp = {"deleted_us": (ended or time.time_ns() // 1000) if deleted else None}
            row = self._insert(runs).values(id=id, **values, **stamp)
            await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={**values, **stamp}))
            await self._add(connection, run_params, [{"run_id": id, "key": k, "value": v} for k, v in params.items()])
            await self._add(connection, run_metrics, metrics)
            await connection.execute(sa.delete(run_latest).where(run_latest.c.run_id == id))
            await self._add(connection, run_latest, latest)
            for used in theirs.get("inputs", {}).get("dataset_inputs", ()):
                await self._dataset(connection, id, experiment_id, used)
            linked = {"input": ("inputs", "model_inputs"), "output": ("outputs", "model_outputs")}
            models = [
                {"run_id": id, "direction": direction, "model_id": each["model_id"], "step": int(each.get("step") or 0)}
                for direction, (side, which) in linked.items()
                for each in theirs.get(side, {}).get(which, ())
            ]
            await self._add(connection, run_models, models)
        self._brought.count("runs", known is not None)
        if metrics:
            self._brought.made["values of metrics"] += len(metrics)

    async def _dataset(self, connection: AsyncConnection, id: str, experiment_id: int, used: Json) -> None:
        told = used["dataset"]
        named = {"experiment_id": experiment_id, "name": told["name"], "digest": told["digest"]}
        about = {each: told.get(each) for each in ("schema", "profile")}
        source = {"source_type": told.get("source_type") or "", "source": told.get("source") or ""}
        await self._add(connection, run_datasets, [{**named, **about, **source}])
        where = [run_datasets.c[name] == value for name, value in named.items()]
        found = (await connection.execute(sa.select(run_datasets.c.id).where(*where))).scalar_one()
        tags = used.get("tags", [])
        context = next((tag["value"] for tag in tags if tag["key"] == CONTEXT), None)
        await self._add(connection, run_inputs, [{"run_id": id, "dataset_id": found, "context": context, "tags": tags}])

    async def _add(self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """What is there already stays as it is."""
        statement = self._insert(table).on_conflict_do_nothing()
        for start in range(0, len(rows), MANY):
            await connection.execute(statement, list(rows[start : start + MANY]))

    async def _files(self, theirs: str, run_id: str | None, ours: str, of: str) -> str:
        """Copy the files that are not here yet, and say where they are now."""
        found = await self._theirs.files(theirs, run_id) if self._artifacts is not None else None
        if found is None:
            kept = theirs if "://" in theirs and not theirs.startswith("file:") else ours
            if self._artifacts is not None:
                why = f"they cannot be reached at {theirs!r}"
                self._brought.skipped.append((f"artifacts of {of}", why))
            self._places[theirs] = kept
            return kept
        for each in found:
            try:
                await self._file(theirs, run_id, ours, each)
            except (GatewayError, UnreadableError) as exc:
                self._brought.skipped.append((f"artifact {each.path} of {of}", str(exc)))
        self._places[theirs] = ours
        return ours

    async def _file(self, theirs: str, run_id: str | None, ours: str, file: Kept) -> None:
        parts = located(ours, file.path)
        assert parts is not None
        assert self._artifacts is not None
        beside = await self._artifacts.entries(parts[:-1])
        if any(each.name == parts[-1] and each.size is not None and each.size == file.size for each in beside):
            self._brought.unchanged["files"] += 1
            return
        counted = 0

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal counted
            async for piece in self._theirs.content(theirs, run_id, file.path):
                counted += len(piece)
                yield piece

        await self._artifacts.put(parts, pieces())
        self._brought.made["files"] += 1
        self._brought.made["bytes of files"] += counted

    def _place(self, uri: str) -> str:
        """Of theirs, ours."""
        for theirs, ours in self._places.items():
            if theirs and (uri == theirs or uri.startswith(f"{theirs.rstrip('/')}/")):
                return ours + uri[len(theirs.rstrip("/")) :]
        return uri


async def _known(connection: AsyncConnection, id: str) -> Json | None:
    """What we have of a run, for comparison."""
    row = (await connection.execute(sa.select(runs).where(runs.c.id == id))).mappings().one_or_none()
    if row is None:
        return None
    params = await connection.execute(sa.select(run_params.c.key, run_params.c.value).where(run_params.c.run_id == id))
    latest = await connection.execute(sa.select(run_latest).where(run_latest.c.run_id == id))
    values = {name: value for name, value in row.items() if name not in ("id", "deleted_us")}
    return {
        **values,
        "params": dict(params.tuples().all()),
        "latest": _by_key([dict(each) for each in latest.mappings()]),
    }


def _by_key(latest: Sequence[Json]) -> dict[str, Json]:
    return {each["key"]: each for each in latest}


def _latest(id: str, metric: Json) -> Json:
    value = float(metric["value"])
    return {
        "run_id": id,
        "key": metric["key"],
        "value": None if math.isnan(value) else value,
        "timestamp_ms": int(metric.get("timestamp") or 0),
        "step": int(metric.get("step") or 0),
    }


def _value(id: str, metric: Json) -> Json:
    row = _latest(id, metric)
    told = {each: metric.get(each) or None for each in ("dataset_name", "dataset_digest")}
    nan = row["value"] is None
    return {**row, **told, "model_id": metric.get("model_id") or "", "value": 0.0 if nan else row["value"], "nan": nan}


def _pairs(pairs: Sequence[Json]) -> dict[str, str]:
    return {each["key"]: each.get("value") or "" for each in pairs}


def _us(ms: int | str | None) -> int | None:
    return None if ms is None or int(ms) < 0 else int(ms) * 1000
