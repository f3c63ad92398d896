"""The product's intervals for thousands of worlds at once: its formulas, written for arrays and held to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

from evaluate.statistics import bootstrap
from evaluate.statistics.interval import Interval
from evaluate.statistics.mean import _degrees
from evaluate.statistics.numbers import Floats

ALIKE = 20
"""Worlds in which the product itself is asked too."""
Edges = tuple[Floats, Floats]


def covered(edges: Edges, truth: float) -> float:
    return float(((edges[0] <= truth) & (truth <= edges[1])).mean())


def same(edges: Edges, product: Callable[[int], Interval]) -> None:
    """That the product gives these in the first worlds."""
    for world in range(ALIKE):
        found = product(world)
        np.testing.assert_allclose([found.low, found.high], [edges[0][world], edges[1][world]], rtol=1e-9, atol=1e-9)


def around(value: Floats, half: Floats) -> Edges:
    return value - half, value + half


def students(x: Floats) -> Edges:
    """Of worlds x independent items."""
    n = x.shape[1]
    return around(x.mean(axis=1), stats.t.ppf(0.975, n - 1) * x.std(axis=1, ddof=1) / np.sqrt(n))


def by_cluster(x: Floats, sizes: list[int]) -> Edges:
    """Of worlds x items, those of a cluster beside each other."""
    counts, n, value = np.array(sizes, dtype=float), x.shape[1], x.mean(axis=1)
    sums = np.add.reduceat(x, np.concatenate([[0], np.cumsum(sizes)[:-1]]), axis=1)
    error = np.sqrt(((sums - counts * value[:, np.newaxis]) ** 2 / (1 - counts / n)).sum(axis=1)) / n
    means = sums / counts
    between = (counts * (means - value[:, np.newaxis]) ** 2).sum(axis=1) / (counts.size - 1)
    within = ((x - np.repeat(means, sizes, axis=1)) ** 2).sum(axis=1) / (n - counts.size)
    size = (n - (counts**2).sum() / n) / (counts.size - 1)
    icc = np.clip((between - within) / (between + (size - 1) * within), 0, 1)
    seen = icc if np.ptp(counts) else np.zeros(1)
    return around(value, stats.t.ppf(0.975, np.array([_degrees(counts, counts, float(one)) for one in seen])) * error)


def resampled(x: Floats, method: bootstrap.Method, resamples: int) -> Edges:
    """Means by resampling. The product draws the same items in each world, for its seed is one; so draws are shared."""
    n = x.shape[1]
    chosen = np.random.default_rng(0).integers(0, n, (resamples, n))
    times = np.stack([np.bincount(each, minlength=n) for each in chosen]).astype(float)
    drawn = np.sort(x @ times.T / n, axis=1)
    level = bootstrap._expanded(0.95, n) if method in ("auto", "expanded") else 0.95
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method != "auto" or n < bootstrap.FEWEST_FOR_BCA:
        low, high = np.quantile(drawn, tails, axis=1)
        return low, high
    value = x.mean(axis=1, keepdims=True)
    bias = stats.norm.ppf(((drawn < value).mean(axis=1) + (drawn <= value).mean(axis=1)) / 2)
    lean = (value - x) / (n - 1)
    acceleration = -(lean**3).sum(axis=1) / (6 * (lean**2).sum(axis=1) ** 1.5)
    return _places(drawn, bias, acceleration, tails[0]), _places(drawn, bias, acceleration, tails[1])


def kappas(counts: Floats) -> tuple[Edges, Edges]:
    """Of kappa and of AC1, from worlds x the four counts of two raters of two labels; not where all labels agree."""
    n = counts.sum(axis=1)
    both, first, second, neither = counts.T / n
    one, two = both + first, both + second
    chance = one * two + (1 - one) * (1 - two)
    value = (both + neither - chance) / (1 - chance)
    alike = both * (1 - (one + two) * (1 - value)) ** 2 + neither * (1 - (2 - one - two) * (1 - value)) ** 2
    apart = (1 - value) ** 2 * (first * (two + 1 - one) ** 2 + second * (1 - two + one) ** 2)
    error = np.sqrt((alike + apart - (value - chance * (1 - value)) ** 2) / n) / (1 - chance)
    middle = (one + two) / 2
    chance = 2 * middle * (1 - middle)
    ac1 = (both + neither - chance) / (1 - chance)
    squares = np.zeros_like(ac1)
    for share, agreed, said in ((both, 1, 1.0), (first, 0, 0.5), (second, 0, 0.5), (neither, 1, 0.0)):
        own = said * (1 - middle) + (1 - said) * middle
        part = (agreed - chance) / (1 - chance) - 2 * (1 - ac1) * (own - chance) / (1 - chance)
        squares += share * (part - ac1) ** 2
    return _by_logarithm(value, error), _by_logarithm(ac1, np.sqrt(squares / (n - 1)))


def _by_logarithm(value: Floats, error: Floats) -> Edges:
    reach = stats.norm.ppf(0.975) * error / (1 - value)
    return np.maximum(-1, 1 - (1 - value) * np.exp(reach)), 1 - (1 - value) * np.exp(-reach)


def _places(drawn: Floats, bias: Floats, acceleration: Floats, tail: float) -> Floats:
    z = bias + stats.norm.ppf(tail)
    at = stats.norm.cdf(bias + z / (1 - acceleration * z)) * (drawn.shape[1] - 1)
    below = np.clip(np.floor(at).astype(int), 0, drawn.shape[1] - 2)
    worlds, part = np.arange(drawn.shape[0]), at - below
    return np.asarray((1 - part) * drawn[worlds, below] + part * drawn[worlds, below + 1])
