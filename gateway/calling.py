"""All that a call goes through, built once: whoever makes one, over HTTP or inside the process, makes it of these."""

from __future__ import annotations

import asyncio
import logging

from gateway.calls import Calls
from gateway.directory import Directory, priced
from gateway.engine import Engine
from gateway.idempotency import Idempotency
from gateway.registered import Registered
from gateway.routing import Health
from gateway.settings import Loaded
from providers.assemble import assemble
from providers.chat import Kind
from providers.client import Client
from tracking.counting import Counting
from tracking.idempotency import Claims
from tracking.journal import Journal
from tracking.money import Price
from tracking.prices import PriceBook
from tracking.recorder import Recorder
from tracking.stores import Stores
from tracking.tokens import count_request, count_text

DRAIN_SECONDS = 10.0
"""For the recorder, when the server stops. What is left then waits in the journal for the next start."""
log = logging.getLogger("gatelog")


class Calling:
    def __init__(self, loaded: Loaded, stores: Stores) -> None:
        settings = loaded.settings
        self._book = PriceBook()
        if priced(loaded):
            self._book.warm()
        folder = settings.journal_directory()
        self._journal = Journal(folder, fsync=settings.journal.fsync == "always")
        counting = Counting(request=count_request, text=count_text, assemble=assemble, price=Price.from_snapshot)
        self.recorder = Recorder(settings.store, folder, self._journal, counting)
        self._client, self.health = Client(), Health()
        self.engine = Engine(self._client, self._journal, self.health, counting.aside)
        self.body_most = int(settings.server.max_body)
        self.registered = Registered(stores.registry, self.directory, self.body_most)
        self._idempotency = Idempotency(Claims(stores.database), stores.runs)
        self._directory: Directory | None = None

    def directory(self) -> Directory:
        """By the configuration of the moment."""
        assert self._directory is not None, "a configuration is taken up before the first call is"
        return self._directory

    def calls(self, kind: Kind | None) -> Calls:
        """The route for one kind, or for the kind of whichever endpoint its path names."""
        return Calls(kind, self.engine, self.directory, self._idempotency, self.registered, self.body_most)

    async def take_up(self, changed: Loaded) -> None:
        if priced(changed):
            await asyncio.to_thread(self._book.warm().join)
        self._directory = Directory(changed, self._book)

    async def close(self) -> None:
        """Once nothing is called any more."""
        await self._client.aclose()
        self._journal.close()
        if not await self.recorder.drain(DRAIN_SECONDS):
            log.warning("not all calls could be recorded; the journal keeps the rest for the next start")
