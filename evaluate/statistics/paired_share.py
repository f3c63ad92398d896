"""The difference of two shares on the same items: Tango's interval, and Newcombe's and Wald's beside it."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq

from evaluate.statistics.interval import Interval
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.numbers import two_sided
from evaluate.statistics.proportion import wilson
from evaluate.statistics.refusal import Refused

EDGE = 1e-12
"""How close to -1 and 1 a limit is looked for."""


def tango(table: Table, level: float = 0.95) -> Interval:
    """All differences that the score test does not reject (Tango 1998): holds near 0 and 1, and without discordant
    pairs."""
    value, z = _difference(table), two_sided(level)
    low = _root(lambda delta: tango_z(table, delta) - z, -1 + EDGE, value - EDGE, otherwise=-1.0)
    high = _root(lambda delta: tango_z(table, delta) + z, value + EDGE, 1 - EDGE, otherwise=1.0)
    return Interval(value=value, low=low, high=high, level=level, method="tango", n=table.n)


def tango_z(table: Table, delta: float) -> float:
    """The score statistic of `the difference is delta`; at 0 its square is McNemar's chi-squared without correction."""
    n, b, c = table.n, table.first, table.second
    if b - c == n * delta:
        return 0.0
    # The likelihood is largest, under that hypothesis, at the root of a quadratic in the share that only the second
    # gets right.
    half = -b - c + (2 * n - b + c) * delta
    root = math.sqrt(max(0.0, half * half + 8 * n * c * delta * (1 - delta)))
    second = (root - half) / (4 * n)
    variance = n * (2 * second + delta * (1 - delta))
    return math.copysign(math.inf, b - c - n * delta) if variance <= 0 else (b - c - n * delta) / math.sqrt(variance)


def wald(table: Table, level: float = 0.95) -> Interval:
    """The textbook's, for comparison with other tools."""
    value, n = _difference(table), table.n
    error = math.sqrt(table.discordant - (table.first - table.second) ** 2 / n) / n
    half = two_sided(level) * error
    return Interval(value=value, low=value - half, high=value + half, level=level, method="wald", n=n, se=error)


def newcombe(table: Table, level: float = 0.95) -> Interval:
    """Method 10 of Newcombe 1998: two Wilson intervals joined by the correlation of the systems."""
    value, n = _difference(table), table.n
    one, two = wilson(table.both + table.first, n, level), wilson(table.both + table.second, n, level)
    phi = _phi(table)
    below, above = one.value - one.low, two.high - two.value
    low = value - math.sqrt(max(0.0, below**2 - 2 * phi * below * above + above**2))
    below, above = two.value - two.low, one.high - one.value
    high = value + math.sqrt(max(0.0, above**2 - 2 * phi * above * below + below**2))
    return Interval(value=value, low=low, high=high, level=level, method="newcombe", n=n)


def _difference(table: Table) -> float:
    if table.n == 0:
        raise Refused("no pairs: the difference of nothing has no interval")
    return (table.first - table.second) / table.n


def _phi(table: Table) -> float:
    """The correlation of the systems, moved towards 0 by a continuity correction where it is positive."""
    first, second = table.both + table.first, table.both + table.second
    product = first * (table.n - first) * second * (table.n - second)
    if product == 0:
        return 0.0
    cross = table.both * table.neither - table.first * table.second
    return (max(cross - table.n / 2, 0.0) if cross > 0 else cross) / math.sqrt(product)


def _root(function: Callable[[float], float], low: float, high: float, *, otherwise: float) -> float:
    if low >= high or function(low) * function(high) > 0:
        return otherwise
    return float(brentq(function, low, high, xtol=1e-13, rtol=1e-14))
