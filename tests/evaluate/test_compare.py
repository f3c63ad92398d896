"""A grid becomes a card: its verdicts, what it counts, what it refuses to say, and what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluate.card import Card
from evaluate.cards import compare
from evaluate.cells import Cell, Grid, Metric, Score
from tests.evaluate.grids import changed, grid, right

OLD, NEW = right(0.6, 1), right(0.75, 2)
QUALITY = Metric(name="quality")


def word(card: Card, candidate: str = "new") -> str:
    return card.comparison(candidate).verdict.word


def drawn(mean: float, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    values = rng.normal(mean, 1, 5000)
    return lambda row, repeat: float(values[row])


def without(cell: Cell, metric: str = "correctness") -> Cell:
    return replace(cell, scores={metric: replace(cell.scores[metric], value=None)})


def pending(cell: Cell) -> Cell:
    return replace(cell, status="pending", scores={}, run_id=None, cost_nanos=None, latency_us=None)


def test_a_candidate_that_is_clearly_better_is_called_so() -> None:
    found = compare(grid({"old": OLD, "new": NEW})).comparison("new")
    assert found.verdict.word == "better"
    assert found.difference.interval is not None
    assert found.difference.interval.method == "tango"
    assert found.difference.interval.low > 0
    assert found.p is not None
    assert found.p.test == "McNemar, mid-p"
    assert found.verdict.sentence.startswith("new is better than old on correctness: +")


def test_the_baseline_held_against_the_better_one_is_worse_by_as_much() -> None:
    made = grid({"old": OLD, "new": NEW})
    one, two = compare(made).comparison("new"), compare(made, baseline="new").comparison("old")
    assert two.verdict.word == "worse"
    assert one.difference.interval is not None
    assert two.difference.interval is not None
    assert two.difference.interval.low == pytest.approx(-one.difference.interval.high, abs=1e-9)
    assert (two.fixed, two.broke) == (one.broke, one.fixed)


def test_where_lower_is_better_a_rise_is_worse() -> None:
    refusals = Metric(name="correctness", kind="binary", direction="lower")
    found = compare(grid({"old": OLD, "new": NEW}, metric=refusals)).comparison("new")
    assert found.verdict.word == "worse"
    assert found.difference.interval is not None
    assert found.difference.interval.value > 0, "the difference itself is shown as it is"


def test_no_difference_found_is_not_called_the_same() -> None:
    found = compare(grid({"old": OLD, "new": right(0.62, 3)}, rows=60)).comparison("new")
    assert found.verdict.word == "inconclusive"
    assert found.verdict.claims == ()


def test_what_is_inconclusive_says_how_many_rows_and_dollars_it_needs() -> None:
    made = grid({"old": OLD, "new": right(0.62, 3)}, rows=60, cost_nanos={"old": 1_000_000, "new": 3_000_000})
    verdict = compare(made, margin=0.05).comparison("new").verdict
    assert verdict.more_pairs is not None
    assert verdict.more_nanos is not None
    assert verdict.more_nanos == pytest.approx(verdict.more_pairs * 4_200_000, rel=0.02)
    assert f"{verdict.more_pairs:,} more rows" in verdict.sentence


def test_of_a_price_that_is_unknown_no_dollars_are_made_up() -> None:
    made = grid({"old": OLD, "new": right(0.62, 3)}, rows=60)
    unpriced = changed(made, lambda cell: replace(cell, cost_nanos=None) if cell.variant == "new" else cell)
    card = compare(unpriced, margin=0.05)
    assert card.comparison("new").verdict.more_pairs is not None
    assert card.comparison("new").verdict.more_nanos is None
    assert card.unknown_cost_cells == 60
    assert card.comparison("new", "cost").difference.refused == "no row has a number in both arms"


def test_the_same_answers_are_equivalent_within_a_margin_and_never_without_one() -> None:
    made = grid({"old": OLD, "new": OLD})
    assert word(compare(made, margin=0.05)) == "equivalent"
    assert word(compare(made)) == "inconclusive"


def test_a_candidate_a_little_worse_is_not_worse_by_the_margin() -> None:
    made = grid(
        {"old": right(0.8, 1), "new": lambda row, repeat: right(0.8, 1)(row, repeat) and row % 100 != 3}, rows=800
    )
    card = compare(made, margin=0.05)
    assert "not worse" in card.comparison("new").verdict.claims
    assert card.comparison("new").p_not_worse is not None


def test_p_values_of_many_candidates_are_adjusted_and_the_raw_ones_shown() -> None:
    made = grid({"old": OLD, **{f"new-{seed}": right(0.68, seed) for seed in range(5, 10)}}, rows=150)
    card = compare(made)
    first = [each for each in card.comparisons if each.role == "primary"]
    assert len(first) == 5
    for each in first:
        assert each.p is not None
        assert each.p_adjusted is not None
        assert each.p_adjusted >= each.p.value
    assert min(each.p_adjusted or 0 for each in first) == pytest.approx(
        5 * min(each.p.value for each in first if each.p)
    )


def test_rows_of_one_session_count_as_one_voice() -> None:
    alone = compare(grid({"old": OLD, "new": NEW}, rows=200)).comparison("new")
    # Every session's rows answer alike: 20 voices, however many rows.
    together = compare(
        grid({"old": lambda row, _: OLD(row % 20, 0), "new": lambda row, _: NEW(row % 20, 0)}, rows=200, clusters=20)
    ).comparison("new")
    assert together.clusters == 20
    assert together.p is not None
    assert together.p.test == "paired t, clustered"
    assert together.p.df == 19
    assert alone.difference.interval is not None
    assert together.difference.interval is not None
    assert together.difference.interval.half_width > 2 * alone.difference.interval.half_width


def test_fewer_than_six_independent_units_give_no_verdict() -> None:
    made = grid({"old": lambda row, _: False, "new": lambda row, _: True}, rows=100, clusters=5)
    found = compare(made, margin=0.5).comparison("new")
    assert found.verdict.word == "inconclusive"
    assert word(compare(grid({"old": lambda row, _: False, "new": lambda row, _: True}, rows=5))) == "inconclusive"
    assert word(compare(grid({"old": lambda row, _: False, "new": lambda row, _: True}, rows=8))) == "better"


def test_repeats_are_tries_of_a_row_and_no_rows() -> None:
    tries = np.random.default_rng(4).random((2, 100, 3)) < [[[0.5]], [[0.8]]]
    made = grid(
        {"old": lambda row, at: bool(tries[0, row, at]), "new": lambda row, at: bool(tries[1, row, at])},
        rows=100,
        repeats=3,
    )
    card = compare(made)
    assert card.comparison("new").n == 100
    facts = card.arm("new").metrics[0]
    assert facts.scored == 300
    assert facts.within == pytest.approx(float(np.mean(tries[1].var(axis=1, ddof=1))))
    assert facts.pass_at["3"] == pytest.approx(float(tries[1].any(axis=1).mean()))
    assert facts.pass_all["3"] == pytest.approx(float(tries[1].all(axis=1).mean()))
    assert facts.pass_at["1"] == facts.pass_all["1"] == pytest.approx(float(tries[1].mean()))


def test_an_unscored_cell_is_counted_and_never_zero() -> None:
    made = changed(
        grid({"old": OLD, "new": lambda row, _: True}, rows=100),
        lambda cell: without(cell) if cell.variant == "new" and int(cell.row[4:]) < 10 else cell,
    )
    card = compare(made)
    facts = card.arm("new").metrics[0]
    assert (facts.scored, facts.unscored) == (90, 10)
    assert facts.mean.interval is not None
    assert facts.mean.interval.value == 1.0
    missing = card.comparison("new").missing
    assert (missing.pairs, missing.only_baseline, missing.only_candidate, missing.neither) == (90, 10, 0, 0)


def test_what_is_missing_is_bounded_by_the_worst_and_the_best_it_can_have_been() -> None:
    made = changed(
        grid({"old": lambda row, _: True, "new": lambda row, _: True}, rows=100),
        lambda cell: (
            replace(cell, status="error", error="upstream_5xx", scores={})
            if cell.variant == "new" and int(cell.row[4:]) < 10
            else cell
        ),
    )
    card = compare(made)
    found = card.comparison("new")
    assert found.missing.worst_low == pytest.approx(-0.1)
    assert found.missing.worst_high == pytest.approx(0.0)
    assert card.arm("new").counts.errored == 10
    assert card.arm("new").counts.errors == {"upstream_5xx": 10}
    assert any("10 of 100 rows" in note for note in found.notes)


def test_while_cells_are_pending_no_p_value_is_shown_and_evidence_that_may_be_watched_is() -> None:
    made = changed(
        grid({"old": right(0.4, 1), "new": right(0.9, 2)}, rows=200),
        lambda cell: pending(cell) if int(cell.row[4:]) >= 120 else cell,
    )
    card = compare(made)
    found = card.comparison("new")
    assert not card.complete
    assert found.p is None
    assert found.p_adjusted is None
    assert found.also == ()
    assert found.e_value is not None
    assert found.e_value > found.e_threshold == pytest.approx(20)
    assert found.verdict.word == "better"
    assert found.verdict.early
    assert found.difference.interval is not None
    assert found.difference.interval.method == "confidence sequence by betting"


def test_a_row_whose_other_arm_is_pending_is_not_yet_evidence() -> None:
    made = changed(
        grid({"old": right(0.4, 1), "new": right(0.9, 2)}, rows=100),
        lambda cell: pending(cell) if cell.variant == "old" else cell,
    )
    found = compare(made).comparison("new")
    assert found.e_value == 1.0
    assert found.verdict.word == "inconclusive"


def test_a_metric_without_known_bounds_waits_for_the_last_cell() -> None:
    made = grid({"old": drawn(0, 1), "new": drawn(2, 2)}, metric=QUALITY, rows=100)
    early = changed(made, lambda cell: pending(cell) if cell.row == "row-99" else cell)
    assert word(compare(made)) == "better"
    assert word(compare(early)) == "inconclusive"
    assert "bounds" in compare(early).comparison("new").verdict.sentence
    assert word(compare(early, ranges={"quality": (-6.0, 6.0)})) == "better"


def test_numbers_are_tested_by_permutation_with_wilcoxon_and_t_beside_it() -> None:
    found = compare(grid({"old": drawn(0, 1), "new": drawn(0.1, 2)}, metric=QUALITY)).comparison("new")
    assert found.p is not None
    assert found.p.test.startswith("sign-flip permutation")
    assert [each.test for each in found.also] == ["Wilcoxon signed rank, normal approximation", "paired t"]
    assert found.difference.interval is not None
    assert found.difference.interval.method == "t"


def test_scores_that_are_all_the_same_have_no_interval_but_a_reason() -> None:
    found = compare(grid({"old": lambda *_: 3.0, "new": lambda *_: 4.0}, metric=QUALITY)).comparison("new")
    assert found.difference.interval is None
    assert found.difference.refused == "all 200 differences are 1: they say nothing of how others would differ"
    assert found.verdict.word == "inconclusive"


def test_a_candidate_that_wins_every_row_by_as_much_is_better_where_scores_are_bounded() -> None:
    made = grid({"old": lambda *_: 0.5, "new": lambda *_: 1.0}, metric=QUALITY, rows=100)
    assert word(compare(made)) == "inconclusive"
    found = compare(made, margin=0.1, ranges={"quality": (0.0, 1.0)}).comparison("new")
    assert found.verdict.claims == ("better", "not worse")
    assert found.difference.interval is not None
    assert found.difference.interval.method == "all differences alike, rule of three"
    # At most 3 of 100 rows, 1 - .05^(1/100), could have lost all the way to -1.
    assert found.difference.interval.low == pytest.approx(0.5 - 0.029513 * 1.5, abs=1e-6)


@pytest.mark.parametrize(("rows", "verdict"), [(20, "inconclusive"), (100, "equivalent")])
def test_arms_that_never_differ_are_equivalent_once_enough_rows_say_so(rows: int, verdict: str) -> None:
    made = grid({"old": lambda *_: 0.5, "new": lambda *_: 0.5}, metric=QUALITY, rows=rows)
    assert word(compare(made, margin=0.05, ranges={"quality": (0.0, 1.0)})) == verdict


def test_the_rounding_of_numbers_is_no_difference() -> None:
    made = grid({"old": lambda *_: 0.3, "new": lambda row, _: 0.1 + 0.2}, metric=QUALITY, rows=50)
    found = compare(made).comparison("new")
    assert found.ties == 50
    assert found.verdict.word == "inconclusive"


def test_a_score_beyond_its_bounds_is_taken_as_one_without() -> None:
    odd = Metric(name="correctness", kind="binary")
    made = grid({"old": lambda row, _: 5.0 + row % 3, "new": lambda row, _: 7.0 + row % 2}, metric=odd, rows=60)
    card = compare(made)
    mean = card.arm("new").metrics[0].mean.interval
    assert mean is not None
    assert mean.low < mean.value < mean.high
    assert card.comparison("new").verdict.word == "better"


def test_a_score_in_words_has_no_mean() -> None:
    made = changed(
        grid({"old": OLD, "new": NEW}, metric=QUALITY),
        lambda cell: replace(cell, scores={"quality": Score(name="quality", value="polite")}),
    )
    card = compare(made)
    assert card.arm("new").metrics[0].mean.interval is None
    assert word(card) == "inconclusive"


def test_sampled_rows_weigh_as_the_traffic_they_stand_for() -> None:
    weights = [10.0 if row % 2 else 1.0 for row in range(200)]
    made = grid({"old": lambda *_: False, "new": lambda row, _: bool(row % 2)}, weights=weights)
    card = compare(made)
    mean = card.arm("new").metrics[0].mean.interval
    assert mean is not None
    assert mean.value == pytest.approx(10 / 11)
    assert card.comparison("new").e_value is None
    assert any("weighted" in note for note in card.notes)


def test_one_arm_alone_is_measured_and_compared_with_nothing() -> None:
    card = compare(grid({"only": OLD}))
    assert card.comparisons == ()
    assert card.arms[0].metrics[0].mean.interval is not None


def test_an_unknown_baseline_or_metric_is_named_with_those_there_are() -> None:
    made = grid({"old": OLD, "new": NEW})
    with pytest.raises(ValueError, match=r"'newer'.*old, new"):
        compare(made, baseline="newer")
    with pytest.raises(KeyError, match="nope"):
        compare(replace(made, primary="nope"))
    with pytest.raises(KeyError, match="'newer'"):
        compare(made).comparison("newer")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"margin": 0.0}, "above 0, not 0.0"),
        ({"margins": {"corectness": 0.1}}, "no metric 'corectness'.*correctness, cost, latency"),
        ({"ranges": {"correctness": (1.0, 0.0)}}, "the lower first"),
        ({"alpha": 1.5}, "between 0 and 1"),
    ],
)
def test_a_slip_in_what_was_asked_is_named(options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compare(grid({"old": OLD, "new": NEW}), **options)


def test_a_margin_of_another_metric_is_held_to_it_alone() -> None:
    card = compare(grid({"old": OLD, "new": NEW}), margins={"cost": 0.001})
    assert card.comparison("new", "cost").verdict.word == "equivalent"
    assert card.comparison("new", "cost").margin == 0.001
    assert card.comparison("new").margin is None


def test_a_grid_makes_the_same_card_every_time() -> None:
    made = grid({"old": drawn(0, 1), "new": drawn(0.2, 2)}, metric=QUALITY, clusters=40)
    assert compare(made).to_json() == compare(Grid.from_json(json.loads(json.dumps(made.to_json())))).to_json()
