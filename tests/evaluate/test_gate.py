"""What a gate lets through: what is shown beyond doubt, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evaluate.card import Card, Figure
from evaluate.criteria import Cost, Kappa, Pairs, Quantile, Unanswered, criteria
from evaluate.gate import EXIT, Decision, NoCandidate, decide, judge
from evaluate.gate_file import Floor, Gate, InvalidGate, Primary, read
from tests.evaluate.cards import BETTER, JUDGE, UNSURE, arm, card, comparison, known, metric, verdict

REFERENCE = """
candidate: terse
primary: {metric: correct, test: non_inferiority, margin: .02, alpha: .05}
floors: [{metric: json_valid, wilson_lower: .98}]
budget: {usd_per_1k: {max_ratio: .8}}
latency: {p95_ms: 3000}
require: {judge_kappa_lower: .6, min_pairs: 100}
"""


def two(**changes: Any) -> Card:
    """The baseline and one candidate."""
    whole = card()
    return replace(whole, **{"arms": whole.arms[:2], "comparisons": whole.comparisons[:1], **changes})


def with_floor(low: float, high: float) -> Card:
    whole = two()
    shaky = replace(whole.arms[1], metrics=(metric("json_valid", known((low + high) / 2, low, high)),))
    return replace(whole, arms=(whole.arms[0], shaky))


def test_the_reference_s_gate_is_read_and_judged() -> None:
    judgement = judge(read(REFERENCE), card())
    outcomes = {each.name: each.outcome for each in judgement.decisions}
    assert outcomes == {
        "correct: not worse than the baseline": "pass",
        "json_valid": "inconclusive",
        "dollars per 1,000 calls, of the baseline's": "fail",
        "p95 latency": "pass",
        "judges' agreement with people": "pass",
        "pairs": "pass",
    }
    assert judgement.outcome == "fail"
    assert judgement.exit_code == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "a gate is a mapping with candidate, primary, floors, budget, latency, require, not [1]"),
        ("primary: [", "this is no YAML"),
        ("candidate: b", "it has no criterion: say at least one of primary, floors, budget, latency, require"),
        ("primry: {}", "primry: there is no 'primry' (do you mean 'primary'?)"),
        ("primary: {metrik: a}", "primary.metric: this is missing"),
        (
            "primary: {metrik: a}",
            "primary.metrik: there is no 'metrik' (do you mean 'metric'?); there are metric, test",
        ),
        ("primary: {metric: a, test: better}", "primary.test: 'better' cannot be used: it should be 'superiority'"),
        ("primary: {metric: a, test: equivalence}", "primary: equivalence needs a margin above 0"),
        ("primary: {metric: a, alpha: 0.5}", "primary.alpha: 0.5 cannot be used: it should be less than 0.5"),
        ("primary: yes", "primary: this should be a mapping with metric, test, margin, alpha, not True"),
        ("floors: [{metric: a}]", "floors[0]: say one of wilson_lower, lower, upper; this says none of them"),
        ("floors: [{metric: a, lower: 1, upper: 2}]", "this says lower, upper"),
        ("budget: {usd_per_1k: {}}", "budget.usd_per_1k: say max (dollars), max_ratio"),
        ("latency: {p95_ms: -1}", "latency.p95_ms: -1 cannot be used: it should be greater than 0"),
        ("latency: {p90_ms: 1}", "latency.p90_ms: there is no 'p90_ms'"),
        ("require: {min_pairs: 1.5}", "require.min_pairs: 1.5 cannot be used: it should be a valid integer"),
    ],
)
def test_a_gate_that_cannot_be_read_says_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(InvalidGate) as caught:
        read(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("test", "low", "high", "claims", "outcome"),
    [
        ("superiority", 0.01, 0.05, ("better", "not worse"), "pass"),
        ("superiority", 0.01, 0.05, (), "inconclusive"),
        ("superiority", -0.01, 0.05, ("not worse",), "inconclusive"),
        ("superiority", -0.05, -0.01, ("worse",), "fail"),
        ("non_inferiority", -0.01, 0.05, ("not worse",), "pass"),
        ("non_inferiority", -0.01, 0.05, (), "inconclusive"),
        ("non_inferiority", -0.03, 0.05, (), "inconclusive"),
        ("non_inferiority", -0.02, 0.05, (), "inconclusive"),
        ("non_inferiority", -0.09, -0.03, ("worse",), "fail"),
        ("equivalence", -0.01, 0.01, ("equivalent", "not worse"), "pass"),
        ("equivalence", -0.01, 0.03, ("not worse",), "inconclusive"),
        ("equivalence", 0.03, 0.06, ("better", "not worse"), "fail"),
    ],
)
def test_a_comparison_passes_where_interval_and_verdict_agree(
    test: Any, low: float, high: float, claims: Any, outcome: str
) -> None:
    margin = 0.0 if test == "superiority" else 0.02
    said = verdict("inconclusive", *claims)
    found = two(comparisons=(comparison("terse", said, known((low + high) / 2, low, high, n=198)),))
    assert decide(Primary(metric="correct", test=test, margin=margin), found).outcome == outcome


def test_where_lower_is_better_the_sign_is_turned() -> None:
    fewer = comparison(
        "terse", verdict("better"), known(-0.3, -0.4, -0.2), metric="words", kind="numeric", direction="lower"
    )
    metrics = ({"name": "words", "direction": "lower", "kind": "numeric"},)
    decision = decide(Primary(metric="words"), two(comparisons=(fewer,), metrics=metrics, primary="words"))
    assert (decision.outcome, decision.low, decision.high) == ("pass", 0.2, 0.4)
    assert "lower is better" in decision.why


NEVER: dict[str, tuple[Card, Any]] = {
    "a metric that is not there": (two(), Primary(metric="corect")),
    "a floor of a metric that is not there": (two(), Floor(metric="corect", lower=0.0)),
    "Wilson's interval of a metric that is no share": (two(), Floor(metric="similarity", wilson_lower=0.0)),
    "cells that are pending": (two(complete=False), Primary(metric="correct")),
    "a floor while cells are pending": (two(complete=False), Floor(metric="json_valid", wilson_lower=0.1)),
    "money while cells are pending": (two(complete=False), Cost(per="1k", max=100.0)),
    "latency while cells are pending": (two(complete=False), Quantile(quantile="p95", first_token=False, most_ms=1e6)),
    "a card for another alpha": (two(), Primary(metric="correct", alpha=0.01)),
    "a card for another margin": (two(), Primary(metric="correct", test="non_inferiority", margin=0.5)),
    "five pairs": (two(comparisons=(replace(BETTER, n=5),)), Primary(metric="correct")),
    "five clusters": (two(comparisons=(replace(BETTER, clusters=5),)), Primary(metric="correct")),
    "no honest interval": (
        two(comparisons=(replace(BETTER, difference=Figure(refused="all differences are 0")),)),
        Primary(metric="correct"),
    ),
    "an unknown price": (
        replace(two(), unknown_cost_cells=1),
        Cost(per="total", max=100.0),
    ),
    "latency that was not measured": (
        replace(two(), arms=(two().arms[0], replace(arm("terse"), speed=replace(arm("terse").speed, total={})))),
        Quantile(quantile="p50", first_token=False, most_ms=1e6),
    ),
    "a quantile of too few calls": (two(), Quantile(quantile="p99", first_token=False, most_ms=1e6)),
    "a judge that nobody has checked": (two(judges=()), Kappa(lower=-1.0)),
    "a judge that has changed since": (
        two(judges=({**JUDGE, "state": "expired", "why": "its model has changed"},)),
        Kappa(lower=-1.0),
    ),
    "too few pairs": (two(), Pairs(least=199)),
}


@pytest.mark.parametrize("case", list(NEVER))
def test_what_is_not_known_is_never_a_pass(case: str) -> None:
    found, criterion = NEVER[case]
    decision = decide(criterion, found)
    assert decision.outcome == "inconclusive"
    assert decision.why


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(0.98, 0.99, "pass"), (0.97, 0.99, "inconclusive"), (0.9, 0.979, "fail")]
)
def test_a_floor_holds_the_lower_end_of_the_interval(low: float, high: float, outcome: str) -> None:
    assert decide(Floor(metric="json_valid", wilson_lower=0.98), with_floor(low, high)).outcome == outcome


def test_forty_six_of_fifty_do_not_clear_a_floor_of_85_percent() -> None:
    """The reference's example: a mean of .92, and a lower end of .811618."""
    assert decide(Floor(metric="json_valid", wilson_lower=0.85), with_floor(0.811618, 0.968)).outcome == "inconclusive"


