"""The evaluations of one process: takes up those at which nobody works, and starts, stops and resumes them."""

from __future__ import annotations

import asyncio
import logging
import uuid

from evaluate.working import Means, Work
from providers.errors import Conflict, GatewayError
from tracking.evaluations import LIVE
from tracking.logged_runs import LoggedRuns
from tracking.trace_log import now_us

LOOK_SECONDS = 0.5

log = logging.getLogger("gatelog.evaluate")


class Evaluating:
    """`watch` must be running. What it works at when it is cancelled is anybody's at once."""

    def __init__(self, means: Means, logged: LoggedRuns) -> None:
        self._means, self._logged = means, logged
        self._owner = uuid.uuid4().hex
        self._live: dict[str, asyncio.Task[None]] = {}
        self._works: dict[str, Work] = {}

    async def start(self, id: str) -> None:
        """From `created`, or on from where it was stopped or failed. Conflict where it is running or finished."""
        store = self._means.store
        fresh = {"owner": None, "beat_us": None, "finished_us": None, "started_us": now_us()}
        if not await store.move(id, ("created", "stopped", "failed"), "running", None, **fresh):
            state = (await store.get(id))["state"]
            raise Conflict(f"the evaluation is {state}; what is created, stopped or failed can be started")
        await self._logged.update(id, "RUNNING", None, None)

    async def stop(self, id: str, reason: str) -> None:
        """Begin no other call of it. Conflict where it is not running."""
        if await self._means.store.move(id, ("running", "scoring"), "stopping", reason):
            if id in self._works:
                self._works[id].stop(reason)
            return
        if await self._means.store.move(id, ("created",), "stopped", reason):
            await self._logged.update(id, "KILLED", None, None)
            return
        state = (await self._means.store.get(id))["state"]
        if state != "stopping":
            raise Conflict(f"the evaluation is {state} already")

    async def watch(self) -> None:
        try:
            while True:
                try:
                    for id in await self._means.store.take(self._owner):
                        self._live[id] = asyncio.create_task(self._work(id, self._live.get(id)))
                except GatewayError as error:
                    log.warning("evaluations are not looked at now: %s", error.message)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._live.values():
                task.cancel()
            await asyncio.gather(*self._live.values(), return_exceptions=True)
            try:
                await self._means.store.drop(self._owner)
            except GatewayError as error:
                log.warning("evaluations wait until this process is seen to be gone: %s", error.message)

    async def _work(self, id: str, before: asyncio.Task[None] | None) -> None:
        """`before` worked at it until it was stopped, and may still be clearing up."""
        if before is not None:
            await asyncio.wait({before})
        try:
            work = self._works[id] = Work(id, self._owner, self._means)
            await work.run()
        except GatewayError as error:
            # The store is away, or the like: whoever finds it silent goes on with it.
            log.warning("evaluation %s is left for later: %s", id, error.message)
        except Exception:
            log.exception("evaluation %s failed", id)
            await self._means.store.move(id, LIVE, "failed", "a fault of the gateway, which its log tells of")
        finally:
            self._works.pop(id, None)
            if self._live.get(id) is asyncio.current_task():
                del self._live[id]
