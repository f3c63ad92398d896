"""Not worse than a margin, or the same within it: what has to be shown, never what is left when nothing was found."""

from __future__ import annotations

from scipy import stats

from evaluate.statistics import paired
from evaluate.statistics.interval import PValue
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.numbers import Clusters, Numbers
from evaluate.statistics.paired_share import tango_z


def not_worse(
    differences: Numbers, margin: float, *, clusters: Clusters | None = None, weights: Numbers | None = None
) -> PValue:
    """One-sided t test of `the mean difference is at most -margin`. Small: the candidate is not worse by the margin."""
    return _one_sided(differences, -_positive(margin), 1, clusters, weights, "non-inferiority")


def equivalent(
    differences: Numbers, margin: float, *, clusters: Clusters | None = None, weights: Numbers | None = None
) -> PValue:
    """Two one-sided tests (TOST): the larger p of `at most -margin` and `at least margin`."""
    low = _one_sided(differences, -_positive(margin), 1, clusters, weights, "equivalence (TOST)")
    high = _one_sided(differences, margin, -1, clusters, weights, "equivalence (TOST)")
    return max(low, high, key=lambda side: side.value)


def not_worse_share(table: Table, margin: float) -> PValue:
    """The same for shares of successes, by Tango's score test; `table.first` is the candidate."""
    return _score(table, -_positive(margin), 1, "non-inferiority, Tango")


def equivalent_share(table: Table, margin: float) -> PValue:
    low = _score(table, -_positive(margin), 1, "equivalence (TOST), Tango")
    high = _score(table, margin, -1, "equivalence (TOST), Tango")
    return max(low, high, key=lambda side: side.value)


def _one_sided(
    differences: Numbers, line: float, sign: int, clusters: Clusters | None, weights: Numbers | None, test: str
) -> PValue:
    found = paired.interval(differences, clusters=clusters, weights=weights)
    assert found.se is not None
    assert found.df is not None
    t = (found.value - line) / found.se
    return PValue(test=test, value=float(stats.t.sf(sign * t, found.df)), statistic=t, df=found.df, n=found.n)


def _score(table: Table, line: float, sign: int, test: str) -> PValue:
    z = tango_z(table, line)
    return PValue(test=test, value=float(stats.norm.sf(sign * z)), statistic=z, n=table.n)


def _positive(margin: float) -> float:
    if margin <= 0:
        raise ValueError(f"a margin is how much worse is still good enough, so above 0, not {margin!r}")
    return margin
