"""What lasts as long as the server does: the chores beside its calls, and an ear for the signal to reload."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from gateway import chores

Chore = Callable[[], Awaitable[None]]


@asynccontextmanager
async def beside(lasting: Iterable[Chore]) -> AsyncIterator[None]:
    """Do each of them, again and again."""
    tasks = [asyncio.create_task(chores.kept(chore)) for chore in lasting]
    try:
        yield
    finally:
        await _ended(tasks)


@asynccontextmanager
async def heeding(number: signal.Signals, called: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Call it at each such signal."""
    loop = asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    async def call() -> None:
        await called()

    def heard() -> None:
        task = loop.create_task(call())
        running.add(task)
        task.add_done_callback(running.discard)

    loop.add_signal_handler(number, heard)
    try:
        yield
    finally:
        loop.remove_signal_handler(number)
        await _ended(running)


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in [*tasks]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
