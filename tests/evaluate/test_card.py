"""What a card shows beside its verdicts: money, speed, slices, examples, who dominates whom, corrected scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluate.cards import compare
from evaluate.cells import Metric
from tests.evaluate.grids import CORRECT, changed, grid, right

OLD, NEW = right(0.6, 1), right(0.75, 2)
QUALITY = Metric(name="quality")


def drawn(mean: float, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    values = rng.normal(mean, 1, 5000)
    return lambda row, repeat: float(values[row])


def test_a_cached_cell_enters_neither_latency_nor_cost() -> None:
    made = grid({"old": OLD, "new": NEW})
    cached = changed(made, lambda cell: replace(cell, cached=True, latency_us=5) if int(cell.row[4:]) % 2 else cell)
    card = compare(cached)
    assert card.arm("new").counts.cached == 100
    assert card.arm("new").speed.n == 100
    assert card.comparison("new", "latency").n == 100
    assert card.comparison("new", "cost").n == 100
    assert card.comparison("new").n == 200


def test_quantiles_of_too_few_calls_are_refused_with_the_number_it_takes() -> None:
    speed = compare(grid({"old": OLD, "new": NEW}, rows=60)).arm("new").speed
    assert speed.total["p50"].interval is not None
    assert speed.total["p95"].refused == "60 calls; the 95 % quantile needs at least 100"
    assert speed.total["p99"].refused == "60 calls; the 99 % quantile needs at least 500"


def test_latencies_are_compared_by_their_middle_and_their_tail() -> None:
    made = changed(
        grid({"old": OLD, "new": NEW}),
        lambda cell: replace(cell, latency_us=(cell.latency_us or 0) // 2) if cell.variant == "new" else cell,
    )
    found = compare(made).comparison("new", "latency")
    assert found.verdict.word == "better"
    assert found.quantiles["p50"].interval is not None
    assert found.quantiles["p50"].interval.high < 0
    assert found.quantiles["p95"].interval is not None


def test_dollars_per_success_are_a_ratio_of_sums() -> None:
    card = compare(grid({"old": OLD, "new": NEW}))
    money, facts = card.arm("new").money, card.arm("new").metrics[0]
    assert money.per_success.interval is not None
    assert facts.successes is not None
    assert money.per_success.interval.value == pytest.approx(money.total_nanos / 1e9 / facts.successes)


def test_an_arm_without_a_success_has_no_price_of_one() -> None:
    money = compare(grid({"old": OLD, "new": lambda *_: False})).arm("new").money
    assert money.per_success.refused == "not one success: what one costs is not known"


def test_who_is_better_and_cheaper_dominates_and_who_only_may_be_does_not() -> None:
    made = grid(
        {"old": OLD, "new": right(0.9, 2), "like": right(0.62, 3)},
        cost_nanos={"old": 2_000_000, "new": 1_000_000, "like": 2_000_000},
    )
    points = {point.arm: point for point in compare(made).pareto}
    assert points["old"].dominated_by == ("new",)
    assert points["like"].dominated_by == ("new",)
    assert points["new"].dominated_by == ()
    assert [name for name, point in points.items() if point.on_front] == ["new"]


def test_the_worst_regressions_come_with_their_runs_and_texts() -> None:
    card = compare(grid({"old": OLD, "new": NEW}))
    assert len(card.regressions) == 10
    first = card.regressions[0]
    assert first.difference == -1
    at = first.row.removeprefix("row-")
    assert first.candidate_runs == (f"run-new-{at}-0",)
    assert first.baseline_runs == (f"run-old-{at}-0",)
    assert first.preview == f"question {at}"
    assert first.candidate_text == f"new answers {at}"
    assert all(each.difference == 1 for each in card.improvements)


def tongues(row: int) -> Mapping[str, str]:
    return {"language": "de" if row % 10 else "fr"}


def test_slices_with_too_few_rows_are_counted_and_not_shown() -> None:
    card = compare(grid({"old": OLD, "new": NEW}, rows=150, slices=tongues))
    assert {(each.value, each.arm, each.n) for each in card.slices} == {("de", "old", 135), ("de", "new", 135)}
    assert card.slices_hidden == 1
    assert card.slice_minimum == 20


def test_a_histogram_of_differences_counts_every_pair() -> None:
    binary = compare(grid({"old": OLD, "new": NEW})).comparison("new")
    assert binary.histogram is not None
    assert binary.histogram.counts == (binary.broke, binary.ties, binary.fixed)
    numeric = compare(grid({"old": drawn(0, 1), "new": drawn(1, 2)}, metric=QUALITY)).comparison("new")
    assert numeric.histogram is not None
    assert sum(numeric.histogram.counts) == 200
    assert len(numeric.histogram.edges) == len(numeric.histogram.counts) + 1


def certificate(state: str) -> Mapping[str, Any]:
    return {
        "metric": "correctness",
        "state": state,
        "certificate": {"sensitivity": {"value": 0.9, "n": 120}, "specificity": {"value": 0.85, "n": 80}},
    }


def test_a_certified_judges_errors_are_taken_out_of_its_scores() -> None:
    made = grid({"old": OLD, "new": lambda row, _: row < 360}, rows=500)
    corrected = compare(made, judges=[certificate("valid")]).arm("new").metrics[0].corrected
    assert corrected is not None
    assert corrected.interval is not None
    assert corrected.interval.value == pytest.approx(0.76)
    assert corrected.interval.low == pytest.approx(0.680383, abs=1e-6)


def test_an_expired_certificate_corrects_nothing() -> None:
    card = compare(grid({"old": OLD, "new": NEW}), judges=[certificate("expired")])
    assert card.arm("new").metrics[0].corrected is None
    assert card.judges[0]["state"] == "expired"


def test_the_certificate_of_a_judge_that_grades_corrects_nothing() -> None:
    graded = {"metric": "correctness", "state": "valid", "certificate": {"sensitivity": None, "specificity": None}}
    assert compare(grid({"old": OLD, "new": NEW}), judges=[graded]).arm("new").metrics[0].corrected is None


def test_the_primary_metric_comes_first_and_cost_and_latency_are_always_there() -> None:
    card = compare(grid({"old": OLD, "new": NEW}))
    assert [metric["name"] for metric in card.metrics] == ["correctness", "cost", "latency"]
    assert [each.metric for each in card.comparisons] == ["correctness", "cost", "latency"]


def test_a_card_is_plain_json() -> None:
    card = compare(grid({"old": OLD, "new": NEW}, slices=tongues), margin=0.02)
    payload = json.loads(json.dumps(card.to_json(), allow_nan=False))
    assert payload["schema"] == "gatelog.card/1"
    assert payload["reproduce"]["shell"] == "gatelog eval compare e-1 --margin 0.02"
    assert payload["comparisons"][0]["verdict"]["word"] == "better"
    assert payload["primary"] == CORRECT.name


def test_the_best_of_several_comes_with_a_caution() -> None:
    one, several = (compare(grid(dict.fromkeys(arms, OLD), rows=20)) for arms in (("a", "b"), ("a", "b", "c")))
    assert not any("held out" in note for note in one.notes)
    assert any("held out" in note for note in several.notes)
