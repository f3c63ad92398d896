"""Files of an evaluation, as artifacts of its parent run."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from tracking.artifact_paths import located
from tracking.artifact_roots import ArtifactRoots
from tracking.artifacts import PIECE, Artifacts

log = logging.getLogger("gatelog.evaluate")


class Attachments:
    def __init__(self, roots: ArtifactRoots, artifacts: Artifacts) -> None:
        self._roots, self._artifacts = roots, artifacts

    async def put(self, id: str, name: str, body: bytes) -> None:
        """In place of the one of that name, if there is one."""
        place = located(await self._roots.of_run(id), name)
        if place is None:
            log.warning("the artifacts of evaluation %s are not kept here, so %s is in the store alone", id, name)
            return
        await self._artifacts.put(place, _pieces(body))


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]