def test_a_ceiling_holds_the_upper_end() -> None:
    assert decide(Floor(metric="json_valid", upper=0.5), with_floor(0.1, 0.5)).outcome == "pass"
    assert decide(Floor(metric="json_valid", upper=0.5), with_floor(0.51, 0.6)).outcome == "fail"


@pytest.mark.parametrize(
    ("criterion", "outcome"),
    [
        (Cost(per="1k", max=3.6), "pass"),
        (Cost(per="1k", max=3.4), "inconclusive"),
        (Cost(per="1k", max=3.0), "fail"),
        (Cost(per="1k", max_ratio=2.0), "pass"),
        (Cost(per="1k", max_ratio=1.6), "inconclusive"),
        (Cost(per="1k", max_ratio=0.8), "fail"),
        (Cost(per="success", max=0.01), "pass"),
        (Cost(per="total", max=1.3), "pass"),
        (Cost(per="total", max=1.2), "fail"),
        (Quantile(quantile="p95", first_token=False, most_ms=2500), "pass"),
        (Quantile(quantile="p95", first_token=False, most_ms=2000), "inconclusive"),
        (Quantile(quantile="p95", first_token=True, most_ms=500), "fail"),
        (Kappa(lower=0.6), "pass"),
        (Kappa(lower=0.7), "inconclusive"),
        (Kappa(lower=0.9), "fail"),
        (Pairs(least=198), "pass"),
        (Unanswered(most=0.01), "pass"),
        (Unanswered(most=0.005), "fail"),
    ],
)
def test_every_other_criterion_goes_by_its_interval(criterion: Any, outcome: str) -> None:
    assert decide(criterion, two()).outcome == outcome


