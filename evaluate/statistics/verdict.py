"""The verdict on a difference: which words the numbers allow, and what is still needed where they allow none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluate.statistics.interval import Interval

Word = Literal["better", "worse", "equivalent", "not worse", "inconclusive"]

FEWEST_UNITS = 6
"""Independent pairs or clusters. With 5, the most extreme outcome has an exact two-sided p of 2/2^5 = .0625: nothing
could be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a gain: a difference turned so that above 0 is good."""

    wide: Interval | None
    """At the level 1 - alpha; while a grid fills, one that holds at all times."""
    narrow: Interval | None
    """At the level 1 - 2 alpha, which is what one-sided tests at alpha correspond to."""
    units: int
    """Independent ones: clusters where there are any, else pairs."""
    p: float | None = None
    """Of no difference, adjusted for how many comparisons there are."""
    p_not_worse: float | None = None
    p_equivalent: float | None = None
    margin: float | None = None
    alpha: float = 0.05
    early: bool = False
    """While a grid fills: then the intervals hold at all times, and there are no p-values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    word: Word
    claims: tuple[Word, ...]
    """All that holds: what is better is also not worse; what is worse may still be not worse by the margin."""
    sentence: str
    more_pairs: int | None = None
    """Rows still needed, of an inconclusive one; None also where no number of rows in reach would do."""
    more_nanos: int | None = None
    """What these would cost both arms and their judges; None where a price is unknown."""
    early: bool = False
    """Given while cells were pending, from evidence that may be looked at at any time."""


def claims(evidence: Evidence) -> tuple[Word, ...]:
    """The strongest first. A claim needs its interval and its test: neither an interval that the exact test does not
    bear out counts, nor a test that was not adjusted. `Not worse` is never concluded from `no difference found`."""
    wide, narrow, margin = evidence.wide, evidence.narrow, evidence.margin
    if wide is None or evidence.units < FEWEST_UNITS:
        return ()
    found: list[Word] = []
    if _borne_out(evidence.p, evidence):
        if wide.low > 0:
            found.append("better")
        elif wide.high < 0:
            found.append("worse")
    if margin is not None and narrow is not None:
        not_worse = narrow.low > -margin and _borne_out(evidence.p_not_worse, evidence)
        if not_worse and narrow.high < margin and _borne_out(evidence.p_equivalent, evidence):
            found.append("equivalent")
        if not_worse or "better" in found:
            found.append("not worse")
    return tuple(found)


def word(evidence: Evidence) -> Word:
    return next(iter(claims(evidence)), "inconclusive")


def _borne_out(p: float | None, evidence: Evidence) -> bool:
    return evidence.early if p is None else p <= evidence.alpha
