"""Failed sign-ins: whoever fails too often waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from providers.errors import RateLimited, Unauthenticated

FAILURES_MOST = 10
WINDOW_SECONDS = 60.0
KNOWN_MOST = 4096
"""Addresses that are remembered at a time; the one that failed first is forgotten first."""
HOST_BITS = 64
"""Of an IPv6 address: what one machine may choose by itself."""


class Failures(NamedTuple):
    first: float
    times: int


class Attempts:
    """In this process, by the address that they come from. Behind a proxy that is one for all of its callers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, Failures] = {}

    @contextmanager
    def counted(self, address: str | None) -> Iterator[None]:
        """Refuse who failed too often within a minute, also with what would be right; count it when this fails."""
        who, now = _network(address), self._clock()
        known = self._failures.get(who)
        if known is not None and now - known.first >= WINDOW_SECONDS:
            del self._failures[who]
        elif known is not None and known.times >= FAILURES_MOST:
            wait = known.first + WINDOW_SECONDS - now
            raise RateLimited(f"signing in failed {known.times} times; try again in {wait:.0f} s", retry_after=wait)
        try:
            yield
        except Unauthenticated:
            # Read again: others may have failed while this one was looked up.
            first, count = self._failures.get(who, Failures(now, 0))
            if who not in self._failures and len(self._failures) >= KNOWN_MOST:
                del self._failures[next(iter(self._failures))]
            self._failures[who] = Failures(first, count + 1)
            raise


def _network(address: str | None) -> str:
    """What attempts are counted by. A socket without an address is one caller, as is a name that is none."""
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> HOST_BITS << HOST_BITS))
