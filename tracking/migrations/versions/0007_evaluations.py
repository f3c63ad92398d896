"""Versions of datasets, and evaluations with their cells."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dataset_versions",
        sa.Column(
            "dataset_id", sa.String, sa.ForeignKey("evaluation_datasets.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("splits", sa.JSON, nullable=False),
        sa.Column("source", sa.JSON),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String),
        sa.UniqueConstraint("dataset_id", "digest", name="dataset_versions_digest"),
    )
    op.create_table(
        "dataset_pages",
        sa.Column("dataset_id", sa.String, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id", "version"], ["dataset_versions.dataset_id", "dataset_versions.version"], ondelete="CASCADE"
        ),
    )
    op.create_table(
        "evaluations",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("dataset_id", sa.String),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("cells", sa.BigInteger, nullable=False),
        sa.Column("forecast", sa.JSON),
        sa.Column("budget_nanos", sa.BigInteger),
        sa.Column("spent_nanos", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.String),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("started_us", sa.BigInteger),
        sa.Column("finished_us", sa.BigInteger),
        sa.Column("owner", sa.String),
        sa.Column("beat_us", sa.BigInteger),
        sa.Column("card", sa.LargeBinary),
        sa.Column("card_digest", sa.String),
    )
    op.create_index("evaluations_created", "evaluations", ["created_us"])
    op.create_index("evaluations_state", "evaluations", ["state"])
    op.create_table(
        "evaluation_pages",
        sa.Column("evaluation_id", ID, sa.ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("page", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "evaluation_cells",
        sa.Column("evaluation_id", ID, sa.ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("row_id", sa.String, nullable=False),
        sa.Column("variant", sa.String, nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("run_id", ID),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cost_nanos", sa.BigInteger),
        sa.Column("latency_us", sa.BigInteger),
        sa.Column("ttft_us", sa.BigInteger),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("completion_tokens", sa.BigInteger),
        sa.Column("model", sa.String),
        sa.Column("output", sa.LargeBinary),
        sa.Column("scores", sa.JSON),
    )
    op.create_index("evaluation_cells_status", "evaluation_cells", ["evaluation_id", "status", "n"])
