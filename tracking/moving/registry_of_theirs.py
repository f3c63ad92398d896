"""Brings one registered model or prompt of another MLflow, with its versions and aliases, into our registry."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from tracking import registry_names as names
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.model_tables import logged_models
from tracking.moving.theirs import IS_PROMPT, Json, Theirs
from tracking.registry_tables import model_aliases, model_versions, registered_models, registry_revision
from tracking.run_tables import runs

_m, _v, _a = registered_models.c, model_versions.c, model_aliases.c
_OF_A_RUN = re.compile(r"runs:/(?P<run>[0-9a-f]{32})/(?P<path>.*)")
_OF_A_MODEL = re.compile(r"models:/(?P<model>m-[0-9a-f]{32})")
NONE = "None"


async def bring_registered(
    database: Database,
    theirs: Theirs,
    model: Json,
    place: Callable[[str], str],
    count: Callable[[str, bool, bool], None],
) -> None:
    """`place` says of a URI of theirs which is ours. Versions keep their numbers, and what they are made of."""
    name, tags = model["name"], _pairs(model)
    names.name(name)
    prompt = tags.get(IS_PROMPT, "").lower() == "true"
    versions = await theirs.versions(name, prompt)
    what = "prompts" if prompt else "registered models"
    values = {
        "description": model.get("description") or None,
        "is_prompt": prompt,
        "tags": tags,
        "created_us": _us(model.get("creation_timestamp")),
        "updated_us": _us(model.get("last_updated_timestamp")),
    }
    altered = False
    async with database.changing() as connection:
        known = (await connection.execute(sa.select(registered_models).where(_m.name == name))).mappings().one_or_none()
        if known is None:
            made = await connection.execute(sa.insert(registered_models).values(name=name, **values).returning(_m.id))
            id, differs = int(made.scalar_one()), True
        else:
            if known["is_prompt"] != prompt:
                raise ValueError(f"here this is the name of a {'model' if prompt else 'prompt'}")
            id, differs = int(known["id"]), any(known[key] != value for key, value in values.items())
            if differs:
                await connection.execute(sa.update(registered_models).where(_m.id == id).values(values))
        for version in sorted(versions, key=lambda each: int(each["version"])):
            there, changed = await _version(connection, id, version, place)
            altered |= changed
            count(f"versions of {what}", there, changed)
        altered |= differs
        aliases = {each["alias"]: int(each["version"]) for each in model.get("aliases", ())}
        query = sa.select(_a.alias, _a.version).where(_a.model_id == id)
        before = dict((await connection.execute(query)).tuples().all())
        for alias, number in aliases.items():
            if before.get(alias) != number:
                await connection.execute(sa.delete(model_aliases).where(_a.model_id == id, _a.alias == alias))
                await connection.execute(sa.insert(model_aliases).values(model_id=id, alias=alias, version=number))
                differs = altered = True
        count(what, known is not None, differs)
        if altered:
            await connection.execute(registry_revision.update().values(revision=registry_revision.c.revision + 1))


async def _version(
    connection: AsyncConnection, model_id: int, theirs: Json, place: Callable[[str], str]
) -> tuple[bool, bool]:
    """Whether it was there, and whether it is another now."""
    number, source = int(theirs["version"]), theirs.get("source") or None
    values: dict[str, Any] = {
        "stage": theirs.get("current_stage") or NONE,
        "description": theirs.get("description") or None,
        "tags": _pairs(theirs),
        "updated_us": _us(theirs.get("last_updated_timestamp")),
    }
    mine = [_v.model_id == model_id, _v.version == number]
    known = (await connection.execute(sa.select(model_versions).where(*mine))).mappings().one_or_none()
    if known is not None:
        differs = any(known[key] != value for key, value in values.items())
        if differs:
            await connection.execute(sa.update(model_versions).where(*mine).values(values))
        return True, differs
    about = {name: theirs.get(name) or None for name in ("run_id", "run_link", "user_id")}
    location = await _location(connection, source) if source is not None else None
    logged = _OF_A_MODEL.fullmatch(source or "")
    await connection.execute(
        sa.insert(model_versions).values(
            model_id=model_id,
            version=number,
            source=None if source is None else place(source),
            location=location,
            logged_model_id=theirs.get("model_id") or (logged["model"] if logged else None),
            created_us=_us(theirs.get("creation_timestamp")),
            **about,
            **values,
        )
    )
    return False, True


async def _location(connection: AsyncConnection, source: str) -> str | None:
    """Where the files are of what its source only names."""
    if (of := _OF_A_MODEL.fullmatch(source)) is not None:
        query = sa.select(logged_models.c.artifact_uri).where(logged_models.c.id == of["model"])
        found: str | None = (await connection.execute(query)).scalar_one_or_none()
        return found
    if (of := _OF_A_RUN.fullmatch(source)) is not None:
        query = sa.select(runs.c.artifact_uri).where(runs.c.id == of["run"])
        root: str | None = (await connection.execute(query)).scalar_one_or_none()
        return None if root is None else f"{root}/{of['path']}"
    return None


def _pairs(of: Json) -> dict[str, str]:
    return {each["key"]: each.get("value") or "" for each in of.get("tags", ())}


def _us(ms: int | str | None) -> int:
    return time.time_ns() // 1000 if ms is None else int(ms) * 1000
