"""Who is both better and cheaper: dominance that is sure, and the line through the best."""

from __future__ import annotations

from collections.abc import Mapping

from evaluate.statistics.interval import Interval

CLAIMS = 2
"""Better and cheaper are two claims, so each is held to half of alpha (Bonferroni)."""


def claim_level(alpha: float = 0.05) -> float:
    """The level of the two intervals that `dominates` reads."""
    return 1 - alpha / CLAIMS


def dominates(quality_gain: Interval, cost: Interval) -> bool:
    """Of paired differences, at `claim_level`: better beyond doubt (higher is better), and cheaper beyond doubt."""
    return quality_gain.low > 0 and cost.high < 0


def front(points: Mapping[str, tuple[float, float]]) -> frozenset[str]:
    """Names whose (quality, cost) no other beats in one without losing in the other, by the estimates alone."""
    return frozenset(
        name
        for name, (quality, cost) in points.items()
        if not any(
            other_quality >= quality and other_cost <= cost and (other_quality > quality or other_cost < cost)
            for other_quality, other_cost in points.values()
        )
    )
