"""The words of prompts and answers, indexed beside the calls in a small share of the time, and found by filters.

A word is what stands between characters that are neither letter nor digit; its case is not minded. The recorder leaves
the ids of each batch in `texts_waiting`, and costs a call nothing more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking.database import AWAY, Database, reason
from tracking.rows import Row
from tracking.runs import BOTH, DETAILS, detailed
from tracking.search import words
from tracking.shape import COLUMNS
from tracking.tables import calls
from tracking.usage_tables import texts, texts_waiting

STEP_SECONDS, SHARE = 1.0, 0.05
"""The index may take this much of one core from the calls: at most a step a second, and rarer when steps are long. A
gateway that is busier than that has its words indexed when it is less busy."""
BATCHES = 1
LONGEST = 20_000
"""Words of one call that are indexed: of each of a very long request and answer the first."""
SPOKEN = frozenset({"content", "text", "prompt", "input", "arguments", "refusal", "reasoning_content", "output"})
"""Keys whose strings somebody has said."""
log = logging.getLogger("gatelog.texts")


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
            query = sa.select(*COLUMNS, *DETAILS).select_from(BOTH).where(calls.c.id.in_(ids))
            rows = (await connection.execute(query)).mappings().all() if ids else []
        if not batches:
            return None
        said = await asyncio.to_thread(_said, rows)
        insert = postgresql.insert if self._database.postgres else sqlite.insert
        async with self._database.writing() as connection:
            if said:
                await connection.execute(insert(texts).on_conflict_do_nothing(), said)
            numbers = [batch.number for batch in batches]
            await connection.execute(sa.delete(texts_waiting).where(texts_waiting.c.number.in_(numbers)))
        return len(ids)


def _said(rows: Sequence[sa.RowMapping]) -> list[dict[str, str]]:
    said = []
    for row in rows:
        run = detailed(row, False)
        found = [words(" ".join(_spoken(run[side], side == "response")))[:LONGEST] for side in ("request", "response")]
        if any(found):
            said.append({"id": row["id"], "words": " ".join(word for side in found for word in side)})
    return said


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
