"""Every table of the store, for SQLite and PostgreSQL, as SQLAlchemy Core metadata.

`migrations/` makes them; a test compares the two. All times are microseconds since the epoch, UTC. What is NULL is
unknown, which is neither zero nor the empty string.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

REVISION = "0012"
"""The migration that these tables are the result of."""

metadata = sa.MetaData()

# Hexadecimal digits sort alike under every collation, and "C" is the one that PostgreSQL compares fastest.
_Id = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Searchable = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_Json = sa.JSON(none_as_null=True)


def _present(column: str) -> dict[str, Any]:
    """An index over the rows that have a value: it costs the others nothing."""
    where = sa.text(f"{column} IS NOT NULL")
    return {"sqlite_where": where, "postgresql_where": where}


experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("artifact_location", sa.String),
    sa.Column("lifecycle_stage", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("tags", _Searchable),
)
"""Row 0 is `Default`, where a call goes that names no experiment. `lifecycle_stage` is `active` or `deleted`."""

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", _Id, primary_key=True),
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
    sa.Column("tags", _Searchable),
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
    sa.Column("payload_block", sa.BigInteger),
    sa.Index("calls_started", "started_us"),
    sa.Index("calls_endpoint", "endpoint", "started_us"),
    sa.Index("calls_key", "key_id", "started_us"),
    sa.Index("calls_experiment", "experiment_id", "started_us"),
    sa.Index("calls_parent", "parent_run_id", **_present("parent_run_id")),
    sa.Index("calls_trace", "trace_id", **_present("trace_id")),
    sa.Index("calls_session", "session", "started_us", **_present("session")),
    sa.Index("calls_user", "end_user", "started_us", **_present("end_user")),
    sa.Index("calls_prompt", "prompt_name", "prompt_version", "started_us", **_present("prompt_name")),
    sa.Index("calls_idempotency", "key_id", "idempotency_key", **_present("idempotency_key")),
)
"""One row a call, of `tracking.calls.Begin` and `End` together. `id` is a UUIDv7, so its order is that of time.

`kind`, `requested_model` and the rest of what only a begin knows are NULL where a damaged journal kept the end alone.
`trace_id` and `parent_span_id` are of the caller's own trace, in which the call is one step, in hexadecimal digits.
`attempts` is how many there were; what each was stands in the block `payload_block`, as long as that is kept.
`experiment_id` is no foreign key, because a call must be recorded whatever has become of its experiment.
"""

payload_blocks = sa.Table(
    "payload_blocks",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("encoding", sa.String, nullable=False),
)
"""What was said in many calls, and what their costs were made from: see `tracking.payloads`. `raw` or `zstd`."""

keys = sa.Table(
    "keys",
    metadata,
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
    sa.Column("tags", _Searchable),
)
"""Who may call. `hash` is the HMAC of the key, in hexadecimal; the key itself is nowhere."""

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key_id", sa.String, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("seen_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
)
"""Browsers that are signed in. `id` is the hash of what the cookie holds."""

login_tokens = sa.Table(
    "login_tokens",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
    sa.Column("used_us", sa.BigInteger),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("key_id", sa.String, primary_key=True),
    sa.Column("idempotency_key", sa.String, primary_key=True),
    sa.Column("request_hash", sa.String, nullable=False),
    sa.Column("run_id", _Id, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Index("idempotency_created", "created_us"),
)

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
"""The few facts about the store itself."""
