"""Traces, assessments, datasets of evaluation, scorers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

SEARCHABLE = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "traces",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("duration_us", sa.BigInteger),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("client_request_id", sa.String),
        sa.Column("session", sa.String),
        sa.Column("request_preview", sa.String),
        sa.Column("response_preview", sa.String),
        sa.Column("metadata", SEARCHABLE, nullable=False),
        sa.Column("tags", SEARCHABLE, nullable=False),
        sa.Column("told", sa.Boolean, nullable=False),
    )
    op.create_index("traces_started", "traces", ["started_us"])
    op.create_index("traces_experiment", "traces", ["experiment_id", "started_us"])
    op.create_index(
        "traces_session",
        "traces",
        ["session", "started_us"],
        sqlite_where=sa.text("session IS NOT NULL"),
        postgresql_where=sa.text("session IS NOT NULL"),
    )
    op.create_table(
        "spans",
        sa.Column("trace_id", sa.String, sa.ForeignKey("traces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("span_id", sa.String, primary_key=True),
        sa.Column("parent_span_id", sa.String),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("attributes", SEARCHABLE, nullable=False),
        sa.Column("usage", JSON),
        sa.Column("cost", JSON),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "assessments",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("trace_id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("text", sa.String),
        sa.Column("number", sa.Float(53)),
        sa.Column("span_id", sa.String),
        sa.Column("source", JSON),
        sa.Column("rationale", sa.String),
        sa.Column("metadata", JSON),
        sa.Column("overrides", sa.String),
        sa.Column("valid", sa.Boolean, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("assessments_trace", "assessments", ["trace_id"])
    op.create_index("assessments_name", "assessments", ["kind", "name"])
    op.create_table(
        "trace_runs",
        sa.Column("run_id", sa.String, primary_key=True),
        sa.Column("trace_id", sa.String, primary_key=True),
    )
    op.create_index("trace_runs_trace", "trace_runs", ["trace_id"])
    op.create_table(
        "trace_prompts",
        sa.Column("trace_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("version", sa.String, primary_key=True),
    )
    op.create_index("trace_prompts_prompt", "trace_prompts", ["name", "version"])
    op.create_table(
        "evaluation_datasets",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("tags", SEARCHABLE, nullable=False),
        sa.Column("schema", JSON),
        sa.Column("records", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String),
        sa.Column("updated_by", sa.String),
    )
    op.create_index("evaluation_datasets_created", "evaluation_datasets", ["created_us"])
    op.create_index("evaluation_datasets_name", "evaluation_datasets", ["name"])
    op.create_table(
        "evaluation_dataset_experiments",
        sa.Column(
            "dataset_id", sa.String, sa.ForeignKey("evaluation_datasets.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("experiment_id", sa.BigInteger, primary_key=True),
    )
    op.create_index("evaluation_dataset_experiments_experiment", "evaluation_dataset_experiments", ["experiment_id"])
    op.create_table(
        "evaluation_records",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("dataset_id", sa.String, sa.ForeignKey("evaluation_datasets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("input_hash", sa.String, nullable=False),
        sa.Column("inputs", JSON),
        sa.Column("outputs", JSON),
        sa.Column("expectations", JSON),
        sa.Column("tags", JSON),
        sa.Column("source", JSON),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String),
        sa.Column("updated_by", sa.String),
        sa.UniqueConstraint("dataset_id", "input_hash", name="evaluation_records_input"),
    )
    op.create_table(
        "scorers",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.UniqueConstraint("experiment_id", "name", name="scorers_name"),
    )
    op.create_table(
        "scorer_versions",
        sa.Column("scorer_id", sa.String, sa.ForeignKey("scorers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("serialized", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "online_scorings",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("scorer_id", sa.String, sa.ForeignKey("scorers.id", ondelete="CASCADE"), nullable=False, unique=True),
        sa.Column("sample_rate", sa.Float(53), nullable=False),
        sa.Column("filter", sa.String),
    )
