"""What a grid will cost, with an interval: from its first cells, or from prices, counted tokens and logged answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from evaluate.cells import Forecast

LEVEL = 0.95
LOGGED_LEAST = 20
"""Answers of an endpoint below which their lengths say too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is known of one variant before its cells are made."""

    variant: str
    cells: int
    inputs: Sequence[int] | None
    """Nano-dollars of the input of some of its cells; None where there is no price."""
    outputs: Sequence[int]
    """Nano-dollars of the output of calls that were logged."""
    most: int | None
    """Nano-dollars of the longest output that its parameters allow."""
    exact: bool
    """The input was counted as the provider counts it."""


def by_tokens(variants: Sequence[Expectation], judged: bool) -> Forecast:
    """Before any call: tokens of the rows at the prices of now, and lengths of logged answers."""
    unpriced = tuple(each.variant for each in variants if each.inputs is None)
    known = [each for each in variants if each.inputs is not None]
    parts = [_of_tokens(each) for each in known]
    lengths = all(len(each.outputs) >= LOGGED_LEAST or each.most == 0 for each in known)
    lows = [low for _, low, _ in parts]
    highs = [high for _, _, high in parts]
    expected = [middle for middle, _, _ in parts]
    whole = not unpriced
    if lengths and whole:
        middle = math.fsum(each for each in expected if each is not None)
        # Variants err independently, so their half-widths add like the sides of a right angle.
        reach = math.sqrt(math.fsum(((high or 0) - low) ** 2 for low, high in zip(lows, highs, strict=True))) / 2
        centre: int | None = round(middle)
        low, high = max(0, math.floor(middle - reach)), math.ceil(middle + reach)
        ends: int | None = high
        how = "prices x counted tokens of the rows, and the lengths of the latest logged answers of each endpoint"
    else:
        centre, low = None, sum(lows)
        ends = None if not whole or any(high is None for high in highs) else sum(high or 0 for high in highs)
        how = (
            f"prices x counted tokens of the rows; fewer than {LOGGED_LEAST} answers of an endpoint are logged, so its "
            "answers are taken to be between nothing and max_tokens; the first cells will tell"
        )
    if not all(each.exact for each in known):
        how += "; tokens are estimates where a model's vocabulary is not public"
    return Forecast(
        cells=sum(each.cells for each in variants),
        expected_nanos=centre,
        low_nanos=low if whole else None,
        high_nanos=ends,
        level=LEVEL,
        method=how + ("; without what judges cost" if judged else ""),
        judge_nanos=None if judged else 0,
        unpriced=unpriced,
        by_variant={
            each.variant: None if middle is None or not lengths else round(middle)
            for each, middle in zip(known, expected, strict=True)
        }
        | dict.fromkeys(unpriced),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """The first cells of one variant."""

    variant: str
    cells: int
    """All that it has, these among them."""
    costs: Sequence[int | None]
    """Nano-dollars of each call; None where the price is unknown."""
    judges: Sequence[int | None]
    """Nano-dollars of what judged each."""


def by_pilot(variants: Sequence[Pilot], seconds: float, overhead_nanos: int = 0) -> Forecast:
    """After the first cells, drawn at random: what they cost, and as much again for each of the others.

    The interval is Student's for a sum of as many more draws from the same distribution: it holds both how little the
    first cells tell of the mean and how much the rest will scatter about it.
    """
    unpriced = tuple(each.variant for each in variants if any(cost is None for cost in each.costs))
    drawn = sum(len(each.costs) for each in variants)
    total = sum(each.cells for each in variants)
    left = total - drawn
    per_cell = seconds / drawn if drawn else 0.0
    expected, spread, least, judges = float(overhead_nanos), 0.0, overhead_nanos, 0.0
    by_variant: dict[str, int | None] = {}
    judged_unknown = False
    for each in variants:
        judges_known = [cost for cost in each.judges if cost is not None]
        judged_unknown = judged_unknown or len(judges_known) < len(each.judges)
        whole = [cost + (judge or 0) for cost, judge in zip(each.costs, each.judges, strict=True) if cost is not None]
        if each.variant in unpriced or not whole:
            by_variant[each.variant] = None
            continue
        rest, many, mean = each.cells - len(whole), len(whole), fmean(whole)
        sum_ = math.fsum(whole) + rest * mean
        by_variant[each.variant] = round(sum_)
        expected += sum_
        least += sum(whole)
        if rest:
            spread += (variance(whole) if many > 1 else mean**2) * (rest + rest**2 / many)
        if judges_known:
            judges += fmean(judges_known) * each.cells
    freedom = max(1, min((len(each.costs) for each in variants), default=1) - 1)
    reach = quantile_t(0.5 + LEVEL / 2, freedom) * math.sqrt(spread)
    whole_known = not unpriced
    return Forecast(
        cells=total,
        expected_nanos=round(expected) if whole_known else None,
        low_nanos=max(least, math.floor(expected - reach)) if whole_known else None,
        high_nanos=math.ceil(expected + reach) if whole_known else None,
        level=LEVEL,
        method=f"the first {drawn} cells, drawn at random, and Student's interval for the sum of {left} more like them",
        pilot_cells=drawn,
        judge_nanos=None if judged_unknown else round(judges),
        seconds=per_cell * total,
        unpriced=unpriced,
        by_variant=by_variant,
    )


def quantile_t(p: float, freedom: int) -> float:
    """Of Student's distribution. Exact for one and two degrees of freedom; beyond, by a series in their inverse, whose
    error for p = 0.975 is below 0.2 %, which a forecast need not be better than."""
    if freedom == 1:
        return math.tan(math.pi * (p - 0.5))
    if freedom == 2:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z = NormalDist().inv_cdf(p)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / freedom**power for power, term in enumerate(terms))


def _of_tokens(each: Expectation) -> tuple[float | None, int, int | None]:
    """Expected, low and high for all cells of a variant."""
    assert each.inputs is not None, "only variants with a price"
    per_input = fmean(each.inputs) if each.inputs else 0.0
    input = per_input * each.cells
    if each.most == 0:
        return input, math.floor(input), math.ceil(input)
    if len(each.outputs) < LOGGED_LEAST:
        return None, math.floor(input), None if each.most is None else math.ceil(input + each.most * each.cells)
    drawn = len(each.outputs)
    middle = input + fmean(each.outputs) * each.cells
    scatter = variance(each.outputs) * (each.cells + each.cells**2 / drawn)
    if len(each.inputs) > 1 and len(each.inputs) < each.cells:
        scatter += variance(each.inputs) * (each.cells + each.cells**2 / len(each.inputs))
    reach = quantile_t(0.5 + LEVEL / 2, drawn - 1) * math.sqrt(scatter)
    return middle, max(0, math.floor(middle - reach)), math.ceil(middle + reach)
