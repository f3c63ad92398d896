"""Means of all traffic from a sample of it, in which each call had a known chance to be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Floats, Numbers, floats, pairs, two_sided
from evaluate.statistics.refusal import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Part of the traffic (a prompt version at an endpoint) and the scores of a simple random sample of it."""

    size: int
    scores: Sequence[float]


def horvitz_thompson(values: Numbers, probabilities: Numbers, population: int, level: float = 0.95) -> Interval:
    """Without bias for a known size of the population; the error is that of calls sampled independently."""
    y, pi = _sampled(values, probabilities)
    value = float((y / pi).sum()) / population
    error = math.sqrt(float(((1 - pi) / pi**2 * y**2).sum())) / population
    return _normal(value, error, level, "Horvitz-Thompson", y.size)


def hajek(values: Numbers, probabilities: Numbers, level: float = 0.95) -> Interval:
    """The default: divides by the size that the sample itself implies, and so stays between the smallest and largest
    score."""
    y, pi = _sampled(values, probabilities)
    size = float((1 / pi).sum())
    value = float((y / pi).sum()) / size
    n = y.size
    if n < 2:
        raise Refused("one sampled call; at least 2 are needed for an error")
    error = math.sqrt(float(((1 - pi) / pi**2 * (y - value) ** 2).sum()) * n / (n - 1)) / size
    return _normal(value, error, level, "Hajek", n)


def stratified(strata: Mapping[str, Stratum], level: float = 0.95) -> Interval:
    """Each stratum weighs as its traffic; what was sampled to the last call has no error left (1 - n/N)."""
    population = sum(stratum.size for stratum in strata.values())
    value = variance = 0.0
    n = 0
    for name, stratum in strata.items():
        y = floats(stratum.scores, at_least=2, what=f"scores of stratum {name!r}")
        if y.size > stratum.size:
            raise ValueError(f"stratum {name!r} has {stratum.size} calls, and {y.size} of them were sampled")
        share = stratum.size / population
        value += share * float(y.mean())
        variance += share**2 * (1 - y.size / stratum.size) * float(y.var(ddof=1)) / y.size
        n += y.size
    return _normal(value, math.sqrt(variance), level, "stratified", n)


def neyman(sizes: Mapping[str, int], deviations: Mapping[str, float], n: int) -> dict[str, int]:
    """How many of n to sample in each stratum for the least error: as N_h sigma_h, and no more than there are.

    Where a stratum has fewer than its share, the rest goes to the others by the same rule.
    """
    if n > sum(sizes.values()):
        raise ValueError(f"{n} are more than the {sum(sizes.values())} calls there are")
    taken: dict[str, int] = {}
    left, weights = n, {name: sizes[name] * deviations[name] for name in sizes}
    if not any(weights.values()):
        weights = {name: float(size) for name, size in sizes.items()}
    while True:
        total = sum(weights[name] for name in sizes if name not in taken)
        if total == 0:
            break
        full = [name for name in sizes if name not in taken and left * weights[name] / total >= sizes[name]]
        if not full:
            break
        for name in full:
            taken[name] = sizes[name]
        left = n - sum(taken.values())
    open_ = [name for name in sizes if name not in taken]
    total = sum(weights[name] for name in open_) or 1.0
    exact = {name: left * weights[name] / total for name in open_}
    taken.update({name: math.floor(share) for name, share in exact.items()})
    # Whole calls: what rounding down left goes to the largest remainders.
    for name in sorted(open_, key=lambda each: math.floor(exact[each]) - exact[each]):
        if sum(taken.values()) < n and taken[name] < sizes[name]:
            taken[name] += 1
    return {name: taken[name] for name in sizes}


def _sampled(values: Numbers, probabilities: Numbers) -> tuple[Floats, Floats]:
    y, pi = pairs(values, probabilities)
    if not ((pi > 0) & (pi <= 1)).all():
        raise ValueError("the chance of a sampled call to be sampled lies above 0 and at most at 1")
    return y, pi


def _normal(value: float, error: float, level: float, method: str, n: int) -> Interval:
    half = two_sided(level) * error
    return Interval(value=value, low=value - half, high=value + half, level=level, method=method, n=n, se=error)
