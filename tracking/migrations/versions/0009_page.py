"""Saved views, labs, moves of aliases, and configurations that were in use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Json = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("page", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("query", _Json, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("key_id", sa.String),
        sa.Column("made_by", sa.String),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("saved_views_page", "saved_views", ["page"])
    op.create_table(
        "labs",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("key_id", sa.String),
        sa.Column("made_by", sa.String),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("columns", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("labs_updated", "labs", ["updated_us"])
    op.create_index("labs_key", "labs", ["key_id", "updated_us"])
    op.create_table(
        "lab_versions",
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
    op.create_table(
        "lab_files",
        sa.Column("lab_id", sa.String, sa.ForeignKey("labs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "lab_cells",
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
    )
    op.create_index("lab_cells_updated", "lab_cells", ["lab_id", "updated_us"])
    op.create_table(
        "lab_votes",
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
    )
    op.create_index("lab_votes_lab", "lab_votes", ["lab_id"])
    op.create_table(
        "alias_moves",
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
    )
    op.create_index("alias_moves_alias", "alias_moves", ["name", "alias", "id"])
    op.create_table(
        "protected_aliases",
        sa.Column("alias", sa.String, primary_key=True),
    )
    op.create_table(
        "config_revisions",
        sa.Column("revision", sa.String, primary_key=True),
        sa.Column("settings", _Json, nullable=False),
        sa.Column("first_us", sa.BigInteger, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
    )
