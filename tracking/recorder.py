"""Brings the journal into the store: this process's as it is written, and those that dead processes left behind.

It runs in a thread of its own, with its own event loop and connections, so that no call waits for it. While the store
is away it waits, and the journal is the queue: nothing is lost and nothing piles up in memory.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from tracking.counting import Counting
from tracking.database import Synchronous, open_store, reason
from tracking.journal import Journal, Lease, folders
from tracking.rows import Rows
from tracking.tail import Logged, Tail
from tracking.writer import Writer

POLL_SECONDS = 0.1
MANY = 100
"""Calls in one pass, after which there are likely to be more: a backlog, or a journal that was left behind."""
ADOPT_SECONDS = 5.0
RETRY_MOST_SECONDS = 5.0
BEHIND_POLL_SECONDS = 0.005
AWAY = (sa.exc.SQLAlchemyError, OSError, TimeoutError)
"""What a store raises that cannot be reached, or cannot take anything now."""

Result = TypeVar("Result")
log = logging.getLogger("gatelog.recorder")


class Recorder:
    """One for each process that has a journal.

    Stop writing, close the journal, then `drain`: in that order, since draining removes what it has recorded.
    """

    def __init__(
        self,
        store: str,
        directory: Path,
        journal: Journal | None,
        counting: Counting,
        *,
        synchronous: Synchronous = "NORMAL",
    ) -> None:
        self._store, self._directory, self._synchronous = store, directory, synchronous
        self._counting, self._journal = counting, journal
        self._own = Tail(journal.folder, journal) if journal is not None else None
        self._adopted: list[Tail] = []
        self._looked = float("-inf")
        self._thread = threading.Thread(target=self._main, name="recorder", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._asleep = self._stopping = False
        self._passes = 0
        """Times that all was recorded which had been there at the beginning."""
        self._caught_up_at = time.monotonic()
        self.away: str | None = None
        """Why the store does not take anything now; None when it does."""
        self.recorded = 0
        """Calls brought into the store."""
        self.skipped = 0
        """Records that were damaged, and calls that the store would not take."""

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def behind_bytes(self) -> int:
        """Of this process's journal, not read yet."""
        own = self._own
        return own.behind_bytes() if own is not None else 0

    @property
    def behind_seconds(self) -> float:
        """Since everything was recorded. It is less than a second or so while all is well."""
        return time.monotonic() - self._caught_up_at

    def poke(self) -> None:
        """Look at the journal now rather than within a tenth of a second. Costs nothing when it is looking already.

        For those who read what was just written; a call need not.
        """
        if self._asleep and self._loop is not None:
            self._asleep = False
            self._loop.call_soon_threadsafe(self._wake.set)

    async def caught_up(self, seconds: float) -> bool:
        """Whether all that is in the journal now is in the store, within so many seconds."""
        deadline = time.monotonic() + seconds
        # A pass that is under way may have looked before our record was written; the one after it has not.
        wanted = self._passes + 2
        while self._passes < wanted and self.alive:
            if time.monotonic() > deadline:
                return False
            self.poke()
            await asyncio.sleep(BEHIND_POLL_SECONDS)
        return self._passes >= wanted

    async def drain(self, seconds: float) -> bool:
        """Record what is left and stop. False when the time was too short; the rest is for the next process."""
        self._stopping = True
        self.poke()
        await asyncio.to_thread(self._thread.join, seconds)
        return not self.alive

    def _main(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        database = open_store(self._store, synchronous=self._synchronous, connections=1, inline=True)
        try:
            # The server has seen to it already, unless the store was away when it started.
            await self._persistently(database.migrate)
            writer = Writer(database, Rows(self._counting))
            while True:
                stopping = self._stopping
                found = await self._pass(writer)
                if found >= MANY or (found and stopping):
                    continue
                # What is left came meanwhile. To go after it at once would make a transaction of every few calls.
                self._passes += 1
                self._caught_up_at = time.monotonic()
                if stopping:
                    return
                await self._sleep()
        finally:
            for tail in self._adopted:
                tail.close()
            await database.close()

    async def _pass(self, writer: Writer) -> int:
        """Record one block of each journal; how many calls there were in it."""
        self._adopt()
        found = 0
        for tail in self._tails():
            batch = tail.read()
            if batch:
                found += len(batch)
                await self._record(writer, tail, batch)
            for path, fault in tail.found:
                self.skipped += 1
                log.error("%s at %d: %s; the file is kept as .damaged", path, fault.offset, fault.what)
            tail.found.clear()
            if not batch and tail.finished:
                tail.close()
                self._adopted.remove(tail)
        return found

    def _tails(self) -> list[Tail]:
        return [*([self._own] if self._own is not None else []), *self._adopted]

    async def _record(self, writer: Writer, tail: Tail, batch: list[Logged]) -> None:
        refused = await self._persistently(lambda: writer.write(batch))
        for call, why in refused:
            tail.refused(call, why)
        self.recorded += len(batch) - len(refused)
        tail.recorded(batch)

    async def _persistently(self, action: Callable[[], Awaitable[Result]]) -> Result:
        """Until the store takes it, however long that is."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(AWAY),
            wait=wait_random_exponential(multiplier=0.1, max=RETRY_MOST_SECONDS),
            before_sleep=self._is_away,
        )
        async for attempt in retrying:
            with attempt:
                result = await action()
        if self.away is not None:
            log.warning("the store takes calls again, after: %s", self.away)
            self.away = None
        return result

    def _is_away(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        assert error is not None, "it is waited for an error only"
        why = reason(error)
        if self.away is None:
            log.warning("the store takes no calls, which wait in the journal: %s", why)
        self.away = why

    def _adopt(self) -> None:
        if self._own is not None and self._journal is not None and self._journal.closed:
            if self._own.inherit():
                self._adopted.append(self._own)
            self._own = None
        if time.monotonic() - self._looked < ADOPT_SECONDS:
            return
        self._looked = time.monotonic()
        for folder in folders(self._directory):
            if all(tail.folder != folder for tail in self._tails()) and (lease := Lease.take(folder)) is not None:
                log.info("taking over the journal %s of a process that is dead", folder)
                self._adopted.append(Tail(folder, lease=lease))

    async def _sleep(self) -> None:
        self._wake.clear()
        self._asleep = True
        if not self._stopping:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._asleep = False
