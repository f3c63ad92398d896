"""Calls found by a rare tag, without a look at all the others.

On SQLite an index of tags is kept beside the calls, in steps, so that it costs a call nothing; a search looks at those
that came after the last step itself. A common tag is found sooner by going through the newest calls.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tracking.call_tag_tables import LAST, LONGEST, call_tags
from tracking.database import AWAY, Database, reason
from tracking.engines import AsyncConnection
from tracking.fields import SECTIONS, Fields
from tracking.grammar import And, Comparison, Source, Tree, parse
from tracking.search import Condition
from tracking.tables import calls, meta

RARE = 2_000
"""Calls of a tag that are looked up one by one; where there are more, a page of the newest is soon full."""
STEP, STEP_SECONDS, SHARE = 1_000, 0.5, 0.05
"""Calls whose tags are indexed in one transaction, and the share of one core that this may take."""
_ROW: sa.ColumnElement[int] = sa.literal_column("calls.rowid", sa.BigInteger)
log = logging.getLogger("gatelog.tags")


async def by_rare_tags(connection: AsyncConnection, source: Source, fields: Fields) -> list[Condition]:
    """Conditions on calls that are true of all that a filter finds, and lead to them where they are few."""
    found: list[Condition] = []
    for name, values in _tags(parse(source)):
        if name in fields.particular:
            continue
        if connection.dialect.name == "postgresql":
            tags = sa.type_coerce(calls.c.tags, JSONB)
            found.append(sa.or_(*(tags.contains({name: value}) for value in values)))
            continue
        asked = call_tags.c.tag.in_([f"{name}={value}"[:LONGEST] for value in values])
        few = sa.select(sa.literal(1)).where(asked).limit(RARE + 1).subquery()
        if (await connection.execute(sa.select(sa.func.count()).select_from(few))).scalar_one() <= RARE:
            later = sa.select(calls.c.id).where(_last_row() < _ROW).correlate(None)
            found.append(calls.c.id.in_(sa.union_all(sa.select(call_tags.c.id).where(asked), later)))
    return found


class CallTags:
    """The index of one store; on PostgreSQL there is nothing to keep."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def index(self) -> int:
        """Index all that is not, and say how many calls that were."""
        indexed = 0
        while not self._database.postgres and (step := await self._step()):
            indexed += step
        return indexed

    async def watch(self) -> None:
        """Index for ever."""
        while not self._database.postgres:
            began = time.monotonic()
            try:
                await self._step()
            except AWAY as exc:
                log.warning("no tags are indexed while the store is away: %s", reason(exc))
            spent = time.monotonic() - began
            await asyncio.sleep(max(STEP_SECONDS, spent / SHARE))
        await asyncio.Event().wait()

    async def _step(self) -> int:
        next = sa.select(_ROW, calls.c.id).where(_last_row() < _ROW).order_by(_ROW).limit(STEP)
        async with self._database.reading() as connection:
            if (await connection.execute(next.limit(1))).first() is None:
                return 0
        async with self._database.writing() as connection:
            rows = (await connection.execute(next)).all()
            if rows:
                between = {"first": rows[0][0], "last": rows[-1][0], "longest": LONGEST}
                await connection.execute(_INDEX, between)
                await connection.execute(_REMEMBER, {"name": LAST, "id": rows[-1].id})
        return len(rows)


def _last_row() -> sa.ScalarSelect[int]:
    """Of the last call that is indexed; 0 where it has been deleted, and all may have come after it."""
    other = calls.alias("indexed")
    row: sa.ColumnElement[int] = sa.literal_column("indexed.rowid", sa.BigInteger)
    last = sa.select(row).join_from(other, meta, meta.c.value == other.c.id).where(meta.c.name == LAST)
    return sa.select(sa.func.coalesce(last.scalar_subquery(), 0)).scalar_subquery()


# Sorted, because a page of the index is then written once for all that falls on it.
_INDEX = sa.text(
    "INSERT OR IGNORE INTO call_tags SELECT substr(each.key || '=' || each.value, 1, :longest), calls.id "
    "FROM calls, json_each(calls.tags) AS each WHERE calls.rowid BETWEEN :first AND :last AND calls.tags IS NOT NULL "
    "ORDER BY 1, 2"
)
_REMEMBER = sa.text(
    "INSERT INTO meta (name, value) VALUES (:name, :id) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def _tags(tree: Tree | None) -> Iterator[tuple[str, list[str]]]:
    """The tags that whatever is found must have: the name, and the values of which it has one."""
    match tree:
        case Comparison(key, "=" | "IN") if SECTIONS.get(key.section or "") == "tags":
            values = [each.value for each in tree.values if isinstance(each.value, str)]
            if len(values) == len(tree.values):
                yield key.name, values
        case And(terms):
            for term in terms:
                yield from _tags(term)
