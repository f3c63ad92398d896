"""Many comparisons at once: p-values adjusted so that the whole family errs no more often than one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from statsmodels.stats.multitest import multipletests

Adjustment = Literal["holm", "bh", "by", "none"]

NAMES = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}
"""Ours and statsmodels'."""


def adjusted(p_values: Sequence[float], how: Adjustment = "holm") -> list[float]:
    """In the order given. Holm bounds the chance of any false alarm; Benjamini-Hochberg (and -Yekutieli, under any
    dependence) the share of false ones among the alarms, for looking around."""
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values lie between 0 and 1: {list(p_values)!r}")
    if how == "none" or not p_values:
        return list(p_values)
    return [float(p) for p in multipletests(list(p_values), method=NAMES[how])[1]]
