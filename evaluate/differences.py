"""A candidate held against a baseline row by row: which interval and which tests the paired differences get."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evaluate.card import Histogram, Missing
from evaluate.cells import Cell, Metric
from evaluate.columns import Columns
from evaluate.statistics import (
    margin,
    mcnemar,
    missing,
    paired,
    paired_share,
    permutation,
    sequential,
)
from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.numbers import two_sided
from evaluate.statistics.refusal import Refused

Range = tuple[float, float]
FINEST = 12
"""Decimals of a difference: what lies beyond is the rounding of 0.1 + 0.2, which no test may take for a gain."""
BINS = 21
"""Of a histogram, an odd number: no difference lies in the middle of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The rows that both arms have a number for."""

    metric: Metric
    rows: tuple[str, ...]
    candidate: tuple[float, ...]
    baseline: tuple[float, ...]
    clusters: Sequence[str | None] | None
    weights: Sequence[float] | None
    range: Range | None
    """Between what the metric's values lie, known before any was seen; None also where one was seen beyond."""
    differences: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        made = tuple(round(one - two, FINEST) for one, two in zip(self.candidate, self.baseline, strict=True))
        object.__setattr__(self, "differences", made)

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def count_of_clusters(self) -> int | None:
        if self.clusters is None:
            return None
        known = [label for label in self.clusters if label is not None]
        return len(set(known)) + len(self.clusters) - len(known)

    @property
    def units(self) -> int:
        """Independent ones."""
        return self.count_of_clusters or self.n

    @property
    def gains(self) -> list[float]:
        """Differences turned so that above 0 is good."""
        sign = 1 if self.metric.direction == "higher" else -1
        return [sign * difference for difference in self.differences]

    @property
    def binary(self) -> bool:
        return self.metric.kind == "binary" and {*self.candidate, *self.baseline} <= {0.0, 1.0}

    @property
    def table(self) -> Table | None:
        """The four counts that say everything, where rows are independent successes and failures."""
        if not (self.rows and self.binary) or self.clusters is not None or self.weights is not None:
            return None
        return Table.of(self.candidate, self.baseline)

    @property
    def gain_table(self) -> Table | None:
        table = self.table
        if table is None or self.metric.direction == "higher":
            return table
        return replace(table, first=table.second, second=table.first)


def pairs(
    columns: Columns,
    metric: Metric,
    candidate: str,
    baseline: str,
    bounds: Range | None,
    rows: Sequence[str] | None = None,
) -> Pairs:
    one, two = columns.means(candidate, metric.name), columns.means(baseline, metric.name)
    both = tuple(row for row in (columns.rows if rows is None else rows) if row in one and row in two)
    values = tuple(one[row] for row in both), tuple(two[row] for row in both)
    if bounds is not None and any(not bounds[0] <= value <= bounds[1] for arm in values for value in arm):
        bounds = None
    return Pairs(
        metric=metric,
        rows=both,
        candidate=values[0],
        baseline=values[1],
        clusters=columns.clusters(both),
        weights=columns.weights(both),
        range=bounds,
    )


def interval(pairs: Pairs, level: float) -> Interval:
    """Tango's for independent successes and failures, else Student's t over pairs or their clusters."""
    if pairs.n == 0:
        raise Refused("no row has a number in both arms")
    if pairs.table is not None:
        return paired_share.tango(pairs.table, level)
    if pairs.units < 2:
        raise Refused(f"{pairs.units} independent pair; at least 2 are needed to see how they differ")
    try:
        return paired.interval(pairs.differences, clusters=pairs.clusters, weights=pairs.weights, level=level)
    except Refused:
        return _all_alike(pairs, level)


