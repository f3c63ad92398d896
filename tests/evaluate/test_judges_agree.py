"""Statistics of preferences and labels agree with the libraries of the field, or with their definition."""

from __future__ import annotations

import math
from typing import Any

import choix
import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from evaluate.statistics import agreement, bradley_terry, judge_bias, length, prediction_powered, swaps
from evaluate.statistics.bradley_terry import Vote
from evaluate.statistics.refusal import Refused


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


matrices = st.integers(2, 5).flatmap(
    lambda arms: st.lists(st.lists(st.integers(1, 30), min_size=arms, max_size=arms), min_size=arms, max_size=arms)
)
"""Every arm beats every other at least once."""


def wins_of(drawn: list[list[int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    wins = np.array(drawn, dtype=np.float64)
    np.fill_diagonal(wins, 0)
    return wins


def regression(wins: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Any:
    """The same model as a logistic regression, with the first arm for reference."""
    rows, weights = [], []
    for one in range(len(wins)):
        for two in range(len(wins)):
            if one != two:
                row = np.zeros(len(wins))
                row[one], row[two] = 1, -1
                rows.append(row)
                weights.append(wins[one, two])
    design = np.array(rows)
    # A win is told twice, once from either side, so each counts half.
    y = np.concatenate([np.ones(len(rows)), np.zeros(len(rows))])
    x = np.concatenate([design, -design])[:, 1:]
    half = np.concatenate([weights, weights]) / 2
    return sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=half).fit(tol=1e-14, maxiter=200)


@settings(deadline=None, max_examples=25)
@given(matrices)
def test_strengths_are_those_of_choix_and_of_a_logistic_regression(drawn: list[list[int]]) -> None:
    wins = wins_of(drawn)
    found = bradley_terry.strengths(wins)
    newton = choix.opt_pairwise(
        len(wins),
        [(i, j) for i in range(len(wins)) for j in range(len(wins)) for _ in range(int(wins[i, j]))],
        method="Newton-CG",
        tol=1e-12,
    )
    assert list(found) == [pytest.approx(theta, abs=1e-5) for theta in newton - newton.mean()]
    fit = regression(wins)
    theta = np.concatenate([[0.0], fit.params])
    assert list(found) == [near(each) for each in theta - theta.mean()]
    assert list(bradley_terry.standard_errors(wins)[1:]) == [pytest.approx(error, rel=1e-6) for error in fit.bse]


@settings(deadline=None, max_examples=25)
@given(matrices)
def test_at_the_strengths_every_arm_wins_as_often_as_it_did(drawn: list[list[int]]) -> None:
    wins = wins_of(drawn)
    theta = bradley_terry.strengths(wins)
    for arm in range(len(wins)):
        expected = sum(
            (wins[arm, other] + wins[other, arm]) * bradley_terry.beats(theta[arm], theta[other])
            for other in range(len(wins))
            if other != arm
        )
        assert expected == pytest.approx(wins[arm].sum(), rel=1e-8)


def test_arms_that_nobody_beat_are_not_ranked() -> None:
    with pytest.raises(Refused, match="cannot be ranked"):
        bradley_terry.strengths(np.array([[0.0, 5, 5], [0, 0, 3], [0, 2, 0]]))


def votes(prompts: int, each: int, seed: int = 0) -> list[Vote]:
    rng = np.random.default_rng(seed)
    theta = {"a": 0.8, "b": 0.0, "c": -0.8}
    found = []
    for prompt in range(prompts):
        for one, two in (("a", "b"), ("b", "c"), ("a", "c")):
            first = float(rng.random() < bradley_terry.beats(theta[one], theta[two]))
            found += [Vote(prompt=prompt, first=one, second=two, outcome=first)] * each
    return found


def test_votes_on_one_prompt_make_a_ranking_no_surer() -> None:
    once, often = bradley_terry.rank(votes(60, 1), resamples=300), bradley_terry.rank(votes(60, 10), resamples=300)
    assert [each.name for each in once.strengths] == ["a", "b", "c"]
    assert (often.votes, often.prompts) == (1800, 60)
    for one, many in zip(once.strengths, often.strengths, strict=True):
        assert many.theta == pytest.approx(one.theta, abs=1e-6)
        assert many.low == pytest.approx(one.low, abs=1e-6)
        assert many.high == pytest.approx(one.high, abs=1e-6)
        assert one.low < one.theta < one.high


def test_too_few_prompts_for_intervals_are_refused() -> None:
    made = [Vote(prompt=0, first="a", second="b", outcome=1), Vote(prompt=1, first="a", second="b", outcome=0)]
    with pytest.raises(Refused, match="too few for intervals"):
        bradley_terry.rank(made, resamples=100)


def test_a_tie_is_half_a_win_for_both() -> None:
    made = [Vote(prompt=at, first="a", second="b", outcome=0.5) for at in range(20)]
    assert [each.theta for each in bradley_terry.rank(made, resamples=50).strengths] == [near(0), near(0)]


grades = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=5, max_size=40)


@settings(deadline=None)
@given(grades, st.sampled_from([None, "linear", "quadratic"]))
def test_kappa_is_sklearns(drawn: list[tuple[int, int]], weights: Any) -> None:
    one, two = [a for a, _ in drawn], [b for _, b in drawn]
    try:
        found = agreement.kappa(one, two, weights=weights)
    except Refused:
        assume(False)
    assert found.value == near(cohen_kappa_score(one, two, weights=weights))
    assert -1 <= found.low <= found.high <= 1


@settings(deadline=None)
@given(grades)
def test_alpha_of_two_raters_is_scotts_pi_for_a_small_sample(drawn: list[tuple[int, int]]) -> None:
    assume(len({each for pair in drawn for each in pair}) > 1)
    n = len(drawn)
    pi = fleiss_kappa(aggregate_raters(np.array(drawn))[0])
    found = agreement.alpha([[a for a, _ in drawn], [b for _, b in drawn]], resamples=20)
    assert found.value == near(1 - (1 - pi) * (2 * n - 1) / (2 * n))


@settings(deadline=None)
@given(grades)
def test_ac1_is_what_it_says(drawn: list[tuple[int, int]]) -> None:
    labels = sorted({each for pair in drawn for each in pair})
    assume(len(labels) > 1)
    n = len(drawn)
    share = [sum((a == label) + (b == label) for a, b in drawn) / (2 * n) for label in labels]
    chance = sum(p * (1 - p) for p in share) / (len(labels) - 1)
    wanted = (sum(a == b for a, b in drawn) / n - chance) / (1 - chance)
    assert agreement.ac1([a for a, _ in drawn], [b for _, b in drawn]).value == near(wanted)


def test_ac1_stands_where_a_rare_label_fells_kappa() -> None:
    one = [1] * 95 + [0] * 2 + [1] * 3
    two = [1] * 95 + [1] * 2 + [0] * 3
    assert agreement.observed(one, two).value == 0.95
    assert agreement.kappa(one, two).value < 0
    assert agreement.ac1(one, two).value > 0.9


def test_raters_that_always_said_the_same_are_refused() -> None:
    for measure in (agreement.kappa, agreement.ac1):
        with pytest.raises(Refused, match="label some of the other kind"):
            measure([1, 1, 1], [1, 1, 1])


def test_full_agreement_on_few_labels_is_not_certain() -> None:
    for measure in (agreement.kappa, agreement.ac1):
        few, many = measure([0, 1] * 5, [0, 1] * 5), measure([0, 1] * 500, [0, 1] * 500)
        assert few.value == few.high == many.value == 1
        assert few.low == pytest.approx(
            1 - 2 * (1 - 0.722467), abs=1e-5
        )  # Wilson's lower limit of 10 out of 10, beyond chance
        assert many.low > 0.99


def test_kappa_of_a_rater_who_always_said_the_same_is_refused() -> None:
    with pytest.raises(Refused, match="AC1"):
        agreement.kappa([1, 1, 1, 1], [1, 1, 0, 1])
    assert agreement.ac1([1, 1, 1, 1], [1, 1, 0, 1]).value > 0


def test_a_rater_who_missed_some_still_counts_by_alpha() -> None:
    found = agreement.alpha([[1, 2, None, 4], [1, 2, 3, 4], [None, 2, 3, 3]], measurement="ordinal", resamples=50)
    assert 0 < found.value < 1
    assert found.n == 4


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(0.6, 1), st.floats(0.6, 1))
def test_correcting_undoes_what_the_judge_does(true: float, sensitivity: float, specificity: float) -> None:
    seen = true * sensitivity + (1 - true) * (1 - specificity)
    found = judge_bias.corrected(
        seen, 500, sensitivity=sensitivity, positives=100, specificity=specificity, negatives=100
    )
    assert found.value == pytest.approx(true, abs=1e-9)


@settings(deadline=None)
@given(st.floats(0.05, 0.95))
def test_a_perfect_judge_needs_no_correction(share: float) -> None:
    found = judge_bias.corrected(share, 400, sensitivity=1, positives=50, specificity=1, negatives=50)
    assert (found.value, found.se) == (near(share), near(math.sqrt(share * (1 - share) / 400)))


def test_a_judge_that_knows_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="knows nothing"):
        judge_bias.corrected(0.5, 100, sensitivity=0.5, positives=50, specificity=0.5, negatives=50)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=5, max_size=40), st.floats(0, 1))
