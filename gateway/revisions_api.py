"""Which configurations were in use, and when: kept beside the calls, and read back by REST."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from gateway.policy import Endpoint, Policy
from gateway.settings import Loaded
from providers.errors import NotFound
from tracking import rest
from tracking.database import AWAY, reason
from tracking.revisions import Revisions

LOOK_SECONDS = 1.0
log = logging.getLogger("gatelog.config")


def noting(revisions: Revisions, loaded: Callable[[], Loaded]) -> Callable[[], Awaitable[None]]:
    """A chore: writes down each configuration that is taken up, as soon as the store can be reached."""

    async def note() -> None:
        noted: str | None = None
        told = False
        while True:
            current = loaded()
            if current.revision != noted:
                try:
                    await revisions.note(current.revision, current.settings.public())
                except AWAY as exc:
                    if not told:
                        log.warning("revision %s could not be written down yet: %s", current.revision, reason(exc))
                    told = True
                else:
                    noted, told = current.revision, False
            await asyncio.sleep(LOOK_SECONDS)

    return note


async def listed(request: Request) -> Response:
    """`GET /api/gateway/revisions`"""
    revisions, current = _revisions(request), _current(request)
    return rest.answer(
        {"revisions": [{**each, "in_use": each["revision"] == current} for each in await revisions.all()]}
    )


async def shown(request: Request) -> Response:
    """`GET /api/gateway/revisions/{revision}`"""
    revision = request.path_params["revision"]
    found = await _revisions(request).get(revision)
    if found is None:
        raise NotFound(f"no configuration had the revision {revision[:50]!r}")
    return rest.answer({**found, "in_use": found["revision"] == _current(request)})


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/api/gateway/revisions", listed, ["GET"], "admin"),
    ("/api/gateway/revisions/{revision}", shown, ["GET"], "admin"),
]


def _revisions(request: Request) -> Revisions:
    found: Revisions = request.app.state.revisions
    return found


def _current(request: Request) -> str:
    revision: str = request.app.state.watcher.loaded.revision
    return revision
