"""Evidence that may be looked at at any time: it keeps its word however often a grid that fills is watched and
whenever it is stopped.

An e-value is what a bet against `no difference` has grown a stake of 1 to. If there is none it is a nonnegative
martingale, so the chance that it ever reaches 1/alpha is at most alpha (Ville 1939). The bet here is spread evenly
over all stakes: of pairs won and lost that gives B(b+1, c+1) 2^(b+c); of bounded differences it is the same mixture
(Waudby-Smith and Ramdas 2024, arXiv:2010.09686, section 4; Orabona and Jun 2024, arXiv:2110.14099), and where every
difference is -1, 0 or 1 it is the same number."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, logsumexp

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Floats, Numbers, floats, within_unit

NODES = 128
"""Stakes that a mixture is made of, on either side. Any number is valid, for it is fixed beforehand; more are closer
to the integral."""
EDGE = 1e-9
LARGEST_LOG = 700.0
"""An e-value beyond e^700 is told as that: it is beyond doubt and beyond a float."""


def threshold(alpha: float = 0.05, comparisons: int = 1) -> float:
    """What an e-value has to reach; so many times more for so many comparisons (Bonferroni)."""
    return comparisons / within_unit(alpha, "alpha")


def of_discordant(won: int, lost: int) -> float:
    """For McNemar's table: pairs that only the candidate, and only the baseline, got right. Needs nothing but
    independent pairs."""
    return math.exp(min(LARGEST_LOG, float(betaln(won + 1, lost + 1)) + (won + lost) * math.log(2)))


def of_signs(differences: Numbers) -> float:
    """For numbers without known bounds: are candidates more often above than below? A statement on the median, not the
    mean."""
    d = floats(differences, at_least=0)
    return of_discordant(int((d > 0).sum()), int((d < 0).sum()))


def of_bounded(differences: Numbers, bound: float = 1.0, mean: float = 0.0) -> float:
    """For differences that cannot leave [-bound, bound], known beforehand: is their mean another than `mean`?"""
    return math.exp(min(LARGEST_LOG, _log_capital(*_scaled(differences, bound), mean / bound)))


def confidence_sequence(differences: Numbers, bound: float = 1.0, level: float = 0.95) -> Interval:
    """The mean differences against which no bet has yet won 1/alpha: an interval that holds at all times at once."""
    values, counts = _scaled(differences, bound)
    n = int(counts.sum())
    most = -math.log(1 - within_unit(level, "a level"))
    mean = float(values @ counts) / n if n else 0.0

    def excess(at: float) -> float:
        return _log_capital(values, counts, at) - most

    return Interval(
        value=mean * bound,
        low=bound * _limit(excess, min(mean, 1 - EDGE), -1 + EDGE, -1.0),
        high=bound * _limit(excess, max(mean, -1 + EDGE), 1 - EDGE, 1.0),
        level=level,
        method="confidence sequence by betting",
        n=n,
    )


def _log_capital(values: Floats, counts: Floats, mean: float) -> float:
    """The logarithm of the stake after betting on either side that the mean is not `mean`, half on each."""
    stakes, weights = _stakes()
    below, above = -stakes / (1 - mean), stakes / (1 + mean)
    with np.errstate(divide="ignore"):
        grown = np.log1p(np.multiply.outer(np.concatenate([below, above]), values - mean).clip(min=-1.0)) @ counts
    return float(logsumexp(grown, b=np.concatenate([weights, weights]) / 2))


@cache
def _stakes() -> tuple[Floats, Floats]:
    """Uniform shares, from 0 to 1, of what a bet could lose at the far end of [-1, 1]; and their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


def _scaled(differences: Numbers, bound: float) -> tuple[Floats, Floats]:
    if bound <= 0:
        raise ValueError(f"a bound lies above 0, not at {bound!r}")
    d = floats(differences, at_least=0) / bound
    if d.size and float(np.abs(d).max()) > 1 + 1e-12:
        raise ValueError(f"a difference of {float(np.abs(d).max()) * bound!r} is beyond the bound of {bound!r}")
    values, counts = np.unique(d.clip(-1.0, 1.0), return_counts=True)
    return values, counts.astype(np.float64)


def _limit(excess: Callable[[float], float], start: float, end: float, otherwise: float) -> float:
    """Where the capital reaches what it must. At the mean itself it is at most 1, and away from it it grows."""
    if (end - start) * (otherwise - start) <= 0 or excess(end) < 0:
        return otherwise
    return float(brentq(excess, start, end, xtol=1e-10))