def test_one_fail_fails_and_one_doubt_is_a_doubt() -> None:
    passing = Primary(metric="correct")
    failing, doubtful = Floor(metric="json_valid", lower=0.999), Floor(metric="json_valid", lower=0.98)
    assert judge(Gate(primary=passing), two()).outcome == "pass"
    assert judge(Gate(primary=passing, floors=(doubtful,)), two()).outcome == "inconclusive"
    assert judge(Gate(primary=passing, floors=(doubtful, failing)), two()).outcome == "fail"
    assert EXIT == {"pass": 0, "fail": 1, "inconclusive": 3}


def test_which_of_several_candidates_has_to_be_said() -> None:
    gate = Gate(primary=Primary(metric="correct"))
    with pytest.raises(NoCandidate, match="say which `candidate` is judged: terse, cheap"):
        judge(gate, card())
    with pytest.raises(NoCandidate, match="there is no variant 'tense'; there are terse, cheap"):
        judge(gate.model_copy(update={"candidate": "tense"}), card())
    with pytest.raises(NoCandidate, match="'current' is the baseline"):
        judge(gate.model_copy(update={"candidate": "current"}), card())
    assert judge(gate.model_copy(update={"candidate": "cheap"}), card()).outcome == "inconclusive"
    with pytest.raises(NoCandidate, match="one variant"):
        judge(gate, replace(card(), arms=card().arms[:1]))


def test_every_criterion_of_a_file_is_judged() -> None:
    text = """
    floors: [{metric: a, lower: 0}, {metric: b, upper: 1}]
    budget: {usd_per_1k: {max: 1, max_ratio: 1}, usd_per_success: {max: 1}, usd_total: 5}
    latency: {p50_ms: 1, p95_ms: 2, p99_ms: 3, ttft_p50_ms: 4, ttft_p95_ms: 5, ttft_p99_ms: 6}
    require: {judge_kappa_lower: 0, min_pairs: 1, max_missing: 0}
    """
    found = criteria(read(text))
    assert len(found) == 2 + 4 + 6 + 3
    assert Quantile(quantile="p95", first_token=True, most_ms=5) in found


def test_the_inconclusive_of_a_whole_card_says_so_in_numbers() -> None:
    decision: Decision = decide(Primary(metric="correct"), two(comparisons=(replace(UNSURE, candidate="terse"),)))
    assert decision.outcome == "inconclusive"
    assert (decision.value, decision.low, decision.high, decision.n) == (-0.0101, -0.0594, 0.0381, 198)
    assert decision.found == "\u22121.0 pp"
    assert decision.why == "\u22125.9 pp to +3.8 pp (95 % interval, tango) over 198 pairs"
