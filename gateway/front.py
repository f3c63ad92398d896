"""The first to see a request: calls go straight to their endpoint, everything else to Starlette.

Starlette's routing and error handling are four layers deep, and a call goes through all of them and back again with
every message; for a call, a look into a table says as much.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class Front:
    def __init__(self, app: ASGIApp, calls: Mapping[str, ASGIApp]) -> None:
        self._app, self._calls = app, calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            await self._calls.get(scope["path"], self._app)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
