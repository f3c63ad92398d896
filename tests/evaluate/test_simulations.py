"""What intervals promise, held against ten thousand made-up worlds in which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy import stats

from evaluate.statistics import (
    agreement,
    bootstrap,
    judge_bias,
    mcnemar,
    mean,
    paired_share,
    prediction_powered,
    proportion,
    quantile,
    repeats,
    sampling,
)
from evaluate.statistics.interval import Interval
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.ratio import ratio
from tests.evaluate.worlds import WORLDS, clustered, coverage, holds, random

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("n", [24, 50, 200])
@pytest.mark.parametrize("method", [proportion.wilson, proportion.jeffreys])
def test_intervals_of_a_share_cover_on_average_over_shares(method: Callable[[int, int], Interval], n: int) -> None:
    """At one share they swing around 95 %, for counts are whole: no interval can do better."""
    truth = random(1).random(WORLDS)
    made = [method(k, n) for k in range(n + 1)]
    low, high = np.array([each.low for each in made]), np.array([each.high for each in made])
    seen = random(2).binomial(n, truth)
    assert holds(float(((low[seen] <= truth) & (truth <= high[seen])).mean()))


@pytest.mark.parametrize("n", [24, 50, 200])
def test_clopper_pearson_never_covers_less_than_it_says_and_so_mostly_more(n: int) -> None:
    """It inverts an exact test of whole counts, each side at most 2.5 %: computed here over all outcomes, not drawn."""
    made = [proportion.clopper_pearson(k, n) for k in range(n + 1)]
    low, high = np.array([each.low for each in made]), np.array([each.high for each in made])
    shares = np.linspace(0.005, 0.995, 199)[:, np.newaxis]
    chances = stats.binom.pmf(np.arange(n + 1), n, shares)
    covered = (chances * ((low <= shares) & (shares <= high))).sum(axis=1)
    assert covered.min() >= 0.95
    assert 0.955 < covered.mean() < 0.985


def test_the_textbooks_interval_of_a_share_does_not_hold_at_few_items() -> None:
    truth = random(3).random(WORLDS)
    made = [proportion.wald(k, 24) for k in range(25)]
    seen = random(4).binomial(24, truth)
    assert np.mean([made[k].low <= p <= made[k].high for k, p in zip(seen, truth, strict=True)]) < 0.9


def test_students_interval_of_a_dozen_scores_covers() -> None:
    worlds = random(5).normal(0.0458, 0.0434, (WORLDS, 12))
    assert holds(coverage((mean.mean(x) for x in worlds), 0.0458))


@pytest.mark.parametrize(
    ("sizes", "icc"), [([10] * 20, 0.5), ([4] * 6, 0.3), ([5, 10, 15] * 10, 0.3)], ids=["20x10", "6x4", "5, 10, 15"]
)
def test_clustered_intervals_cover(sizes: list[int], icc: float) -> None:
    worlds, groups = clustered(sizes, icc, 6)
    assert holds(coverage((mean.mean(x, clusters=groups) for x in worlds), 0))


def test_a_few_clusters_that_hold_most_rows_cost_some_coverage_and_less_than_by_the_number_of_clusters() -> None:
    """Five sessions with 20 rows among twenty with 2: no method known mends that wholly."""
    worlds, groups = clustered([2] * 20 + [20] * 5, 0.5, 7)
    drawn = list(worlds)
    assert coverage((mean.mean(x, clusters=groups) for x in drawn), 0) > 0.92
    t = stats.t.ppf(0.975, 24)
    naive = np.mean([abs(x.mean()) <= t * mean.clustered_error(x, groups) for x in drawn])
    assert naive < 0.90


def test_the_reference_on_what_ignoring_clusters_does() -> None:
    """20 clusters of 10, intraclass correlation .5: false alarms 41 % naive, 5.9 % by z, 4.9 % by t."""
    worlds, groups = clustered([10] * 20, 0.5, 8)
    drawn = list(worlds)
    naive = np.mean([abs(x.mean()) > 1.96 * mean.standard_error(x) for x in drawn])
    by_z = np.mean([abs(x.mean()) > 1.96 * mean.clustered_error(x, groups) for x in drawn])
    by_t = 1 - coverage((mean.mean(x, clusters=groups) for x in drawn), 0)
    assert naive == pytest.approx(0.411, abs=0.025)
    assert by_z == pytest.approx(0.0585, abs=0.015)
    assert by_t == pytest.approx(0.049, abs=0.01)


def test_question_means_of_three_tries_cover_and_tries_taken_for_questions_do_not() -> None:
    rng = random(9)
    difficulty = rng.beta(0.6, 0.4, (WORLDS, 100))
    tries = rng.random((WORLDS, 100, 3)) < difficulty[:, :, np.newaxis]
    assert holds(coverage((mean.mean(repeats.question_means(x)) for x in tries[:2000]), 0.6))
    means = tries.mean(axis=2)
    error = means.std(axis=1, ddof=1) / 10
    assert holds(float((abs(means.mean(axis=1) - 0.6) <= stats.t.ppf(0.975, 99) * error).mean()))
    naive = np.array([mean.clt(x.ravel()).half_width for x in tries[:2000]])
    assert (abs(tries[:2000].mean(axis=(1, 2)) - 0.6) <= naive).mean() < 0.85


def test_dollars_per_success_cover() -> None:
    rng = random(10)
    cost, solved = rng.lognormal(0, 0.5, (WORLDS, 200)), rng.random((WORLDS, 200)) < 0.8
    assert holds(coverage((ratio(*each) for each in zip(cost, solved, strict=True)), math.exp(0.125) / 0.8))


def test_quantiles_of_latency_cover_and_of_tails_more_for_ranks_are_whole() -> None:
    x = random(11).lognormal(0, 1, (WORLDS, 200))
    assert holds(coverage((quantile.quantile(each, 0.5) for each in x), 1.0))
    tail = coverage((quantile.quantile(each, 0.95) for each in x[:, :100]), math.exp(stats.norm.ppf(0.95)))
    assert 0.95 <= tail <= 0.99


def test_quantiles_of_clustered_calls_cover() -> None:
    worlds, groups = clustered([5] * 60, 0.5, 12, 4000)
    drawn = [np.exp(x) for x in worlds]
    assert holds(coverage((quantile.quantile(x, 0.5, clusters=groups) for x in drawn), 1.0))


def test_means_of_traffic_cover_from_an_uneven_sample() -> None:
    rng = random(13)
    covered = 0
    for _ in range(WORLDS):
        scores = rng.random(2000) < 0.6
        chance = np.where(rng.random(2000) < 0.5, 0.1, 0.3)
        kept = rng.random(2000) < chance
        found = sampling.hajek(scores[kept], chance[kept])
        covered += found.low <= scores.mean() <= found.high
    assert holds(covered / WORLDS)


@cache
def tango(first: int, second: int, n: int) -> Interval:
    return paired_share.tango(Table(both=0, first=first, second=second, neither=n - first - second))


@cache
def newcombe(first: int, second: int, both: int, n: int) -> Interval:
    return paired_share.newcombe(Table(both=both, first=first, second=second, neither=n - first - second - both))


SHAPES = [(200, 0.15, 0.07), (24, 5 / 24, 1 / 24), (200, 0.05, 0.05), (100, 0.10, 0.05)]
"""Rows, and the shares of them that only one arm gets right: the reference's two tables and two near the edge."""