def _all_alike(pairs: Pairs, level: float) -> Interval:
    value = pairs.differences[0]
    if pairs.metric.kind == "cost":
        # A price list makes costs alike, which is not chance.
        low = high = value
        method = "all differences alike"
    elif pairs.range is not None and pairs.weights is None:
        # Not one of so many differed from the others: the rule of three, for how many could and how far.
        others, span = 1 - (1 - level) ** (1 / pairs.units), _span(pairs)
        low, high = value - others * (span + value), value + others * (span - value)
        method = "all differences alike, rule of three"
    else:
        raise Refused(f"all {pairs.n} differences are {value:g}: they say nothing of how others would differ")
    return Interval(
        value=value, low=low, high=high, level=level, method=method, n=pairs.n, clusters=pairs.count_of_clusters
    )


def error(found: Interval) -> float:
    """The standard error, also of an interval that was made without one."""
    return found.se if found.se is not None else found.half_width / two_sided(found.level)


def tests(pairs: Pairs, seed: int) -> tuple[PValue | None, tuple[PValue, ...]]:
    """The test that decides, and others beside it."""
    if pairs.n == 0:
        return None, ()
    table = pairs.table
    if table is not None:
        return mcnemar.mid_p(table), (mcnemar.exact(table), mcnemar.chi_squared(table, correction=True))
    found: list[PValue] = []
    if pairs.weights is None:
        found.append(permutation.sign_flip(pairs.differences, clusters=pairs.clusters, seed=seed))
    try:
        t = paired.t_test(pairs.differences, clusters=pairs.clusters, weights=pairs.weights)
    except Refused:
        return (found[0] if found else None), ()
    if pairs.clusters is not None or pairs.weights is not None:
        return t, tuple(found)
    return found[0], (paired.wilcoxon(pairs.differences), t)


def not_worse(pairs: Pairs, by: float) -> PValue | None:
    """Of a loss of `by` or more; None where nothing can be said."""
    table = pairs.gain_table
    if table is not None:
        return margin.not_worse_share(table, by)
    if pairs.units < 2:
        return None
    try:
        return margin.not_worse(pairs.gains, by, clusters=pairs.clusters, weights=pairs.weights)
    except Refused:
        return _alike(pairs, pairs.gains, by)


def equivalent(pairs: Pairs, by: float) -> PValue | None:
    """Of a loss or a gain of `by` or more."""
    table = pairs.gain_table
    if table is not None:
        return margin.equivalent_share(table, by)
    if pairs.units < 2:
        return None
    try:
        return margin.equivalent(pairs.gains, by, clusters=pairs.clusters, weights=pairs.weights)
    except Refused:
        sides = _alike(pairs, pairs.gains, by), _alike(pairs, [-gain for gain in pairs.gains], by)
        return max((side for side in sides if side is not None), key=lambda side: side.value, default=None)


def _alike(pairs: Pairs, gains: Sequence[float], by: float) -> PValue | None:
    """For the mean to lie `by` below 0, so many rows would have to differ that to see none is unlikely."""
    if pairs.range is None or pairs.weights is not None:
        return None
    differing = (gains[0] + by) / (gains[0] + _span(pairs)) if gains[0] + by > 0 else 0.0
    chance = max(0.0, 1 - differing) ** pairs.units
    return PValue(test="all differences alike, rule of three", value=chance, n=pairs.n)


def e_value(pairs: Pairs, columns: Columns) -> float | None:
    """Evidence of a difference from the rows that are settled; of clusters only whole ones, each as one."""
    if pairs.weights is not None:
        return None
    if pairs.table is not None:
        table = Table.of(*_settled_scores(pairs, columns)) if _settled(pairs, columns) else None
        return 1.0 if table is None else sequential.of_discordant(table.first, table.second)
    units = settled_units(pairs, columns)
    return sequential.of_signs(units) if pairs.range is None else sequential.of_bounded(units, _span(pairs))


