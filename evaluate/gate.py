"""A gate: whether a card meets criteria, beyond doubt. What is doubtful is neither a pass nor a fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from evaluate.card import Arm, Card, Comparison, Figure
from evaluate.criteria import Cost, Criterion, Kappa, Pairs, Quantile, Unanswered, criteria
from evaluate.gate_file import Floor, Gate, Primary, Test
from evaluate.statistics.interval import Interval
from evaluate.statistics.verdict import FEWEST_UNITS, Word
from evaluate.wording import (
    Write,
    change_of,
    direction_of,
    dollars,
    interval,
    kind_of,
    number,
    percent,
    seconds,
    share,
    value_of,
)
from providers.chat import Json

Outcome = Literal["pass", "fail", "inconclusive"]
EXIT: Mapping[Outcome, int] = {"pass": 0, "fail": 1, "inconclusive": 3}
"""2 is a command that was given wrongly, as everywhere."""
PENDING = "cells are still pending: whoever looks at intervals while they come in is fooled too often"
_TESTS: Mapping[Test, str] = {
    "superiority": "better than the baseline",
    "non_inferiority": "not worse than the baseline",
    "equivalence": "the same as the baseline",
}
_CLAIMS: Mapping[Test, Word] = {
    "superiority": "better",
    "non_inferiority": "not worse",
    "equivalence": "equivalent",
}
"""What the card's verdict has to claim too: it also takes the test, adjusted for how many there were."""


