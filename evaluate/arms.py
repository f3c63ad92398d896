"""One arm of a grid by itself: what became of its calls, how good, how dear and how fast they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evaluate import estimates
from evaluate.card import Arm, Counts, Figure, MetricOfArm, Money, Speed
from evaluate.cells import COST, LATENCY, Cell, Metric, Variant
from evaluate.columns import Columns
from evaluate.statistics import judge_bias, quantile, repeats
from evaluate.statistics.interval import Interval
from evaluate.statistics.ratio import ratio
from evaluate.statistics.refusal import Refused

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
MOST_ERRORS = 10
"""Kinds of errors that are listed, the commonest first."""
TRIES = (1, 2, 3, 5, 10)
"""For which k the chances of k tries are given, besides all that were made."""
NOT_SCORED = frozenset({COST, LATENCY})


def arm(
    columns: Columns,
    variant: Variant,
    *,
    baseline: bool,
    metrics: Sequence[Metric],
    primary: Metric,
    certificates: Mapping[str, Mapping[str, Any]],
    level: float,
) -> Arm:
    cells = list(columns.of_arm(variant.name))
    answered = [cell for cell in cells if cell.status == "ok"]
    return Arm(
        name=variant.name,
        baseline=baseline,
        prompt=variant.prompt,
        endpoint=variant.endpoint,
        params=dict(variant.params),
        models=dict(Counter(cell.model for cell in answered if cell.model is not None).most_common()),
        counts=_counts(cells),
        metrics=tuple(
            _metric(columns, variant.name, metric, answered, certificates.get(metric.name), level) for metric in metrics
        ),
        money=_money(columns, variant.name, primary, cells, level),
        speed=_speed(columns, answered, level),
        prompt_tokens=_total([cell.prompt_tokens for cell in answered]),
        completion_tokens=_total([cell.completion_tokens for cell in answered]),
    )


def _counts(cells: Sequence[Cell]) -> Counts:
    by_status = Counter(cell.status for cell in cells)
    errors = Counter(cell.error or "unknown" for cell in cells if cell.status == "error")
    return Counts(
        attempted=len(cells) - by_status["pending"],
        ok=by_status["ok"],
        errored=by_status["error"],
        pending=by_status["pending"],
        cached=sum(cell.cached for cell in cells if cell.status == "ok"),
        errors=dict(errors.most_common(MOST_ERRORS)),
    )


def _metric(
    columns: Columns,
    name: str,
    metric: Metric,
    answered: Sequence[Cell],
    certificate: Mapping[str, Any] | None,
    level: float,
) -> MetricOfArm:
    tries = columns.tries(name, metric.name)
    rows = list(tries)
    values = [sum(numbers) / len(numbers) for numbers in tries.values()]
    mean = estimates.figure(
        lambda: estimates.mean(
            values,
            kind=metric.kind,
            clusters=columns.clusters(rows),
            weights=columns.weights(rows),
            level=level,
        )
    )
    once = all(len(numbers) == 1 for numbers in tries.values())
    succeeding = metric.kind == "binary" and all(number in (0.0, 1.0) for tried in tries.values() for number in tried)
    spread = _spread([numbers for numbers in tries.values() if len(numbers) > 1])
    repeated = succeeding and not once
    return MetricOfArm(
        metric=metric.name,
        mean=mean,
        scored=sum(len(numbers) for numbers in tries.values()),
        unscored=0 if metric.name in NOT_SCORED else sum(_unscored(cell, metric.name) for cell in answered),
        successes=int(sum(values)) if succeeding and once else None,
        corrected=None if metric.kind != "binary" or certificate is None else _corrected(mean, certificate, level),
        within=spread.within if spread else None,
        between=spread.between if spread else None,
        pass_at=_chances(tries, repeats.pass_at) if repeated else {},
        pass_all=_chances(tries, repeats.pass_all) if repeated else {},
    )


def _unscored(cell: Cell, metric: str) -> bool:
    score = cell.scores.get(metric)
    return score is None or score.value is None


def _spread(tries: Sequence[Sequence[float]]) -> repeats.Spread | None:
    try:
        return repeats.spread(tries)
    except Refused:
        return None


def _chances(tries: Mapping[str, Sequence[float]], chance: Callable[[int, int, int], float]) -> dict[str, float]:
    most = max(len(numbers) for numbers in tries.values())
    found: dict[str, float] = {}
    for k in sorted({k for k in TRIES if k < most} | {most}):
        enough = [numbers for numbers in tries.values() if len(numbers) >= k]
        found[str(k)] = sum(chance(len(numbers), round(sum(numbers)), k) for numbers in enough) / len(enough)
    return found


def _corrected(mean: Figure, certificate: Mapping[str, Any], level: float) -> Figure:
    """With the judge's errors taken out, by the shares of its certificate."""
    if mean.interval is None:
        return mean
    found, sensitivity, specificity = mean.interval, certificate["sensitivity"], certificate["specificity"]
    return estimates.figure(
        lambda: judge_bias.corrected(
            found.value,
            found.clusters or found.n,
            sensitivity=sensitivity["value"],
            positives=sensitivity["n"],
            specificity=specificity["value"],
            negatives=specificity["n"],
            level=level,
        )
    )


