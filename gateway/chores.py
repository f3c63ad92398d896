"""What goes on beside the calls: keys kept fresh, old runs removed; begun again if it ever ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.keys import Keys
from gateway.settings import Settings
from tracking.database import AWAY, Database, reason
from tracking.retention import Retention

FIRST_SECONDS = 2.0
"""For the store to answer before the first request is served; then it may take as long as it likes."""
AGAIN_SECONDS = 1.0
SWEEP_SECONDS = 3600.0
log = logging.getLogger("gatelog.chores")


async def known(keys: Keys) -> None:
    """Read the keys, if the store answers soon."""
    try:
        async with asyncio.timeout(FIRST_SECONDS):
            await keys.refresh()
    except AWAY as exc:
        log.warning("the store does not answer, so stored keys are not known yet: %s", reason(exc))


async def kept(chore: Callable[[], Awaitable[None]]) -> None:
    """Do a chore for ever. A fault in it is logged, and no reason to leave it."""
    while True:
        try:
            await chore()
        except Exception:
            log.exception("a chore failed and is begun again")
        await asyncio.sleep(AGAIN_SECONDS)


def sweeping(database: Database, settings: Callable[[], Settings]) -> Callable[[], Awaitable[None]]:
    """Remove what is older than the configuration of the moment keeps."""

    async def sweep() -> None:
        said = settings().retention
        retention = Retention(
            database,
            runs_days=said.runs_days,
            payloads_days=said.payloads_days,
            traces_days=said.traces_days,
            minutes_days=said.usage_minutes_days,
            hours_days=said.usage_hours_days,
        )
        try:
            deleted = await retention.sweep()
        except AWAY as exc:
            log.warning("old runs could not be removed: %s", reason(exc))
        else:
            if deleted is not None and (deleted.runs or deleted.blocks or deleted.traces):
                told = (deleted.runs, deleted.blocks, deleted.traces)
                log.info("%d runs, %d blocks of payloads and %d traces were old and are gone", *told)
        await asyncio.sleep(SWEEP_SECONDS)

    return sweep
