"""The tables of the page: saved views, labs and what became of their cells, moves of aliases, configurations."""

from __future__ import annotations

import sqlalchemy as sa

from tracking.tables import metadata

_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Json = sa.JSON(none_as_null=True)

saved_views = sa.Table(
    "saved_views",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("page", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("query", _Json, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("key_id", sa.String),
    sa.Column("made_by", sa.String),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("saved_views_page", "page"),
)
"""What somebody looks for again: a search of a page, by a name. `query` is the page's own."""

labs = sa.Table(
    "labs",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("key_id", sa.String),
    sa.Column("made_by", sa.String),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("columns", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("labs_updated", "updated_us"),
    sa.Index("labs_key", "key_id", "updated_us"),
)
"""Labs: rows x columns x repeats of calls. `version` is the newest of `lab_versions`; sizes are repeated for lists."""

lab_versions = sa.Table(
    "lab_versions",
    metadata,
    sa.Column("lab_id", sa.String, sa.ForeignKey("labs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("state", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("label", sa.String),
    sa.Column("key_id", sa.String),
    sa.Column("made_by", sa.String),
    sa.Column("created_us", sa.BigInteger, nullable=False),
)
"""States of a lab, as JSON, compressed. `digest` is of the state, `size` of it in bytes before it was compressed."""

lab_files = sa.Table(
    "lab_files",
    metadata,
    sa.Column("lab_id", sa.String, sa.ForeignKey("labs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""Images and files that rows of a lab show to models, by the SHA-256 of what is in them."""

lab_cells = sa.Table(
    "lab_cells",
    metadata,
    sa.Column("lab_id", sa.String, sa.ForeignKey("labs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("row_id", sa.String, primary_key=True),
    sa.Column("column_id", sa.String, primary_key=True),
    sa.Column("repeat", sa.Integer, primary_key=True),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("question", sa.String, nullable=False),
    sa.Column("run_id", sa.String),
    sa.Column("said", _Json),
    sa.Column("result", _Json),
    sa.Column("worker", sa.String, nullable=False),
    sa.Column("stop", sa.Boolean, nullable=False),
    sa.Column("started_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("lab_cells_updated", "lab_id", "updated_us"),
)
"""What became of each cell when it was run last. `question` is a hash of what was asked, `said` the message that came
for it, where that may be kept, and `result` what is known of the call. `worker` is the process that runs it."""

lab_votes = sa.Table(
    "lab_votes",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("lab_id", sa.String, sa.ForeignKey("labs.id", ondelete="CASCADE"), nullable=False),
    sa.Column("row_id", sa.String, nullable=False),
    sa.Column("repeat", sa.Integer, nullable=False),
    sa.Column("first_column", sa.String, nullable=False),
    sa.Column("second_column", sa.String, nullable=False),
    sa.Column("first_run", sa.String, nullable=False),
    sa.Column("second_run", sa.String, nullable=False),
    sa.Column("choice", sa.String, nullable=False),
    sa.Column("note", sa.String),
    sa.Column("key_id", sa.String),
    sa.Column("made_by", sa.String),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Index("lab_votes_lab", "lab_id"),
)
"""Which of two answers somebody preferred, not knowing whose they were; `first` is what was shown at the left."""

alias_moves = sa.Table(
    "alias_moves",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("alias", sa.String, nullable=False),
    sa.Column("from_version", sa.BigInteger),
    sa.Column("to_version", sa.BigInteger),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("key_id", sa.String),
    sa.Column("made_by", sa.String),
    sa.Column("note", sa.String),
    sa.Column("evidence", _Json),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Index("alias_moves_alias", "name", "alias", "id"),
)
"""Every move of an alias of a model or prompt, by whoever moved it and for what reason. NULL is no version."""

protected_aliases = sa.Table(
    "protected_aliases",
    metadata,
    sa.Column("alias", sa.String, primary_key=True),
)
"""Aliases that administrators alone may move."""

config_revisions = sa.Table(
    "config_revisions",
    metadata,
    sa.Column("revision", sa.String, primary_key=True),
    sa.Column("settings", _Json, nullable=False),
    sa.Column("first_us", sa.BigInteger, nullable=False),
    sa.Column("last_us", sa.BigInteger, nullable=False),
)
"""Configurations that were in use, without their secrets."""
