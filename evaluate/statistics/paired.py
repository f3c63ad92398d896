"""Two systems on the same items: everything is asked of the differences."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import stats

from evaluate.statistics import mean as one
from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.numbers import Clusters, Floats, Numbers, floats, pairs
from evaluate.statistics.refusal import Refused

EXACT_UP_TO = 50
FINEST = 10
"""Decimals to which differences are rounded before they are ranked, so that 0.3 - 0.2 ties with 0.2 - 0.1."""


def differences(candidate: Numbers, baseline: Numbers) -> Floats:
    one, two = pairs(candidate, baseline)
    return one - two


def interval(
    differences: Numbers, *, clusters: Clusters | None = None, weights: Numbers | None = None, level: float = 0.95
) -> Interval:
    """Of the mean difference, by Student's t; one whose differences are all the same is refused."""
    found = one.mean(differences, clusters=clusters, weights=weights, level=level)
    if found.se == 0:
        raise Refused(f"all {found.n} differences are the same: they say nothing of how others would differ")
    return found


def t_test(differences: Numbers, *, clusters: Clusters | None = None, weights: Numbers | None = None) -> PValue:
    """Two-sided; clustered with one degree of freedom less than there are clusters."""
    found = interval(differences, clusters=clusters, weights=weights)
    assert found.se is not None
    assert found.df is not None
    t = found.value / found.se
    name = "paired t" + found.method.removeprefix("t")
    return PValue(test=name, value=float(2 * stats.t.sf(abs(t), found.df)), statistic=t, df=found.df, n=found.n)


def wilcoxon(differences: Numbers, *, method: Literal["auto", "exact", "asymptotic"] = "auto") -> PValue:
    """Signed ranks of independent items, zeros left out. `auto` is exact up to 50 without zeros and ties, else the
    normal approximation."""
    d = np.round(floats(differences), FINEST)
    if not d.any():
        return PValue(test="Wilcoxon signed rank", value=1.0, n=d.size)
    if method == "auto":
        distinct = np.unique(np.abs(d)).size == d.size and bool(d.all())
        method = "exact" if distinct and d.size <= EXACT_UP_TO else "asymptotic"
    result = stats.wilcoxon(d, method=method)
    name = f"Wilcoxon signed rank, {'exact' if method == 'exact' else 'normal approximation'}"
    return PValue(test=name, value=float(result.pvalue), statistic=float(result.statistic), n=d.size)


def d_z(differences: Numbers) -> float:
    """Cohen's d of paired differences: their mean in their own standard deviations."""
    d = floats(differences, at_least=2, what="pairs")
    deviation = float(d.std(ddof=1))
    if deviation == 0:
        raise Refused("all differences are the same: there is no standard deviation to measure them in")
    return float(d.mean()) / deviation


def unpaired_error(first: Numbers, second: Numbers) -> float:
    """What the error would be if the pairs were ignored: shown to say what pairing gains."""
    return math.hypot(one.standard_error(first), one.standard_error(second))


def correlation(first: Numbers, second: Numbers) -> float:
    """Of the systems' scores: the higher, the more pairing gains."""
    x, y = pairs(first, second)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        raise Refused("a system whose scores are all the same correlates with nothing")
    return float(np.corrcoef(x, y)[0, 1])
