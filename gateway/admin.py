"""What whoever runs the gateway looks at: whether it lives, whether it can work, and what configuration it works by."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__
from gateway.policy import Endpoint, Policy
from providers.chat import Json
from tracking.database import Database

READY_SECONDS = 2.0


async def alive(_request: Request) -> Response:
    """`GET /health`: the process answers. MLflow's clients expect just this word."""
    return Response("OK", media_type="text/plain")


async def ready(request: Request) -> Response:
    """`GET /ready`: the store answered a real query. Raises StorageUnavailable (503) when it did not."""
    database: Database = request.app.state.database
    await database.ready(READY_SECONDS)
    return _json({"status": "ready", "version": __version__})


async def config(request: Request) -> Response:
    """`GET /admin/config`: the configuration in use, without its secrets, and what is wrong with a newer one."""
    state = request.app.state
    return _json({**state.watcher.state(), "settings": state.watcher.loaded.settings.public()})


async def status(request: Request) -> Response:
    """`GET /admin/status`: how far recording is behind, and which targets rest."""
    state = request.app.state
    recorder = state.recorder
    return _json(
        {
            "version": __version__,
            "revision": state.directory.revision,
            "calls_running": state.engine.running,
            "recorder": {
                "recorded": recorder.recorded,
                "skipped": recorder.skipped,
                "behind_bytes": recorder.behind_bytes,
                "behind_seconds": round(recorder.behind_seconds, 3),
                "store_away": recorder.away,
            },
            "targets": state.health.states(),
        }
    )


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/health", alive, ["GET"], "public"),
    ("/ready", ready, ["GET"], "read"),
    ("/admin/config", config, ["GET"], "admin"),
    ("/admin/status", status, ["GET"], "admin"),
]


def _json(payload: Json) -> Response:
    return Response(orjson.dumps(payload), media_type="application/json", headers={"cache-control": "no-store"})
