"""Where the artifacts of a run are, and who may see them there."""

from __future__ import annotations

import re

import sqlalchemy as sa

from providers.errors import NotFound
from tracking.artifact_paths import SCHEME, Parts
from tracking.artifacts import no_file
from tracking.database import Database
from tracking.run_tables import runs
from tracking.tables import calls, experiments

_RUN_ID = re.compile("[0-9a-f]{32}")


class ArtifactRoots:
    """To whom a `key_id` is given, the gateway's calls by other keys are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(self, id: str, key_id: str | None = None) -> str:
        """The URI under which its clients keep them."""
        logged = sa.select(runs.c.artifact_uri).where(runs.c.id == id)
        mine = [] if key_id is None else [calls.c.key_id == key_id]
        called = (
            sa.select(calls.c.experiment_id, experiments.c.artifact_location)
            .outerjoin_from(calls, experiments, experiments.c.id == calls.c.experiment_id)
            .where(calls.c.id == id, *mine)
        )
        async with self._database.asking() as connection:
            uri: str | None = (await connection.execute(logged)).scalar_one_or_none()
            if uri is not None:
                return uri
            row = (await connection.execute(called)).one_or_none()
        if row is None:
            raise NotFound(f"Run with id={id} not found")
        return f"{row.artifact_location or f'{SCHEME}:/{row.experiment_id}'}/{id}/artifacts"

    async def check(self, parts: Parts, key_id: str | None) -> None:
        """Raise `NotFound` for the place of a call by another key."""
        ids = [part for part in parts if _RUN_ID.fullmatch(part)]
        if not ids:
            return
        others = sa.select(calls.c.id).where(calls.c.id.in_(ids), calls.c.key_id.is_distinct_from(key_id))
        async with self._database.asking() as connection:
            if (await connection.execute(others.limit(1))).first() is not None:
                raise no_file(parts)
