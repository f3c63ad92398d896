"""Where the artifacts of a run are: the URI under which its clients keep them."""

from __future__ import annotations

import sqlalchemy as sa

from providers.errors import NotFound, StorageUnavailable
from tracking.artifact_paths import SCHEME
from tracking.database import AWAY, Database, reason
from tracking.run_tables import runs
from tracking.tables import calls, experiments


class ArtifactRoots:
    """To whom a `key_id` is given, the gateway's calls by other keys are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(self, id: str, key_id: str | None = None) -> str:
        logged = sa.select(runs.c.artifact_uri).where(runs.c.id == id)
        mine = [] if key_id is None else [calls.c.key_id == key_id]
        called = (
            sa.select(calls.c.experiment_id, experiments.c.artifact_location)
            .outerjoin_from(calls, experiments, experiments.c.id == calls.c.experiment_id)
            .where(calls.c.id == id, *mine)
        )
        try:
            async with self._database.reading() as connection:
                uri: str | None = (await connection.execute(logged)).scalar_one_or_none()
                if uri is not None:
                    return uri
                row = (await connection.execute(called)).one_or_none()
        except AWAY as exc:
            raise StorageUnavailable(f"the store does not answer: {reason(exc)}", retry_after=5) from exc
        if row is None:
            raise NotFound(f"Run with id={id} not found")
        return f"{row.artifact_location or f'{SCHEME}:/{row.experiment_id}'}/{id}/artifacts"
