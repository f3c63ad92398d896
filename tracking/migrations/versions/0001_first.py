"""The first tables."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

ID = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEARCHABLE = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("artifact_location", sa.String),
        sa.Column("lifecycle_stage", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "calls",
        sa.Column("id", ID, primary_key=True),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("experiment_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String),
        sa.Column("endpoint", sa.String),
        sa.Column("requested_model", sa.String),
        sa.Column("stream", sa.Boolean),
        sa.Column("key_id", sa.String),
        sa.Column("end_user", sa.String),
        sa.Column("session", sa.String),
        sa.Column("parent_run_id", sa.String),
        sa.Column("idempotency_key", sa.String),
        sa.Column("trace_id", sa.String),
        sa.Column("parent_span_id", sa.String),
        sa.Column("config_revision", sa.String),
        sa.Column("log_payloads", sa.String),
        sa.Column("tags", SEARCHABLE),
        sa.Column("max_output", sa.BigInteger),
        sa.Column("request_bytes", sa.BigInteger),
        sa.Column("prompt_name", sa.String),
        sa.Column("prompt_version", sa.BigInteger),
        sa.Column("registered_model", sa.String),
        sa.Column("registered_version", sa.BigInteger),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("http_status", sa.Integer),
        sa.Column("error_code", sa.String),
        sa.Column("error_message", sa.String),
        sa.Column("provider", sa.String),
        sa.Column("model", sa.String),
        sa.Column("response_model", sa.String),
        sa.Column("credential", sa.String),
        sa.Column("attempts", sa.Integer),
        sa.Column("duration_us", sa.BigInteger),
        sa.Column("ttft_us", sa.BigInteger),
        sa.Column("upstream_us", sa.BigInteger),
        sa.Column("finish_reason", sa.String),
        sa.Column("native_finish_reason", sa.String),
        sa.Column("upstream_request_id", sa.String),
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("cache_read_tokens", sa.BigInteger),
        sa.Column("cache_write_tokens", sa.BigInteger),
        sa.Column("cache_write_1h_tokens", sa.BigInteger),
        sa.Column("reasoning_tokens", sa.BigInteger),
        sa.Column("input_audio_tokens", sa.BigInteger),
        sa.Column("output_audio_tokens", sa.BigInteger),
        sa.Column("searches", sa.BigInteger),
        sa.Column("usage_basis", sa.String, nullable=False),
        sa.Column("usage_suspect", sa.Boolean, nullable=False),
        sa.Column("cost_nanos", sa.BigInteger),
        sa.Column("response_bytes", sa.BigInteger),
        sa.Column("response_truncated", sa.Boolean),
    )
    op.create_index("calls_started", "calls", ["started_us"])
    op.create_index("calls_endpoint", "calls", ["endpoint", "started_us"])
    op.create_index("calls_key", "calls", ["key_id", "started_us"])
    op.create_index("calls_experiment", "calls", ["experiment_id", "started_us"])
    _present("calls_parent", "calls", ["parent_run_id"], "parent_run_id")
    _present("calls_trace", "calls", ["trace_id"], "trace_id")
    _present("calls_session", "calls", ["session", "started_us"], "session")
    _present("calls_idempotency", "calls", ["key_id", "idempotency_key"], "idempotency_key")
    op.create_table(
        "payloads",
        sa.Column("id", ID, primary_key=True),
        sa.Column("request", sa.LargeBinary),
        sa.Column("response", sa.LargeBinary),
        sa.Column("response_type", sa.String),
        sa.Column("encoding", sa.String, nullable=False),
        sa.Column("attempts", JSON),
        sa.Column("price", JSON),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        sa.Column("first4", sa.String, nullable=False),
        sa.Column("last4", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String),
        sa.Column("expires_us", sa.BigInteger),
        sa.Column("revoked_us", sa.BigInteger),
        sa.Column("last_used_us", sa.BigInteger),
        sa.Column("tags", SEARCHABLE),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("key_id", sa.String, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("seen_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "login_tokens",
        sa.Column("hash", sa.String, primary_key=True),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("used_us", sa.BigInteger),
    )
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.String, primary_key=True),
        sa.Column("idempotency_key", sa.String, primary_key=True),
        sa.Column("request_hash", sa.String, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_index("idempotency_created", "idempotency", ["created_us"])
    op.create_table(
        "meta",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    now = time.time_ns() // 1000
    op.bulk_insert(
        sa.table("experiments", *map(sa.column, ("id", "name", "lifecycle_stage", "created_us", "updated_us"))),
        [{"id": 0, "name": "Default", "lifecycle_stage": "active", "created_us": now, "updated_us": now}],
    )


def _present(name: str, table: str, columns: list[str], column: str) -> None:
    where = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