def _money(columns: Columns, name: str, primary: Metric, cells: Sequence[Cell], level: float) -> Money:
    costs = columns.means(name, COST)
    rows = list(costs)
    success = columns.means(name, primary.name) if primary.kind == "binary" else {}
    both = [row for row in rows if row in success]
    # What is wanted counts as success: where lower is better, that it did not happen.
    wanted = [success[row] if primary.direction == "higher" else 1 - success[row] for row in both]
    dear = [costs[row] for row in both]

    def per_success() -> Interval:
        if primary.kind != "binary":
            raise Refused(f"{primary.name} is not binary: nothing of it counts as a success")
        if not both:
            raise Refused("no row has both a known cost and a score")
        return ratio(dear, wanted, clusters=columns.clusters(both), level=level)

    return Money(
        total_nanos=sum(cell.cost_nanos or 0 for cell in cells),
        judge_nanos=sum(score.cost_nanos or 0 for cell in cells for score in cell.scores.values()),
        unknown_cells=sum(cell.cost_nanos is None for cell in cells if cell.status == "ok")
        + sum(score.cost_nanos is None for cell in cells for score in cell.scores.values()),
        per_item=estimates.figure(
            lambda: estimates.mean(
                list(costs.values()),
                kind="cost",
                clusters=columns.clusters(rows),
                weights=columns.weights(rows),
                level=level,
            )
        ),
        per_success=estimates.figure(per_success),
    )


def _speed(columns: Columns, answered: Sequence[Cell], level: float) -> Speed:
    timed = [cell for cell in answered if cell.latency_us is not None and not cell.cached]
    begun = [cell for cell in answered if cell.ttft_us is not None and not cell.cached]
    return Speed(
        n=len(timed),
        total=_quantiles(columns, timed, [(cell.latency_us or 0) / 1e6 for cell in timed], level),
        first_token=_quantiles(columns, begun, [(cell.ttft_us or 0) / 1e6 for cell in begun], level),
    )


def _quantiles(columns: Columns, cells: Sequence[Cell], seconds: Sequence[float], level: float) -> dict[str, Figure]:
    """Calls of one row, or of one cluster, are as slow as each other."""
    groups = [
        ("row", cell.row) if (cluster := columns.cluster_of[cell.row]) is None else ("cluster", cluster)
        for cell in cells
    ]

    def one(q: float) -> Figure:
        return estimates.figure(lambda: quantile.quantile(seconds, q, clusters=groups, level=level))

    return {name: one(q) for name, q in QUANTILES.items()}


def _total(counts: Sequence[int | None]) -> int | None:
    """Unknown as soon as one is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None