def confidence_sequence(pairs: Pairs, columns: Columns, level: float) -> Interval:
    if pairs.weights is not None:
        raise Refused("rows have weights: there is an interval once all cells are there")
    if pairs.range is None:
        raise Refused("the bounds of this metric are not known, so no interval holds while cells are pending")
    units = settled_units(pairs, columns)
    if not units:
        raise Refused("no row is settled in both arms yet")
    found = sequential.confidence_sequence(units, _span(pairs), level)
    return replace(found, n=pairs.n, clusters=None if pairs.clusters is None else len(units))


def settled_units(pairs: Pairs, columns: Columns) -> list[float]:
    """Differences of rows whose cells have all come; the mean of each cluster whose rows all have."""
    by_unit: dict[tuple[str, str], list[float]] = {}
    for row, difference in zip(pairs.rows, pairs.differences, strict=True):
        by_unit.setdefault(_unit(pairs, columns, row), []).append(difference)
    open_ = {_unit(pairs, columns, row) for row in columns.rows if not columns.settled(row)}
    return [math.fsum(found) / len(found) for unit, found in by_unit.items() if unit not in open_]


def _unit(pairs: Pairs, columns: Columns, row: str) -> tuple[str, str]:
    cluster = columns.cluster_of[row]
    return ("row", row) if pairs.clusters is None or cluster is None else ("cluster", cluster)


def _settled(pairs: Pairs, columns: Columns) -> list[int]:
    return [at for at, row in enumerate(pairs.rows) if columns.settled(row)]


def _settled_scores(pairs: Pairs, columns: Columns) -> tuple[list[float], list[float]]:
    at = _settled(pairs, columns)
    return [pairs.candidate[each] for each in at], [pairs.baseline[each] for each in at]


def _span(pairs: Pairs) -> float:
    assert pairs.range is not None
    return pairs.range[1] - pairs.range[0]


def histogram(pairs: Pairs) -> Histogram | None:
    if pairs.n == 0:
        return None
    if pairs.binary:
        edges = np.array([-1.5, -0.5, 0.5, 1.5])
    else:
        most = max(abs(difference) for difference in pairs.differences) or 1.0
        edges = np.linspace(-most, most, BINS + 1)
    counts, _ = np.histogram(pairs.differences, edges)
    return Histogram(edges=tuple(map(float, edges)), counts=tuple(map(int, counts)))


def absent(columns: Columns, pairs: Pairs, candidate: str, baseline: str) -> Missing:
    one, two = columns.means(candidate, pairs.metric.name), columns.means(baseline, pairs.metric.name)
    has = [(row in one, row in two) for row in columns.rows]
    bounds = pairs.range
    if bounds is None and one and two and all(0 <= value <= 1 for value in (*one.values(), *two.values())):
        bounds = (0.0, 1.0)
    worst = None
    if bounds is not None and columns.rows:
        first, second = ([values.get(row) for row in columns.rows] for values in (one, two))
        worst = missing.worst_case(first, second, *bounds)
    return Missing(
        pairs=pairs.n,
        only_candidate=has.count((True, False)),
        only_baseline=has.count((False, True)),
        neither=has.count((False, False)),
        worst_low=None if worst is None else worst.low,
        worst_high=None if worst is None else worst.high,
    )


def timed(columns: Columns, candidate: str, baseline: str, metric: str) -> tuple[list[float], list[float], list[str]]:
    """Calls of both arms on the same row and repeat, and the group of each."""
    one, two, groups = [], [], []
    for row in columns.rows:
        others = _by_repeat(columns.cells[baseline].get(row, ()), metric)
        for repeat, value in _by_repeat(columns.cells[candidate].get(row, ()), metric).items():
            if repeat in others:
                one.append(value)
                two.append(others[repeat])
                cluster = columns.cluster_of[row]
                groups.append(f"row {row}" if cluster is None else f"cluster {cluster}")
    return one, two, groups


def _by_repeat(cells: Sequence[Cell], metric: str) -> Mapping[int, float]:
    return {cell.repeat: value for cell in cells if (value := cell.measure(metric)) is not None}
