"""Searches for words, a window of time after another: the newest runs with a common word, and not all that have it.

SQLite's index over words gives what matches by its number, and the numbers of `texts` are in the order of time. So a
page of the newest looks at a few matches from the end, and at four times as many again only where that was too little.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import sqlalchemy as sa

from tracking.engines import AsyncConnection
from tracking.grammar import And, Comparison, Source, Tree, parse
from tracking.order import Order, Values
from tracking.search import WORDS_FROM, WORDS_UNTIL, as_words, matching, phrases
from tracking.tables import calls
from tracking.usage_tables import LAST_NUMBER, SLOTS, number, texts_words

FEW = 128
"""Matches that the first window has."""
TIMES = 4

Window = Mapping[str, int]
"""Parameters for a statement with a condition of `search.where`."""
WHOLE: Window = {}


async def windows(
    connection: AsyncConnection, source: Source, order: Order, after: Values | None = None
) -> AsyncIterator[Window]:
    """Rows of each window come before those of the next in this order, and all windows together are everything.

    `after` is where the page before ended.
    """
    asked = _words(parse(source))
    newest = order.terms[0].column is calls.c.started_us and order.terms[0].descending
    if asked is None or not newest or connection.dialect.name != "sqlite":
        yield WHOLE
        return
    row, match = texts_words.c.rowid, matching(phrases(source, asked.key, asked.values[0]))
    until = LAST_NUMBER if after is None else number(after[0] + 1_000)
    few = FEW
    while until > 0:
        last = sa.select(row).where(match, row < until).order_by(row.desc()).limit(1).offset(few - 1)
        edge = (await connection.execute(last)).scalar()
        first = 0 if edge is None else edge // SLOTS * SLOTS
        yield {WORDS_FROM: first, WORDS_UNTIL: until}
        until, few = first, few * TIMES


def _words(tree: Tree | None) -> Comparison | None:
    """A comparison with words that must be true of whatever is found."""
    match tree:
        case Comparison(key, "=" | "LIKE" | "ILIKE") if key.name == "text" and key.section in ATTRIBUTES:
            return as_words(tree)
        case And(terms):
            found: list[Any] = [each for each in map(_words, terms) if each is not None]
            return found[0] if found else None
        case _:
            return None


ATTRIBUTES = frozenset({None, "attributes", "attribute", "attr", "run", "trace"})
"""Sections in which `text` is what was said."""
