"""The models that people log: made, changed and read by id."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from providers.errors import InvalidRequest, NotFound
from tracking.artifact_paths import SCHEME
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.model_tables import logged_models
from tracking.tables import experiments

Status = Literal["PENDING", "READY", "UPLOAD_FAILED"]
STATUSES: tuple[Status, ...] = ("PENDING", "READY", "UPLOAD_FAILED")
KEY_MOST, PARAM_MOST, TAG_MOST, NAME_MOST = 250, 6_000, 100_000, 500
_FORBIDDEN_IN_NAMES = re.compile(r"[/:.%\"']")
_m = logged_models.c


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedModel:
    """A model as it was logged. Its params are for ever."""

    id: str
    experiment_id: int
    name: str
    model_type: str | None
    source_run_id: str | None
    status: Status
    artifact_uri: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    created_us: int
    updated_us: int


class LoggedModels:
    """What has no such id, or was deleted, is `NotFound`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        experiment_id: int,
        name: str | None,
        model_type: str | None,
        source_run_id: str | None,
        params: Mapping[str, str],
        tags: Mapping[str, str],
    ) -> LoggedModel:
        """A new one, whose files are still to come. Without a name it is given one."""
        _check_params(params)
        _check_tags(tags)
        digits, now = uuid.uuid4().hex, _now()
        id, name = f"m-{digits}", _name(name) if name else f"model-{digits[:8]}"
        async with self._database.changing() as connection:
            made = LoggedModel(
                id=id,
                experiment_id=experiment_id,
                name=name,
                model_type=model_type,
                source_run_id=source_run_id,
                status="PENDING",
                artifact_uri=f"{await _location(connection, experiment_id)}/models/{id}/artifacts",
                params=dict(params),
                tags=dict(tags),
                created_us=now,
                updated_us=now,
            )
            row = {column: getattr(made, column) for column in LoggedModel.__slots__}
            await connection.execute(sa.insert(logged_models).values(row))
        return made

    async def get(self, id: str, *, deleted: bool = False) -> LoggedModel:
        """`deleted`: also one that is."""
        async with self._database.asking() as connection:
            return await _found(connection, id, deleted=deleted)

    async def finalize(self, id: str, status: Status) -> LoggedModel:
        async with self._database.changing() as connection:
            await _found(connection, id, held=True)
            await _change(connection, id, {"status": status})
            return await _found(connection, id)

    async def set_tags(self, id: str, tags: Mapping[str, str]) -> None:
        _check_tags(tags)
        async with self._database.changing() as connection:
            model = await _found(connection, id, held=True)
            await _change(connection, id, {"tags": {**model.tags, **tags}})

    async def delete_tag(self, id: str, key: str) -> None:
        async with self._database.changing() as connection:
            model = await _found(connection, id, held=True)
            if key not in model.tags:
                raise NotFound(f"No tag with key {key!r} found for model with ID {id!r}.")
            await _change(connection, id, {"tags": {name: tag for name, tag in model.tags.items() if name != key}})

    async def log_params(self, id: str, params: Mapping[str, str]) -> None:
        """More of them. One that is there already may be said again, and not be changed."""
        _check_params(params)
        async with self._database.changing() as connection:
            model = await _found(connection, id, held=True)
            for key, value in params.items():
                if model.params.get(key, value) != value:
                    raise InvalidRequest(
                        f"param {key!r} of model {id!r} is {model.params[key]!r} and cannot become {value!r}"
                    )
            await _change(connection, id, {"params": {**model.params, **params}})

    async def delete(self, id: str) -> None:
        async with self._database.changing() as connection:
            await _found(connection, id, held=True)
            await _change(connection, id, {"deleted_us": _now()})


def read(row: sa.RowMapping) -> LoggedModel:
    """A row of `logged_models`."""
    return LoggedModel(**{column: row[column] for column in LoggedModel.__slots__})


def unknown(id: str) -> NotFound:
    return NotFound(f"Logged model with ID {id!r} not found.")


async def _found(connection: AsyncConnection, id: str, *, deleted: bool = False, held: bool = False) -> LoggedModel:
    """`held`: nobody else changes it before this transaction has."""
    query = sa.select(logged_models).where(_m.id == id)
    if not deleted:
        query = query.where(_m.deleted_us.is_(None))
    if held:
        query = query.with_for_update()  # SQLite has one writer at a time, and is not told
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise unknown(id)
    return read(row)


async def _change(connection: AsyncConnection, id: str, values: Mapping[str, Any]) -> None:
    await connection.execute(sa.update(logged_models).where(_m.id == id).values({**values, "updated_us": _now()}))


async def _location(connection: AsyncConnection, experiment_id: int) -> str:
    """Where the files of an experiment are kept, which must be there and be active."""
    e = experiments.c
    row = (
        await connection.execute(sa.select(e.artifact_location, e.lifecycle_stage).where(e.id == experiment_id))
    ).one_or_none()
    if row is None:
        raise NotFound(f"No Experiment with id={experiment_id} exists")
    if row.lifecycle_stage != "active":
        raise InvalidRequest(f"experiment {experiment_id} is deleted; restore it first")
    return row.artifact_location or f"{SCHEME}:/{experiment_id}"


def _name(name: str) -> str:
    if len(name) > NAME_MOST or _FORBIDDEN_IN_NAMES.search(name):
        raise InvalidRequest(
            f"Invalid model name ({name[:100]!r}) provided. Model name must be a non-empty string of at most "
            f"{NAME_MOST} characters and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )
    return name


def _check_params(params: Mapping[str, str]) -> None:
    _check("param", params, PARAM_MOST)


def _check_tags(tags: Mapping[str, str]) -> None:
    _check("tag", tags, TAG_MOST)


def _check(kind: str, pairs: Mapping[str, str], most: int) -> None:
    for key, value in pairs.items():
        if not key or len(key) > KEY_MOST:
            raise InvalidRequest(f"the key of a {kind} has 1 to {KEY_MOST} characters; this has {len(key)}")
        if len(value) > most:
            raise InvalidRequest(f"{kind} {key!r} has {len(value)} characters, and at most {most} are kept")


def _now() -> int:
    return time.time_ns() // 1000
