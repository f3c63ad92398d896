"""What goes on in a lab, told to all that look at it; kept for a while, for those that were cut off."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import deque
from typing import Any

from tracking import rest

KEPT = 4_000
"""Events of a lab."""
PROCESS = secrets.token_hex(4)
"""Event ids of one process mean nothing to another."""


class Channel:
    """One lab's events. Ids are of this process, and count up."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)
        self._last = 0
        self._listeners: set[asyncio.Event] = set()

    @property
    def mark(self) -> str:
        """The id of the last event."""
        return f"{PROCESS}-{self._last}"

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def tell(self, name: str, data: Any) -> None:
        self._last = next(self._numbers)
        self._kept.append((self._last, rest.event(name, data, self.mark)))
        for listener in self._listeners:
            listener.set()

    def after(self, id: str | None) -> int | None:
        """The number of the last event that somebody has: of this id, or of the newest without one.

        None where what came after is not all kept.
        """
        if id is None:
            return self._last
        process, _, number = id.partition("-")
        if process != PROCESS or not (number.isascii() and number.isdigit() and len(number) < 16):
            return None
        oldest = self._kept[0][0] if self._kept else self._last + 1
        return int(number) if oldest - 1 <= int(number) <= self._last else None

    def since(self, number: int) -> list[tuple[int, bytes]] | None:
        """Events after this one; None where they are not all kept any more."""
        if number < self._last and (not self._kept or self._kept[0][0] > number + 1):
            return None
        found: list[tuple[int, bytes]] = []
        for each in reversed(self._kept):
            if each[0] <= number:
                break
            found.append(each)
        return found[::-1]

    async def wait(self, number: int, seconds: float, stopping: asyncio.Event) -> bool:
        """Until there is an event after this one, so long at most. False where the server is about to stop."""
        if self._last > number:
            return not stopping.is_set()
        listener = asyncio.Event()
        self._listeners.add(listener)
        ends = asyncio.ensure_future(stopping.wait())
        comes = asyncio.ensure_future(listener.wait())
        try:
            await asyncio.wait((ends, comes), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._listeners.discard(listener)
            ends.cancel()
            comes.cancel()
        return not stopping.is_set()
