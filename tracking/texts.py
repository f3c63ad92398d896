"""The words of prompts and answers, indexed beside the calls in a small share of the time, and found by filters.

A word is what stands between characters that are neither letter nor digit; its case is not minded. The recorder leaves
the ids of each batch in `texts_waiting`, and costs a call nothing more.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking.database import AWAY, Database, reason
from tracking.engines import AsyncConnection
from tracking.payloads import Payloads, payloads_of
from tracking.rows import Row
from tracking.runs import detailed
from tracking.search import words
from tracking.shape import COLUMNS
from tracking.tables import calls
from tracking.usage_tables import SLOTS, number, texts, texts_waiting

STEP_SECONDS, SHARE = 1.0, 0.05
"""The index may take this much of one core from the calls: at most a step a second, and rarer when steps are long. A
gateway that is busier than that has its words indexed when it is less busy."""
BATCHES = 1
LONGEST = 20_000
"""Words of one call that are indexed: of each of a very long request and answer the first."""
SPOKEN = frozenset({"content", "text", "prompt", "input", "arguments", "refusal", "reasoning_content", "output"})
"""Keys whose strings somebody has said."""
TRIES = 16
log = logging.getLogger("gatelog.texts")


class Said(NamedTuple):
    """The words of one call."""

    id: str
    started_us: int
    words: str


def waiting(rows: Sequence[Row]) -> Row:
    """Of `texts_waiting`: these rows of `calls`."""
    return (" ".join(row[0] for row in rows),)


def waiting_insertion(dialect: sa.Dialect) -> str:
    return str(sa.insert(texts_waiting).values(ids=None).compile(dialect=dialect, column_keys=["ids"]))


class Texts:
    """The index of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def index(self) -> int:
        """Index all that waits, and say how many calls that were."""
        indexed = 0
        while (step := await self._step()) is not None:
            indexed += step
        return indexed

    async def watch(self) -> None:
        """Index for ever."""
        while True:
            began = time.monotonic()
            try:
                await self._step()
            except AWAY as exc:
                log.warning("no words are indexed while the store is away: %s", reason(exc))
            spent = time.monotonic() - began
            await asyncio.sleep(max(STEP_SECONDS, spent / SHARE))

    async def _step(self) -> int | None:
        """The oldest batches that wait. What is read from them is read before the transaction that writes."""
        first = sa.select(texts_waiting.c.number, texts_waiting.c.ids).order_by(texts_waiting.c.number).limit(BATCHES)
        async with self._database.reading() as connection:
            batches = (await connection.execute(first)).all()
            ids = [id for batch in batches for id in batch.ids.split()]
            query = sa.select(*COLUMNS).where(calls.c.id.in_(ids)).order_by(calls.c.id)
            rows = (await connection.execute(query)).mappings().all() if ids else []
            payloads = await payloads_of(connection, rows)
        if not batches:
            return None
        said = await asyncio.to_thread(_said, rows, payloads)
        insert = postgresql.insert if self._database.postgres else sqlite.insert
        async with self._database.writing() as connection:
            if self._database.postgres:
                new = [{"id": each.id, "words": each.words} for each in said]
            else:
                new = await _numbered(connection, said)
            if new:
                await connection.execute(insert(texts).on_conflict_do_nothing(), new)
            numbers = [batch.number for batch in batches]
            await connection.execute(sa.delete(texts_waiting).where(texts_waiting.c.number.in_(numbers)))
        return len(ids)


def _said(rows: Sequence[sa.RowMapping], payloads: Payloads) -> list[Said]:
    said = []
    for row in rows:
        run = detailed(row, payloads, False)
        found = [words(" ".join(_spoken(run[side], side == "response")))[:LONGEST] for side in ("request", "response")]
        if any(found):
            text = " ".join(word for side in found for word in side)
            said.append(Said(row["id"], row["started_us"], text))
    return said


async def _numbered(connection: AsyncConnection, said: Sequence[Said]) -> list[dict[str, Any]]:
    """Those that are not in `texts`, each with a number that is free; by number, which SQLite's index wants them by."""
    there = sa.select(texts.c.id).where(texts.c.id.in_([each.id for each in said]))
    known = set((await connection.execute(there)).scalars())
    left = [(number(each.started_us), each) for each in said if each.id not in known]
    placed: dict[int, Said] = {}
    tries = 0
    while left:
        # A millisecond that has been full so often gives to the next.
        tries += 1
        beyond = max(0, tries - TRIES) * SLOTS
        chosen = [(first + beyond + secrets.randbelow(SLOTS), first, each) for first, each in left]
        taken = sa.select(texts.c.number).where(texts.c.number.in_([place for place, _, _ in chosen]))
        full = set((await connection.execute(taken)).scalars())
        left = []
        for place, first, each in chosen:
            if place in full or place in placed:
                left.append((first, each))
            else:
                placed[place] = each
    return [{"number": place, "id": placed[place].id, "words": placed[place].words} for place in sorted(placed)]


def _spoken(value: Any, said: bool = False) -> Iterator[str]:
    match value:
        case str() if said:
            yield value
        case list():
            for item in value:
                yield from _spoken(item, said)
        case dict():
            for name, item in value.items():
                yield from _spoken(item, name in SPOKEN)
