"""Connections to addresses that callers choose: none to a private one, checked where the connection is made."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

RESOLVE_SECONDS = 5.0
BY_CONFIGURATION = "an administrator can allow it in the configuration: webhooks: {{allow: ['{}']}}"
"""How a webhook's receiver is allowed that would be refused."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Allowed = Callable[[], Collection[str]]
"""`host:port` of those who may be anywhere."""


class Refused(Exception):
    """We do not go there. The message says why."""


def receiver(url: str, allowed: Allowed, how: str = BY_CONFIGURATION) -> tuple[str, int]:
    """Host and port of a URL. Refused for one that is not HTTPS, unless it is allowed; `how` says how it would be."""
    try:
        split = urlsplit(url)
        port = split.port or PORTS.get(split.scheme, 0)
    except ValueError as exc:
        raise Refused(f"{url[:200]!r} is no URL: {exc}") from exc
    host = split.hostname
    if host is None or split.scheme not in PORTS or not url.isascii() or not url.isprintable() or " " in url:
        raise Refused(f"{url[:200]!r} is no URL; write it as https://host/path")
    if split.username is not None or split.password is not None:
        raise Refused("a URL with a user or a password in it would show them to whoever may read it")
    if split.scheme != "https" and named(host, port) not in allowed():
        raise Refused(f"{named(host, port)} is asked for without HTTPS; {how.format(named(host, port))}")
    return host, port


def named(host: str, port: int) -> str:
    """As `webhooks.allow` has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def resolved(host: str, port: int, allowed: Allowed, how: str = BY_CONFIGURATION) -> list[str]:
    """The addresses of a host, all of them public unless it is allowed."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError) as exc:
        raise Refused(f"{host!r} cannot be resolved: {getattr(exc, 'strerror', None) or exc or 'no answer'}") from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if named(host, port) not in allowed():
        for address in addresses:
            if not is_public(ipaddress.ip_address(address.partition("%")[0])):
                raise Refused(
                    f"{host!r} must not resolve to a non-public IP address, and resolves to {address}; "
                    f"{how.format(named(host, port))}"
                )
    return addresses


def is_public(address: Address) -> bool:
    """Whether it is on the internet. One of IPv6 that carries one of IPv4 is as public as that."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast
