"""Which interval a column of numbers gets, by what the numbers are; refused in words where none is honest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from evaluate.card import Figure
from evaluate.statistics import mean as means
from evaluate.statistics import proportion
from evaluate.statistics.interval import Interval
from evaluate.statistics.refusal import Refused


def figure(made: Callable[[], Interval]) -> Figure:
    try:
        return Figure(interval=made())
    except Refused as refusal:
        return Figure(refused=str(refusal))


def mean(
    values: Sequence[float],
    *,
    kind: str,
    clusters: Sequence[str | None] | None,
    weights: Sequence[float] | None,
    level: float,
) -> Interval:
    """Wilson's for independent successes and failures; else Student's t over rows, or their clusters."""
    whole = kind == "binary" and all(value in (0.0, 1.0) for value in values)
    if whole and values and clusters is None and weights is None:
        return proportion.wilson(int(sum(values)), len(values), level)
    found = means.mean(values, clusters=clusters, weights=weights, level=level)
    if found.se == 0 and kind != "cost":
        # A price list makes costs alike, which is not chance.
        return _all_same(found, values, whole)
    if kind == "binary" and all(0 <= value <= 1 for value in values):
        found = replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
    return found


def _all_same(found: Interval, values: Sequence[float], whole: bool) -> Interval:
    if not whole:
        raise Refused(f"all {found.n} scores are {values[0]:g}: they say nothing of how others would differ")
    # Every answer alike: as sure as one answer from each cluster can make it.
    units = found.clusters or found.n
    wilson = proportion.wilson(units if values[0] == 1 else 0, units, found.level)
    return replace(wilson, method="wilson, of whole clusters", n=found.n, clusters=found.clusters)
