"""From a grid to its card: every arm's figures, every candidate held against the baseline, and a verdict on each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from evaluate import arms, excerpts, preferences
from evaluate.card import SCHEMA, Card
from evaluate.cells import COST, LATENCY, Grid, Metric
from evaluate.columns import Columns
from evaluate.comparisons import Setting, judged, measured
from evaluate.differences import Range
from evaluate.statistics.multiplicity import Adjustment
from evaluate.statistics.numbers import within_unit

SLICE_MINIMUM = 20
ALWAYS = (
    Metric(name=COST, direction="lower", kind="cost"),
    Metric(name=LATENCY, direction="lower", kind="latency"),
)
"""Measured of every cell, whether or not an evaluation asks."""


def compare(
    grid: Grid,
    *,
    margin: float | None = None,
    margins: Mapping[str, float] | None = None,
    alpha: float = 0.05,
    adjustment: Adjustment = "holm",
    baseline: str | None = None,
    ranges: Mapping[str, Range] | None = None,
    judges: Sequence[Mapping[str, Any]] = (),
    slice_minimum: int = SLICE_MINIMUM,
) -> Card:
    """`margin` is how much worse on the primary metric is still good enough, decided before anybody looked; `margins`
    are those of other metrics. `ranges` are the values between which numeric metrics lie: of one without, nothing is
    concluded while cells are pending. `judges` are certificates: each names its `metric` and `state`, and has the
    `certificate`."""
    within_unit(alpha, "alpha")
    columns = Columns.of(grid)
    primary = grid.metric(grid.primary)
    metrics = _metrics(grid, primary)
    names = [variant.name for variant in grid.variants]
    held = baseline or grid.baseline.name
    if held not in names:
        raise ValueError(f"no variant {held!r} to compare with; there are {', '.join(names)}")
    held_to = {**(margins or {}), **({} if margin is None else {primary.name: margin})}
    _checked(held_to, ranges or {}, metrics)
    setting = Setting(
        columns=columns,
        baseline=held,
        candidates=tuple(name for name in names if name != held),
        repeats=grid.repeats,
        alpha=alpha,
        margins=held_to,
        ranges={**_known_ranges(grid, metrics), **(ranges or {})},
        pending=sum(cell.status == "pending" for cell in grid.cells),
        seed=grid.seed,
    )
    # Of a judge that grades there is no sensitivity, and so nothing to correct by.
    certificates = {
        each["metric"]: each["certificate"]
        for each in judges
        if each.get("state") == "valid" and each["certificate"].get("sensitivity") is not None
    }
    facts = tuple(
        arms.arm(
            columns,
            variant,
            baseline=variant.name == held,
            metrics=metrics,
            primary=primary,
            certificates=certificates,
            level=1 - alpha,
        )
        for variant in grid.variants
    )
    confirmed = [measured(setting, primary, "primary", candidate) for candidate in setting.candidates]
    explored = [
        measured(setting, metric, "secondary", candidate) for metric in metrics[1:] for candidate in setting.candidates
    ]
    bounds = setting.ranges.get(primary.name)
    slices, hidden = excerpts.slices(columns, primary, names, held, bounds, least=slice_minimum, level=1 - alpha)
    compared = [(each.candidate, held, each.pairs) for each in confirmed]
    preferred, rankings = preferences.of_grid(grid, columns, setting.candidates, held, 1 - alpha)
    return Card(
        schema=SCHEMA,
        evaluation=_evaluation(grid),
        dataset=grid.dataset.to_json(),
        complete=setting.pending == 0,
        rows=len(columns.rows),
        clusters=_clusters(columns),
        repeats=grid.repeats,
        alpha=alpha,
        margin=margin,
        primary=primary.name,
        baseline=held,
        adjustment=adjustment,
        metrics=tuple(metric.to_json() for metric in metrics),
        arms=facts,
        # One question is confirmed, so its family is guarded against any false alarm; the rest is looked around in.
        comparisons=(*judged(setting, confirmed, adjustment), *judged(setting, explored, "bh")),
        slices=slices,
        slices_hidden=hidden,
        slice_minimum=slice_minimum,
        pareto=excerpts.pareto_points(
            columns,
            primary,
            {arm.name: arm.metrics[0].mean for arm in facts},
            {arm.name: arm.money.per_item for arm in facts},
            bounds,
            alpha,
        ),
        regressions=excerpts.examples(columns, compared, grid, worst=True),
        improvements=excerpts.examples(columns, compared, grid, worst=False),
        total_nanos=sum(arm.money.total_nanos + arm.money.judge_nanos for arm in facts),
        judge_nanos=sum(arm.money.judge_nanos for arm in facts),
        unknown_cost_cells=sum(arm.money.unknown_cells for arm in facts),
        forecast=None if grid.forecast is None else grid.forecast.to_json(),
        judges=tuple(judges),
        notes=_notes(grid, columns, setting.pending),
        reproduce=_reproduce(grid, margin, alpha, baseline),
        preferences=preferred,
        rankings=rankings,
    )


def _metrics(grid: Grid, primary: Metric) -> tuple[Metric, ...]:
    """The primary first, and what is always measured last."""
    found = {primary.name: primary}
    for metric in (*grid.metrics, *ALWAYS):
        found.setdefault(metric.name, metric)
    return tuple(found.values())


def _known_ranges(grid: Grid, metrics: Sequence[Metric]) -> dict[str, Range]:
    names = [*(metric.name for metric in metrics if metric.kind == "binary"), *preferences.metrics(grid)]
    return dict.fromkeys(names, (0.0, 1.0))


def _checked(margins: Mapping[str, float], ranges: Mapping[str, Range], metrics: Sequence[Metric]) -> None:
    known = [metric.name for metric in metrics]
    for name in (*margins, *ranges):
        if name not in known:
            raise ValueError(f"no metric {name!r} in this evaluation; it has {', '.join(known)}")
    for name, margin in margins.items():
        if not margin > 0:
            raise ValueError(f"the margin of {name} is how much worse is still good enough, above 0, not {margin!r}")
    for name, (least, most) in ranges.items():
        if not least < most:
            raise ValueError(f"the values of {name} lie between two numbers, the lower first, not {(least, most)!r}")


def _clusters(columns: Columns) -> int | None:
    labels = columns.clusters(columns.rows)
    return None if labels is None else len(set(labels) - {None}) + labels.count(None)


def _notes(grid: Grid, columns: Columns, pending: int) -> tuple[str, ...]:
    found: list[str] = []
    if pending:
        found.append(
            f"{pending:,} cells are pending. Until they have come, p-values are withheld, and verdicts rest on "
            "intervals and e-values that may be looked at at any time."
        )
    for variant in grid.variants:
        models = sorted({cell.model for cell in columns.of_arm(variant.name) if cell.model is not None})
        if len(models) > 1:
            found.append(f"{variant.name} was answered by more than one model: {', '.join(models)}.")
    if len(grid.variants) > 2:
        found.append(
            "The best of several candidates on the same rows looks better than it is: confirm it on a split held out."
        )
    if columns.weights(columns.rows) is not None:
        found.append("Rows were sampled with different chances; means are weighted to stand for all of the traffic.")
    return tuple(found)


def _evaluation(grid: Grid) -> dict[str, Any]:
    return {
        "id": grid.id,
        "name": grid.name,
        "experiment_id": grid.experiment_id,
        "run_id": grid.run_id,
        "state": grid.state,
        "reason": grid.reason,
        "seed": grid.seed,
        "created_us": grid.created_us,
        "finished_us": grid.finished_us,
        "budget_nanos": grid.budget_nanos,
        "spent_nanos": grid.spent_nanos,
        "digest": grid.digest,
    }


def _reproduce(grid: Grid, margin: float | None, alpha: float, baseline: str | None) -> dict[str, str]:
    options = {"margin": margin, "alpha": None if alpha == 0.05 else alpha, "baseline": baseline}
    given = {name: value for name, value in options.items() if value is not None}
    call = f"compare({grid.id!r}{''.join(f', {name}={value!r}' for name, value in given.items())})"
    shell = f"gatelog eval compare {grid.id}" + "".join(f" --{name} {value}" for name, value in given.items())
    if baseline is not None:
        # The command takes the baseline that the evaluation was made with.
        shell = f"python -c {shlex.quote(f'from evaluate import compare; print({call}.to_json())')}"
    return {"python": f"from evaluate import compare\n\ncard = {call}\n", "shell": shell}