@pytest.mark.parametrize(("n", "first", "second"), SHAPES)
def test_tangos_interval_covers(n: int, first: float, second: float) -> None:
    drawn = random(14).multinomial(n, [first, second, 1 - first - second], WORLDS)
    assert holds(coverage((tango(int(b), int(c), n) for b, c, _ in drawn), first - second))


def test_newcombes_interval_covers() -> None:
    drawn = random(15).multinomial(200, [0.15, 0.07, 0.6, 0.18], WORLDS)
    assert holds(coverage((newcombe(int(b), int(c), int(a), 200) for b, c, a, _ in drawn), 0.08))


@cache
def resampled(first: int, second: int, n: int, method: bootstrap.Method) -> Interval:
    values = [1.0] * first + [-1.0] * second + [0.0] * (n - first - second)
    return bootstrap.mean(values, method=method, resamples=2000)


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
def test_the_bootstrap_covers_with_two_hundred_items_and_not_with_two_dozen(method: bootstrap.Method) -> None:
    """It knows no more than the items it has, and so is too narrow when these are few: by t or Tango they are told."""
    many = random(16).multinomial(200, [0.15, 0.07, 0.78], WORLDS)
    assert holds(coverage((resampled(int(b), int(c), 200, method) for b, c, _ in many), 0.08))
    few = random(17).normal(0.1, 1, (2000, 24))
    assert 0.91 < coverage((bootstrap.mean(x, method=method, resamples=999) for x in few), 0.1) < 0.945


