"""Many comparisons at once: p-values adjusted so that the whole family errs no more often than one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

Adjustment = Literal["holm", "bh", "by", "none"]


def adjusted(p_values: Sequence[float], how: Adjustment = "holm") -> list[float]:
    """In the order given. Holm bounds the chance of any false alarm; Benjamini-Hochberg (and -Yekutieli, under any
    dependence) the share of false ones among the alarms, for looking around."""
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1: {list(p_values)!r}")
    if how == "none" or not p_values:
        return list(p_values)
    if how == "holm":
        return _holm(p_values)
    return [float(p) for p in stats.false_discovery_control(p_values, method=how)]


def _holm(p_values: Sequence[float]) -> list[float]:
    """Written out, for statsmodels collects all garbage of the process at each call."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    found = np.empty_like(p)
    found[order] = stepped
    return [float(each) for each in found]
