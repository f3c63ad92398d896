"""The way to providers that our own HTTP/1.1 does not reach, made when the first call takes it."""

from __future__ import annotations

import ssl

from providers.roads import Exchange, Road
from providers.target import Target


class SlowRoad:
    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._road: Road | None = None

    async def send(self, target: Target, body: bytes, stream: bool) -> Exchange:
        if self._road is None:
            # A twentieth of a second and five megabytes that most gateways never need.
            from providers.httpx_road import HttpxRoad

            self._road = HttpxRoad(self._tls)
        return await self._road.send(target, body, stream)

    async def aclose(self) -> None:
        if self._road is not None:
            await self._road.aclose()
