"""Intervals by resampling items, or whole clusters, for any figure: a mean, a quantile, BLEU of a corpus, dollars per
success."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import stats

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Clusters, Floats, Indices, Numbers, clustered, floats, groups, within_unit
from evaluate.statistics.refusal import Refused

Method = Literal["auto", "expanded", "percentile", "basic", "bca"]
"""`expanded` is the percentile interval, widened for few units; `auto` is that, or BCa so widened where there are
enough for it."""

RESAMPLES = 10_000
FEWEST_FOR_BCA = 20
"""With fewer independent units the acceleration is noise."""
FEWEST = 10
"""With fewer there are too few different resamples for any interval of them to hold."""
BATCH = 4_000_000
"""Numbers drawn at a time: bounds memory, not the result."""


def of_rows(
    statistic: Callable[[Indices], float],
    n: int,
    *,
    clusters: Clusters | None = None,
    method: Method = "auto",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """`statistic` is handed the row numbers of one resample and computes the figure from them, of both arms if it
    compares two.

    So the arms are always resampled together, and repeats of a row come with it.
    """
    if n < 1:
        raise Refused("no items to resample")
    members = _members(groups(clusters, n))

    def drawn(chosen: Indices) -> float:
        return statistic(np.concatenate([members[each] for each in chosen]))

    low, high, used = _bootstrap(drawn, len(members), method, level, resamples, seed, vectorized=False)
    return _interval(float(statistic(np.arange(n))), low, high, level, used, n, clusters, len(members))


def of_columns(
    figure: Callable[[Floats], Floats],
    columns: Floats,
    *,
    clusters: Clusters | None = None,
    method: Method = "auto",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Fast where items are independent or clusters of one size.

    `figure` maps resampled columns of shape (columns, ..., items) to (...) figures.
    """
    n = columns.shape[1]
    members = _members(groups(clusters, n))
    if len({each.size for each in members}) > 1:
        return of_rows(
            lambda rows: float(figure(columns[:, rows])),
            n,
            clusters=clusters,
            method=method,
            level=level,
            resamples=resamples,
            seed=seed,
        )
    order = np.stack(members)

    def drawn(chosen: Indices, axis: int = -1) -> Floats:
        return figure(columns[:, order[chosen].reshape(*chosen.shape[:-1], -1)])

    low, high, used = _bootstrap(
        drawn, len(members), method, level, resamples, seed, vectorized=True, per_unit=order.shape[1]
    )
    return _interval(float(figure(columns)), low, high, level, used, n, clusters, len(members))


def of_sums(
    figure: Callable[[Floats], Floats],
    columns: Floats,
    *,
    clusters: Clusters | None = None,
    method: Method = "auto",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Fast for what is made of sums over items, clustered or not: `figure` maps sums of shape (columns, ...) to (...)
    figures."""
    n = columns.shape[1]
    group = groups(clusters, n)
    sums = np.stack([np.bincount(group, weights=column) for column in columns])

    def drawn(chosen: Indices, axis: int = -1) -> Floats:
        return figure(sums[:, chosen].sum(axis=-1))

    low, high, used = _bootstrap(drawn, sums.shape[1], method, level, resamples, seed, vectorized=True)
    return _interval(float(figure(columns.sum(axis=1))), low, high, level, used, n, clusters, sums.shape[1])


def mean(
    values: Numbers,
    *,
    clusters: Clusters | None = None,
    method: Method = "auto",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The mean by resampling, for scores that Student's t does not suit."""
    x = floats(values)
    if clustered(clusters):
        columns = np.stack([x, np.ones_like(x)])
        return of_sums(
            lambda sums: sums[0] / sums[1],
            columns,
            clusters=clusters,
            method=method,
            level=level,
            resamples=resamples,
            seed=seed,
        )
    return of_columns(
        lambda drawn: drawn[0].mean(axis=-1), x[np.newaxis], method=method, level=level, resamples=resamples, seed=seed
    )


def _members(group: Indices) -> list[Indices]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def _bootstrap(
    drawn: Callable[..., Floats] | Callable[[Indices], float],
    units: int,
    method: Method,
    level: float,
    resamples: int,
    seed: int,
    *,
    vectorized: bool,
    per_unit: int = 1,
) -> tuple[float, float, str]:
    within_unit(level, "a level")
    if units < 2:
        raise Refused(f"{units} independent unit; at least 2 are needed to resample")
    widened = method in ("auto", "expanded")
    if widened and units < FEWEST:
        raise Refused(f"{units} independent units; at least {FEWEST} are needed to resample")
    wanted = "bca" if method == "bca" or (method == "auto" and units >= FEWEST_FOR_BCA) else "percentile"
    if method == "basic":
        wanted = "basic"
    level = _expanded(level, units) if widened else level

    def run(how: str) -> tuple[float, float, Floats]:
        with warnings.catch_warnings():
            # A degenerate distribution is asked about below, by its result.
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            result = stats.bootstrap(
                (np.arange(units),),
                drawn,
                method="BCa" if how == "bca" else how,
                n_resamples=resamples,
                batch=max(1, BATCH // (units * per_unit)) if vectorized else None,
                vectorized=vectorized,
                confidence_level=level,
                rng=np.random.default_rng(seed),
            )
        interval = result.confidence_interval
        return float(interval.low), float(interval.high), np.asarray(result.bootstrap_distribution)

    low, high, distribution = run(wanted)
    if not np.isfinite(distribution).all():
        raise Refused("some resamples have no figure (a division by zero); there are too few items for an interval")
    if float(np.ptp(distribution)) == 0.0:
        raise Refused("every resample gives the same figure: items that do not differ say nothing of those not seen")
    if wanted == "bca" and not (np.isfinite(low) and np.isfinite(high)):
        wanted = "percentile"
        low, high = (float(edge) for edge in np.quantile(distribution, [(1 - level) / 2, (1 + level) / 2]))
    return low, high, wanted + (", expanded" if widened else "")


def _expanded(level: float, units: int) -> float:
    """The level at which resampling a mean reaches as far as Student's t (Hesterberg 2015): by itself it takes the
    spread of the units it has for that of all, and the normal distribution for t."""
    reach = math.sqrt(units / (units - 1)) * float(stats.t.ppf((1 + level) / 2, units - 1))
    return 2 * float(stats.norm.cdf(reach)) - 1


def _interval(
    value: float, low: float, high: float, level: float, method: str, n: int, clusters: Clusters | None, units: int
) -> Interval:
    by_cluster = clustered(clusters)
    name = f"bootstrap, {method}" + (", clustered" if by_cluster else "")
    return Interval(
        value=value, low=low, high=high, level=level, method=name, n=n, clusters=units if by_cluster else None
    )
