"""Keeps what calls come to by minute, hour and day.

Exact: the transaction that inserts calls leaves their figures in `usage_waiting`, one row a batch, which costs it next
to nothing; another transaction takes them from there and adds them up. A process keeps the totals that it is writing in
memory and writes them whole, in rows of its own; so it need not read them, and no two processes wait for each other.
When a transaction fails, nobody knows whether it was committed, and the process goes on in new rows.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking import sketch
from tracking.database import AWAY, Database, reason
from tracking.rows import COLUMNS, Row
from tracking.usage_tables import SUMS, TOKENS, usage, usage_groups, usage_waiting

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SETTLE_SECONDS = 2.0
BATCHES = 5
"""Of the recorder's, counted in one transaction."""
STATES_MOST = 20_000
"""Totals of one size of time that are held in memory, after which they are begun anew."""
VALUES_MOST = 1_000
"""Values of one facet that a process tells apart on one day."""
FACETS_MOST = 32
"""Tags that a process tells apart on one day."""
LARGEST = 2**55
"""A total goes no further: 36 million dollars a minute is nonsense, which must not keep a call from being kept."""

Dimensions = tuple[Any, ...]
"""Of `usage_groups`, all but the id."""
Totals = list[int]
"""`SUMS`, and the two sketches."""
Place = tuple[int, int, int]
"""Seconds, start in microseconds, group."""

Figures = Sequence[Any]
"""Of one call: `_COUNTED`, in this order."""

BY_KEY, BY_ALL = "by key", "by all"
"""Facets beside those of users and tags: every call by its key alone, and by its key and all else."""

_COUNTED = (
    "started_us",
    *("endpoint", "provider", "model", "key_id", "prompt_name", "prompt_version"),
    *("status", "cost_nanos", "duration_us", "ttft_us", *TOKENS),
    "end_user",
    "tags",
)
_KEY, _FACTS, _USER, _TAGS = 4, 7, len(_COUNTED) - 2, len(_COUNTED) - 1
_figures = itemgetter(*map(COLUMNS.index, _COUNTED))
_US = 1_000_000
log = logging.getLogger("gatelog.usage")


def waiting(rows: Sequence[Row]) -> Row:
    """Of `usage_waiting`: what is counted of these rows of `calls`."""
    return (orjson.dumps(list(map(_figures, rows))).decode(),)


def waiting_insertion(dialect: sa.Dialect) -> str:
    return str(sa.insert(usage_waiting).values(figures=None).compile(dialect=dialect, column_keys=["figures"]))


