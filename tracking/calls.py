"""A call, as the journal carries it: what is known before it is forwarded, and what is known when it is over."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

Status = Literal[
    "ok",
    "upstream_error",
    "upstream_timeout",
    "upstream_cut",
    "client_cancelled",
    "rejected",
    "interrupted",
]
"""How a call ended. `rejected`: a provider or the gateway said no to what the caller asked. `interrupted`: the process
died between the call's begin and its end."""
Basis = Literal["provider", "counted", "reserved", "none"]
"""Where a number of tokens comes from: the provider said so; we counted the text; the most that it can have been;
nobody knows."""


class Attempt(TypedDict, total=False):
    """One try at one target."""

    provider: str
    model: str
    credential: str
    status: str
    """`ok`, or the code of the error."""
    http_status: int | None
    message: str | None
    started_us: int
    """Microseconds after the call's start."""
    duration_us: int
    upstream_request_id: str | None
    bytes_in: int
    bytes_out: int


class Begin(TypedDict, total=False):
    """Written before anything is sent to a provider. The body beside it is the caller's request (JSON)."""

    id: str
    """UUIDv7, 32 hex digits, made at the door."""
    started_us: int
    """Microseconds since the epoch, UTC."""
    kind: str
    endpoint: str | None
    requested_model: str
    stream: bool
    experiment: str | None
    parent_run_id: str | None
    key_id: str | None
    user: str | None
    session: str | None
    tags: dict[str, str]
    idempotency_key: str | None
    trace_id: str | None
    """Of the caller's own trace, when it sent `traceparent`: 32 hex digits, and 16 for the span that made the call."""
    parent_span_id: str | None
    config_revision: str
    log_payloads: str
    request_bytes: int
    prompt_name: str | None
    """Of the registry's prompt that the caller asked by, and which of its versions that was at the time."""
    prompt_version: int | None
    registered_model: str | None
    """Of the registry's model that the caller asked for, and which of its versions that was at the time."""
    registered_version: int | None
    max_output: int | None
    """The most output tokens that the caller allowed, when it said."""
    provider: str
    """The first target that will be tried; the end says which one answered."""
    model: str
    price: Any
    """Snapshot of the first target's price (see `tracking.money.Price.snapshot`), None when unknown."""


class End(TypedDict, total=False):
    """Written before the last byte goes to the caller. The body beside it is what the caller was sent, to the byte."""

    id: str
    status: Status
    http_status: int
    error_code: str | None
    error_message: str | None
    provider: str | None
    model: str | None
    response_model: str | None
    credential: str | None
    attempts: list[Attempt]
    duration_us: int
    ttft_us: int | None
    """To the first event of a stream, or to the whole answer of a plain call."""
    upstream_us: int | None
    """Spent waiting for providers; the rest of the duration is ours."""
    finish_reason: str | None
    native_finish_reason: str | None
    upstream_request_id: str | None
    usage: dict[str, int] | None
    """`providers.usage.Usage` without what is None; None when the provider said nothing."""
    usage_suspect: bool
    usage_basis: Basis
    cost_nanos: int | None
    price: Any
    response_type: Literal["json", "sse"] | None
    response_bytes: int
    response_truncated: bool
