"""Whether a preference is one for length: the win rate that is left where answers are equally long."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit
from statsmodels.tools.sm_exceptions import PerfectSeparationError, PerfectSeparationWarning

from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.numbers import Clusters, Numbers, groups, pairs, two_sided
from evaluate.statistics.refusal import Refused

FEWEST = 20
"""Votes below which a slope beside a win rate is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControl:
    win_rate: Interval
    """At no difference in length."""
    raw: float
    """Ties half: what the win rate looks like before."""
    slope: float
    """Log-odds of winning for each standard deviation of the difference in log length."""
    p: PValue
    """Of no slope."""


def control(
    outcomes: Numbers, log_length_differences: Numbers, *, clusters: Clusters | None = None, level: float = 0.95
) -> LengthControl:
    """A logistic regression of the outcome (1, 0.5, 0) on log(own length / other's length), with errors robust to
    clusters.

    The idea of length-controlled AlpacaEval (Dubois et al. 2024, arXiv:2404.04475), without its per-prompt
    difficulties."""
    y, x = pairs(outcomes, log_length_differences)
    if y.size < FEWEST:
        raise Refused(f"{y.size} votes; at least {FEWEST} are needed to tell length from quality")
    if np.ptp(x) == 0:
        raise Refused("all answers differ by the same in length: nothing can be told from that")
    design = np.column_stack([np.ones_like(x), x / x.std(ddof=1)])
    model = sm.GLM(y, design, family=sm.families.Binomial())
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", PerfectSeparationWarning)
            fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups(clusters, y.size)})
    except (PerfectSeparationError, PerfectSeparationWarning):
        raise Refused("length alone decides every vote: quality cannot be told from it") from None
    intercept, slope = (float(value) for value in fit.params)
    error, slope_error = (float(value) for value in fit.bse)
    half = two_sided(level) * error
    rate = Interval(
        value=float(expit(intercept)),
        low=float(expit(intercept - half)),
        high=float(expit(intercept + half)),
        level=level,
        method="logistic regression at equal length",
        n=y.size,
    )
    z = slope / slope_error
    p = PValue(test="Wald, length slope", value=float(2 * stats.norm.sf(abs(z))), statistic=z, n=y.size)
    return LengthControl(win_rate=rate, raw=float(y.mean()), slope=slope, p=p)
