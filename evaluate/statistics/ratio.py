"""A ratio of two sums over the same items: dollars per success."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Clusters, Numbers, clustered, groups, pairs, within_unit
from evaluate.statistics.refusal import Refused


def ratio(over: Numbers, under: Numbers, *, clusters: Clusters | None = None, level: float = 0.95) -> Interval:
    """Sum over sum, never the mean of ratios. The interval is Fieller's (all ratios R for which the mean of over - R
    under is not far from 0), which stays right where successes are few; the error is the delta method's."""
    c, s = pairs(over, under)
    total = float(s.sum())
    if total <= 0:
        raise Refused("not one success: what one costs is not known")
    group = groups(clusters, c.size)
    count = int(group.max()) + 1
    if count < 2:
        raise Refused("at least 2 independent items are needed")
    value = float(c.sum()) / total
    # Variances of the means, robust to clusters.
    residuals = np.stack([np.bincount(group, weights=each - each.mean()) for each in (c, s)])
    (cc, cs), (_, ss) = residuals @ residuals.T * (count / (count - 1)) / c.size**2
    error = math.sqrt(max(0.0, cc - 2 * value * cs + value**2 * ss)) / (total / c.size)
    t = float(stats.t.ppf((1 + within_unit(level, "a level")) / 2, count - 1))
    low, high = _fieller(float(c.mean()), float(s.mean()), float(cc), float(cs), float(ss), t)
    by_cluster = clustered(clusters)
    return Interval(
        value=value,
        low=low,
        high=high,
        level=level,
        method="ratio, Fieller" + (", clustered" if by_cluster else ""),
        n=c.size,
        clusters=count if by_cluster else None,
        se=error,
        df=count - 1,
    )


def _fieller(over: float, under: float, cc: float, cs: float, ss: float, t: float) -> tuple[float, float]:
    a = under**2 - t**2 * ss
    if a <= 0:
        raise Refused("successes are too few to say that there are any: their ratio has no upper limit")
    b = over * under - t**2 * cs
    root = math.sqrt(max(0.0, b * b - a * (over**2 - t**2 * cc)))
    return (b - root) / a, (b + root) / a
