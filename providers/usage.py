"""What a call used, in one convention whichever way the provider counts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

MOST = 1_000_000_000
"""No honest count of one call is larger; beyond it a number is a fault of whoever sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call is billed for: tokens, and the few other things that providers count.

    Totals are inclusive: `input` already counts `cache_read`, `cache_write` and `input_audio`; `output` already
    counts `reasoning` and `output_audio`; `cache_write` already counts `cache_write_1h`. None means that the provider
    did not say, which is not zero.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    """Of the tokens written to a cache, those kept for an hour, which cost more than those kept for five minutes."""
    reasoning: int | None = None
    input_audio: int | None = None
    output_audio: int | None = None
    searches: int | None = None
    """Web searches that the provider ran and bills for."""
    cost_nanos: int | None = None
    """What the provider itself says that it charged, in nano-dollars. It is believed over any price list."""
    suspect: bool = False
    """A count was not a whole number between 0 and a billion, or a part was larger than its whole, and was taken as
    unsaid. The counts that are there are still what the provider said."""

    def latest(self, later: Usage | None) -> Usage:
        """Fold in a later, cumulative report: what it says replaces, what it leaves out stays."""
        if later is None:
            return self
        said = {
            field.name: value
            for field in fields(self)
            if (value := getattr(later, field.name)) is not None and field.name != "suspect"
        }
        ours = {field.name: getattr(self, field.name) for field in fields(self)}
        return Usage(**{**ours, **said, "suspect": self.suspect or later.suspect})


def count(value: Any) -> int | None:
    """A provider's number of tokens, or None for anything that is not one (absent, negative, absurd, not whole)."""
    if type(value) is int and 0 <= value <= MOST:
        return value
    if type(value) is float and value.is_integer() and 0 <= value <= MOST:
        return int(value)
    return None


def suspicious(*values: Any) -> bool:
    """Whether any of these was sent and yet is no count."""
    return any(value is not None and count(value) is None for value in values)
