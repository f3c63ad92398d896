"""The table by which calls with a rare tag are found on SQLite; on PostgreSQL the column of tags has an index."""

from __future__ import annotations

import sqlalchemy as sa

from tracking.tables import metadata

LONGEST = 100
"""Characters of a name and its value, `=` between them, that are indexed."""

call_tags = sa.Table(
    "call_tags",
    metadata,
    sa.Column("tag", sa.String, primary_key=True),
    sa.Column("id", sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql"), primary_key=True),
    sqlite_with_rowid=False,
)
"""Each tag of a call: of those up to `meta`'s `call_tags.last`, the id of a call, in the order in which they came into
the store. Triggers keep it to what becomes of a call later: its tags changed, or deleted."""
LAST = "call_tags.last"
