"""What to look at in a grid: the rows that moved most, the slices, and who is both better and cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluate import differences, estimates
from evaluate.card import Example, Figure, ParetoPoint, Slice
from evaluate.cells import COST, Grid, Metric
from evaluate.columns import Columns
from evaluate.differences import Pairs, Range
from evaluate.statistics import pareto
from evaluate.statistics.interval import Interval
from evaluate.statistics.refusal import Refused

EXAMPLES = 10
MOST_TEXT = 1000
"""Characters of an answer that an example shows."""


def examples(
    columns: Columns, compared: Sequence[tuple[str, str, Pairs]], grid: Grid, *, worst: bool
) -> tuple[Example, ...]:
    """The rows on which a candidate lost, or won, most against the baseline, over all candidates."""
    found = [
        (abs(gain), candidate, baseline, pairs, at)
        for candidate, baseline, pairs in compared
        for at, gain in enumerate(pairs.gains)
        if ((gain < 0) if worst else (gain > 0))
    ]
    found.sort(key=lambda each: -each[0])
    return tuple(
        _example(columns, candidate, baseline, pairs, at, grid.previews)
        for _, candidate, baseline, pairs, at in found[:EXAMPLES]
    )


def _example(
    columns: Columns, candidate: str, baseline: str, pairs: Pairs, at: int, previews: Mapping[str, str]
) -> Example:
    row = pairs.rows[at]
    ours, theirs = columns.cells[candidate][row], columns.cells[baseline][row]
    return Example(
        row=row,
        preview=previews.get(row, ""),
        candidate=candidate,
        candidate_score=pairs.candidate[at],
        baseline_score=pairs.baseline[at],
        difference=pairs.differences[at],
        candidate_runs=tuple(cell.run_id for cell in ours if cell.run_id is not None),
        baseline_runs=tuple(cell.run_id for cell in theirs if cell.run_id is not None),
        candidate_text=ours[0].text[:MOST_TEXT],
        baseline_text=theirs[0].text[:MOST_TEXT],
    )


def slices(
    columns: Columns,
    metric: Metric,
    arms: Sequence[str],
    baseline: str,
    bounds: Range | None,
    *,
    least: int,
    level: float,
) -> tuple[tuple[Slice, ...], int]:
    """The primary metric by tag, and how many slices have too few rows to be shown."""
    tagged: dict[tuple[str, str], list[str]] = {}
    for row in columns.rows:
        for tag in columns.slices_of[row].items():
            tagged.setdefault(tag, []).append(row)
    shown: list[Slice] = []
    hidden = 0
    for (name, value), rows in sorted(tagged.items()):
        if len(rows) < least:
            hidden += 1
            continue
        shown += [_slice(columns, metric, name, value, rows, arm, baseline, bounds, level) for arm in arms]
    return tuple(shown), hidden


def _slice(
    columns: Columns,
    metric: Metric,
    name: str,
    value: str,
    rows: Sequence[str],
    arm: str,
    baseline: str,
    bounds: Range | None,
    level: float,
) -> Slice:
    means = columns.means(arm, metric.name)
    scored = [row for row in rows if row in means]

    def difference() -> Interval:
        return differences.interval(differences.pairs(columns, metric, arm, baseline, bounds, rows), level)

    return Slice(
        name=name,
        value=value,
        arm=arm,
        n=len(scored),
        mean=estimates.figure(
            lambda: estimates.mean(
                [means[row] for row in scored],
                kind=metric.kind,
                clusters=columns.clusters(scored),
                weights=columns.weights(scored),
                level=level,
            )
        ),
        difference=Figure(refused="this is the baseline") if arm == baseline else estimates.figure(difference),
    )


def pareto_points(
    columns: Columns,
    metric: Metric,
    quality: Mapping[str, Figure],
    cost: Mapping[str, Figure],
    bounds: Range | None,
    alpha: float,
) -> tuple[ParetoPoint, ...]:
    """Of the arms that have both figures. Dominance is claimed only where both paired differences leave no doubt."""
    sign = 1 if metric.direction == "higher" else -1
    known: dict[str, tuple[Interval, Interval]] = {}
    for name, figure in quality.items():
        price = cost[name].interval
        if figure.interval is not None and price is not None:
            known[name] = (figure.interval, price)
    front = pareto.front({name: (sign * good.value, dear.value) for name, (good, dear) in known.items()})
    return tuple(
        ParetoPoint(
            arm=name,
            quality=good,
            cost=dear,
            dominated_by=tuple(
                other for other in known if other != name and _dominates(columns, metric, other, name, bounds, alpha)
            ),
            on_front=name in front,
        )
        for name, (good, dear) in known.items()
    )


def _dominates(columns: Columns, metric: Metric, one: str, other: str, bounds: Range | None, alpha: float) -> bool:
    level = pareto.claim_level(alpha)
    price = Metric(name=COST, direction="lower", kind="cost")
    try:
        gain = differences.interval(differences.pairs(columns, metric, one, other, bounds), level)
        cheaper = differences.interval(differences.pairs(columns, price, one, other, None), level)
    except Refused:
        return False
    return pareto.dominates(gain if metric.direction == "higher" else gain.negated(), cheaper)
