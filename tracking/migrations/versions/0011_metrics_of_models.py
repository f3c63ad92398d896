"""A value of a metric once for each model that it is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
OF_A_MODEL = sa.text("model_id > ''")


def upgrade() -> None:
    op.drop_index("run_metrics_model", "run_metrics")
    op.rename_table("run_metrics", "run_metrics_before")
    op.create_table(
        "run_metrics",
        sa.Column("run_id", ID, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("timestamp_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double, primary_key=True),
        sa.Column("nan", sa.Boolean, primary_key=True),
        sa.Column("model_id", sa.String, primary_key=True, server_default=""),
        sa.Column("dataset_name", sa.String),
        sa.Column("dataset_digest", sa.String),
    )
    op.execute(
        "INSERT INTO run_metrics SELECT run_id, key, step, timestamp_ms, value, nan, coalesce(model_id, ''), "
        "dataset_name, dataset_digest FROM run_metrics_before"
    )
    op.drop_table("run_metrics_before")
    op.create_index(
        "run_metrics_model", "run_metrics", ["model_id"], sqlite_where=OF_A_MODEL, postgresql_where=OF_A_MODEL
    )
