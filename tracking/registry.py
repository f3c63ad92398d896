"""The registry: models and prompts, their versions, stages, aliases and tags; every change told to the webhooks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import Conflict
from tracking import alias_moves as moves
from tracking import registry_names as names
from tracking import registry_rows as rows
from tracking.alias_moves import NOBODY, Move
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.mlflow.errors import MlflowError, invalid, missing
from tracking.registry_names import ACTIVE, LATEST
from tracking.registry_rows import DELETED, Model, Tags, Version
from tracking.registry_tables import model_aliases, model_versions, registered_models, registry_revision
from tracking.webhook_events import Event
from tracking.webhooks import announce

_m, _v, _a = registered_models.c, model_versions.c, model_aliases.c
HIDDEN = frozenset({"mlflow.prompt.is_prompt", "_mlflow_prompt_type"})
"""Tags that say what a prompt is, and are no news."""
TEXT = "mlflow.prompt.text"
REDACTED = {"source": "REDACTED-SOURCE-PATH", "run_id": "REDACTED-RUN-ID", "run_link": "REDACTED-RUN-LINK"}


class Registry:
    """Each change is one transaction, with what webhooks are told of it, and is seen by every read that begins after.

    Whoever remembers what was read here compares `generation`: it is another number after every change of this
    process, and after one of another process as soon as `look` has seen it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.generation = 0
        self._revision: int | None = None

    async def create_model(self, name: str, tags: Tags, description: str | None = None) -> Model:
        prompt = names.is_prompt(tags)
        names.name(name)
        if prompt:
            names.prompt_name(name)
        for key, value in tags.items():
            names.tag(key, value)
        now = _now()
        async with self._changing() as connection:
            there = await connection.execute(sa.select(_m.is_prompt).where(_m.name == name))
            if (other := there.scalar_one_or_none()) is not None:
                raise names.taken(name, prompt=other, wanted_prompt=prompt)
            try:
                await connection.execute(
                    registered_models.insert().values(
                        name=name, description=description, is_prompt=prompt, tags=tags, created_us=now, updated_us=now
                    )
                )
            except sa.exc.IntegrityError as exc:  # another process was faster
                raise names.taken(name, prompt=prompt, wanted_prompt=prompt) from exc
            told = {key: value for key, value in tags.items() if not (prompt and key in HIDDEN)}
            event: Event = "PROMPT.CREATED" if prompt else "REGISTERED_MODEL.CREATED"
            await announce(connection, event, {"name": name, "tags": told, "description": description or ""})
            return await _model(connection, name)

    async def model(self, name: str) -> Model:
        async with self._database.asking() as connection:
            return await _model(connection, name)

    async def rename(self, name: str, new_name: str) -> Model:
        names.name(new_name, "new_name")
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            there = await connection.execute(sa.select(_m.is_prompt).where(_m.name == new_name))
            if there.scalar_one_or_none() is not None:
                raise MlflowError("RESOURCE_ALREADY_EXISTS", f"Registered Model (name={new_name}) already exists.")
            now = _now()
            await _update_model(connection, model, name=new_name, updated_us=now)
            await connection.execute(
                model_versions.update().where(_v.model_id == model.id, _v.stage != DELETED).values(updated_us=now)
            )
            await moves.renamed(connection, name, new_name)
            return await _model(connection, new_name)

    async def describe(self, name: str, description: str) -> Model:
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            await _update_model(connection, model, description=description, updated_us=_now())
            return await _model(connection, name)

    async def delete_model(self, name: str, move: Move = NOBODY) -> None:
        """With all versions; the name is free again."""
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            await moves.allow(connection, model.aliases, move)
            for alias, number in model.aliases.items():
                await moves.write(connection, name, alias, number, None, replace(move, kind="deleted"))
            await connection.execute(registered_models.delete().where(_m.id == model.id))

    async def create_version(
        self,
        name: str,
        source: str,
        *,
        location: str | None = None,
        run_id: str | None = None,
        run_link: str | None = None,
        logged_model_id: str | None = None,
        user_id: str | None = None,
        description: str | None = None,
        tags: Tags | None = None,
    ) -> Version:
        """The next version. `location`: where its files are, if that is not its source."""
        tags = tags or {}
        for key, value in tags.items():
            names.tag(key, value)
        now = _now()
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            highest = await connection.execute(sa.select(sa.func.max(_v.version)).where(_v.model_id == model.id))
            number = (highest.scalar_one() or 0) + 1
            await connection.execute(
                model_versions.insert().values(
                    model_id=model.id,
                    version=number,
                    stage="None",
                    description=description,
                    source=source,
                    location=location,
                    run_id=run_id,
                    run_link=run_link,
                    logged_model_id=logged_model_id,
                    user_id=user_id,
                    tags=tags,
                    created_us=now,
                    updated_us=now,
                )
            )
            await _update_model(connection, model, updated_us=now)
            said: dict[str, Any] = {"name": name, "version": str(number)}
            if names.is_prompt(tags):
                told = {key: value for key, value in tags.items() if key not in HIDDEN and key != TEXT}
                said |= {"template": tags.get(TEXT), "tags": told, "description": description or None}
                await announce(connection, "PROMPT_VERSION.CREATED", said)
            else:
                said |= {"source": source, "run_id": run_id, "tags": tags, "description": description or None}
                await announce(connection, "MODEL_VERSION.CREATED", said)
            return await _version(connection, name, number)

    async def version(self, name: str, number: int) -> Version:
        async with self._database.asking() as connection:
            return await _version(connection, name, number)

    async def latest(self, name: str, stages: Sequence[str] = ()) -> list[Version]:
        """The newest version of each stage, of those asked for."""
        wanted = {names.stage(stage) for stage in stages}
        found = (await self.model(name)).latest
        return [version for version in found if not wanted or version.stage in wanted]

    async def by_alias(self, name: str, alias: str) -> Version:
        names.alias(alias)
        async with self._database.asking() as connection:
            model = await _model(connection, name)
            if alias.lower() == LATEST:
                if not model.latest:
                    raise missing(f"Latest version not found for model {name}.")
                return max(model.latest, key=lambda version: version.version)
            number = model.aliases.get(alias)
            if number is None:
                raise invalid(f"Registered model alias {alias} not found.")
            return await _version(connection, name, number)

    async def describe_version(self, name: str, number: int, description: str | None) -> Version:
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            await _version(connection, name, number)
            await _update_version(connection, model, number, description=description, updated_us=_now())
            return await _version(connection, name, number)

    async def transition(self, name: str, number: int, stage: str, archive_existing: bool) -> Version:
        to, now = names.stage(stage), _now()
        if archive_existing and to not in ACTIVE:
            raise invalid(
                "Model version transition cannot archive existing model versions because "
                f"'{stage}' is not an Active stage. Valid stages are {', '.join(ACTIVE)}"
            )
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            await _version(connection, name, number)
            if archive_existing:
                others = model_versions.update().where(_v.model_id == model.id, _v.stage == to, _v.version != number)
                await connection.execute(others.values(stage="Archived", updated_us=now))
            await _update_version(connection, model, number, stage=to, updated_us=now)
            await _update_model(connection, model, updated_us=now)
            return await _version(connection, name, number)

    async def delete_version(self, name: str, number: int, move: Move = NOBODY) -> None:
        """Its aliases go with it. Its number is not used again."""
        now = _now()
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            aliases = (await _version(connection, name, number)).aliases
            await moves.allow(connection, aliases, move)
            for alias in aliases:
                await moves.write(connection, name, alias, number, None, replace(move, kind="deleted"))
            await connection.execute(model_aliases.delete().where(_a.model_id == model.id, _a.version == number))
            emptied: dict[str, Any] = {
                "description": None,
                "user_id": None,
                "location": None,
                "logged_model_id": None,
                "tags": {},
            }
            await _update_version(connection, model, number, stage=DELETED, updated_us=now, **REDACTED, **emptied)
            await _update_model(connection, model, updated_us=now)

    async def set_tag(self, name: str, key: str, value: str) -> None:
        names.tag(key, value)
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            tags = {**model.tags, key: value}
            await _update_model(connection, model, tags=tags, is_prompt=names.is_prompt(tags))
            if model.is_prompt:
                await announce(connection, "PROMPT_TAG.SET", {"name": name, "key": key, "value": value})

    async def delete_tag(self, name: str, key: str) -> None:
        """Without a fault where there is no such tag."""
        names.tag(key)
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            tags = {each: value for each, value in model.tags.items() if each != key}
            await _update_model(connection, model, tags=tags, is_prompt=names.is_prompt(tags))
            if model.is_prompt:
                await announce(connection, "PROMPT_TAG.DELETED", {"name": name, "key": key})

    async def set_version_tag(self, name: str, number: int, key: str, value: str) -> None:
        names.tag(key, value)
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            version = await _version(connection, name, number)
            await _update_version(connection, model, number, tags={**version.tags, key: value})
            event: Event = "PROMPT_VERSION_TAG.SET" if model.is_prompt else "MODEL_VERSION_TAG.SET"
            await announce(connection, event, {"name": name, "version": str(number), "key": key, "value": value})

    async def delete_version_tag(self, name: str, number: int, key: str) -> None:
        names.tag(key)
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            version = await _version(connection, name, number)
            tags = {each: value for each, value in version.tags.items() if each != key}
            await _update_version(connection, model, number, tags=tags)
            event: Event = "PROMPT_VERSION_TAG.DELETED" if model.is_prompt else "MODEL_VERSION_TAG.DELETED"
            await announce(connection, event, {"name": name, "version": str(number), "key": key})

    async def set_alias(self, name: str, alias: str, number: int, move: Move = NOBODY) -> Json:
        """Whatever version it meant before, unless the move says which. The move, as it is shown."""
        names.own_alias(alias)
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            await _version(connection, name, number)
            await moves.allow(connection, [alias], move)
            made = await moves.write(connection, name, alias, model.aliases.get(alias), number, move)
            await connection.execute(model_aliases.delete().where(_a.model_id == model.id, _a.alias == alias))
            await connection.execute(model_aliases.insert().values(model_id=model.id, alias=alias, version=number))
            event: Event = "PROMPT_ALIAS.CREATED" if model.is_prompt else "MODEL_VERSION_ALIAS.CREATED"
            await announce(connection, event, {"name": name, "alias": alias, "version": str(number)})
        return made

    async def roll_back(self, name: str, alias: str, move: Move) -> Json:
        """To the version that it had before. The move, as it is shown."""
        async with self._database.asking() as connection:
            now = (await _model(connection, name)).aliases.get(alias)
            if now is None:
                raise missing(f"Registered model alias {alias} not found.")
            number = await moves.before(connection, name, alias, now)
        if number is None:
            raise Conflict(f"the alias {alias!r} had no version before {now}", code="nothing_before")
        return await self.set_alias(name, alias, number, replace(move, kind="rollback", expected=(now,)))

    async def delete_alias(self, name: str, alias: str, move: Move = NOBODY) -> Json | None:
        """The move, as it is shown; None where there was nothing to delete."""
        names.alias(alias)
        made = None
        async with self._changing() as connection:
            model = await _model(connection, name, lock=True)
            await moves.allow(connection, [alias], move)
            if (number := model.aliases.get(alias)) is not None:
                made = await moves.write(connection, name, alias, number, None, replace(move, kind="deleted"))
            await connection.execute(model_aliases.delete().where(_a.model_id == model.id, _a.alias == alias))
            event: Event = "PROMPT_ALIAS.DELETED" if model.is_prompt else "MODEL_VERSION_ALIAS.DELETED"
            await announce(connection, event, {"name": name, "alias": alias})
        return made

    async def look(self) -> None:
        """See whether another process has changed something."""
        async with self._database.asking() as connection:
            revision = (await connection.execute(sa.select(registry_revision.c.revision))).scalar_one()
        if revision != self._revision:
            self._revision = revision
            self.generation += 1

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.changing() as connection:
                yield connection
                await connection.execute(registry_revision.update().values(revision=registry_revision.c.revision + 1))
        finally:
            # Also after a fault: one of the connection can come when the change is already made.
            self.generation += 1


def _now() -> int:
    return time.time_ns() // 1000


async def _model(connection: AsyncConnection, name: str, *, lock: bool = False) -> Model:
    """`lock`: nobody else may change it in this transaction. SQLite has one writer, so there it means nothing."""
    if lock:
        await connection.execute(sa.select(_m.id).where(_m.name == name).with_for_update())
    model = await rows.model(connection, name)
    if model is None:
        raise missing(f"Registered Model with name={name} not found")
    return model


async def _version(connection: AsyncConnection, name: str, number: int) -> Version:
    version = await rows.version(connection, name, number)
    if version is None:
        raise missing(f"Model Version (name={name}, version={number}) not found")
    return version


async def _update_model(connection: AsyncConnection, model: Model, **values: Any) -> None:
    await connection.execute(registered_models.update().where(_m.id == model.id).values(**values))


async def _update_version(connection: AsyncConnection, model: Model, number: int, **values: Any) -> None:
    chosen = model_versions.update().where(_v.model_id == model.id, _v.version == number)
    await connection.execute(chosen.values(**values))