class NoCandidate(ValueError):
    """It is not clear which variant a gate judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one criterion, in words and in numbers."""

    name: str
    outcome: Outcome
    wanted: str
    found: str
    why: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of a gate: it fails if a criterion fails, and passes if all do."""

    evaluation: str
    candidate: str
    baseline: str
    outcome: Outcome
    decisions: tuple[Decision, ...]

    @property
    def exit_code(self) -> int:
        return EXIT[self.outcome]

    def to_json(self) -> Json:
        return {**asdict(self), "exit_code": self.exit_code}


def judge(gate: Gate, card: Card) -> Judgement:
    """Raises NoCandidate."""
    candidate = candidate_of(card, gate.candidate)
    decisions = tuple(decide(each, card, candidate) for each in criteria(gate))
    found = {each.outcome for each in decisions}
    outcome: Outcome = "fail" if "fail" in found else "inconclusive" if "inconclusive" in found else "pass"
    name = str(card.evaluation.get("name", ""))
    return Judgement(evaluation=name, candidate=candidate, baseline=card.baseline, outcome=outcome, decisions=decisions)


def decide(criterion: Criterion, card: Card, candidate: str | None = None) -> Decision:
    """Whether the card shows that the candidate meets a criterion, shows that it does not, or shows neither.

    An interval that lies wholly on the right side passes, one wholly on the wrong side fails. With intervals of level
    1 - alpha a candidate that is exactly at a bound passes at most alpha of the time, whatever the number of rows.
    """
    arm = card.arm(candidate_of(card, candidate))
    match criterion:
        case Primary():
            return _primary(criterion, card, arm)
        case Floor():
            return _floor(criterion, card, arm)
        case Cost():
            return _cost(criterion, card, arm)
        case Quantile():
            return _quantile(criterion, card, arm)
        case Kappa():
            return _kappa(criterion, card)
        case Pairs():
            return _pairs(criterion, card, arm)
        case Unanswered():
            return _unanswered(criterion, card, arm)


def candidate_of(card: Card, named: str | None) -> str:
    """The variant that is judged: the one named, or the only one besides the baseline."""
    others = [arm.name for arm in card.arms if not arm.baseline]
    if named is not None:
        if named == card.baseline:
            raise NoCandidate(f"{named!r} is the baseline; a candidate is one of {', '.join(others)}")
        if named not in others:
            raise NoCandidate(f"there is no variant {named!r}; there are {', '.join(others) or 'none'}")
        return named
    if len(others) != 1:
        raise NoCandidate(
            f"say which `candidate` is judged: {', '.join(others)}"
            if others
            else "this evaluation has one variant, and a gate compares a candidate with a baseline"
        )
    return others[0]


def _primary(criterion: Primary, card: Card, arm: Arm) -> Decision:
    metric, margin = criterion.metric, criterion.margin
    write = change_of(kind_of(card, metric))
    name = f"{metric}: {_TESTS[criterion.test]}"
    wanted = {
        "superiority": f"more than {write(margin)}" if margin else "above 0",
        "non_inferiority": f"more than {write(-margin)}",
        "equivalence": f"between {write(-margin)} and {write(margin)}",
    }[criterion.test]
    try:
        comparison = card.comparison(arm.name, metric)
    except KeyError as exc:
        return _unknown(name, wanted, str(exc.args[0]))
    if (other := _made_otherwise(criterion, card, comparison)) is not None:
        return _unknown(name, wanted, other)
    figure = comparison.difference if criterion.test == "superiority" else comparison.narrow
    if figure.interval is None or not card.complete:
        return _unknown(name, wanted, figure.refused or PENDING)
    it = figure.interval if direction_of(card, metric) == "higher" else figure.interval.negated()
    units = comparison.clusters or comparison.n
    if units < FEWEST_UNITS:
        return _unknown(name, wanted, f"{units} independent pairs show nothing; {FEWEST_UNITS} are the fewest")
    outcome = _shown_by(criterion, it)
    if outcome == "pass" and _CLAIMS[criterion.test] not in comparison.verdict.claims:
        outcome = "inconclusive"
    turned = "" if it is figure.interval else "; lower is better, so the sign is turned"
    return _decision(name, outcome, wanted, it, write, f"{_spread(it, write)} over {it.n:,} pairs{turned}")


def _made_otherwise(criterion: Primary, card: Card, comparison: Comparison) -> str | None:
    """A card answers the question that it was made for: its tests are of one alpha and one margin."""
    if criterion.alpha != card.alpha:
        return f"the card is made for alpha {card.alpha:g}, and this asks for {criterion.alpha:g}"
    if criterion.test != "superiority" and criterion.margin != comparison.margin:
        made = "no margin" if comparison.margin is None else f"the margin {comparison.margin:g}"
        return f"the card is made for {made}, and this asks for {criterion.margin:g}"
    return None


def _shown_by(criterion: Primary, gain: Interval) -> Outcome:
    margin = criterion.margin
    match criterion.test:
        case "superiority":
            return "pass" if gain.low > margin else "fail" if gain.high <= margin else "inconclusive"
        case "non_inferiority":
            return "pass" if gain.low > -margin else "fail" if gain.high <= -margin else "inconclusive"
        case "equivalence":
            outside = gain.low >= margin or gain.high <= -margin
            return "pass" if gain.low > -margin and gain.high < margin else "fail" if outside else "inconclusive"


def _floor(criterion: Floor, card: Card, arm: Arm) -> Decision:
    write = value_of(kind_of(card, criterion.metric))
    lower = criterion.lower if criterion.wilson_lower is None else criterion.wilson_lower
    wanted = f"at least {write(lower)}" if lower is not None else f"at most {write(criterion.upper or 0.0)}"
    found = next((each for each in arm.metrics if each.metric == criterion.metric), None)
    if found is None:
        known = ", ".join(each["name"] for each in card.metrics)
        return _unknown(criterion.metric, wanted, f"there is no metric {criterion.metric!r}; there are {known}")
    if criterion.wilson_lower is not None and kind_of(card, criterion.metric) != "binary":
        return _unknown(
            criterion.metric, wanted, "Wilson's interval is for a binary metric, and this is none; say lower"
        )
    it = found.mean.interval
    if it is None or not card.complete:
        return _unknown(criterion.metric, wanted, found.mean.refused or PENDING)
    outcome = _at_least(it, lower) if lower is not None else _at_most(it, criterion.upper or 0.0)
    return _decision(criterion.metric, outcome, wanted, it, write, f"{_spread(it, write)} over {it.n:,} rows")


def _cost(criterion: Cost, card: Card, arm: Arm) -> Decision:
    name = {"1k": "dollars per 1,000 calls", "success": "dollars per success", "total": "dollars in all"}[criterion.per]
    if criterion.per == "total":
        return _total(name, criterion.max or 0.0, card)
    base = card.arm(card.baseline)
    figure, held = _price(criterion, arm), _price(criterion, base)
    if criterion.max_ratio is not None:
        name, wanted = f"{name}, of the baseline's", f"at most {criterion.max_ratio:g} times"
    else:
        wanted = f"at most {dollars(criterion.max or 0.0)}"
    if figure.interval is None or not card.complete:
        return _unknown(name, wanted, figure.refused or PENDING)
    if criterion.max_ratio is None:
        it = figure.interval
        return _decision(name, _at_most(it, criterion.max or 0.0), wanted, it, dollars, _spread(it, dollars))
    if held.interval is None:
        return _unknown(name, wanted, f"of the baseline: {held.refused or 'its cost is not known'}")
    ratio = _ratio(figure.interval, held.interval)
    if ratio is None:
        return _unknown(name, wanted, "the baseline may have cost nothing, so there is nothing to compare with")
    why = _spread(ratio, _times)
    return _decision(name, _at_most(ratio, criterion.max_ratio), wanted, ratio, _times, why)


def _total(name: str, most: float, card: Card) -> Decision:
    spent, wanted, why = card.total_nanos / 1e9, f"at most {dollars(most)}", "all arms and their judges"
    if spent > most:
        return Decision(
            name=name, outcome="fail", wanted=wanted, found=dollars(spent), why="arms and judges", value=spent
        )
    if card.unknown_cost_cells or not card.complete:
        unknown = f"{card.unknown_cost_cells:,} calls have no known cost" if card.unknown_cost_cells else PENDING
        return _unknown(name, wanted, unknown, found=f"{dollars(spent)} or more")
    return Decision(name=name, outcome="pass", wanted=wanted, found=dollars(spent), why=why, value=spent)


def _quantile(criterion: Quantile, card: Card, arm: Arm) -> Decision:
    what = "time to first token" if criterion.first_token else "latency"
    name, wanted = f"{criterion.quantile} {what}", f"at most {criterion.most_ms:g} ms"
    figures = arm.speed.first_token if criterion.first_token else arm.speed.total
    figure = figures.get(criterion.quantile, Figure(refused=f"no {what} was measured"))
    it = figure.interval
    if it is None or not card.complete:
        return _unknown(name, wanted, figure.refused or PENDING)
    why = f"{_spread(it, seconds)} over {it.n:,} calls"
    return _decision(name, _at_most(it, criterion.most_ms / 1000), wanted, it, seconds, why)


def _kappa(criterion: Kappa, card: Card) -> Decision:
    """The worst of the judges decides."""
    name, wanted = "judges' agreement with people", f"kappa at least {criterion.lower:g}"
    if not card.judges:
        return _unknown(name, wanted, "no judge has scored this evaluation, or none has a certificate")
    worst: Decision | None = None
    for each in card.judges:
        said = each.get("certificate")
        if each.get("state") != "valid" or said is None:
            return _unknown(name, wanted, f"{each.get('metric')}: {each.get('why', 'it has no certificate')}")
        kappa = Interval(**said["kappa"])
        why = f"{each['metric']}: {_spread(kappa, number)} over {kappa.n:,} labels"
        one = _decision(name, _at_least(kappa, criterion.lower), wanted, kappa, number, why)
        if worst is None or kappa.low < (worst.low if worst.low is not None else -1.0):
            worst = one
    assert worst is not None
    return worst


def _pairs(criterion: Pairs, card: Card, arm: Arm) -> Decision:
    n = next((each.n for each in card.comparisons if each.candidate == arm.name and each.metric == card.primary), 0)
    enough = n >= criterion.least
    return Decision(
        name="pairs",
        outcome="pass" if enough else "inconclusive",
        wanted=f"at least {criterion.least:,}",
        found=f"{n:,}",
        why=f"rows with a score of {card.primary} from both arms",
        value=float(n),
        n=n,
    )


def _unanswered(criterion: Unanswered, card: Card, arm: Arm) -> Decision:
    wanted, attempted = f"at most {percent(criterion.most)}", arm.counts.attempted
    scored = next((each for each in arm.metrics if each.metric == card.primary), None)
    if not attempted or not card.complete:
        return _unknown("missing", wanted, PENDING)
    missing = (arm.counts.errored + (scored.unscored if scored else 0)) / attempted
    return Decision(
        name="missing",
        outcome="pass" if missing <= criterion.most else "fail",
        wanted=wanted,
        found=percent(missing),
        why=f"{arm.counts.errored:,} calls failed and {scored.unscored if scored else 0:,} could not be scored",
        value=missing,
        n=attempted,
    )


def _at_least(it: Interval, bound: float | None) -> Outcome:
    assert bound is not None, "a floor says one of its bounds"
    return "pass" if it.low >= bound else "fail" if it.high < bound else "inconclusive"


def _at_most(it: Interval, bound: float) -> Outcome:
    return "pass" if it.high <= bound else "fail" if it.low > bound else "inconclusive"


def _decision(name: str, outcome: Outcome, wanted: str, it: Interval, write: Write, why: str) -> Decision:
    return Decision(
        name=name,
        outcome=outcome,
        wanted=wanted,
        found=write(it.value),
        why=why,
        value=it.value,
        low=it.low,
        high=it.high,
        n=it.n,
    )


def _unknown(name: str, wanted: str, why: str, *, found: str = "unknown") -> Decision:
    return Decision(name=name, outcome="inconclusive", wanted=wanted, found=found, why=why)


def _spread(it: Interval, write: Write) -> str:
    return f"{interval(it, write)} ({share(it.level)} interval, {it.method})"


def _times(value: float) -> str:
    return f"{value:.3g} times"


def _price(criterion: Cost, arm: Arm) -> Figure:
    """Of one call a thousand, so that the interval is of what is asked for; of a success as it is."""
    if criterion.per == "success":
        return arm.money.per_success
    it = arm.money.per_item.interval
    if arm.money.unknown_cells:
        return Figure(refused=f"{arm.money.unknown_cells:,} calls of {arm.name} have no known cost")
    return arm.money.per_item if it is None else Figure(interval=_scaled(it, 1000))


def _scaled(it: Interval, by: float) -> Interval:
    se = None if it.se is None else it.se * by
    return replace(it, value=it.value * by, low=it.low * by, high=it.high * by, se=se)


def _ratio(over: Interval, under: Interval) -> Interval | None:
    """Of two figures whose intervals each miss on one side with alpha / 2: its own then misses there with alpha at
    most, however the two hang together."""
    if under.low <= 0:
        return None
    return Interval(
        value=over.value / under.value,
        low=over.low / under.high,
        high=over.high / under.low,
        level=over.level,
        method="of both intervals",
        n=min(over.n, under.n),
    )
