"""What the runs of a search are made of: counts by their values and over time, in a time that has an end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from tracking.call_tags import by_rare_tags
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import CALLS
from tracking.grammar import Source
from tracking.money import dollars
from tracking.rest import iso
from tracking.search import NARROWING, narrowed, where
from tracking.tables import calls

SECONDS_MOST = 1.0
"""After so long no further window is begun."""
FIRST, LARGEST, QUICK_SECONDS = 10_000, 160_000, 0.1
"""Runs of the first window and of the largest; each that was quick makes the next one twice as large."""
VALUES_MOST = 20
BUCKETS, BUCKETS_MOST = 60, 200
WIDTHS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000)
"""Seconds of a bucket."""
FACETS: Mapping[str, sa.Column[Any]] = {
    "status": calls.c.status,
    "model": calls.c.model,
    "provider": calls.c.provider,
    "endpoint": calls.c.endpoint,
    "key": calls.c.key_id,
}
FINE = frozenset({"ok", "client_cancelled"})
"""Statuses that are no error."""
_TIMES = ("since", "until")
_US = 1_000_000
_started = calls.c.started_us


@dataclass(slots=True)
class Counted:
    """What has been counted so far."""

    runs: int = 0
    nanos: int = 0
    unpriced: int = 0
    values: dict[str, Counter[str | None]] = field(default_factory=lambda: {name: Counter() for name in FACETS})
    buckets: dict[int, list[int]] = field(default_factory=dict)
    """By number of the bucket: runs, errors, nano-dollars."""

    def add(self, rows: Sequence[Any]) -> None:
        for *values, bucket, runs, nanos, unpriced in rows:
            for counter, value in zip(self.values.values(), values, strict=True):
                counter[value] += runs
            self.runs += runs
            self.nanos += nanos or 0
            self.unpriced += unpriced
            there = self.buckets.setdefault(bucket, [0, 0, 0])
            there[0] += runs
            there[1] += 0 if values[0] in FINE else runs
            there[2] += nanos or 0


class RunFacets:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name

    async def count(
        self,
        filter: str = "",
        narrow: Mapping[str, str] | None = None,
        buckets: int = BUCKETS,
        *,
        key_id: str | None = None,
        seconds: float = SECONDS_MOST,
    ) -> Json:
        """Of the newest runs first, as many as there is time for. `key_id` narrows it to the runs of one key."""
        narrow = narrow or {}
        times = [narrowed(name, narrow[name], CALLS, self._dialect) for name in _TIMES if name in narrow]
        own = [] if key_id is None else [calls.c.key_id == key_id]
        conditions = [
            where(Source(filter), CALLS, self._dialect),
            *(narrowed(name, narrow[name], CALLS, self._dialect) for name in NARROWING if name in narrow),
            *own,
        ]
        counted = Counted()
        async with self._database.asking() as connection:
            conditions += await by_rare_tags(connection, Source(filter), CALLS)
            span = await _span(connection, [*times, *own])
            if span is None:
                return _shown(counted, 1, None, cut=False)
            first, last = span
            width = _width(last - first, buckets)
            until = time.monotonic() + seconds
            upper, step = last + 1, FIRST
            while upper > first:
                began = time.monotonic()
                if began > until:
                    return _shown(counted, width, upper, cut=True)
                edge = sa.select(_started).where(_started < upper, *own).order_by(_started.desc()).offset(step).limit(1)
                lower = max((await connection.execute(edge)).scalar() or first, first)
                window = [_started < upper, _started >= lower]
                found = await connection.execute(_grouped(width, [*window, *conditions]))
                await asyncio.to_thread(counted.add, found.all())
                upper = lower if lower < upper else upper - 1
                if lower == first:
                    break
                if time.monotonic() - began < QUICK_SECONDS:
                    step = min(step * 2, LARGEST)
        return _shown(counted, width, first, cut=False)


async def _span(connection: AsyncConnection, conditions: Sequence[sa.ColumnElement[bool]]) -> tuple[int, int] | None:
    """When the first and the last of all runs there began, whatever else is asked of them."""
    ends = [
        sa.select(_started).where(*conditions).order_by(order).limit(1).scalar_subquery()
        for order in (_started.asc(), _started.desc())
    ]
    first, last = (await connection.execute(sa.select(*ends))).one()
    return None if first is None else (first, last)


def _grouped(width: int, conditions: Sequence[sa.ColumnElement[bool]]) -> sa.Select[tuple[Any, ...]]:
    bucket = (_started // sa.literal(width * _US, sa.BigInteger)).label("bucket")
    costs = sa.func.sum(calls.c.cost_nanos), sa.func.sum(sa.case((calls.c.cost_nanos.is_(None), 1), else_=0))
    columns = (*FACETS.values(), bucket)
    return sa.select(*columns, sa.func.count(), *costs).where(*conditions).group_by(*columns)


def _width(us: int, buckets: int) -> int:
    needed = us / _US / buckets
    return next((width for width in WIDTHS if width >= needed), -(-int(needed) // WIDTHS[-1]) * WIDTHS[-1])


def _shown(counted: Counted, width: int, since_us: int | None, *, cut: bool) -> Json:
    most = {name: counter.most_common(VALUES_MOST) for name, counter in counted.values.items()}
    return {
        "runs": counted.runs,
        "cost": {
            "usd": dollars(int(counted.nanos)),
            "nanos": int(counted.nanos),
            "unknown_calls": counted.unpriced,
        },
        "facets": {name: [{"value": value, "runs": runs} for value, runs in found] for name, found in most.items()},
        "more": {name: counted.runs - sum(runs for _, runs in found) for name, found in most.items()},
        "histogram": {
            "seconds": width,
            "buckets": [
                {
                    "start": iso(number * width * _US),
                    "start_unix_ms": number * width * 1000,
                    "runs": runs,
                    "errors": errors,
                    "cost_nanos": int(nanos),
                }
                for number, (runs, errors, nanos) in sorted(counted.buckets.items())
            ],
        },
        "cut": cut,
        "covered_since": None if since_us is None else iso(since_us),
    }
