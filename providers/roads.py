"""What a road to a provider is: a request goes out, and an exchange comes back as soon as its head is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from providers.errors import Cut, TimedOut
from providers.target import Target

MOST_FIELDS = 100
MOST_HEAD = 64 << 10
TIMED_OUT = {
    "connect": "could not be reached",
    "first_byte": "did not begin to answer",
    "first_token": "sent no first event",
    "idle": "fell silent in the middle of its answer",
    "total": "did not finish its answer",
}
"""What did not happen in time, by the name of the timeout in `TimedOut.code`."""


class Exchange(Protocol):
    """One answer on its way. When it has ended, with b"" or an error, it is over and must not be touched again."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """Names in lower case; of a repeated one, the last."""

    async def read(self) -> bytes:
        """What has come since, waiting if nothing has; b"" once the body has ended."""

    async def whole(self, most: int) -> bytes:
        """All of the body, which must not be larger."""

    def advanced(self) -> None:
        """An event moved the answer on: the idle timeout starts again."""

    def finishing(self) -> None:
        """The answer is whole and only the end of its body is missing: do not wait for that for long."""

    def close(self) -> None:
        """Give up: the provider sees the connection close. Again is nothing."""


class Road(Protocol):
    async def send(self, target: Target, body: bytes, stream: bool) -> Exchange:
        """Returns once the head of the answer is there. Cancelling it, or any wait of the exchange's, closes."""

    async def aclose(self) -> None: ...


def timed_out(target: Target, which: str) -> TimedOut:
    seconds: float = getattr(target.timeouts, which)
    return TimedOut(f"{target.provider.name} {TIMED_OUT[which]} within {seconds:g} s", which)


def cut(target: Target) -> Cut:
    return Cut(f"{target.provider.name} broke off its answer")