class Keeping:
    """The totals of one process."""

    def __init__(self, database: Database) -> None:
        dialect = database.writer.dialect
        self._database, self._one_at_a_time = database, asyncio.Lock()
        self._groups = _insertion(usage_groups, dialect, ())
        self._usage = _insertion(usage, dialect, (*SUMS, "latency", "ttft"))
        self._values: dict[str, set[str]] = {}
        self._day = 0
        self._parts: dict[int, str] = {}
        self._totals: dict[int, dict[Place, Totals]] = {}
        self._ids: dict[Dimensions, int] = {}
        self._new: list[Row] = []
        self._anew()

    async def settle(self) -> int:
        """Count all that waits, and say how many calls that were."""
        counted = 0
        async with self._one_at_a_time:
            while (step := await self._step()) is not None:
                counted += step
        return counted

    async def watch(self) -> None:
        """Count what comes in, for ever."""
        while True:
            try:
                await self.settle()
            except AWAY as exc:
                log.warning("usage is not counted while the store is away: %s", reason(exc))
            await asyncio.sleep(SETTLE_SECONDS)

    async def _step(self) -> int | None:
        """One transaction; None when there was nothing to do."""
        async with self._database.reading() as connection:
            if (await connection.execute(sa.select(usage_waiting.c.number).limit(1))).first() is None:
                return None
        try:
            async with self._database.writing() as connection:
                # Several processes may be at it: what one has taken, the others pass over.
                first = sa.select(usage_waiting.c.number).order_by(usage_waiting.c.number).limit(BATCHES)
                taken = sa.delete(usage_waiting).where(
                    usage_waiting.c.number.in_(first.with_for_update(skip_locked=True).scalar_subquery())
                )
                texts = (await connection.execute(taken.returning(usage_waiting.c.figures))).scalars().all()
                if not texts:
                    return None
                groups, totals, counted = await asyncio.to_thread(self._counted, texts)
                if groups:
                    await connection.exec_driver_sql(self._groups, groups)
                if totals:
                    await connection.exec_driver_sql(self._usage, totals)
        except BaseException:
            self._anew()
            raise
        return counted

    def _counted(self, texts: Sequence[str]) -> tuple[list[Row], list[Row], int]:
        """Rows of `usage_groups` and of `usage`, and of how many calls."""
        rows = [row for text in texts for row in orjson.loads(text)]
        for size, totals in self._totals.items():
            if len(totals) > STATES_MOST:
                self._begin(size)
        if len(self._ids) > STATES_MOST:
            self._ids.clear()
        folded = self._folded(rows)
        for place, added in folded.items():
            held = self._totals[place[0]]
            if (known := held.get(place)) is not None:
                folded[place] = added = [a + b for a, b in zip(known, added, strict=True)]
            held[place] = added
        groups, self._new = self._new, []
        return groups, [self._row(*item) for item in folded.items()], len(rows)

    def _anew(self) -> None:
        self._ids, self._new = {}, []
        for size in (MINUTE, HOUR, DAY):
            self._begin(size)

    def _begin(self, size: int) -> None:
        """Go on in new rows, for this size of time."""
        self._parts[size], self._totals[size] = secrets.token_hex(8), {}

    def _folded(self, rows: Sequence[Figures]) -> dict[Place, Totals]:
        cells: dict[tuple[int, Dimensions], list[Figures]] = defaultdict(list)
        faceted: dict[tuple[int, Dimensions], list[Figures]] = defaultdict(list)
        for row in rows:
            minute = row[0] // (MINUTE * _US)
            cells[minute, tuple(row[1:_FACTS])].append(row)
            if row[_USER] is not None or row[_TAGS] is not None:
                for facet in self._facets(row):
                    faceted[minute // 60, (None, None, None, row[_KEY], None, None, *facet)].append(row)
        folded: dict[Place, Totals] = {}
        for (minute, (endpoint, provider, model, key, prompt, version)), several in cells.items():
            totals = _totals(several)
            for dimensions in (
                (endpoint, provider, model, None, prompt, version, None, None),
                (None, None, None, key, None, None, BY_KEY, None),
                (endpoint, provider, model, key, prompt, version, BY_ALL, None),
            ):
                _spread(folded, minute * MINUTE, self._id(dimensions), totals, sizes(dimensions[-2]))
        for (hour, dimensions), several in faceted.items():
            _spread(folded, hour * HOUR, self._id(dimensions), _totals(several), sizes(dimensions[-2]))
        return folded

    def _facets(self, row: Figures) -> Iterator[tuple[str, str | None]]:
        if (day := int(time.time()) // DAY) != self._day:
            self._day, self._values = day, {}
        if row[_USER] is not None:
            yield self._told_apart("user", row[_USER])
        if row[_TAGS] is not None:
            for name, value in orjson.loads(row[_TAGS]).items():
                facet = f"tags.{name}"
                if facet in self._values or len(self._values) < FACETS_MOST:
                    yield self._told_apart(facet, value)

    def _told_apart(self, facet: str, value: str) -> tuple[str, str | None]:
        known = self._values.setdefault(facet, set())
        if value not in known:
            if len(known) >= VALUES_MOST:
                return facet, None
            known.add(value)
        return facet, value

    def _id(self, dimensions: Dimensions) -> int:
        id = self._ids.get(dimensions)
        if id is None:
            digest = hashlib.blake2b(orjson.dumps(dimensions), digest_size=8).digest()
            id = self._ids[dimensions] = int.from_bytes(digest, "big", signed=True)
            self._new.append((id, *dimensions))
        return id

    def _row(self, place: Place, totals: Totals) -> Row:
        sums = (min(total, LARGEST) for total in totals[: len(SUMS)])
        size, start, group = place
        return (group, size, start, self._parts[size], *sums, *map(sketch.packed, totals[len(SUMS) :]))


def sizes(facet: str | None) -> tuple[int, ...]:
    """In which sizes of time a facet is counted."""
    return (MINUTE, HOUR, DAY) if facet in (None, BY_KEY) else (HOUR, DAY)


def _totals(rows: Iterable[Figures]) -> Totals:
    statuses, costs, durations, firsts, *tokens = list(zip(*rows, strict=True))[_FACTS:_USER]
    cancelled, timed = statuses.count("client_cancelled"), [duration for duration in durations if duration is not None]
    unmetered = sum(input is None or output is None for input, output in zip(tokens[0], tokens[1], strict=True))
    return [
        len(statuses),
        len(statuses) - statuses.count("ok") - cancelled,
        cancelled,
        costs.count(None),
        unmetered,
        sum(filter(None, costs)),
        sum(timed),
        len(timed),
        *(sum(filter(None, column)) for column in tokens),
        sketch.of(timed),
        sketch.of([first for first in firsts if first is not None]),
    ]


def _spread(folded: dict[Place, Totals], second: int, group: int, totals: Totals, within: Sequence[int]) -> None:
    for size in within:
        place = (size, second // size * size * _US, group)
        known = folded.get(place)
        folded[place] = totals if known is None else [a + b for a, b in zip(known, totals, strict=True)]


def _insertion(table: sa.Table, dialect: sa.Dialect, replaced: Sequence[str]) -> str:
    """Of one row; where it is there already, these columns are written anew."""
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(dict.fromkeys(table.columns.keys()))
    if replaced:
        new = {name: statement.excluded[name] for name in replaced}
        statement = statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=new)
    else:
        statement = statement.on_conflict_do_nothing()
    return str(statement.compile(dialect=dialect))
