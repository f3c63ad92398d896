"""Notices that a caller has left, or no longer reads, at next to no cost for calls that are over in a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Receive

from gateway.call import Call

TICK = 0.1
"""Seconds between looks. Most of what can be saved by stopping early is in calls that last longer."""


class Watched:
    """One call, as seen from beside it."""

    __slots__ = ("_stuck_at", "_stuck_since", "call", "listener", "receive", "sending", "sent", "task", "write_timeout")

    def __init__(self, call: Call, receive: Receive, task: asyncio.Task[object], write_timeout: float) -> None:
        self.call, self.receive, self.task, self.write_timeout = call, receive, task, write_timeout
        self.listener: asyncio.Task[None] | None = None
        self.sending = False
        """Whether the call waits for its caller to take a chunk."""
        self.sent = 0
        self._stuck_at, self._stuck_since = -1, 0.0

    def is_stuck(self, now: float) -> bool:
        """Whether one and the same chunk has been on its way for too long."""
        if not self.sending:
            self._stuck_at = -1
        elif self._stuck_at != self.sent:
            self._stuck_at, self._stuck_since = self.sent, now
        else:
            return now - self._stuck_since > self.write_timeout
        return False


class Hangups:
    """Watches the calls of one process.

    ASGI tells of a disconnect only to who awaits `receive`, and a task or a timer for that in every call costs more
    than the rest of its bookkeeping. So one timer looks at all calls, and listens for those that are still there.
    """

    def __init__(self, leaves: Callable[[Call], bool]) -> None:
        self._leaves = leaves
        """Whether a call is to be cancelled now that its caller has left."""
        self._watched: set[Watched] = set()
        self._ticking = False

    def watch(self, call: Call, receive: Receive, write_timeout: float) -> Watched:
        task = call.task or asyncio.current_task()
        assert task is not None, "a call is served by a task"
        watched = Watched(call, receive, task, write_timeout)
        self._watched.add(watched)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(TICK, self._tick, frozenset())
        return watched

    def over(self, watched: Watched) -> None:
        """The call has been answered; from here on a disconnect is the ordinary end of a connection."""
        self._watched.discard(watched)
        if watched.listener is not None:
            watched.listener.cancel()
            # What cancels it has a traceback, which holds on to `watched`, and so to the call and all of its answer.
            watched.listener = None

    def _tick(self, seen: frozenset[Watched]) -> None:
        """`seen`: those that were there the last time, and so are older than a tick."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watched in self._watched:
            if watched.listener is None:
                if watched in seen:
                    watched.listener = loop.create_task(self._listen(watched))
            elif watched.is_stuck(now):
                watched.call.too_slow = True
                watched.task.cancel()
        if self._watched:
            loop.call_later(TICK, self._tick, frozenset(self._watched))
        else:
            self._ticking = False

    async def _listen(self, watched: Watched) -> None:
        while (await watched.receive())["type"] != "http.disconnect":
            pass
        watched.call.hung_up = True
        if self._leaves(watched.call):
            watched.task.cancel()
