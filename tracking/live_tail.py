"""The newest runs as they are recorded, for somebody who watches."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from tracking.database import Database
from tracking.fields import CALLS
from tracking.grammar import Source
from tracking.runs import Run, Runs
from tracking.search import narrowed, where
from tracking.tables import calls

OLDEST_SECONDS = 600
"""A call that began longer ago is not told of, and a watcher who was away for longer begins anew."""
LATE_SECONDS = 10
"""Calls are recorded some time after they end; one that ended before what was told last is looked for so long."""
REPEATED_SECONDS = 2
"""Of what was told already, for a watcher who was cut off: what was on its way may not have arrived."""
AT_ONCE = 200
LOOKED_AT = 5_000
_ended = calls.c.started_us + sa.func.coalesce(calls.c.duration_us, 0)


class LiveTail:
    """Gives each run once, in the order of their ends."""

    def __init__(
        self,
        database: Database,
        runs: Runs,
        filter: str = "",
        narrow: Mapping[str, str] | None = None,
        *,
        key_id: str | None = None,
        since_ms: int | None = None,
    ) -> None:
        self._database, self._runs = database, runs
        dialect = database.reader.dialect.name
        self._conditions = [
            where(Source(filter), CALLS, dialect),
            *(narrowed(name, text, CALLS, dialect) for name, text in (narrow or {}).items()),
        ]
        if key_id is not None:
            self._conditions.append(calls.c.key_id == key_id)
        now = time.time_ns() // 1000
        said = None if since_ms is None else (since_ms - REPEATED_SECONDS * 1000) * 1000
        oldest = now - OLDEST_SECONDS * 1_000_000
        self._begins = said if said is not None and oldest <= said <= now else now
        """Runs that ended before are not told of."""
        self._looked = self._begins + LATE_SECONDS * 1_000_000
        self._seen: dict[str, int] = {}

    async def more(self) -> tuple[list[Run], int]:
        """Runs recorded since the last time, and how many more there were."""
        now = time.time_ns() // 1000
        from_us = max(self._begins, self._looked - LATE_SECONDS * 1_000_000)
        query = (
            sa.select(calls.c.id, _ended)
            .where(calls.c.started_us >= now - OLDEST_SECONDS * 1_000_000, _ended >= from_us, *self._conditions)
            .order_by(_ended.desc())
            .limit(LOOKED_AT)
        )
        async with self._database.asking() as connection:
            found: Sequence[tuple[str, int]] = [(id, end) for id, end in await connection.execute(query)]
        new = [id for id, _ in found if id not in self._seen]
        self._looked = now
        kept = now - 2 * LATE_SECONDS * 1_000_000
        self._seen = {id: end for id, end in self._seen.items() if end >= kept} | dict(found)
        told = await self._runs.several(new[:AT_ONCE]) if new else []
        return sorted(told, key=_end_of), max(0, len(new) - AT_ONCE)


def mark(run: Run) -> str:
    """The id of a run's event, by which a watcher goes on."""
    return f"{_end_of(run)}-{run['id']}"


def marked(id: str | None) -> int | None:
    """The milliseconds in it; None where there are none."""
    text = (id or "").partition("-")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _end_of(run: Run) -> int:
    times = run["times"]
    return int(times["ended_unix_ms"] or times["started_unix_ms"])
