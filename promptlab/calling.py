"""What a lab is handed to make calls with: one that is streamed to a listener, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from providers.chat import Json
from tracking.money import Price
from tracking.rest import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A chat request, and what is kept of why it was made."""

    body: bytes
    endpoint: str | None = None
    """For a request whose model is a prompt of the registry, in place of the prompt's own."""
    tags: Mapping[str, str] = field(default_factory=dict)
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Times are of the call alone. What is unknown is None."""

    run_id: str | None
    """None where no call was made."""
    status: str
    """`ok`, `stopped` or `error`."""
    error: Json | None = None
    provider: str | None = None
    model: str | None = None
    finish_reason: str | None = None
    ttft_us: int | None = None
    total_us: int | None = None
    usage: Json | None = None
    cost_nanos: int | None = None
    kept: bool = True
    """Whether what was said may be kept."""


class Listener(Protocol):
    def head(self, run_id: str, provider: str, model: str) -> None:
        """It answers."""

    def data(self, data: bytes) -> None:
        """What a caller would be sent: events of a stream, or one whole answer."""


class Ask(Protocol):
    """Makes a call as the gateway makes every call. It raises nothing of what can go wrong with one."""

    def __call__(
        self, question: Question, caller: Caller, listener: Listener, stop: asyncio.Event
    ) -> Awaitable[Outcome]: ...


@dataclass(frozen=True, slots=True)
class Quote:
    """What a question would be asked as, and the price of each target that may answer it; None for one without."""

    model: str
    request: Json
    prices: Sequence[Price | None]


class Quoting(Protocol):
    def __call__(self, question: Question) -> Awaitable[Quote]:
        """Raises GatewayError for a question that cannot be asked."""
