"""What evaluation is handed to call models with, and what such a call gives."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from providers.chat import ChatRequest, Json


class CallFailed(Exception):
    """A call that gave no answer. The message says why; the run, where there is one, says the rest."""

    def __init__(self, message: str, *, code: str = "error", status: int | None = None, run_id: str | None = None,
                 cost_nanos: int | None = None) -> None:  # fmt: skip
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.run_id = run_id
        self.cost_nanos = cost_nanos
        """What was spent in vain; None where that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A completion, and the run that it was logged as."""

    completion: Json
    run_id: str | None
    cost_nanos: int | None
    """None where the price is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One vector for each text, in their order, and the run that the call was logged as."""

    vectors: Sequence[Sequence[float]]
    run_id: str | None
    cost_nanos: int | None


class Ask(Protocol):
    """`providers.chat.Complete` for who must also say what a call is for, and learn what it cost.

    Raises CallFailed. `tags` become the run's.
    """

    def __call__(self, request: ChatRequest, tags: Mapping[str, str]) -> Awaitable[Answered]: ...


class Embed(Protocol):
    """The same for vectors of texts."""

    def __call__(self, model: str, texts: Sequence[str], tags: Mapping[str, str]) -> Awaitable[Embedded]: ...
