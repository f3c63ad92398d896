"""How many items a question needs, and how small a difference so many items could have shown."""

from __future__ import annotations

import math

import numpy as np
from statsmodels.stats.power import TTestPower

from evaluate.statistics.numbers import Clusters, Numbers, floats, groups, normal_quantile, within_unit
from evaluate.statistics.refusal import Refused

POWER = 0.8
MOST = 10_000_000
"""More items than this are said to be out of reach."""


def reach(alpha: float = 0.05, power: float = POWER) -> float:
    """z of alpha/2 plus z of the power: how many standard errors a difference must be away to be seen so often."""
    return normal_quantile(1 - within_unit(alpha, "alpha") / 2) + normal_quantile(within_unit(power, "a power"))


def items(
    delta: float,
    between: float,
    *,
    within_first: float = 0.0,
    within_second: float = 0.0,
    repeats_first: int = 1,
    repeats_second: int = 1,
    alpha: float = 0.05,
    power: float = POWER,
) -> float:
    """Paired items that show a mean difference `delta` (Miller 2024): (z + z)^2 (omega^2 + s_A^2/K_A + s_B^2/K_B) /
    delta^2.

    `between` is omega^2 = Var(x_A) + Var(x_B) - 2 Cov: the variance of the questions' true differences; `within` the
    variance between tries of a question.
    """
    if delta == 0:
        raise Refused("no number of items shows a difference of 0; name the smallest that matters")
    variance = between + within_first / repeats_first + within_second / repeats_second
    return reach(alpha, power) ** 2 * variance / delta**2


def smallest_difference(se: float, *, alpha: float = 0.05, power: float = POWER) -> float:
    """The minimum detectable effect of a comparison with this standard error."""
    return reach(alpha, power) * se


def mcnemar_items(candidate_only: float, baseline_only: float, *, alpha: float = 0.05, power: float = POWER) -> float:
    """Items for McNemar's test from the two shares of discordant pairs (Connor 1987)."""
    psi, delta = candidate_only + baseline_only, candidate_only - baseline_only
    if not (candidate_only >= 0 and baseline_only >= 0 and psi <= 1):
        raise ValueError(f"shares of discordant pairs lie between 0 and 1: {candidate_only!r}, {baseline_only!r}")
    if delta == 0:
        raise Refused("equal shares are no difference: no number of items shows it")
    low, high = normal_quantile(1 - alpha / 2), normal_quantile(power)
    return (low * math.sqrt(psi) + high * math.sqrt(psi - delta**2)) ** 2 / delta**2


def t_items(d_z: float, *, alpha: float = 0.05, power: float = POWER) -> float:
    """Items for a paired t test of an effect d_z, by the noncentral t distribution."""
    if d_z == 0:
        raise Refused("no number of items shows an effect of 0")
    return float(TTestPower().solve_power(effect_size=abs(d_z), alpha=alpha, power=power))


def design_effect(mean_size: float, icc: float) -> float:
    """By how much clusters multiply the items needed: 1 + (m - 1) ICC."""
    return 1 + (mean_size - 1) * icc


def icc(values: Numbers, clusters: Clusters) -> float:
    """The intraclass correlation, by the analysis of variance; below 0 is noise around 0 and is said as it is."""
    x = floats(values, at_least=2, what="items")
    group = groups(clusters, x.size)
    sizes = np.bincount(group)
    count = sizes.size
    if count < 2 or count == x.size:
        raise Refused("at least 2 clusters, and one with 2 items, are needed to see what cluster mates share")
    means = np.bincount(group, weights=x) / sizes
    between = float((sizes * (means - x.mean()) ** 2).sum()) / (count - 1)
    within = float(((x - means[group]) ** 2).sum()) / (x.size - count)
    size = (x.size - float((sizes**2).sum()) / x.size) / (count - 1)
    total = between + (size - 1) * within
    if total == 0:
        raise Refused("all values are the same")
    return (between - within) / total


def more_items(
    n: int, se: float, value: float, margin: float | None, *, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """Items still to be asked, beyond the n there are, before a verdict is likely; None where more than `MOST`.

    The present standard error carries everything that the design does to it: clusters, repeats, weights. With a margin
    they are those that show, with this power, a candidate that is truly equal to be not worse; without one, or where
    there are that many already, those that show a difference as large as was found, from whichever of 0 and the
    margin's lines is nearest."""
    variance = se**2 * n
    if margin is not None:
        # One-sided at alpha, for that is how the margin is tested.
        total = ((normal_quantile(1 - alpha) + normal_quantile(power)) / margin) ** 2 * variance
        if total > n:
            return _more(total, n)
    lines = (0.0,) if margin is None else (-margin, 0.0, margin)
    gap = min(abs(value - line) for line in lines)
    return None if gap == 0 else _more(reach(alpha, power) ** 2 * variance / gap**2, n)


def _more(total: float, n: int) -> int | None:
    return None if total > MOST else max(1, math.ceil(total) - n)
