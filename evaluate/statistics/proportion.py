"""The share of successes, with intervals that hold at few items too."""

from __future__ import annotations

from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import within_unit
from evaluate.statistics.refusal import Refused

METHODS = {"wilson": "wilson", "clopper-pearson": "beta", "jeffreys": "jeffreys", "wald": "normal"}
"""Our names, which are the literature's, and statsmodels'."""


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The default: right on average at any n."""
    return _interval("wilson", successes, n, level)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Never misses more often than it says, for gates on safety; wider than need be for that."""
    return _interval("clopper-pearson", successes, n, level)


def jeffreys(successes: int, n: int, level: float = 0.95) -> Interval:
    """The credible interval under the prior Beta(1/2, 1/2)."""
    return _interval("jeffreys", successes, n, level)


def credible(successes: int, n: int, level: float = 0.95, *, prior: tuple[float, float] = (1.0, 1.0)) -> Interval:
    """The credible interval under a Beta prior, all shares alike without one; also where nothing was seen yet."""
    tail = (1 - within_unit(level, "a level")) / 2
    if not 0 <= successes <= n:
        raise ValueError(f"of {n} items {successes} cannot have succeeded")
    posterior = stats.beta(successes + prior[0], n - successes + prior[1])
    name = f"Beta({prior[0]:g}, {prior[1]:g})"
    value = (successes + prior[0]) / (n + sum(prior))
    low, high = float(posterior.ppf(tail)), float(posterior.ppf(1 - tail))
    return Interval(value=value, low=low, high=high, level=level, method=name, n=n)


def wald(successes: int, n: int, level: float = 0.95) -> Interval:
    """The textbook's, for comparison with other tools only: at a few hundred items or near 0 and 1 it is too narrow."""
    return _interval("wald", successes, n, level)


def _interval(method: str, successes: int, n: int, level: float) -> Interval:
    if n == 0:
        raise Refused("no items: a share of nothing has no interval")
    if not 0 <= successes <= n:
        raise ValueError(f"of {n} items {successes} cannot have succeeded")
    alpha = 1 - within_unit(level, "a level")
    low, high = proportion_confint(successes, n, alpha=alpha, method=METHODS[method])
    return Interval(
        value=successes / n,
        # Where nothing or everything succeeded the limit is the edge itself, also after rounding.
        low=0.0 if successes == 0 else max(0.0, float(low)),
        high=1.0 if successes == n else min(1.0, float(high)),
        level=level,
        method=method,
        n=n,
    )
