"""One call as it goes: what the caller asked, where it went, what came back; in the end, one record."""

from __future__ import annotations

import asyncio
import time
from dataclasses import fields
from typing import Any, Literal, NamedTuple

from gateway.routing import Choice, Endpoint
from providers.chat import Json
from providers.dialect import Relay
from providers.errors import Cut, GatewayError, Rejected, TimedOut, UpstreamError
from providers.target import Target
from providers.usage import Usage
from tracking.calls import Attempt, Basis, Begin, End, Status
from tracking.money import Price

COUNTS = tuple(field.name for field in fields(Usage) if field.name != "suspect")
KEPT_MOST = 8 << 20
"""Bytes of an answer that are kept for its run; what is beyond is delivered and not kept."""


class Failure(NamedTuple):
    """What is kept of an error. The error itself has a traceback, which holds on to the call."""

    code: str | None
    message: str
    status: int


class Call:
    """Everything about one call that outlives a function. Times are nanoseconds of the monotonic clock.

    No dataclass: most of this never changes in most calls, so it stands here once and not in each of them.
    """

    said: Begin = {}
    """What the caller said about it beside the call itself."""
    config_revision: str = ""
    request_bytes: int = 0
    prompt: tuple[str, int] | None = None
    """Name and version of the registry's prompt that it is made by."""
    registered: tuple[str, int] | None = None
    """Name and version of the registry's model that it goes to."""

    task: asyncio.Task[Any] | None = None
    """What serves it, where that is known from the start."""
    choice: Choice | None = None
    upstream_ns: int = 0
    """Spent waiting for providers, up to the first event of a stream or the whole of a plain answer."""
    first_at: int | None = None
    begun: bool = False
    """The journal has its begin, so it is owed an end."""
    ended: bool = False
    headed: bool = False
    """The caller has the head of its answer, so what goes wrong now can only be said in the stream."""
    draining: bool = False
    status: Status = "interrupted"
    http_status: int = 200
    error: Failure | None = None
    usage: Usage | None = None
    basis: Basis = "none"
    price: Price | None = None
    cost_nanos: int | None = None
    finish: str | None = None
    native_finish: str | None = None
    response_model: str | None = None
    upstream_id: str | None = None
    response_type: Literal["json", "sse"] | None = None
    response_bytes: int = 0
    hung_up: bool = False
    too_slow: bool = False

    def __init__(self, id: str, endpoint: Endpoint, request: Json, stream: bool, key_id: str | None = None) -> None:
        self.id, self.endpoint, self.request, self.stream, self.key_id = id, endpoint, request, stream, key_id
        self.started = time.perf_counter_ns()
        self.attempts: list[Attempt] = []
        self.response: list[bytes] = []

    def keep(self, data: bytes) -> None:
        self.response_bytes += len(data)
        if self.response_bytes <= KEPT_MOST:
            self.response.append(data)

    @property
    def chosen(self) -> Choice:
        assert self.choice is not None, "asked for only once it is known where the call goes"
        return self.choice

    @property
    def target(self) -> Target:
        return self.chosen.target

    def tried(self, began: int, status: str, http_status: int | None, message: str | None) -> None:
        """One attempt is over."""
        spent = time.perf_counter_ns() - began
        self.upstream_ns += spent
        target = self.target
        self.attempts.append(
            {
                "provider": target.provider.name,
                "model": target.model,
                "credential": target.credential_name,
                "status": status,
                "http_status": http_status,
                "message": message,
                "started_us": (began - self.started) // 1000,
                "duration_us": spent // 1000,
            }
        )

    def used(self, usage: Usage | None) -> None:
        """What the provider says was used, and what that costs at the price of the target that answered."""
        if usage is None:
            return
        self.usage, self.basis = usage, "provider"
        price = self.price = self.choice.pricing.now() if self.choice else None
        self.cost_nanos = price.of(usage) if price is not None else usage.cost_nanos

    def answered(self, answer: Json) -> None:
        """A whole answer is there."""
        self.response_model = answer.get("model")
        if choices := answer.get("choices"):
            self.finish = choices[0].get("finish_reason")
            self.native_finish = choices[0].get("native_finish_reason", self.finish)

    def streamed(self, relay: Relay, whole: bool) -> None:
        """A stream is over, one way or another."""
        self.finish, self.native_finish = relay.finish, relay.native_finish
        if whole:
            self.used(relay.usage)
        else:
            # What a provider said so far is not what it will bill; the recorder counts what was heard.
            self.usage, self.basis = relay.usage, "counted"

    def left(self) -> None:
        """The caller did not wait for, or did not take, the answer."""
        self.status, self.http_status = "client_cancelled", 499
        self.error = (
            Failure("client_too_slow", "the caller did not read its answer", 499)
            if self.too_slow
            else Failure("client_disconnected", "the caller hung up", 499)
        )

    def failed(self, error: GatewayError) -> None:
        self.error = Failure(error.code, error.message, error.status)
        self.http_status = 200 if self.headed else error.status
        if isinstance(error, TimedOut):
            self.status = "upstream_timeout"
        elif isinstance(error, Cut):
            self.status = "upstream_cut"
        elif isinstance(error, UpstreamError) and not isinstance(error, Rejected):
            self.status = "upstream_error"
        else:
            self.status = "rejected"

    def overhead_ns(self) -> int:
        """Ours: what passed before the first byte to the caller, less the wait for providers."""
        return (self.first_at or time.perf_counter_ns()) - self.started - self.upstream_ns

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What every answer says about its run."""
        return [
            (b"x-gatelog-run-id", self.id.encode()),
            (b"x-gatelog-attempts", b"%d" % len(self.attempts)),
            (b"x-gatelog-overhead-ms", b"%.3f" % ((time.perf_counter_ns() - self.started - self.upstream_ns) / 1e6)),
            *self.chosen.headers,
        ]

    def head(self) -> bytes:
        """The same, as it goes over the wire."""
        overhead = (time.perf_counter_ns() - self.started - self.upstream_ns) / 1e6
        return b"x-gatelog-run-id: %b\r\nx-gatelog-attempts: %d\r\nx-gatelog-overhead-ms: %.3f\r\n%b" % (
            self.id.encode(),
            len(self.attempts),
            overhead,
            self.chosen.head,
        )

    def begin(self) -> Begin:
        """What is not said is not there: it is the rare call that belongs to a session, an experiment and so on."""
        choice, request, endpoint = self.chosen, self.request, self.endpoint
        target = choice.target
        begin: Begin = {
            "id": self.id,
            "started_us": time.time_ns() // 1000,
            "kind": endpoint.kind,
            "endpoint": endpoint.name,
            "requested_model": request["model"],
            "stream": self.stream,
            "key_id": self.key_id,
            "config_revision": self.config_revision,
            "log_payloads": endpoint.log_payloads,
            "request_bytes": self.request_bytes,
            "max_output": request.get("max_completion_tokens") or request.get("max_tokens"),
            "provider": target.provider.name,
            "model": target.model,
            "price": price.snapshot() if (price := choice.pricing.now()) else None,
        }
        if self.said:
            begin |= self.said
        if self.prompt is not None:
            begin["prompt_name"], begin["prompt_version"] = self.prompt
        if self.registered is not None:
            begin["registered_model"], begin["registered_version"] = self.registered
        return begin

    def end(self) -> End:
        choice, error, now = self.choice, self.error, time.perf_counter_ns()
        usage, duration = self.usage, now - self.started
        price = self.price or (choice.pricing.now() if choice else None)
        return {
            "id": self.id,
            "status": self.status,
            "http_status": self.http_status,
            "error_code": error.code if error else None,
            "error_message": error.message if error else None,
            "provider": choice.target.provider.name if choice else None,
            "model": choice.target.model if choice else None,
            "credential": choice.target.credential_name if choice else None,
            "response_model": self.response_model,
            "attempts": self.attempts,
            "duration_us": duration // 1000,
            "ttft_us": (self.first_at - self.started) // 1000 if self.first_at is not None else None,
            "upstream_us": max(0, duration - self.overhead_ns()) // 1000,
            "finish_reason": self.finish,
            "native_finish_reason": self.native_finish,
            "upstream_request_id": self.upstream_id,
            "usage": said(usage) if usage else None,
            "usage_suspect": bool(usage and usage.suspect),
            "usage_basis": self.basis,
            "cost_nanos": self.cost_nanos,
            "price": price.snapshot() if price else None,
            "response_type": self.response_type,
            "response_bytes": self.response_bytes,
            "response_truncated": self.response_bytes > KEPT_MOST,
        }


def said(usage: Usage) -> dict[str, int]:
    """A usage without what was not said."""
    return {name: value for name in COUNTS if (value := getattr(usage, name)) is not None}