def test_the_bootstrap_of_twenty_clusters_is_too_narrow_for_the_same_reason() -> None:
    worlds, groups = clustered([10] * 20, 0.5, 18, 1000)
    found = coverage((bootstrap.mean(x, clusters=groups, method="percentile", resamples=999) for x in worlds), 0)
    assert 0.90 < found < 0.95


def test_the_reference_on_what_pairing_gains() -> None:
    """200 correlated items, about 5 points better: exact McNemar finds it in 24 of 100 worlds, the unpaired z in 8."""
    rng = random(19)
    theta = rng.beta(0.6, 0.4, (WORLDS, 200))
    old, new = rng.random((WORLDS, 200)) < theta, rng.random((WORLDS, 200)) < np.clip(theta + 0.06, 0, 1)
    won, lost = (new & ~old).sum(axis=1), (old & ~new).sum(axis=1)
    test = cache(lambda b, c: mcnemar.exact(Table(both=0, first=b, second=c, neither=200 - b - c)).value)
    exact = np.mean([test(int(b), int(c)) < 0.05 for b, c in zip(won, lost, strict=True)])
    p, q = old.mean(axis=1), new.mean(axis=1)
    unpaired = np.mean(abs(q - p) / np.sqrt((p * (1 - p) + q * (1 - q)) / 200) > 1.96)
    assert exact == pytest.approx(0.24, abs=0.03)
    assert unpaired == pytest.approx(0.0785, abs=0.02)


def test_shares_corrected_for_a_judges_errors_cover() -> None:
    rng = random(20)
    passed = rng.binomial(500, 0.76 * 0.9 + 0.24 * 0.15, WORLDS) / 500
    sensitivity, specificity = rng.binomial(120, 0.9, WORLDS) / 120, rng.binomial(80, 0.85, WORLDS) / 80
    found = (
        judge_bias.corrected(p, 500, sensitivity=one, positives=120, specificity=zero, negatives=80)
        for p, one, zero in zip(passed, sensitivity, specificity, strict=True)
    )
    assert holds(coverage(found, 0.76))


@pytest.mark.parametrize("weight", [1.0, None], ids=["plain", "tuned"])
def test_prediction_powered_means_cover(weight: float | None) -> None:
    rng = random(21)

    def world() -> Interval:
        labels, others = rng.random(200) < 0.66, rng.random(2000) < 0.66
        judged, judged_others = labels ^ (rng.random(200) < 0.12), others ^ (rng.random(2000) < 0.12)
        return prediction_powered.mean(labels, judged, judged_others, weight=weight)

    assert holds(coverage((world() for _ in range(WORLDS)), 0.66))


def test_kappa_and_ac1_cover_with_two_hundred_labels() -> None:
    """A little less than nominal, for the distribution of kappa leans: by no more than a point and a half."""
    human, agree, n = 0.6, 0.88, 200
    cells = np.array([human * agree, human * (1 - agree), (1 - human) * (1 - agree), (1 - human) * agree])
    judge = cells[0] + cells[2]
    chance = human * judge + (1 - human) * (1 - judge)
    middle = (human + judge) / 2
    ac1_chance = 2 * middle * (1 - middle)

    @cache
    def both(*counts: int) -> tuple[Interval, Interval]:
        one = [1] * (counts[0] + counts[1]) + [0] * (counts[2] + counts[3])
        two = [1] * counts[0] + [0] * counts[1] + [1] * counts[2] + [0] * counts[3]
        return agreement.kappa(one, two), agreement.ac1(one, two)

    found = [both(*map(int, each)) for each in random(22).multinomial(n, cells, 2000)]
    assert 0.935 <= coverage((one for one, _ in found), (agree - chance) / (1 - chance)) <= 0.96
    assert 0.935 <= coverage((two for _, two in found), (agree - ac1_chance) / (1 - ac1_chance)) <= 0.96
