"""The reference's golden numbers of one system: errors, intervals, repeats, ratios, quantiles, samples."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from evaluate.scorers import retrieval
from evaluate.statistics import bootstrap, mean, proportion, quantile, ratio, repeats, sampling
from evaluate.statistics.interval import Interval
from evaluate.statistics.mean import clustered_error, miller_error, standard_error
from tests.evaluate import golden


def close(value: float) -> object:
    """The reference gives six decimals."""
    return pytest.approx(value, abs=6e-7)


def edges(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_golden_means() -> None:
    assert np.mean(golden.A) == close(0.625)
    assert np.mean(golden.B) == close(0.458333)


def test_golden_standard_errors_by_the_central_limit_theorem() -> None:
    assert standard_error(golden.A) == close(0.100947)
    assert standard_error(golden.B) == close(0.103895)


def test_golden_clustered_errors_in_three_forms() -> None:
    assert miller_error(golden.D, golden.CLUSTERS) == close(0.052129)
    assert clustered_error(golden.D, golden.CLUSTERS, corrected=False) == close(0.048113)
    assert clustered_error(golden.D, golden.CLUSTERS) == close(0.052705)


def test_the_clustered_interval_is_of_t_with_one_degree_less_than_clusters() -> None:
    interval = mean.mean(golden.D, clusters=golden.CLUSTERS)
    assert interval.se == close(0.052705)
    assert (interval.df, interval.clusters, interval.n) == (5, 6, 24)
    assert interval.half_width == close(2.570582 * 0.0527046)


def test_golden_error_of_question_means_and_of_tries_taken_for_questions() -> None:
    means = repeats.question_means(golden.TRIES)
    assert standard_error(means) == close(0.125)
    tries = np.ravel(golden.TRIES)
    assert standard_error(tries) == close(0.103895)
    assert clustered_error(tries, np.repeat(np.arange(8), 3)) == close(0.125)


def test_golden_variance_within_and_between_questions() -> None:
    spread = repeats.spread(golden.TRIES)
    assert spread.within == close(0.208333)
    assert spread.between == close(0.055556)
    assert spread.repeats == 3


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [
        (proportion.wilson, 0.508323, 0.850854),
        (proportion.clopper_pearson, 0.489052, 0.873848),
        (proportion.jeffreys, 0.510764, 0.858975),
        (proportion.credible, 0.506123, 0.850505),
        (proportion.wald, 0.526487, 0.890180),
    ],
)
def test_golden_intervals_of_17_out_of_24(method: Callable[[int, int], Interval], low: float, high: float) -> None:
    assert edges(method(17, 24)) == (close(low), close(high))


def test_golden_gate_on_a_floor_fails_a_mean_above_it() -> None:
    interval = proportion.wilson(46, 50)
    assert interval.value == 0.92
    assert interval.low == close(0.811618)
    assert interval.low < 0.85


def test_golden_pass_at_k_and_pass_all_k() -> None:
    assert repeats.pass_at(5, 2, 3) == close(0.9)
    assert repeats.pass_all(5, 4, 3) == close(0.4)


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [("percentile", 0, 0.375), ("basic", -0.041667, 0.333333), ("bca", 0, 0.375)],
)
def test_golden_bootstrap_of_differences(method: bootstrap.Method, low: float, high: float) -> None:
    assert edges(bootstrap.mean(golden.D, method=method, seed=0)) == (close(low), close(high))


def test_golden_paired_bootstrap_of_the_difference_of_median_latencies() -> None:
    interval = quantile.difference(golden.LATENCY_B, golden.LATENCY_A, 0.5)
    assert interval.value == close(-390)
    assert edges(interval) == (close(-500), close(-260))


def test_golden_cost_per_success() -> None:
    found = ratio.ratio(golden.COSTS, golden.SOLVED)
    assert found.value == close(0.021889)
    assert found.se == close(0.005781)


def test_golden_bootstrap_error_of_cost_per_success() -> None:
    columns = np.array([golden.COSTS, golden.SOLVED], dtype=float)
    drawn: list[float] = []

    def figure(
        sums: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        found = np.asarray(sums[0] / sums[1])
        drawn.extend(found.ravel())
        return found

    bootstrap.of_sums(figure, columns, method="percentile")
    assert float(np.std(drawn[:10_000], ddof=1)) == close(0.006356)


def test_golden_online_means() -> None:
    y, pi = [1, 0, 1, 1, 0, 1], [0.1, 0.1, 0.5, 0.5, 0.05, 0.05]
    assert sampling.horvitz_thompson(y, pi, 60).value == close(0.566667)
    assert sampling.hajek(y, pi).value == close(0.531250)


def test_golden_online_mean_is_that_of_weights() -> None:
    y, pi = [1, 0, 1, 1, 0, 1], [0.1, 0.1, 0.5, 0.5, 0.05, 0.05]
    assert mean.mean(y, weights=[1 / p for p in pi]).value == close(0.531250)


def test_a_normal_interval_is_the_mean_and_its_error() -> None:
    interval = mean.clt(golden.A)
    assert interval.half_width == pytest.approx(1.959963984540054 * standard_error(golden.A), abs=1e-12)
    assert math.isclose(interval.value, 0.625)


def test_golden_ndcg_of_two_relevant_among_three_retrieved() -> None:
    relevant = {"d1": 1, "d2": 1, "d3": 1}
    for measure in (retrieval.ndcg, retrieval.mlflow_ndcg):
        assert measure(["d1", "x", "d3"], relevant, 5) == close(0.703918)
