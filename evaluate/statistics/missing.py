"""Scores that are not there: the comparison on the rows both arms have, and how far what is missing could move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluate.statistics.refusal import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of the mean difference, candidate minus baseline, over all rows."""

    low: float
    """If every missing score of the candidate were the worst and every one of the baseline the best."""
    high: float


def worst_case(
    candidate: Sequence[float | None], baseline: Sequence[float | None], least: float = 0.0, most: float = 1.0
) -> Bounds:
    """Manski's bounds: no assumption on why scores are missing, only that they lie between `least` and `most`."""
    if len(candidate) != len(baseline):
        raise ValueError(f"one score or None for each row and arm, not {len(candidate)} and {len(baseline)}")
    n = len(candidate)
    if n == 0:
        raise Refused("no rows")
    low = _sum(candidate, least) - _sum(baseline, most)
    high = _sum(candidate, most) - _sum(baseline, least)
    return Bounds(low=low / n, high=high / n)


def _sum(scores: Sequence[float | None], instead: float) -> float:
    return sum(instead if score is None else score for score in scores)
