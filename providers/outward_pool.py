"""Connections that go nowhere but where `providers.outward` lets them. To import it costs a fifth of a start."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import anyio
import httpcore

from providers.outward import BY_CONFIGURATION, Allowed, Refused, resolved

LOST = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError)
"""What it raises when there is no answer."""


class Outward(httpcore.AsyncNetworkBackend):
    """Connects to an address that was checked, so that no name can mean another one by then."""

    def __init__(self, allowed: Allowed, how: str = BY_CONFIGURATION) -> None:
        self._allowed, self._how = allowed, how
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the backend's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        problem: Exception = Refused(f"{host!r} has no address")
        for address in await resolved(host, port, self._allowed, self._how):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                problem = exc
        raise problem

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def pool(allowed: Allowed, how: str = BY_CONFIGURATION) -> httpcore.AsyncConnectionPool:
    """It knows no proxies and follows no redirects: both would lead where nothing was checked."""
    return httpcore.AsyncConnectionPool(
        ssl_context=ssl.create_default_context(),
        max_connections=20,
        max_keepalive_connections=0,
        retries=0,
        network_backend=Outward(allowed, how),
    )
