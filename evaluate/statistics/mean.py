"""The mean of one system's scores, with the error that clusters and weights leave it."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import (
    Clusters,
    Floats,
    Indices,
    Numbers,
    clustered,
    floats,
    groups,
    two_sided,
    within_unit,
)
from evaluate.statistics.refusal import Refused


def standard_error(values: Numbers) -> float:
    """Of independent items: sd / sqrt(n) (central limit theorem; Miller 2024, arXiv:2411.00640)."""
    x = floats(values, at_least=2, what="items")
    return float(x.std(ddof=1)) / math.sqrt(x.size)


def clustered_error(values: Numbers, clusters: Clusters, *, corrected: bool = True) -> float:
    """Robust to any dependence within clusters; corrected by sqrt(C / (C - 1)) for their finite number."""
    x = floats(values, at_least=2, what="items")
    error = math.sqrt(float((_sums(x - x.mean(), groups(clusters, x.size)) ** 2).sum())) / x.size
    return error * _correction(int(groups(clusters, x.size).max()) + 1) if corrected else error


def miller_error(values: Numbers, clusters: Clusters) -> float:
    """Equation 4 of Miller 2024: the plain variance plus the covariances within clusters, not corrected for their
    number."""
    x = floats(values, at_least=2, what="items")
    group = groups(clusters, x.size)
    residuals = x - x.mean()
    covariances = float((_sums(residuals, group) ** 2).sum() - (residuals**2).sum())
    return math.sqrt(max(0.0, standard_error(x) ** 2 + covariances / x.size**2))


def clt(values: Numbers, level: float = 0.95) -> Interval:
    """The normal interval of independent items, as other tools give it. `mean` is the one to use."""
    x = floats(values, at_least=2, what="items")
    error, value = standard_error(x), float(x.mean())
    half = two_sided(level) * error
    return Interval(value=value, low=value - half, high=value + half, level=level, method="clt", n=x.size, se=error)


def mean(
    values: Numbers, *, clusters: Clusters | None = None, weights: Numbers | None = None, level: float = 0.95
) -> Interval:
    """Student's t with one degree of freedom less than there are clusters; without clusters and weights the textbook's.

    Where clusters differ in size (or rows in weight) the few large ones decide, and C - 1 would promise too much: then
    each cluster's residual is divided by the root of the share that is not its own (CR2, Bell and McCaffrey 2002), and
    the degrees of freedom are Satterthwaite's for that error, were items correlated as they are seen to be (Imbens and
    Kolesar 2016). With weights it is the Hajek mean, its error linearised.
    """
    x = floats(values, at_least=2, what="items")
    w = np.ones_like(x) if weights is None else floats(weights)
    if w.size != x.size or (w <= 0).any():
        raise ValueError("one weight above 0 for each item")
    group = groups(clusters, x.size)
    count = int(group.max()) + 1
    if count < 2:
        raise Refused(f"all {x.size} items are of one cluster; at least 2 clusters are needed to see how they differ")
    value = float(np.average(x, weights=w))
    sizes = _sums(w, group)
    share = sizes / sizes.sum()
    residuals = _sums(w * (x - value), group) / float(w.sum())
    error = math.sqrt(float((residuals**2 / (1 - share)).sum()))
    df = _degrees(sizes, _sums(w**2, group), _shared(x, group, count))
    half = float(stats.t.ppf((1 + within_unit(level, "a level")) / 2, df)) * error
    return Interval(
        value=value,
        low=value - half,
        high=value + half,
        level=level,
        method=_name(clustered(clusters), bool(np.ptp(w) > 0)),
        n=x.size,
        clusters=count if clustered(clusters) else None,
        se=error,
        df=df,
    )


def _sums(values: Floats, group: Indices) -> Floats:
    return np.bincount(group, weights=values).astype(np.float64)


def _degrees(sizes: Floats, squares: Floats, icc: float) -> float:
    """(sum of eigenvalues)^2 / sum of their squares, of the covariance of what the error is a sum of squares of."""
    if np.ptp(sizes) == 0 and np.ptp(squares) == 0:
        return float(sizes.size - 1)
    share = sizes / sizes.sum()
    variance = (1 - icc) * squares + icc * sizes**2
    total, adjust = float(variance.sum()), 1 / (1 - share)
    own = adjust * (variance - 2 * variance * share + total * share**2)
    p, q, s = (float((adjust * each).sum()) for each in (share**2, variance**2, share * variance))
    across = total**2 * p**2 + 2 * p * q - 4 * total * s * p + 2 * s**2
    across -= float((adjust**2 * (total * share**2 - 2 * variance * share) ** 2).sum())
    return float(own.sum()) ** 2 / (float((own**2).sum()) + across)


def _shared(x: Floats, group: Indices, count: int) -> float:
    """The intraclass correlation that is seen, as far as it lies between 0 and 1."""
    if count == x.size:
        return 0.0
    sizes = np.bincount(group)
    means = _sums(x, group) / sizes
    between = float((sizes * (means - x.mean()) ** 2).sum()) / (count - 1)
    within = float(((x - means[group]) ** 2).sum()) / (x.size - count)
    size = (x.size - float((sizes**2).sum()) / x.size) / (count - 1)
    total = between + (size - 1) * within
    return min(1.0, max(0.0, (between - within) / total)) if total > 0 else 0.0


def _correction(count: int) -> float:
    if count < 2:
        raise Refused("one cluster; at least 2 are needed to see how they differ")
    return math.sqrt(count / (count - 1))


def _name(by_cluster: bool, weighted: bool) -> str:
    return "t" + (", clustered" if by_cluster else "") + (", weighted" if weighted else "")
