"""A share that a judge measured, with the judge's own errors taken out."""

from __future__ import annotations

import math

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import two_sided
from evaluate.statistics.refusal import Refused


def corrected(
    share: float,
    n: int,
    *,
    sensitivity: float,
    positives: int,
    specificity: float,
    negatives: int,
    level: float = 0.95,
) -> Interval:
    """Rogan and Gladen 1978, its error by the delta method (compare Lee et al. 2025, arXiv:2511.21140).

    `share` of `n` answers the judge passed; of `positives` answers that humans pass it passes the share `sensitivity`,
    of `negatives` that they fail it fails the share `specificity`.
    """
    if min(n, positives, negatives) < 1:
        raise Refused("a correction needs judged answers, and labelled ones of both kinds")
    if not all(0 <= each <= 1 for each in (share, sensitivity, specificity)):
        raise ValueError("shares lie between 0 and 1")
    informed = sensitivity + specificity - 1
    if informed <= 0:
        raise Refused(
            f"sensitivity {sensitivity:.3f} and specificity {specificity:.3f} add up to no more than 1: "
            "this judge knows nothing, and nothing can be corrected by it"
        )
    value = (share + specificity - 1) / informed
    variance = (
        share * (1 - share) / n
        + (1 - value) ** 2 * specificity * (1 - specificity) / negatives
        + value**2 * sensitivity * (1 - sensitivity) / positives
    ) / informed**2
    error = math.sqrt(variance)
    half = two_sided(level) * error
    low, high = (min(1.0, max(0.0, edge)) for edge in (value - half, value + half))
    inside = min(1.0, max(0.0, value))
    return Interval(value=inside, low=low, high=high, level=level, method="Rogan-Gladen", n=n, se=error)
