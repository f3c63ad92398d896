"""The verdict on one comparison in words, with the rows and the dollars that an inconclusive one still needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evaluate import wording
from evaluate.columns import Columns
from evaluate.differences import Pairs
from evaluate.statistics import planning
from evaluate.statistics.interval import Interval
from evaluate.statistics.verdict import FEWEST_UNITS, Evidence, Verdict, Word, claims

COMMON = {
    "better": "{candidate} is better than {baseline} on {metric}",
    "worse": "{candidate} is worse than {baseline} on {metric}",
    "equivalent": "{candidate} and {baseline} are equivalent on {metric}, within {margin}",
    "not worse": "{candidate} is not worse than {baseline} on {metric} by {margin} or more",
    "inconclusive": "inconclusive on {metric}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a verdict is on."""

    candidate: str
    baseline: str
    pairs: Pairs
    difference: Interval | None
    """As it is shown: candidate minus baseline."""
    refused: str | None
    fixed: Interval | None
    """The interval of so many rows, also while cells are pending: what planning is made from."""
    error: float | None
    pending: int
    nanos_per_row: float | None
    primary: bool
    """Only of the question that was asked is it said what its answer still needs."""


def verdict(asked: Asked, evidence: Evidence) -> Verdict:
    found = claims(evidence)
    word: Word = found[0] if found else "inconclusive"
    write = wording.change_of(asked.pairs.metric.kind)
    by = "" if evidence.margin is None else write(evidence.margin).removeprefix("+")
    sentence = COMMON[word].format(
        candidate=asked.candidate, baseline=asked.baseline, metric=asked.pairs.metric.name, margin=by
    )
    if word == "better" and "equivalent" in found:
        sentence += f", though by less than {by}"
    if word == "worse" and "not worse" in found:
        sentence += f", though by less than {by}"
    if asked.difference is not None:
        shown = asked.difference
        sentence += (
            f": {write(shown.value)} ({wording.share(shown.level)} interval {write(shown.low)} to {write(shown.high)}"
        )
        sentence += f", p {wording.chance(evidence.p)})" if evidence.p is not None else ")"
    result = Verdict(word=word, claims=found, sentence=sentence + ".", early=evidence.early)
    return result if found else _still_needed(result, asked, evidence)


def _still_needed(result: Verdict, asked: Asked, evidence: Evidence) -> Verdict:
    if asked.refused is not None:
        return replace(result, sentence=f"{result.sentence.removesuffix('.')}: {asked.refused}.")
    if evidence.units < FEWEST_UNITS:
        short = f" {evidence.units} independent rows or clusters show nothing; it takes at least {FEWEST_UNITS}."
        return replace(result, sentence=result.sentence + short)
    if evidence.early:
        cells = "one cell is" if asked.pending == 1 else f"{asked.pending:,} cells are"
        return replace(result, sentence=f"{result.sentence} {cells} still to come.")
    if not asked.primary or asked.fixed is None or not asked.error:
        return result
    sign = 1 if asked.pairs.metric.direction == "higher" else -1
    more = planning.more_items(
        asked.pairs.n, asked.error, sign * asked.fixed.value, evidence.margin, alpha=evidence.alpha
    )
    if more is None:
        return replace(result, sentence=f"{result.sentence} No number of rows within reach would settle it.")
    nanos = None if asked.nanos_per_row is None else round(more * asked.nanos_per_row)
    price = "" if nanos is None else f", about {wording.nanos(nanos)}"
    rows = wording.count(more, "more row")
    return replace(
        result,
        more_pairs=more,
        more_nanos=nanos,
        sentence=f"{result.sentence} Needed: about {rows}{price}.",
    )


def nanos_per_row(columns: Columns, arms: tuple[str, str], repeats: int) -> float | None:
    """What both arms and their judges cost for one row; None where any price is unknown."""
    total = 0.0
    for arm in arms:
        cells = [cell for cell in columns.of_arm(arm) if cell.status == "ok" and not cell.cached]
        costs = [cell.cost_nanos for cell in cells]
        judged = [score.cost_nanos for cell in cells for score in cell.scores.values()]
        known = [cost for cost in (*costs, *judged) if cost is not None]
        if not cells or len(known) < len(costs) + len(judged):
            return None
        total += sum(known) / len(cells) * repeats
    return total
