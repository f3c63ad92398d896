"""Few human labels and many judged answers: a mean as free of bias as the labels, and surer for the judge's help."""

from __future__ import annotations

import math

import numpy as np

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Numbers, floats, pairs, two_sided
from evaluate.statistics.refusal import Refused


def mean(
    labels: Numbers, judged_labelled: Numbers, judged: Numbers, *, weight: float | None = None, level: float = 0.95
) -> Interval:
    """`labels` and `judged_labelled` are of the same answers, `judged` of others.

    `weight` 1 is prediction-powered inference (Angelopoulos et al. 2023, arXiv:2301.09633), 0 the labels alone;
    without one it is what makes the interval shortest (PPI++, arXiv:2311.01453), so that a bad judge does no harm.
    """
    y, f = pairs(labels, judged_labelled)
    others = floats(judged, at_least=2, what="judged answers")
    if y.size < 2:
        raise Refused(f"{y.size} labels; at least 2 are needed")
    chosen = best_weight(labels, judged_labelled, judged) if weight is None else weight
    value = chosen * float(others.mean()) + float((y - chosen * f).mean())
    error = math.sqrt(
        chosen**2 * float(others.var(ddof=1)) / others.size + float((y - chosen * f).var(ddof=1)) / y.size
    )
    half = two_sided(level) * error
    name = "prediction-powered" + ("" if weight is not None else ", tuned")
    return Interval(value=value, low=value - half, high=value + half, level=level, method=name, n=y.size, se=error)


def best_weight(labels: Numbers, judged_labelled: Numbers, judged: Numbers) -> float:
    """The weight of the judge that leaves the least variance."""
    y, f = pairs(labels, judged_labelled)
    others = floats(judged)
    spread = float(np.concatenate([f, others]).var(ddof=1))
    if spread == 0:
        return 0.0
    return float(np.cov(y, f, ddof=1)[0, 1]) / ((1 + y.size / others.size) * spread)
