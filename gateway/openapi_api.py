"""`GET /openapi.json` and `GET /docs`: what the gateway's routes are, made when somebody asks, and then kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.policy import Endpoint, Policy, Row

HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


class Made(NamedTuple):
    document: bytes
    page: bytes
    policy: str


class Description:
    """`rows` are all routes that are described, these two among them, by the time that somebody asks."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._made: asyncio.Task[Made] | None = None

    async def document(self, _request: Request) -> Response:
        """`GET /openapi.json`."""
        made = await self._make()
        return Response(made.document, media_type="application/json", headers=HEADERS)

    async def page(self, _request: Request) -> Response:
        """`GET /docs`."""
        made = await self._make()
        headers = {**HEADERS, "content-security-policy": made.policy, "x-frame-options": "DENY"}
        return Response(made.page, media_type="text/html", headers=headers)

    @property
    def routes(self) -> list[tuple[str, Endpoint, list[str], Policy]]:
        return [("/openapi.json", self.document, ["GET"], "read"), ("/docs", self.page, ["GET"], "read")]

    async def _make(self) -> Made:
        """Once, also when many ask at once: it is a quarter of a second of work, in a thread."""
        if self._made is None or (self._made.done() and (self._made.cancelled() or self._made.exception())):
            self._made = asyncio.create_task(asyncio.to_thread(_made, self._rows))
        return await asyncio.shield(self._made)


def _made(rows: Sequence[Row]) -> Made:
    # Not imported before: no start should wait for what few servers are ever asked.
    from gateway.openapi.document import document
    from gateway.openapi.page import page

    said = document(rows)
    shown = page(said)
    return Made(orjson.dumps(said), shown.html, shown.policy)
