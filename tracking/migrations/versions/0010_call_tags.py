"""Calls by their tags."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

SQLITE = (
    "CREATE TRIGGER calls_retagged AFTER UPDATE OF tags ON calls BEGIN "
    "DELETE FROM call_tags WHERE (tag, id) IN "
    "(SELECT substr(each.key || '=' || each.value, 1, 100), old.id FROM json_each(old.tags) AS each); "
    "INSERT OR IGNORE INTO call_tags "
    "SELECT substr(each.key || '=' || each.value, 1, 100), new.id FROM json_each(new.tags) AS each; END",
    "CREATE TRIGGER calls_removed AFTER DELETE ON calls BEGIN "
    "DELETE FROM call_tags WHERE (tag, id) IN "
    "(SELECT substr(each.key || '=' || each.value, 1, 100), old.id FROM json_each(old.tags) AS each); END",
)
POSTGRESQL = ("CREATE INDEX calls_tags ON calls USING gin (tags jsonb_path_ops)",)


def upgrade() -> None:
    op.create_table(
        "call_tags",
        sa.Column("tag", sa.String, primary_key=True),
        sa.Column("id", sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql"), primary_key=True),
        sqlite_with_rowid=False,
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
