"""Quantiles of latency: how long the middle and the slowest calls take."""

from __future__ import annotations

import numpy as np
from scipy import stats

from evaluate.statistics import bootstrap, mean
from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Clusters, Floats, Numbers, clustered, floats, pairs, within_unit
from evaluate.statistics.refusal import Refused

FEWEST = ((0.99, 500), (0.95, 100), (0.5, 10))
"""From each quantile on, how many calls it takes: with fewer the slowest call seen would be its upper limit, or
nearly."""


def quantile(values: Numbers, q: float, *, clusters: Clusters | None = None, level: float = 0.95) -> Interval:
    """Of independent calls the interval is of order statistics, which holds whatever the distribution. Of clusters it
    is Woodruff's (1952): the interval of the share of calls that are no slower, read back on the scale of seconds."""
    x = floats(values, at_least=0)
    enough(x.size, q)
    ordered, value = np.sort(x), float(np.quantile(x, q))
    if not clustered(clusters):
        low, high = _ranks(x.size, q, level)
        return Interval(
            value=value,
            low=float(ordered[low]),
            high=float(ordered[high]),
            level=level,
            method="order statistics",
            n=x.size,
        )
    share = mean.mean((x <= value).astype(np.float64), clusters=clusters, level=level)
    # Around q itself, for with ties or between two values the share of those no slower is not q.
    below, above = q - share.half_width, q + share.half_width
    if not 0 < below < above < 1:
        raise Refused(f"{share.clusters} clusters are too few for an interval of the {100 * q:g} % quantile")
    return Interval(
        value=value,
        low=float(np.quantile(x, below, method="inverted_cdf")),
        high=float(np.quantile(x, above, method="inverted_cdf")),
        level=level,
        method="Woodruff, clustered",
        n=x.size,
        clusters=share.clusters,
        df=share.df,
    )


def difference(
    candidate: Numbers,
    baseline: Numbers,
    q: float,
    *,
    clusters: Clusters | None = None,
    level: float = 0.95,
    resamples: int = bootstrap.RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Of the quantiles of two systems on the same rows, by the paired bootstrap (percentile, for quantiles move in
    steps)."""
    one, two = pairs(candidate, baseline)
    enough(one.size, q)

    def figure(columns: Floats) -> Floats:
        return np.asarray(np.quantile(columns[0], q, axis=-1) - np.quantile(columns[1], q, axis=-1))

    return bootstrap.of_columns(
        figure,
        np.stack([one, two]),
        clusters=clusters,
        method="percentile",
        level=level,
        resamples=resamples,
        seed=seed,
    )


def enough(n: int, q: float) -> None:
    within_unit(q, "a quantile")
    needed = next((count for least, count in FEWEST if max(q, 1 - q) >= least), 0)
    if n < needed:
        raise Refused(f"{n} calls; the {100 * q:g} % quantile needs at least {needed}")


def _ranks(n: int, q: float, level: float) -> tuple[int, int]:
    """Places of the two values between which the quantile lies: each side misses with at most half of 1 - level."""
    tail = (1 - within_unit(level, "a level")) / 2
    low = int(stats.binom.ppf(tail, n, q)) - 1
    high = int(stats.binom.ppf(1 - tail, n, q))
    if low < 0 or high >= n:
        raise Refused(f"{n} calls are too few for an interval of the {100 * q:g} % quantile at {100 * level:g} %")
    return low, high
