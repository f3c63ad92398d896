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
    """Of independent calls the interval is of order statistics, between two of which it is interpolated so that its
    level is met (Nyblom 1992); it holds whatever the distribution. Of clusters it is Woodruff's (1952): the interval of
    the share of calls that are no slower, read back on the scale of seconds."""
    x = floats(values, at_least=0)
    enough(x.size, q)
    ordered, value = np.sort(x), float(np.quantile(x, q))
    if not clustered(clusters):
        tail = (1 - within_unit(level, "a level")) / 2
        low, high = (_limit(ordered, q, chance) for chance in (tail, 1 - tail))
        return Interval(value=value, low=low, high=high, level=level, method="order statistics", n=x.size)
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
    """Of the quantiles of two systems on the same rows, by the paired bootstrap (percentiles, for quantiles move in
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


def _limit(ordered: Floats, q: float, chance: float) -> float:
    """The value below which the quantile lies with this chance: of the r-th smallest it is P(fewer than r are below
    the quantile)."""
    n = ordered.size
    r = int(stats.binom.ppf(chance, n, q))
    under, over = (float(stats.binom.cdf(each, n, q)) for each in (r - 1, r))
    if over == chance:
        r, under, over = r + 1, over, float(stats.binom.cdf(r + 1, n, q))
    if r < 1 or r >= n:
        raise Refused(f"{n} calls are too few for an interval of the {100 * q:g} % quantile")
    short, far = (n - r) * q * (chance - under), r * (1 - q) * (over - chance)
    part = short / (short + far)
    return float((1 - part) * ordered[r - 1] + part * ordered[r])