def test_the_judges_weight_moves_nothing_on_average_where_it_judged_the_same(
    drawn: list[tuple[bool, bool]], weight: float
) -> None:
    labels, judged = [a for a, _ in drawn], [b for _, b in drawn]
    found = prediction_powered.mean(labels, judged, judged, weight=weight)
    assert found.value == near(float(np.mean(labels)))


winners = st.sampled_from(["first", "second", "tie"])


@settings(deadline=None)
@given(st.lists(st.tuples(winners, winners), min_size=1, max_size=40))
def test_swapping_names_and_places_mirrors_everything(judged: list[tuple[Any, Any]]) -> None:
    assume(any(each != "tie" for pair in judged for each in pair))
    found = swaps.analyse(judged)
    # The other system, of the same judgements: it is first where the candidate is second.
    other = swaps.analyse([(two, one) for one, two in judged])
    assert [1 - outcome for outcome in found.outcomes] == list(other.outcomes)
    assert (found.flips, found.position) == (other.flips, other.position)


def test_orders_that_agree_decide_and_orders_that_do_not_are_ties() -> None:
    found = swaps.analyse([("first", "second"), ("second", "first"), ("first", "first"), ("tie", "tie")])
    assert found.outcomes == (1.0, 0.0, 0.5, 0.5)
    assert found.flips.value == 0.25
    assert found.first_wins.value == 4 / 6


