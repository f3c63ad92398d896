"""The application as far as who may what goes, for tests of its rules: routes that only say who called them."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from gateway import keys_api
from gateway.hosts import Hosts
from gateway.keys import Caller, Keys
from gateway.policy import Guard, check, refused, unknown
from gateway.secrets import Secret
from gateway.sessions import Sessions
from providers.errors import GatewayError
from tracking.database import Database
from tracking.keys import KeyStore
from tracking.sessions import SessionStore

ADMIN_KEY = "an-administrator-knows-this"


async def said(request: Request) -> Response:
    caller: Caller | None = request.scope["caller"]
    return PlainTextResponse(caller.name if caller else "nobody")


class Plain:
    """An endpoint that is ASGI itself, as those of calls are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["caller"].name.encode()})


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Door:
    """The application as far as who may what goes."""

    app: Hosts
    keys: Keys
    sessions: Sessions
    clock: Clock

    def client(self, url: str = "http://localhost:4000") -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=url)


def door(database: Database, *, open: bool = False, bind: str = "127.0.0.1") -> Door:
    clock = Clock()
    keys = Keys(KeyStore(database), bytes(32), admin_key=None if open else Secret(ADMIN_KEY), open=open)
    sessions = Sessions(SessionStore(database), keys, clock=clock)
    guard = Guard(keys, sessions)
    routes = [
        guard.route("/health", said, ["GET"], "public"),
        guard.route("/call", Plain(), ["POST"], "call"),
        guard.route("/read", said, ["GET", "POST"], "read"),
        guard.route("/admin", said, ["GET", "POST"], "admin"),
        guard.route("/api/whoami", sessions.whoami, ["GET"], "public"),
        guard.route("/login", sessions.follow_link, ["GET"], "public"),
        guard.route("/login", sessions.paste_key, ["POST"], "public"),
        guard.route("/logout", sessions.leave, ["POST"], "read"),
        *guard.routes(keys_api.ROUTES),
    ]
    check(routes)
    app = Starlette(routes=routes, exception_handlers={GatewayError: refused})
    app.router.default = unknown
    app.state.keys = keys
    return Door(Hosts(app, bind, ["llm.example.com", "*.corp.example"]), keys, sessions, clock)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
