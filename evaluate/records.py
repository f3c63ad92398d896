"""Waits for the gateway to record calls that are over, since only their records say what they came to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from providers.chat import Json
from providers.errors import StorageUnavailable

LOOK_SECONDS = 0.05
"""Between looks."""
PATIENCE_SECONDS = 600.0
"""How long a record is waited for. A recorder that is so far behind is not at work."""

log = logging.getLogger("gatelog.evaluate")
Figures = Callable[[Sequence[str]], Awaitable[Sequence[Json]]]
"""Of those of these calls that are recorded, the figures of `tracking.evaluations.FIGURES`."""


class Halted(Exception):
    """The evaluation goes no further. The message says why."""


class Records:
    """Looks for all that are waited for at once. `watch` must be running."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._wanted: dict[str, asyncio.Future[Json]] = {}

    async def of(self, run: str) -> Json:
        """The figures of a call, once it is recorded. Raises Halted where that does not happen."""
        if run not in self._wanted:
            self._wanted[run] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(self._wanted[run])
        except TimeoutError:
            raise Halted(f"the call {run} was made and has not been recorded for {PATIENCE_SECONDS:g} s") from None

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._wanted:
                continue
            try:
                found = await self._figures(list(self._wanted))
            except StorageUnavailable as error:
                log.warning("records of calls cannot be read now: %s", error.message)
                await asyncio.sleep(1.0)
                continue
            for each in found:
                waiting = self._wanted.pop(each["id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(each)
