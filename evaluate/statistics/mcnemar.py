"""McNemar's test: two systems right or wrong on the same items."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from evaluate.statistics.interval import PValue
from evaluate.statistics.numbers import Numbers, binary, pairs

FEW = 25
"""Below so many discordant pairs the chi-squared approximation is not to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How many items both, only the first, only the second, and neither got right."""

    both: int
    first: int
    second: int
    neither: int

    @classmethod
    def of(cls, first: Numbers, second: Numbers) -> Table:
        one, two = pairs(binary(first), binary(second))
        both = int((one * two).sum())
        only_first, only_second = int(one.sum()) - both, int(two.sum()) - both
        return cls(both=both, first=only_first, second=only_second, neither=one.size - both - only_first - only_second)

    @property
    def n(self) -> int:
        return self.both + self.first + self.second + self.neither

    @property
    def discordant(self) -> int:
        return self.first + self.second


def exact(table: Table) -> PValue:
    """The binomial test of the discordant pairs. Never errs more often than it says; without any, nothing speaks
    against no difference."""
    return _named("McNemar, exact", table, 1.0 if table.discordant == 0 else float(_mcnemar(table, exact=True).pvalue))


def mid_p(table: Table) -> PValue:
    """Exact less half the probability of what was seen: more power, its error close to nominal (Fagerland et al.
    2013)."""
    p = 1.0
    if table.discordant:
        p = float(_mcnemar(table, exact=True).pvalue) - float(stats.binom.pmf(table.first, table.discordant, 0.5))
    return _named("McNemar, mid-p", table, min(1.0, max(0.0, p)))


def chi_squared(table: Table, *, correction: bool = False) -> PValue:
    """(b - c)^2 / (b + c), or with Edwards' correction (|b - c| - 1)^2 / (b + c)."""
    name = "McNemar, chi-squared" + (" with continuity correction" if correction else "")
    if table.discordant == 0:
        return _named(name, table, 1.0, 0.0)
    result = _mcnemar(table, exact=False, correction=correction)
    return _named(name, table, float(result.pvalue), float(result.statistic))


def _mcnemar(table: Table, **how: bool):  # type: ignore[no-untyped-def]  # statsmodels has no types
    return mcnemar([[table.both, table.first], [table.second, table.neither]], **how)


def _named(test: str, table: Table, p: float, statistic: float | None = None) -> PValue:
    assert not math.isnan(p)
    return PValue(test=test, value=p, statistic=statistic, df=None if statistic is None else 1, n=table.n)
