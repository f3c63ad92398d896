"""How a run is shown: a row of `calls` as JSON, documented in docs/runs.md. What is unknown is null."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from tracking.fields import ATTRIBUTES
from tracking.money import dollars
from tracking.tables import calls

COLUMNS = (*calls.c, ATTRIBUTES["experiment"].column.label("experiment"))
"""What to select for `run`."""

TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "searches",
)


def run(row: sa.RowMapping) -> Json:
    """One element of a list of runs."""
    return {
        "id": row["id"],
        "status": row["status"],
        "http_status": row["http_status"],
        "kind": row["kind"],
        "endpoint": row["endpoint"],
        "requested_model": row["requested_model"],
        "provider": row["provider"],
        "model": row["model"],
        "response_model": row["response_model"],
        "credential": row["credential"],
        "stream": row["stream"],
        "times": _times(row["started_us"], row["duration_us"], row["ttft_us"], row["upstream_us"]),
        "usage": _usage(row),
        "cost": _cost(row["cost_nanos"], row["usage_basis"]),
        "finish_reason": row["finish_reason"],
        "native_finish_reason": row["native_finish_reason"],
        "error": _error(row["error_code"], row["error_message"]),
        "attempts": row["attempts"],
        "experiment": row["experiment"],
        "parent_run_id": row["parent_run_id"],
        "key_id": row["key_id"],
        "user": row["end_user"],
        "session": row["session"],
        "tags": row["tags"] or {},
        "config_revision": row["config_revision"],
        "idempotency_key": row["idempotency_key"],
        "upstream_request_id": row["upstream_request_id"],
        "prompt": _registered(row["prompt_name"], row["prompt_version"]),
        "registered_model": _registered(row["registered_model"], row["registered_version"]),
        "max_output": row["max_output"],
        "log_payloads": row["log_payloads"],
        "request_bytes": row["request_bytes"],
        "response_bytes": row["response_bytes"],
        "response_truncated": row["response_truncated"],
    }


def _times(started: int, duration: int | None, ttft: int | None, upstream: int | None) -> Json:
    ended = None if duration is None else started + duration
    return {
        "started_at": _iso(started),
        "started_unix_ms": started // 1000,
        "ended_at": None if ended is None else _iso(ended),
        "ended_unix_ms": None if ended is None else ended // 1000,
        "duration_ms": _ms(duration),
        "ttft_ms": _ms(ttft),
        "upstream_ms": _ms(upstream),
        "overhead_ms": None if duration is None or upstream is None else _ms(duration - upstream),
    }


def _iso(us: int) -> str:
    seconds, rest = divmod(us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:03}Z"


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _usage(row: sa.RowMapping) -> Json:
    input, output = row["input_tokens"], row["output_tokens"]
    return {
        **{name: row[name] for name in TOKENS},
        "total_tokens": None if input is None or output is None else input + output,
        "basis": row["usage_basis"],
        "suspect": row["usage_suspect"],
    }


def _cost(nanos: int | None, basis: str) -> Json:
    return {"usd": None if nanos is None else dollars(nanos), "nanos": nanos, "basis": basis}


def _registered(name: str | None, version: int | None) -> Json | None:
    return None if name is None else {"name": name, "version": version}


def _error(code: str | None, message: str | None) -> dict[str, Any] | None:
    return None if code is None else {"code": code, "message": message}
