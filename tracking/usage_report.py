"""Usage read back: calls, tokens, cost and latency of a window of time, by whatever it is grouped by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import InvalidRequest
from tracking import sketch
from tracking.database import Database, answering
from tracking.engines import AsyncConnection
from tracking.money import dollars
from tracking.tables import meta
from tracking.usage import BY_ALL, BY_KEY, DAY, HOUR, MINUTE, Keeping, sizes
from tracking.usage_tables import SUMS, TOKENS, usage, usage_groups

ROWS_MOST = 10_000
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
BUCKETS: Mapping[str, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY}
DIMENSIONS: Mapping[str, sa.Column[Any]] = {
    "endpoint": usage_groups.c.endpoint,
    "provider": usage_groups.c.provider,
    "model": usage_groups.c.model,
    "key": usage_groups.c.key_id,
    "prompt": usage_groups.c.prompt_name,
    "prompt_version": usage_groups.c.prompt_version,
}
"""What usage is grouped and narrowed by; beside `key`, that may be `user` or one `tags.NAME` instead of the others."""
_US = 1_000_000

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Seconds since 1970; `since` is part of the window and `until` is not."""

    since: int
    until: int
    bucket: str | None = None
    group_by: tuple[str, ...] = ()
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For a dimension, the values of which one is asked for."""


class UsageReports:
    """`keeping` counts what waits, before it is reported."""

    def __init__(self, database: Database, keeping: Keeping) -> None:
        self._database, self._keeping = database, keeping

    async def buckets(self, since: int) -> list[str]:
        """Those that usage since then is still kept by, the finest first."""
        async with self._database.asking() as connection:
            kept = await _kept(connection)
        return [name for name, size in BUCKETS.items() if since >= kept.get(size, 0)]

    async def report(self, question: Question, *, key_id: str | None = None) -> Json:
        """`key_id` narrows it to the calls of one key."""
        facet = _facet(question, key_id is not None)
        if question.bucket == "minute" and MINUTE not in sizes(facet):
            what = "the key with anything else" if facet == BY_ALL else facet
            raise InvalidRequest(f"{what} is counted by hour and day; say bucket=hour", param="bucket")
        found: dict[Key, list[int]] = {}
        with answering():
            await self._keeping.settle()
            async with self._database.reading() as connection:
                since, until = _window(question, facet, await _kept(connection))
                for piece in _pieces(since, until, facet, question.bucket):
                    rows = (await connection.execute(_query(question, facet, piece, key_id))).all()
                    # Of a long window there are thousands, for which the event loop does not wait.
                    await asyncio.to_thread(_add, found, rows, len(question.group_by))
        if len(found) > ROWS_MOST:
            raise InvalidRequest(
                f"the answer has {len(found)} rows, and at most {ROWS_MOST} are given; narrow it, or group by less"
            )
        places = sorted(found.items(), key=lambda item: (item[0][0] or 0, -item[1][_COST], -item[1][0], str(item[0])))
        total = [sum(column) for column in zip(*found.values(), strict=True)] or [0] * _WIDTH
        return {
            "since": _iso(since),
            "until": _iso(until),
            "bucket": question.bucket,
            "group_by": list(question.group_by),
            "relative_error": sketch.RELATIVE_ERROR,
            "usage": [
                {
                    **({"start": _iso(place[0])} if question.bucket else {}),
                    **dict(zip(question.group_by, place[1:], strict=True)),
                    **_shown(values),
                }
                for place, values in places
            ],
            "total": _shown(total),
        }


_COST = SUMS.index("cost_nanos")
_WIDTH = len(SUMS) + 2


def _facet(question: Question, own: bool) -> str | None:
    """Which of the countings answers. `own`: of one key alone."""
    named = {*question.group_by, *question.only}
    facets = sorted(name for name in named if name == "user" or name.startswith("tags."))
    if unknown := sorted(named - DIMENSIONS.keys() - set(facets)):
        known = ", ".join((*DIMENSIONS, "user", "tags.NAME"))
        raise InvalidRequest(f"usage is not counted by {unknown[0]!r}; there are {known}", param="group_by")
    if len(facets) > 1:
        raise InvalidRequest(
            f"usage is counted by {' and by '.join(facets)}, but not by both at once; ask for one", param="group_by"
        )
    if facets and (beside := sorted(named - {"key", *facets})):
        raise InvalidRequest(f"{facets[0]} is counted by key alone, and not by {beside[0]}", param=beside[0])
    if facets:
        return facets[0]
    if "key" not in named and not own:
        return None
    return BY_ALL if named - {"key"} else BY_KEY


def kept_from(seconds: int) -> str:
    """The row of `meta` that says, in microseconds, since when usage of this size of time is kept."""
    return f"usage.{seconds}.from"


async def _kept(connection: AsyncConnection) -> dict[int, int]:
    """Of sizes of time: the second since when they are kept, where they are not kept forever."""
    names = {kept_from(size): size for size in (MINUTE, HOUR)}
    rows = await connection.execute(sa.select(meta.c.name, meta.c.value).where(meta.c.name.in_(names)))
    return {names[row.name]: int(row.value) // _US for row in rows}


def _window(question: Question, facet: str | None, kept: Mapping[int, int]) -> tuple[int, int]:
    """Outward to whole minutes, or to what else is counted, or still kept, of that time."""
    if question.since >= question.until:
        raise InvalidRequest("since is not before until", param="since")
    if question.bucket is not None and question.since < (first := kept.get(BUCKETS[question.bucket], 0)):
        raise InvalidRequest(
            f"usage by {question.bucket} is kept since {_iso(first)}; ask for that, or for a larger bucket",
            param="since",
        )

    def unit(at: int) -> int:
        return next(size for size in sorted(sizes(facet)) if at >= kept.get(size, 0))

    since, until = unit(question.since), unit(question.until)
    return question.since // since * since, -(-question.until // until) * until


def _pieces(since: int, until: int, facet: str | None, bucket: str | None) -> Iterator[tuple[int, int, int]]:
    """The window as (seconds, from, to): whole days, and around them hours, and around these minutes."""
    kept = sorted(sizes(facet), reverse=True)
    yield from _cut(since, until, [size for size in kept if bucket is None or size <= BUCKETS[bucket]])


def _cut(since: int, until: int, sizes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    if since >= until:
        return
    size, *smaller = sizes
    first, last = -(-since // size) * size, until // size * size
    if first >= last:
        yield from _cut(since, until, smaller)
        return
    yield from _cut(since, first, smaller)
    yield size, first, last
    yield from _cut(last, until, smaller)


def _query(
    question: Question, facet: str | None, piece: tuple[int, int, int], key_id: str | None
) -> sa.Select[tuple[Any, ...]]:
    seconds, first, last = piece
    size = BUCKETS[question.bucket] if question.bucket else 0
    start = usage.c.start_us // (size * _US) * size if size else sa.literal(0)
    columns = [usage_groups.c.value if name == facet else DIMENSIONS[name] for name in question.group_by]
    query = sa.select(start, *columns, *(usage.c[name] for name in SUMS), usage.c.latency, usage.c.ttft)
    query = query.join_from(usage, usage_groups, usage_groups.c.id == usage.c.group_id).where(
        usage.c.seconds == seconds, usage.c.start_us >= first * _US, usage.c.start_us < last * _US
    )
    query = query.where(usage_groups.c.facet.is_(None) if facet is None else usage_groups.c.facet == facet)
    if key_id is not None:
        query = query.where(usage_groups.c.key_id == key_id)
    for name, values in question.only.items():
        column = usage_groups.c.value if name == facet else DIMENSIONS[name]
        query = query.where(column.in_([_value(name, value) for value in values]))
    return query


def _value(name: str, text: str) -> str | int:
    if name != "prompt_version":
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest(f"prompt_version is {text!r}; say a whole number", param=name)
    return int(text)


def _add(found: dict[Key, list[int]], rows: Sequence[Any], named: int) -> None:
    """Rows to the place that each belongs to. Integers of any size add up here, which those of a database do not."""
    places: dict[Key, list[Any]] = {}
    for row in rows:
        places.setdefault(tuple(row[: named + 1]), []).append(row[named + 1 :])
    for place, several in places.items():
        *sums, latencies, firsts = zip(*several, strict=True)
        unpacked = sketch.unpacked
        values = [*map(sum, sums), sum(map(unpacked, latencies)), sum(map(unpacked, firsts))]
        known = found.get(place)
        found[place] = values if known is None else [a + b for a, b in zip(known, values, strict=True)]


def _shown(values: Sequence[int]) -> Json:
    known = dict(zip(SUMS, values, strict=False))
    latency, ttft = values[len(SUMS) :]
    mean = known["duration_us"] / known["timed"] / 1000 if known["timed"] else None
    return {
        "calls": known["calls"],
        "errors": known["errors"],
        "cancelled": known["cancelled"],
        "tokens": {**{name: known[name] for name in TOKENS}, "unknown_calls": known["unmetered"]},
        "cost": {
            "usd": dollars(known["cost_nanos"]),
            "nanos": known["cost_nanos"],
            "unknown_calls": known["unpriced"],
        },
        "latency_ms": {"mean": mean, **_quantiles(latency)},
        "ttft_ms": _quantiles(ttft),
    }


def _quantiles(merged: int) -> dict[str, float | None]:
    found = sketch.quantiles(merged, tuple(QUANTILES.values()))
    return {
        name: None if value is None else round(value / 1000, 3) for name, value in zip(QUANTILES, found, strict=True)
    }


def _iso(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def today() -> tuple[int, int]:
    """The window that is meant when none is said: the last 24 hours."""
    now = int(time.time())
    return now - DAY, now
