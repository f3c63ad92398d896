"""How far two raters agree beyond chance: a judge and a human, two humans, a judge and itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import krippendorff
import numpy as np
from sklearn.metrics import cohen_kappa_score, confusion_matrix
from statsmodels.stats.inter_rater import cohens_kappa

from evaluate.statistics import proportion
from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import two_sided
from evaluate.statistics.refusal import Refused

Weights = Literal["linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval", "ratio"]
Labels = Sequence[float] | Sequence[int] | Sequence[str] | Sequence[bool]
RESAMPLES = 1000


def observed(first: Labels, second: Labels, level: float = 0.95) -> Interval:
    """The plain share of agreement, which chance can make high."""
    one, two = _both(first, second)
    return proportion.wilson(sum(a == b for a, b in zip(one, two, strict=True)), len(one), level)


def kappa(
    first: Labels, second: Labels, *, weights: Weights | None = None, level: float = 0.95, wald: bool = False
) -> Interval:
    """Cohen's kappa; for ordered labels weighted by how far they are apart.

    The interval is made on the scale of log(1 - kappa), where its distribution leans less; `wald` is the textbook's,
    clipped at 1, for comparison with other tools: with 40 labels it covers 90 %."""
    one, two = _both(first, second)
    categories = _categories(one, two)
    if min(len(set(one)), len(set(two))) < 2:
        raise Refused("one rater always said the same, and so knows nothing that kappa could measure; AC1 can be used")
    value = float(cohen_kappa_score(one, two, weights=weights, labels=categories))
    name = "Cohen's kappa" if weights is None else f"Cohen's kappa, {weights} weights"
    if one == two:
        share = [one.count(label) / len(one) for label in categories]
        return _all_agree(len(one), sum(each**2 for each in share), level, name)
    with np.errstate(all="ignore"):
        error = float(cohens_kappa(confusion_matrix(one, two, labels=categories), wt=weights).std_kappa)
    if not math.isfinite(error):
        raise Refused(f"{len(one)} labels are too few, or too much alike, for the error of kappa")
    around = _clipped if wald else _by_logarithm
    return around(value, error, two_sided(level), level, name, len(one))


def ac1(first: Labels, second: Labels, *, level: float = 0.95) -> Interval:
    """Gwet's AC1 (2008), which stands where one label is rare and kappa falls for that alone."""
    one, two = _both(first, second)
    n = len(one)
    if n < 2:
        raise Refused(f"{n} rated by both; at least 2 are needed")
    categories = _categories(one, two)
    said = np.array([[(a == label) + (b == label) for label in categories] for a, b in zip(one, two, strict=True)]) / 2
    share = said.mean(axis=0)
    scale = len(categories) - 1
    chance = float((share * (1 - share)).sum()) / scale
    agreed = np.array([float(a == b) for a, b in zip(one, two, strict=True)])
    value = (float(agreed.mean()) - chance) / (1 - chance)
    if one == two:
        return _all_agree(n, chance, level, "Gwet's AC1")
    # Linearised, so that the chance agreement's own error counts too (Gwet 2008, equation 8, without a finite
    # population).
    own_chance = (said * (1 - share)).sum(axis=1) / scale
    parts = (agreed - chance) / (1 - chance) - 2 * (1 - value) * (own_chance - chance) / (1 - chance)
    error = math.sqrt(float(((parts - value) ** 2).sum()) / (n * (n - 1)))
    return _by_logarithm(value, error, two_sided(level), level, "Gwet's AC1", n)


def alpha(
    ratings: Sequence[Sequence[float | None]],
    *,
    measurement: Level = "nominal",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Krippendorff's alpha: one sequence for each rater, None where one did not rate; the interval resamples what was
    rated."""
    table = np.array([[math.nan if each is None else float(each) for each in rater] for rater in ratings])
    paired = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    n = paired.shape[1]
    if n < 2 or np.nanmin(paired) == np.nanmax(paired):
        raise Refused("alpha needs at least 2 things rated by two or more raters, and not all the same")
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        resample = paired[:, rng.integers(0, n, n)]
        # All the same: as many agreements as can be, and none beyond chance; it counts as agreement lost.
        drawn.append(_alpha(resample, measurement) if np.nanmin(resample) < np.nanmax(resample) else 0.0)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    name = f"Krippendorff's alpha, {measurement}"
    return Interval(value=_alpha(paired, measurement), low=float(low), high=float(high), level=level, method=name, n=n)


def _alpha(table: np.ndarray[tuple[int, ...], np.dtype[np.float64]], measurement: Level) -> float:
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement=measurement))


def _both(first: Labels, second: Labels) -> tuple[list[Any], list[Any]]:
    one, two = list(first), list(second)
    if len(one) != len(two):
        raise ValueError(f"two raters of the same things, not of {len(one)} and {len(two)}")
    if not one:
        raise Refused("nothing was rated by both")
    return [*one], [*two]


def _categories(one: list[Any], two: list[Any]) -> list[Any]:
    categories = sorted({*one, *two})
    if len(categories) < 2:
        raise Refused(
            f"both always said {categories[0]!r}: agreement beyond chance is not defined; "
            "label some of the other kind too"
        )
    return categories


def _all_agree(n: int, chance: float, level: float, method: str) -> Interval:
    """The formulas' error is then 0, which a few labels do not bear out: the interval is that of the share agreed."""
    low = (proportion.wilson(n, n, level).low - chance) / (1 - chance)
    return Interval(value=1.0, low=max(-1.0, low), high=1.0, level=level, method=f"{method}, Wilson", n=n)


def _by_logarithm(value: float, error: float, reach: float, level: float, method: str, n: int) -> Interval:
    apart = 1 - value
    low, high = (1 - apart * math.exp(side * reach * error / apart) for side in (1, -1))
    return Interval(value=value, low=max(-1.0, low), high=high, level=level, method=method, n=n, se=error)


def _clipped(value: float, error: float, reach: float, level: float, method: str, n: int) -> Interval:
    low, high = max(-1.0, value - reach * error), min(1.0, value + reach * error)
    return Interval(value=value, low=low, high=high, level=level, method=method, n=n, se=error)
