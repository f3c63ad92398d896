"""Notices that a caller has left, or no longer reads, at next to no cost for calls that are over in a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Receive

from gateway.call import Call

GRACE = 0.1
"""Seconds before anybody listens. Most of what can be saved by stopping early is in calls that last longer."""


class Hangup:
    """Watches one call from beside it.

    ASGI tells of a disconnect only to who awaits `receive`, and a task for that in every call costs more than all the
    rest of the bookkeeping. So the listener is started by a timer.
    """

    __slots__ = (
        "_call",
        "_cancels",
        "_check_at",
        "_listener",
        "_loop",
        "_receive",
        "_seen",
        "_task",
        "_timer",
        "_write_timeout",
        "sending",
        "sent",
    )

    def __init__(self, call: Call, receive: Receive, cancels: Callable[[Call], bool], write_timeout: float) -> None:
        task = asyncio.current_task()
        assert task is not None, "a call is served by a task"
        self._call, self._receive, self._cancels, self._task = call, receive, cancels, task
        self._loop = asyncio.get_running_loop()
        self._listener: asyncio.Task[None] | None = None
        self._write_timeout = write_timeout
        self._timer = self._loop.call_later(GRACE, self._listen)
        self._check_at = self._seen = 0
        self.sending = False
        """Whether the call waits for its caller to take a chunk."""
        self.sent = 0

    def over(self) -> None:
        """The call has been answered; from here on a disconnect is the ordinary end of a connection."""
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()

    def caught(self) -> None:
        """The cancellation that this sent has arrived, and goes no further."""
        self._task.uncancel()

    def _listen(self) -> None:
        self._listener = self._loop.create_task(self._wait())
        self._check()

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._call.hung_up = True
        if self._cancels(self._call):
            self._task.cancel()

    def _check(self) -> None:
        """Four looks per timeout: one chunk that has been on its way for all of them is not being read."""
        if self.sending and self.sent == self._seen:
            self._check_at += 1
            if self._check_at > 4:
                self._call.too_slow = True
                self._task.cancel()
                return
        else:
            self._check_at, self._seen = 0, self.sent
        self._timer = self._loop.call_later(self._write_timeout / 4, self._check)
