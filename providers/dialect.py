"""What it takes to speak to a provider: protocols for modules and small classes, checked by mypy in `table`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from providers.chat import Json
from providers.errors import UpstreamError
from providers.usage import Usage


@dataclass(frozen=True, slots=True)
class Frame:
    """One item of a stream as it was framed: an SSE message, an NDJSON line, or an AWS event-stream message."""

    name: str
    data: bytes


class Framing(Protocol):
    """Cuts a byte stream into frames, keeping what is not whole yet."""

    def feed(self, data: bytes) -> Iterable[Frame]: ...
    def close(self) -> Iterable[Frame]: ...


class Complaint(NamedTuple):
    """What a provider says was wrong, from the body of an error or from an error inside a stream."""

    message: str
    code: str | None = None
    param: str | None = None
    status: int | None = None
    """The HTTP status that it would have had, where the body tells (an error inside a 200)."""
    retry_after: float | None = None
    """Seconds, where the body says how long to wait."""


class Relay(Protocol):
    """One stream on its way from a provider to a caller: fed the provider's bytes, it gives OpenAI's SSE bytes.

    It never gives the closing `data: [DONE]`: the engine sends that, once the call is safely recorded. It never raises:
    a fault of the provider's becomes `error`, and the bytes of whole events before it are still given.
    """

    events: int
    """Events of the provider that were read and that advanced the answer (comments and pings do not)."""
    usage: Usage | None
    finish: str | None
    """OpenAI's finish reason of the first choice, once it is known."""
    native_finish: str | None
    done: bool
    """The provider has said that the answer is whole. A stream that ends before this was cut."""
    error: UpstreamError | None

    def feed(self, data: bytes) -> bytes: ...
    def close(self) -> bytes:
        """The provider ended the body cleanly: give what was held back, and settle whether the answer is whole."""


class Surface(Protocol):
    """One kind of call in one provider's words, as functions of data: no I/O, no clock, no configuration.

    A module with these names is a surface.
    """

    @property
    def PARAMS(self) -> frozenset[str] | None:
        """Request keys that it has a word for; None means that it takes whatever the caller sends."""

    def path(self, model: str, stream: bool) -> str:
        """What is added to the provider's base URL, with a query if there is one."""

    def encode(self, request: Json) -> Json:
        """The caller's request (its `model` already the provider's own) in the provider's words. Never changes it."""

    def decode(self, payload: Json, request: Json) -> Json:
        """The provider's answer in OpenAI's words; the same object where nothing needs to change."""

    def usage(self, payload: Json) -> Usage | None:
        """What a whole answer, or one event of a stream, says was used. None where it says nothing."""

    def relay(self, request: Json) -> Relay: ...
    def complaint(self, payload: object) -> Complaint: ...
