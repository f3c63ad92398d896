"""Runs that people log: parameters, metrics, tags, inputs, logged models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
MODEL_ID = sa.String(34).with_variant(sa.String(34, collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEARCHABLE = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
PRESENT = sa.text("model_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("experiments", sa.Column("tags", SEARCHABLE))
    op.create_table(
        "runs",
        sa.Column("id", ID, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("user_id", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("lifecycle_stage", sa.String, nullable=False),
        sa.Column("deleted_us", sa.BigInteger),
        sa.Column("artifact_uri", sa.String, nullable=False),
        sa.Column("tags", SEARCHABLE, nullable=False),
    )
    op.create_index("runs_experiment", "runs", ["experiment_id", "started_us", "id"])
    op.create_index("runs_started", "runs", ["started_us", "id"])
    op.create_table(
        "run_params",
        sa.Column("run_id", ID, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "run_latest",
        sa.Column("run_id", ID, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.Double),
        sa.Column("timestamp_ms", sa.BigInteger, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
    )
    op.create_index("run_latest_key", "run_latest", ["key", "value"])
    op.create_table(
        "run_metrics",
        sa.Column("run_id", ID, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("timestamp_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double, primary_key=True),
        sa.Column("nan", sa.Boolean, primary_key=True),
        sa.Column("model_id", sa.String),
        sa.Column("dataset_name", sa.String),
        sa.Column("dataset_digest", sa.String),
    )
    op.create_index("run_metrics_model", "run_metrics", ["model_id"], sqlite_where=PRESENT, postgresql_where=PRESENT)
    op.create_table(
        "run_datasets",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("source_type", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("schema", sa.String),
        sa.Column("profile", sa.String),
        sa.UniqueConstraint("experiment_id", "name", "digest", name="run_datasets_named"),
    )
    op.create_table(
        "run_inputs",
        sa.Column("run_id", ID, primary_key=True),
        sa.Column("dataset_id", sa.BigInteger, sa.ForeignKey("run_datasets.id"), primary_key=True, autoincrement=False),
        sa.Column("context", sa.String),
        sa.Column("tags", SEARCHABLE, nullable=False),
    )
    op.create_table(
        "run_models",
        sa.Column("run_id", ID, primary_key=True),
        sa.Column("direction", sa.String, primary_key=True),
        sa.Column("model_id", sa.String, primary_key=True),
        sa.Column("step", sa.BigInteger, nullable=False),
    )
    op.create_index("run_models_model", "run_models", ["model_id"])
    op.create_table(
        "logged_models",
        sa.Column("id", MODEL_ID, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("model_type", sa.String),
        sa.Column("source_run_id", sa.String),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("artifact_uri", sa.String, nullable=False),
        sa.Column("params", SEARCHABLE, nullable=False),
        sa.Column("tags", SEARCHABLE, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("deleted_us", sa.BigInteger),
    )
    op.create_index("logged_models_experiment", "logged_models", ["experiment_id", "created_us", "id"])
    where = sa.text("source_run_id IS NOT NULL")
    op.create_index("logged_models_run", "logged_models", ["source_run_id"], sqlite_where=where, postgresql_where=where)
