"""What the registry holds, as values: a model or prompt, and its versions, read from their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tracking.engines import AsyncConnection
from tracking.registry_tables import model_aliases, model_versions, registered_models

DELETED = "Deleted_Internal"
"""The stage of a version that is no more."""
IS_PROMPT = "mlflow.prompt.is_prompt"
"""The tag by which MLflow knows a prompt."""

Tags = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a model or prompt. All but its stage, description, tags and aliases is for ever."""

    name: str
    version: int
    stage: str
    description: str | None
    source: str | None
    location: str | None
    run_id: str | None
    run_link: str | None
    logged_model_id: str | None
    user_id: str | None
    tags: Tags
    aliases: tuple[str, ...]
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model or prompt: a name for versions. `latest` holds the newest version of each stage."""

    id: int
    name: str
    description: str | None
    is_prompt: bool
    tags: Tags
    aliases: Mapping[str, int]
    latest: tuple[Version, ...]
    created_us: int
    updated_us: int


async def model(connection: AsyncConnection, name: str) -> Model | None:
    found = await connection.execute(sa.select(registered_models).where(registered_models.c.name == name))
    row = found.mappings().one_or_none()
    return None if row is None else (await models(connection, [row]))[0]


async def models(connection: AsyncConnection, rows: Iterable[sa.RowMapping]) -> list[Model]:
    """Each of these rows of `registered_models`, with what belongs to it."""
    rows = list(rows)
    ids = [row["id"] for row in rows]
    aliases = await _aliases(connection, ids)
    v = model_versions.c
    newest = (
        sa.select(v.model_id, sa.func.max(v.version).label("version"))
        .where(v.model_id.in_(ids), v.stage != DELETED)
        .group_by(v.model_id, v.stage)
        .subquery()
    )
    latest: dict[int, list[Version]] = {id: [] for id in ids}
    query = VERSIONS.join_from(
        model_versions, newest, sa.and_(v.model_id == newest.c.model_id, v.version == newest.c.version)
    ).order_by(v.version)
    for row in (await connection.execute(query)).mappings() if ids else ():
        latest[row["model_id"]].append(_version(row, aliases))
    return [
        Model(
            id=row["id"],
            name=row["name"],
            description=row["description"],
            is_prompt=row["is_prompt"],
            tags=row["tags"],
            aliases=aliases[row["id"]],
            latest=tuple(latest[row["id"]]),
            created_us=row["created_us"],
            updated_us=row["updated_us"],
        )
        for row in rows
    ]


async def version(connection: AsyncConnection, name: str, number: int) -> Version | None:
    """One that has not been deleted."""
    v = model_versions.c
    query = VERSIONS.where(registered_models.c.name == name, v.version == number, v.stage != DELETED)
    found = await versions(connection, (await connection.execute(query)).mappings())
    return found[0] if found else None


async def versions(connection: AsyncConnection, rows: Iterable[sa.RowMapping]) -> list[Version]:
    """Each of these rows of `VERSIONS`."""
    rows = list(rows)
    aliases = await _aliases(connection, {row["model_id"] for row in rows})
    return [_version(row, aliases) for row in rows]


VERSIONS = sa.select(model_versions, registered_models.c.name).join_from(model_versions, registered_models)
"""Versions with the names of their models."""


async def _aliases(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, dict[str, int]]:
    aliases: dict[int, dict[str, int]] = {id: {} for id in ids}
    if aliases:
        a = model_aliases.c
        query = sa.select(a.model_id, a.alias, a.version).where(a.model_id.in_(list(aliases))).order_by(a.alias)
        for row in await connection.execute(query):
            aliases[row.model_id][row.alias] = row.version
    return aliases


def _version(row: sa.RowMapping, aliases: Mapping[int, Mapping[str, int]]) -> Version:
    ours = aliases[row["model_id"]].items()
    return Version(
        name=row["name"],
        version=row["version"],
        stage=row["stage"],
        description=row["description"],
        source=row["source"],
        location=row["location"],
        run_id=row["run_id"],
        run_link=row["run_link"],
        logged_model_id=row["logged_model_id"],
        user_id=row["user_id"],
        tags=row["tags"],
        aliases=tuple(alias for alias, number in ours if number == row["version"]),
        created_us=row["created_us"],
        updated_us=row["updated_us"],
    )
