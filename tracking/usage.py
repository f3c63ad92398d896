"""Keeps what calls come to by minute, hour and day, in the transaction that records them.

Exact: a call is counted when its row is inserted, and never again. A process keeps the totals that it is writing in
memory and writes them whole, in rows of its own; so it need not read them, and no two processes wait for each other.
When a transaction fails, nobody knows whether it was committed, and the process goes on in new rows.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tracking import sketch
from tracking.rows import Row
from tracking.tables import calls
from tracking.usage_tables import SUMS, TOKENS, usage, usage_groups

MINUTE, HOUR, DAY = 60, 3_600, 86_400
STATES_MOST = 20_000
"""Totals held in memory, after which they are begun anew."""
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

_COLUMN = {name: n for n, name in enumerate(calls.columns.keys())}
_dimensions = itemgetter(
    *map(_COLUMN.get, ("endpoint", "provider", "model", "key_id", "prompt_name", "prompt_version"))
)
_facts = itemgetter(*map(_COLUMN.get, ("status", "cost_nanos", "duration_us", "ttft_us", *TOKENS)))
_STARTED, _USER, _TAGS = _COLUMN["started_us"], _COLUMN["end_user"], _COLUMN["tags"]
_US = 1_000_000


class Keeping:
    """The totals of one process. It belongs to one writer."""

    def __init__(self, dialect: sa.Dialect) -> None:
        self._groups = _insertion(usage_groups, dialect, ())
        self._usage = _insertion(usage, dialect, (*SUMS, "latency", "ttft"))
        self._values: dict[str, set[str]] = {}
        self._day = 0
        self._part = ""
        self._totals: dict[Place, Totals] = {}
        self._ids: dict[Dimensions, int] = {}
        self._new: list[Row] = []
        self._anew()

    @contextmanager
    def exactly(self) -> Iterator[None]:
        """Around a transaction in which there is a `write`."""
        try:
            yield
        except BaseException:
            self._anew()
            raise

    async def write(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Count rows of `calls` that this transaction has inserted."""
        if len(self._totals) > STATES_MOST:
            self._anew()
        folded = self._folded(rows)
        for place, added in folded.items():
            if (known := self._totals.get(place)) is not None:
                folded[place] = added = [a + b for a, b in zip(known, added, strict=True)]
            self._totals[place] = added
        if self._new:
            await connection.exec_driver_sql(self._groups, self._new)
            self._new = []
        if folded:
            await connection.exec_driver_sql(self._usage, [self._row(*item) for item in folded.items()])

    def _anew(self) -> None:
        self._part = secrets.token_hex(8)
        self._totals, self._ids, self._new = {}, {}, []

    def _folded(self, rows: Sequence[Row]) -> dict[Place, Totals]:
        minutes: dict[tuple[int, Dimensions], list[Row]] = defaultdict(list)
        faceted: dict[tuple[int, Dimensions], list[Row]] = defaultdict(list)
        for row in rows:
            minute, dimensions = row[_STARTED] // (MINUTE * _US), _dimensions(row)
            minutes[minute, dimensions].append(row)
            if row[_USER] is not None or row[_TAGS] is not None:
                for facet in self._facets(row):
                    faceted[minute // 60, (*dimensions, *facet)].append(row)
        folded: dict[Place, Totals] = {}
        for (minute, dimensions), several in minutes.items():
            _spread(folded, minute * MINUTE, self._id((*dimensions, None, None)), _totals(several), (MINUTE, HOUR, DAY))
        for (hour, dimensions), several in faceted.items():
            _spread(folded, hour * HOUR, self._id(dimensions), _totals(several), (HOUR, DAY))
        return folded

    def _facets(self, row: Row) -> Iterator[tuple[str, str | None]]:
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
        return (*place, self._part, *sums, *map(sketch.packed, totals[len(SUMS) :]))


def _totals(rows: Iterable[Row]) -> Totals:
    statuses, costs, durations, firsts, *tokens = zip(*map(_facts, rows), strict=True)
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


def _spread(folded: dict[Place, Totals], second: int, group: int, totals: Totals, sizes: Sequence[int]) -> None:
    for size in sizes:
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