def test_a_judge_that_always_takes_the_first_is_found_out() -> None:
    found = swaps.analyse([("first", "first")] * 20)
    assert found.first_wins.value == 1
    assert found.position.value < 1e-4
    assert set(found.outcomes) == {0.5}


def lengths(slope: float, seed: int) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0.5, 1, 2000)
    return [float(each) for each in rng.random(2000) < 1 / (1 + np.exp(-slope * x))], x.tolist()


def test_a_preference_that_is_only_for_length_is_none_at_equal_length() -> None:
    found = length.control(*lengths(1.0, 1))
    assert found.raw > 0.55
    assert found.win_rate.low < 0.5 < found.win_rate.high
    assert found.p.value < 1e-6


def test_a_preference_that_has_nothing_to_do_with_length_stays() -> None:
    outcomes, x = lengths(0.0, 2)
    found = length.control([1.0 if at % 10 < 7 else 0.0 for at in range(len(outcomes))], x)
    assert found.win_rate.value == pytest.approx(0.7, abs=0.03)
    assert found.p.value > 0.001


def test_length_control_needs_votes_and_lengths_that_differ() -> None:
    with pytest.raises(Refused, match="at least 20"):
        length.control([1, 0], [0.1, 0.2])
    with pytest.raises(Refused, match="differ by the same"):
        length.control([1, 0] * 20, [0.5] * 40)
    with pytest.raises(Refused, match="length alone"):
        length.control([0] * 20 + [1] * 20, [*range(-20, 0), *range(1, 21)])
