"""Which names the gateway answers to, so that a page of somebody else's cannot make a name of its own point at us."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.doors import openai as door
from providers.errors import Misdirected

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
REMEMBERED_MOST = 256


class Hosts:
    """Refuses, with 421 and before anything else looks at it, a request whose Host is not one of ours."""

    def __init__(self, app: ASGIApp, bind: str, allowed: Iterable[str] = ()) -> None:
        self._app = app
        names = {name.lower().strip("[]") for name in allowed}
        self._any = "*" in names
        self._names = LOOPBACK | {bind.lower()} | {name for name in names if not name.startswith("*")}
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        # An address cannot be made to point elsewhere, and a gateway on all of them has no list of its own.
        self._addresses = bind in ANYWHERE
        self._good: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            if len(hosts) != 1 or not (hosts[0] in self._good or self._is_ours(hosts[0])):
                shown = ", ".join(host.decode("latin-1") for host in hosts) or "none"
                error = Misdirected(f"this gateway does not go by the name {shown!r}; add it to server.allowed_hosts")
                status, headers, body = door.refusal(error)
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
        await self._app(scope, receive, send)

    def known(self, host: bytes | None) -> bool:
        """Whether this Host was asked for before, and is ours."""
        return host in self._good

    def _is_ours(self, host: bytes) -> bool:
        name = _name(host)
        if name is None:
            return False
        ours = self._any or name in self._names or name.endswith(self._suffixes)
        if not ours and self._addresses:
            ours = _is_address(name)
        if ours and len(self._good) < REMEMBERED_MOST:
            self._good.add(host)
        return ours


def host_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The name in the Host header, without its port."""
    return next((_name(value) for name, value in headers if name == b"host"), None)


def is_loopback(name: str) -> bool:
    if name in LOOPBACK:
        return True
    return _is_address(name) and ipaddress.ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name(host: bytes) -> str | None:
    """A Host header's name in lower case; None for what is no host and port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        if not bracket or not _is_address(name) or (port and not port.startswith(":")):
            return None
        port = port[1:]
    else:
        name, _, port = text.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return None
    name = name.removesuffix(".")
    if not name or not all(char.isascii() and (char.isalnum() or char in ".-_:") for char in name):
        return None
    return name
