"""An estimate with its interval: the one form in which uncertainty is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Self

from providers.chat import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    value: float
    low: float
    high: float
    level: float
    """How sure: 0.95 where at most one such interval in twenty misses what it estimates."""
    method: str
    n: int
    """Items, not calls: repeats of an item are one."""
    clusters: int | None = None
    """How many independent groups the items fall into, where they fall into any."""
    se: float | None = None
    df: float | None = None

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    def negated(self) -> Self:
        return replace(self, value=-self.value, low=-self.high, high=-self.low)

    def to_json(self) -> Json:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PValue:
    """How surprising the data are if there is no difference."""

    test: str
    value: float
    statistic: float | None = None
    df: float | None = None
    n: int | None = None

    def to_json(self) -> Json:
        return asdict(self)
