"""HTTP/1.1 to providers, the fast road: connections are made, kept by origin, and replaced when they died of age."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from functools import partial

from providers.connection import Connection
from providers.errors import Closed, Unreachable
from providers.roads import timed_out
from providers.target import Target
from providers.trust import Trust

MOST_KEPT = 512
"""Idle connections to one origin; one more is closed when its call is over."""
OTHER_HOST = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and its like for addresses, whose messages tell the address."""


class Wire:
    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._kept: dict[str, deque[Connection]] = {}
        self._open: set[Connection] = set()

    async def send(self, target: Target, body: bytes, stream: bool) -> Connection:
        loop = asyncio.get_running_loop()
        began = loop.time()
        kept = self._kept.get(target.origin)
        while kept:
            connection = kept.pop()
            if connection.expired(began):
                connection.close()
                continue
            try:
                await connection.ask(target, body, stream, began)
            except Closed:
                if connection.answering:
                    raise
                # It died of old age while we wrote: nobody has read the request, so a fresh one may carry it, once.
                break
            return connection
        connection = await self._connect(loop, target)
        await connection.ask(target, body, stream, began)
        return connection

    async def aclose(self) -> None:
        for connection in tuple(self._open):
            connection.close()
        self._kept.clear()
        for _ in range(100):
            if not self._open:
                break
            await asyncio.sleep(0)

    def keep(self, connection: Connection, origin: str) -> None:
        kept = self._kept.get(origin)
        if kept is None:
            kept = self._kept[origin] = deque()
        if len(kept) < MOST_KEPT:
            kept.append(connection)
        else:
            connection.close()

    def forget(self, connection: Connection, origin: str) -> None:
        self._open.discard(connection)
        kept = self._kept.get(origin)
        if kept is not None and connection in kept:
            kept.remove(connection)

    async def _connect(self, loop: asyncio.AbstractEventLoop, target: Target) -> Connection:
        who = target.provider.name
        make = partial(Connection, self, loop, target.origin)
        tls = await self._trust.context() if target.scheme == "https" else None
        try:
            async with asyncio.timeout(target.timeouts.connect):
                transport, connection = await loop.create_connection(make, target.host, target.port)
        except TimeoutError as exc:
            raise timed_out(target, "connect") from exc
        except socket.gaierror as exc:
            raise Unreachable(f"the host name of {who} could not be resolved", code="upstream_dns") from exc
        except OSError as exc:
            raise Unreachable(f"{who} could not be reached") from exc
        self._open.add(connection)
        if tls is not None:
            try:
                async with asyncio.timeout(target.timeouts.tls):
                    secured = await loop.start_tls(transport, connection, tls, server_hostname=target.host)
            except (OSError, asyncio.CancelledError) as exc:
                connection.close()
                if isinstance(exc, asyncio.CancelledError):
                    raise
                raise _no_tls(who, exc) from exc
            if secured is None:
                connection.close()
                raise _no_tls(who, ConnectionError("the connection was closed"))
            connection.secured(secured)
        return connection


def _no_tls(who: str, exc: BaseException) -> Unreachable:
    if isinstance(exc, ssl.SSLCertVerificationError):
        reason = "its certificate is for another host" if exc.verify_code in OTHER_HOST else exc.verify_message
    else:
        reason = type(exc).__name__
    return Unreachable(f"no secure connection to {who} could be made: {reason}", code="upstream_tls")
