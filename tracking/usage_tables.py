"""The tables of usage: what calls came to by minute, hour and day, and the words of what was said in them."""

from __future__ import annotations

import sqlalchemy as sa

from tracking.tables import metadata

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "searches",
)
SUMS = ("calls", "errors", "cancelled", "unpriced", "unmetered", "cost_nanos", "duration_us", "timed", *TOKENS)
"""Columns of `usage` that add up."""

usage_groups = sa.Table(
    "usage_groups",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("endpoint", sa.String),
    sa.Column("provider", sa.String),
    sa.Column("model", sa.String),
    sa.Column("key_id", sa.String),
    sa.Column("prompt_name", sa.String),
    sa.Column("prompt_version", sa.BigInteger),
    sa.Column("facet", sa.String),
    sa.Column("value", sa.String),
    sa.Index("usage_groups_facet", "facet", "value"),
)
"""What usage is counted by; the id is a hash of the rest, so processes need not agree on one.

Each facet counts calls by other columns, the rest of which are NULL: without one, by all but the key; `by key`, by that
alone; `by all`, by all; `user`, or `tags.` and a tag's name, by the key and the value that a call has for it. A value
of NULL stands for all that were too many to tell apart.
"""

usage = sa.Table(
    "usage",
    metadata,
    sa.Column("group_id", sa.BigInteger, primary_key=True),
    sa.Column("seconds", sa.Integer, primary_key=True),
    sa.Column("start_us", sa.BigInteger, primary_key=True),
    sa.Column("part", sa.String(16), primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in SUMS),
    sa.Column("latency", sa.LargeBinary, nullable=False),
    sa.Column("ttft", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""What the calls that began in one minute, hour or day (`seconds`) came to.

Each recorder writes rows of its own (`part`), so none waits for another. `unpriced` calls have no known cost,
`unmetered` ones no known tokens, `timed` ones a duration; `latency` and `ttft` are `tracking.sketch`es of microseconds.
"""

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")

usage_waiting = sa.Table(
    "usage_waiting",
    metadata,
    sa.Column("number", _SERIAL, primary_key=True),
    sa.Column("figures", sa.Text, nullable=False),
)
"""What is counted of calls that are recorded and not in `usage` yet: JSON, a row for each of the recorder's batches."""

texts = sa.Table(
    "texts",
    metadata,
    sa.Column("number", _SERIAL, primary_key=True),
    sa.Column("id", _ID, nullable=False, unique=True),
    sa.Column("words", sa.Text, nullable=False),
)
"""The words of each call, as `tracking.texts` makes them; the migrations lay an index over them, `texts_words`.

On SQLite, calls that began earlier have lower numbers: `number` of the beginning, and what else is free of its slots.
"""
texts_words = sa.table("texts_words", sa.column("rowid", sa.BigInteger), sa.column("texts_words", sa.String))
"""That index on SQLite, whose rows are those of `texts`; the column of its own name is what is matched."""
SLOTS = 4096
"""Numbers of one millisecond, which is more than there are calls in it."""
LAST_NUMBER = 2**63 - SLOTS


def number(started_us: int) -> int:
    """The first of the numbers that a call which began then may have."""
    return min(max(started_us // 1_000, 0) * SLOTS, LAST_NUMBER - SLOTS)


texts_waiting = sa.Table(
    "texts_waiting",
    metadata,
    sa.Column("number", _SERIAL, primary_key=True),
    sa.Column("ids", sa.Text, nullable=False),
)
"""Calls whose words are not in `texts` yet: the ids of one batch, with blanks between them."""
