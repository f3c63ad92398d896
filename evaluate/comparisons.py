"""Candidates held against the baseline, metric by metric: measured one by one, then judged as the family they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluate import differences, estimates, verdicts, wording
from evaluate.card import Comparison, Figure, Missing, Role
from evaluate.cells import Metric
from evaluate.columns import Columns
from evaluate.differences import Pairs, Range
from evaluate.statistics import multiplicity, paired, planning, quantile, sequential
from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.multiplicity import Adjustment
from evaluate.statistics.refusal import Refused
from evaluate.statistics.verdict import Evidence

FEW_CLUSTERS = 20
QUANTILE_RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all comparisons of a card share."""

    columns: Columns
    baseline: str
    candidates: tuple[str, ...]
    repeats: int
    alpha: float
    margins: Mapping[str, float]
    """By metric."""
    ranges: Mapping[str, Range]
    pending: int
    """Cells that are still to come."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One comparison before its p-values are adjusted for the others."""

    metric: Metric
    role: Role
    candidate: str
    pairs: Pairs
    fixed: Figure
    """The interval of so many rows, looked at once: what planning is made from."""
    wide: Figure
    narrow: Figure
    margin: float | None
    p: PValue | None = None
    also: tuple[PValue, ...] = ()
    p_not_worse: PValue | None = None
    p_equivalent: PValue | None = None


def measured(setting: Setting, metric: Metric, role: Role, candidate: str) -> Measured:
    columns, alpha = setting.columns, setting.alpha
    pairs = differences.pairs(columns, metric, candidate, setting.baseline, setting.ranges.get(metric.name))
    fixed = estimates.figure(lambda: differences.interval(pairs, 1 - alpha))
    margin = setting.margins.get(metric.name)
    if setting.pending:
        # Split among the candidates: nothing can be adjusted afterwards while their p-values are withheld.
        each = alpha / len(setting.candidates)
        return Measured(
            metric=metric,
            role=role,
            candidate=candidate,
            pairs=pairs,
            fixed=fixed,
            wide=estimates.figure(lambda: differences.confidence_sequence(pairs, columns, 1 - each)),
            narrow=estimates.figure(lambda: differences.confidence_sequence(pairs, columns, 1 - 2 * each)),
            margin=margin,
        )
    p, also = differences.tests(pairs, setting.seed)
    return Measured(
        metric=metric,
        role=role,
        candidate=candidate,
        pairs=pairs,
        fixed=fixed,
        wide=fixed,
        narrow=estimates.figure(lambda: differences.interval(pairs, 1 - 2 * alpha)),
        margin=margin,
        p=p,
        also=also,
        p_not_worse=None if margin is None else differences.not_worse(pairs, margin),
        p_equivalent=None if margin is None else differences.equivalent(pairs, margin),
    )


def judged(setting: Setting, family: Sequence[Measured], adjustment: Adjustment) -> list[Comparison]:
    p = _adjusted([each.p for each in family], adjustment)
    not_worse = _adjusted([each.p_not_worse for each in family], adjustment)
    equivalent = _adjusted([each.p_equivalent for each in family], adjustment)
    return [_comparison(setting, *each) for each in zip(family, p, not_worse, equivalent, strict=True)]


def _adjusted(p_values: Sequence[PValue | None], adjustment: Adjustment) -> list[float | None]:
    known = iter(multiplicity.adjusted([p.value for p in p_values if p is not None], adjustment))
    return [None if p is None else next(known) for p in p_values]


def _comparison(
    setting: Setting, found: Measured, p: float | None, not_worse: float | None, equivalent: float | None
) -> Comparison:
    pairs, metric, columns = found.pairs, found.metric, setting.columns
    gains = pairs.gain_table
    fixed = found.fixed.interval
    error = None if fixed is None else differences.error(fixed)
    missing = differences.absent(columns, pairs, found.candidate, setting.baseline)
    evidence = Evidence(
        wide=_turned(found.wide, metric),
        narrow=_turned(found.narrow, metric),
        units=pairs.units,
        p=p,
        p_not_worse=not_worse,
        p_equivalent=equivalent,
        margin=found.margin,
        alpha=setting.alpha,
        early=setting.pending > 0,
    )
    asked = verdicts.Asked(
        candidate=found.candidate,
        baseline=setting.baseline,
        pairs=pairs,
        difference=found.wide.interval,
        refused=found.wide.refused,
        fixed=fixed,
        error=error,
        pending=setting.pending,
        primary=found.role == "primary",
        nanos_per_row=verdicts.nanos_per_row(columns, (found.candidate, setting.baseline), setting.repeats),
    )
    return Comparison(
        metric=metric.name,
        kind=metric.kind,
        direction=metric.direction,
        role=found.role,
        candidate=found.candidate,
        baseline=setting.baseline,
        n=pairs.n,
        clusters=pairs.count_of_clusters,
        difference=found.wide,
        narrow=found.narrow,
        p=found.p,
        p_adjusted=p,
        also=found.also,
        e_value=differences.e_value(pairs, columns),
        e_threshold=sequential.threshold(setting.alpha, len(setting.candidates)),
        effect_size=_effect_size(pairs),
        fixed=None if gains is None else gains.first,
        broke=None if gains is None else gains.second,
        ties=sum(difference == 0 for difference in pairs.differences),
        mde=None if not error else planning.smallest_difference(error, alpha=setting.alpha),
        margin=found.margin,
        p_not_worse=not_worse,
        p_equivalent=equivalent,
        quantiles=_quantiles(setting, found) if metric.kind == "latency" and not setting.pending else {},
        histogram=differences.histogram(pairs),
        missing=missing,
        verdict=verdicts.verdict(asked, evidence),
        notes=() if setting.pending else _cautions(pairs, fixed, missing, len(columns.rows)),
    )


def _turned(figure: Figure, metric: Metric) -> Interval | None:
    """So that above 0 is good."""
    if figure.interval is None or metric.direction == "higher":
        return figure.interval
    return figure.interval.negated()


def _effect_size(pairs: Pairs) -> float | None:
    try:
        return paired.d_z(pairs.differences)
    except Refused:
        return None


def _quantiles(setting: Setting, found: Measured) -> dict[str, Figure]:
    one, two, groups = differences.timed(setting.columns, found.candidate, setting.baseline, found.metric.name)

    def difference(q: float) -> Figure:
        return estimates.figure(
            lambda: quantile.difference(
                one,
                two,
                q,
                clusters=groups,
                level=1 - setting.alpha,
                resamples=QUANTILE_RESAMPLES,
                seed=setting.seed,
            )
        )

    return {"p50": difference(0.5), "p95": difference(0.95)}


def _cautions(pairs: Pairs, fixed: Interval | None, missing: Missing, rows: int) -> tuple[str, ...]:
    found: list[str] = []
    if pairs.clusters is not None and fixed is not None and fixed.df is not None and fixed.df + 1 < FEW_CLUSTERS:
        found.append(
            f"The rows fall into {pairs.units} clusters, worth {fixed.df + 1:.0f} of equal size. With fewer than "
            f"{FEW_CLUSTERS} the interval may be too narrow."
        )
    if pairs.n < rows:
        write = wording.change_of(pairs.metric.kind)
        said = f"{rows - pairs.n:,} of {rows:,} rows lack a number in one arm or in both."
        if missing.worst_low is not None and missing.worst_high is not None:
            low, high = write(missing.worst_low), write(missing.worst_high)
            said += f" Whatever these were, the difference of all rows lies between {low} and {high}."
        found.append(said)
    if pairs.weights is not None:
        found.append("Rows count by their sampling weights.")
    return tuple(found)
