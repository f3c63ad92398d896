"""The routes of artifacts on a real socket, before a store of artifacts alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.harness import PLAIN
from tracking.artifacts import Artifacts
from tracking.mlflow.artifacts_api import ROUTES

FILES = "/api/2.0/mlflow-artifacts/artifacts"
UPLOADS = "/api/2.0/mlflow-artifacts/mpu"


@dataclass(frozen=True)
class Somebody:
    key_id: str | None = "k1"
    name: str = "one"
    role: str = "admin"


class Admitted:
    """Lets in everybody, as one who may do everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["caller"] = Somebody()
        await self._app(scope, receive, send)


@asynccontextmanager
async def served(artifacts: Artifacts) -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route(path, endpoint, methods=methods) for path, endpoint, methods, _ in ROUTES]
    app = Starlette(routes=routes)
    app.state.artifacts = artifacts
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(Admitted(app), log_level="warning", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, **PLAIN) as client:
            yield client
        server.should_exit = True
        await serving


async def raw(
    client: httpx.AsyncClient, method: str, target: str, body: bytes = b"", *, said: int | None = None
) -> tuple[int, bytes]:
    """A request whose target is sent as it is, where a client would tidy it, and whose length is what is `said`."""
    length = len(body) if said is None else said
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    head = f"{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    writer.write(head.encode("latin-1") + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]), answer
