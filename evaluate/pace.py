"""How many calls are under way at once: a few more while all goes well, half as many when a provider says too many."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

START = 4
LEAST = 1.0
WAIT_MOST = 120.0
"""Seconds of a provider's retry-after that are believed."""


class Pace:
    """Additive increase, multiplicative decrease. A place is taken with `enter` and given back with `leave`."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most, self._clock = float(most), clock
        self.limit = float(min(START, most))
        self.running = 0
        self.throttled = 0
        """How often a provider said that it was too much."""
        self._resume_at = float("-inf")
        self._cut_at = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self) -> float:
        """Wait for a place; gives the time at which it was taken, which `leave` wants back."""
        while self.running >= int(self.limit) or self._clock() < self._resume_at:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            self._arrange()
            try:
                await place
            except asyncio.CancelledError:
                if place in self._waiting:
                    self._waiting.remove(place)
                elif not place.cancelled():
                    self._wake()
                raise
        self.running += 1
        return self._clock()

    def leave(self, entered: float, *, throttled: bool = False, retry_after: float | None = None) -> None:
        self.running -= 1
        now = self._clock()
        if throttled:
            self.throttled += 1
            # Calls that were under way together are refused together: that is one piece of news, not many.
            if entered >= self._cut_at:
                self.limit = max(LEAST, self.limit / 2)
                self._cut_at = now
            if retry_after is not None:
                self._resume_at = max(self._resume_at, now + min(retry_after, WAIT_MOST))
        else:
            self.limit = min(self._most, self.limit + 1 / max(1.0, self.limit))
        self._wake()

    def _wake(self) -> None:
        if self._clock() < self._resume_at:
            self._arrange()
            return
        for _ in range(max(0, int(self.limit) - self.running)):
            while self._waiting:
                place = self._waiting.popleft()
                if not place.done():
                    place.set_result(None)
                    break

    def _arrange(self) -> None:
        """See to it that who waits is woken when the provider's wait is over."""
        left = self._resume_at - self._clock()
        if left > 0 and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(left, self._over)

    def _over(self) -> None:
        self._timer = None
        self._wake()
