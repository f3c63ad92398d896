"""Roll-ups of usage, and full text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE = (
    "CREATE VIRTUAL TABLE texts_words USING fts5(words, content='texts', content_rowid='number', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN "
    "INSERT INTO texts_words (rowid, words) VALUES (new.number, new.words); END",
    "CREATE TRIGGER texts_removed AFTER DELETE ON texts BEGIN "
    "INSERT INTO texts_words (texts_words, rowid, words) VALUES ('delete', old.number, old.words); END",
)
POSTGRESQL = ("CREATE INDEX texts_words ON texts USING gin (to_tsvector('simple', words))",)


def upgrade() -> None:
    op.create_table(
        "usage_groups",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("endpoint", sa.String),
        sa.Column("provider", sa.String),
        sa.Column("model", sa.String),
        sa.Column("key_id", sa.String),
        sa.Column("prompt_name", sa.String),
        sa.Column("prompt_version", sa.BigInteger),
        sa.Column("facet", sa.String),
        sa.Column("value", sa.String),
    )
    op.create_index("usage_groups_facet", "usage_groups", ["facet", "value"])
    op.create_table(
        "usage",
        sa.Column("group_id", sa.BigInteger, primary_key=True),
        sa.Column("seconds", sa.Integer, primary_key=True),
        sa.Column("start_us", sa.BigInteger, primary_key=True),
        sa.Column("part", sa.String(16), primary_key=True),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("errors", sa.BigInteger, nullable=False),
        sa.Column("cancelled", sa.BigInteger, nullable=False),
        sa.Column("unpriced", sa.BigInteger, nullable=False),
        sa.Column("unmetered", sa.BigInteger, nullable=False),
        sa.Column("cost_nanos", sa.BigInteger, nullable=False),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("timed", sa.BigInteger, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_1h_tokens", sa.BigInteger, nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger, nullable=False),
        sa.Column("input_audio_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_audio_tokens", sa.BigInteger, nullable=False),
        sa.Column("searches", sa.BigInteger, nullable=False),
        sa.Column("latency", sa.LargeBinary, nullable=False),
        sa.Column("ttft", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_waiting",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("figures", sa.Text, nullable=False),
    )
    op.create_table(
        "texts",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("id", ID, nullable=False, unique=True),
        sa.Column("words", sa.Text, nullable=False),
    )
    op.create_table(
        "texts_waiting",
        sa.Column("number", SERIAL, primary_key=True),
        sa.Column("ids", sa.Text, nullable=False),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    for name, columns, present in INDEXES:
        where = sa.text(f"{present} IS NOT NULL")
        op.create_index(name, "calls", columns, sqlite_where=where, postgresql_where=where)


INDEXES = (
    ("calls_user", ["end_user", "started_us"], "end_user"),
    ("calls_prompt", ["prompt_name", "prompt_version", "started_us"], "prompt_name"),
)
