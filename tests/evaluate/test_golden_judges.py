"""The reference's golden numbers of preferences, judges and labels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluate.scorers.labels import ClassificationOptions, of_labels
from evaluate.statistics import agreement, bradley_terry, judge_bias, prediction_powered
from tests.evaluate import golden


def close(value: float) -> object:
    """The reference gives six decimals."""
    return pytest.approx(value, abs=6e-7)


WINS = np.array(golden.WINS, dtype=np.float64)


def test_golden_bradley_terry_strengths_and_elo() -> None:
    theta = bradley_terry.strengths(WINS)
    assert list(theta) == [close(0.811578), close(-0.169877), close(-0.641701)]
    assert [bradley_terry.elo(each) for each in theta] == [
        pytest.approx(elo, abs=5e-3) for elo in (1140.99, 970.49, 888.53)
    ]


def test_golden_chance_that_the_first_beats_the_second() -> None:
    theta = bradley_terry.strengths(WINS)
    assert bradley_terry.beats(theta[0], theta[1]) == close(0.727397)


def test_golden_bradley_terry_errors_relative_to_the_first() -> None:
    # The reference's are of a GLM that stopped iterating 1e-6 before the maximum of the likelihood.
    assert list(bradley_terry.standard_errors(WINS)) == pytest.approx([0, 0.404104, 0.410410], abs=1e-6)


def test_golden_agreement_of_a_judge_and_a_human() -> None:
    assert agreement.observed(golden.HUMAN, golden.JUDGE).value == close(0.85)
    kappa = agreement.kappa(golden.HUMAN, golden.JUDGE, wald=True)
    assert (kappa.value, kappa.se, kappa.n) == (close(0.693878), close(0.161935), 20)
    assert kappa.low == close(0.376491)
    assert kappa.high == 1, "1.011264, which no agreement can reach"


def test_golden_ac1_and_alpha_of_a_judge_and_a_human() -> None:
    assert agreement.ac1(golden.HUMAN, golden.JUDGE).value == close(0.706601)
    assert agreement.alpha([golden.HUMAN, golden.JUDGE]).value == close(0.700767)


def test_golden_weighted_kappas_of_grades() -> None:
    assert agreement.kappa(golden.GRADES, golden.OTHER_GRADES).value == close(0.5)
    assert agreement.kappa(golden.GRADES, golden.OTHER_GRADES, weights="linear").value == close(0.736842)
    assert agreement.kappa(golden.GRADES, golden.OTHER_GRADES, weights="quadratic").value == close(0.888889)


def test_golden_alphas_of_grades() -> None:
    grades = [golden.GRADES, golden.OTHER_GRADES]
    assert agreement.alpha(grades, measurement="ordinal").value == close(0.903958)
    assert agreement.alpha(grades, measurement="interval").value == close(0.893855)


def test_golden_share_corrected_for_the_judges_errors() -> None:
    found = judge_bias.corrected(0.72, 500, sensitivity=0.90, positives=120, specificity=0.85, negatives=80)
    assert (found.value, found.se) == (close(0.760), close(0.040622))
    assert (found.low, found.high) == (close(0.680383), close(0.839617))


def labelled() -> tuple[list[float], list[float], list[float]]:
    """The reference's draw: 200 answers labelled and judged, 2,000 judged."""
    rng = np.random.default_rng(7)
    judged = rng.binomial(1, 0.72, 2000)
    labels = rng.binomial(1, 0.66, 200)
    judged_labelled = np.where(rng.random(200) < 0.88, labels, 1 - labels)
    return labels.astype(float).tolist(), judged_labelled.astype(float).tolist(), judged.astype(float).tolist()


def test_golden_prediction_powered_mean() -> None:
    labels, judged_labelled, judged = labelled()
    found = prediction_powered.mean(labels, judged_labelled, judged, weight=1)
    assert (found.value, found.se) == (close(0.6975), close(0.028336))


def test_golden_prediction_powered_mean_with_the_best_weight() -> None:
    labels, judged_labelled, judged = labelled()
    assert prediction_powered.best_weight(labels, judged_labelled, judged) == close(0.713870)
    found = prediction_powered.mean(labels, judged_labelled, judged)
    assert (found.value, found.se) == (close(0.678186), close(0.025575))


def test_a_judge_without_weight_leaves_the_mean_of_the_labels() -> None:
    labels, judged_labelled, judged = labelled()
    found = prediction_powered.mean(labels, judged_labelled, judged, weight=0)
    assert found.value == pytest.approx(np.mean(labels), abs=1e-12)
    assert found.se == pytest.approx(np.std(labels, ddof=1) / math.sqrt(200), abs=1e-12)
    assert found.value == close(0.63)
    assert found.se == close(0.034225)


def test_a_judge_that_is_always_right_gives_the_mean_of_all_that_it_judged() -> None:
    labels, _, judged = labelled()
    found = prediction_powered.mean(labels, labels, judged, weight=1)
    assert found.value == pytest.approx(np.mean(judged), abs=1e-12)


def test_golden_matthews_correlation_of_a_judge_and_a_human() -> None:
    options = ClassificationOptions(scorer="classification", labels=("0", "1"))
    pairs = [(str(human), str(judge)) for human, judge in zip(golden.HUMAN, golden.JUDGE, strict=True)]
    assert of_labels(options, pairs, [])["matthews"] == close(0.697518)
