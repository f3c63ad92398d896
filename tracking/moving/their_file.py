"""Reads the SQLite file of an MLflow server, whichever version of MLflow wrote it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tracking.moving.theirs import Json, Kept, UnreadableError

PIECE = 1 << 20
RECORDS = 500
WRAPPED = "mlflow_wrapped"
ABOVE = 3
"""A run without artifacts has no folder; that of its experiment, or the root, says that it would be here."""
MODEL_STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}
OTHERS = {
    "traces": "trace_info",
    "webhooks": "webhooks",
    "endpoints of its gateway": "endpoints",
}


class TheirFile:
    """`artifacts` is the folder that the server kept the artifacts in which it served itself."""

    def __init__(self, file: Path, artifacts: Path | None) -> None:
        self._file, self._artifacts = file, artifacts
        try:
            self._connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
            self._tables = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master")}
        except sqlite3.Error as exc:
            raise UnreadableError(f"{str(file)!r} cannot be read as SQLite: {exc}") from exc
        if not {"experiments", "runs", "alembic_version"} <= self._tables:
            raise UnreadableError(f"{str(file)!r} has no tables of MLflow's")

    async def experiments(self) -> list[Json]:
        tags = self._grouped("experiment_tags", "experiment_id")
        return [
            {
                "experiment_id": str(row["experiment_id"]),
                "name": row["name"],
                "artifact_location": row["artifact_location"],
                "lifecycle_stage": row["lifecycle_stage"],
                "creation_time": row.get("creation_time"),
                "last_update_time": row.get("last_update_time"),
                "tags": _pairs(tags.get(row["experiment_id"], [])),
            }
            for row in self._rows("experiments")
        ]

    async def runs(self, experiment_id: str) -> AsyncIterator[Json]:
        for row in self._rows("runs", experiment_id=int(experiment_id)):
            id = row["run_uuid"]
            yield {
                "info": {
                    "run_id": id,
                    "run_name": row.get("name"),
                    "experiment_id": experiment_id,
                    "user_id": row["user_id"],
                    "status": row["status"],
                    "start_time": row["start_time"],
                    "end_time": row["end_time"],
                    "lifecycle_stage": row["lifecycle_stage"],
                    "artifact_uri": row["artifact_uri"],
                },
                "data": {
                    "params": _pairs(self._rows("params", run_uuid=id)),
                    "tags": _pairs(self._rows("tags", run_uuid=id)),
                    "metrics": [_metric(each) for each in self._rows("latest_metrics", run_uuid=id)],
                },
                "inputs": {"dataset_inputs": list(self._datasets(id)), "model_inputs": list(self._models(id, "INPUT"))},
                "outputs": {"model_outputs": list(self._models(id, "OUTPUT"))},
            }

    async def history(self, run_id: str, key: str) -> list[Json]:
        of_models = {
            (row["metric_timestamp_ms"], row["metric_step"], row["metric_value"]): row
            for row in self._rows("logged_model_metrics", run_id=run_id, metric_name=key)
        }
        found = []
        for row in self._rows("metrics", run_uuid=run_id, key=key):
            metric, model = _metric(row), of_models.get((row["timestamp"], row["step"], row["value"]))
            if model is not None:
                metric |= {each: model.get(each) for each in ("model_id", "dataset_name", "dataset_digest")}
            found.append(metric)
        return found

    async def logged_models(self, experiment_id: str) -> AsyncIterator[Json]:
        for row in self._rows("logged_models", experiment_id=int(experiment_id), lifecycle_stage="active"):
            id = row["model_id"]
            params = self._rows("logged_model_params", model_id=id)
            tags = self._rows("logged_model_tags", model_id=id)
            yield {
                "info": {
                    "model_id": id,
                    "experiment_id": experiment_id,
                    "name": row["name"],
                    "creation_timestamp_ms": row["creation_timestamp_ms"],
                    "last_updated_timestamp_ms": row["last_updated_timestamp_ms"],
                    "artifact_uri": row["artifact_location"],
                    "status": MODEL_STATUSES.get(row["status"], "LOGGED_MODEL_PENDING"),
                    "model_type": row["model_type"],
                    "source_run_id": row["source_run_id"],
                    "tags": [{"key": each["tag_key"], "value": each["tag_value"]} for each in tags],
                },
                "data": {"params": [{"key": each["param_key"], "value": each["param_value"]} for each in params]},
            }

    async def registered(self) -> list[Json]:
        tags, aliases = (
            self._grouped("registered_model_tags", "name"),
            self._grouped("registered_model_aliases", "name"),
        )
        return [
            {
                "name": row["name"],
                "description": row["description"],
                "creation_timestamp": row["creation_time"],
                "last_updated_timestamp": row["last_updated_time"],
                "tags": _pairs(tags.get(row["name"], [])),
                "aliases": aliases.get(row["name"], []),
            }
            for row in self._rows("registered_models")
        ]

    async def versions(self, name: str, prompt: bool) -> list[Json]:
        return [
            {
                **row,
                "creation_timestamp": row["creation_time"],
                "last_updated_timestamp": row["last_updated_time"],
                "tags": _pairs(self._rows("model_version_tags", name=name, version=row["version"])),
            }
            for row in self._rows("model_versions", name=name)
            if row["current_stage"] != "Deleted_Internal"
        ]

    async def files(self, uri: str, run_id: str | None) -> list[Kept] | None:
        folder = self._folder(uri)
        if folder is None or not any(each.is_dir() for each in folder.parents[:ABOVE]):
            return None
        return await asyncio.to_thread(lambda: list(_below(folder)))

    async def content(self, uri: str, run_id: str | None, path: str) -> AsyncIterator[bytes]:
        folder = self._folder(uri)
        try:
            with (Path(folder or "") / path).open("rb") as file:
                while piece := await asyncio.to_thread(file.read, PIECE):
                    yield piece
        except OSError as exc:
            raise UnreadableError(f"{path!r} cannot be read: {exc.strerror}") from exc

    async def datasets(self) -> list[Json]:
        tags = self._grouped("evaluation_dataset_tags", "dataset_id")
        found = []
        for row in self._rows("evaluation_datasets"):
            id = row["dataset_id"]
            linked = self._rows("entity_associations", source_type="evaluation_dataset", source_id=id)
            found.append(
                {
                    "dataset_id": id,
                    "name": row["name"],
                    "tags": {each["key"]: each["value"] for each in tags.get(id, [])},
                    "experiment_ids": [
                        each["destination_id"] for each in linked if each["destination_type"] == "experiment"
                    ],
                }
            )
        return found

    async def dataset_records(self, dataset_id: str) -> AsyncIterator[list[Json]]:
        rows = self._rows("evaluation_dataset_records", dataset_id=dataset_id)
        for start in range(0, len(rows), RECORDS):
            yield [_record(row) for row in rows[start : start + RECORDS]]

    async def scorers(self, experiment_id: str) -> list[Json]:
        found = []
        for row in self._rows("scorers", experiment_id=int(experiment_id)):
            versions = self._rows("scorer_versions", scorer_id=row["scorer_id"])
            versions.sort(key=lambda each: int(each["scorer_version"]))
            found.append({"name": row["scorer_name"], "versions": [each["serialized_scorer"] for each in versions]})
        return found

    async def others(self) -> Mapping[str, int]:
        return {what: len(self._rows(table)) for what, table in OTHERS.items()}

    async def close(self) -> None:
        self._connection.close()

    def _datasets(self, run_id: str) -> Iterator[Json]:
        for used in self._rows("inputs", destination_id=run_id, source_type="DATASET"):
            tags = self._rows("input_tags", input_uuid=used["input_uuid"])
            for dataset in self._rows("datasets", dataset_uuid=used["source_id"]):
                yield {
                    "tags": [{"key": each["name"], "value": each["value"]} for each in tags],
                    "dataset": {
                        "name": dataset["name"],
                        "digest": dataset["digest"],
                        "source_type": dataset["dataset_source_type"],
                        "source": dataset["dataset_source"],
                        "schema": dataset["dataset_schema"],
                        "profile": dataset["dataset_profile"],
                    },
                }

    def _models(self, run_id: str, direction: str) -> Iterator[Json]:
        for each in self._rows("inputs", source_id=run_id, source_type=f"RUN_{direction}"):
            yield {"model_id": each["destination_id"], "step": each.get("step", 0)}

    def _folder(self, uri: str) -> Path | None:
        split = urlsplit(uri)
        match split.scheme:
            case "mlflow-artifacts" if self._artifacts is not None:
                return self._artifacts / unquote(split.path.strip("/"))
            case "file":
                return Path(unquote(split.path))
            case "":
                return self._file.parent / unquote(split.path)
            case _:
                return None

    def _rows(self, table: str, **where: object) -> list[Json]:
        """None where this version of MLflow has no such table."""
        if table not in self._tables:
            return []
        condition = " AND ".join(f'"{column}" = ?' for column in where)
        query = f'SELECT * FROM "{table}"' + (f" WHERE {condition}" if where else "")  # noqa: S608 - names of ours
        with contextlib.closing(self._connection.execute(query, [*where.values()])) as cursor:
            names = [each[0] for each in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _grouped(self, table: str, by: str) -> dict[object, list[Json]]:
        found: dict[object, list[Json]] = {}
        for row in self._rows(table):
            found.setdefault(row[by], []).append(row)
        return found


def _pairs(rows: list[Json]) -> list[Json]:
    return [{"key": row["key"], "value": row["value"]} for row in rows]


def _metric(row: Json) -> Json:
    value = "NaN" if row["is_nan"] else row["value"]
    return {"key": row["key"], "value": value, "timestamp": row["timestamp"], "step": row["step"]}


def _record(row: Json) -> Json:
    """Its parts are JSON; what an answer was is wrapped, so that it may be anything."""
    parts = {
        name: json.loads(row[name]) for name in ("inputs", "outputs", "expectations", "tags", "source") if row[name]
    }
    if isinstance(parts.get("outputs"), dict):
        parts["outputs"] = parts["outputs"].get(WRAPPED)
    return parts


def _below(folder: Path) -> Iterator[Kept]:
    for each in sorted(folder.rglob("*")):
        if each.is_file() and not each.is_symlink():
            yield Kept(each.relative_to(folder).as_posix(), each.stat().st_size)
