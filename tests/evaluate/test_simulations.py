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
from tests.evaluate.vectors import around, by_cluster, covered, kappas, resampled, same, students
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
    found = students(worlds)
    same(found, lambda at: mean.mean(worlds[at]))
    assert holds(covered(found, 0.0458))


@pytest.mark.parametrize(
    ("sizes", "icc"),
    [([10] * 20, 0.5), ([4] * 6, 0.3), ([5, 10, 15] * 10, 0.3), ([2] * 20 + [20] * 5, 0.5), ([1] * 10 + [30] * 3, 0.3)],
    ids=["20x10", "6x4", "5, 10, 15", "few hold most", "three hold nearly all"],
)
def test_clustered_intervals_cover(sizes: list[int], icc: float) -> None:
    worlds, groups = clustered(sizes, icc, 6)
    drawn = np.array(list(worlds))
    found = by_cluster(drawn, sizes)
    same(found, lambda at: mean.mean(drawn[at], clusters=groups))
    assert holds(covered(found, 0))


def test_the_reference_on_what_ignoring_clusters_does() -> None:
    """20 clusters of 10, intraclass correlation .5: false alarms 41 % naive, 5.9 % by z, 4.9 % by t."""
    worlds, groups = clustered([10] * 20, 0.5, 8)
    drawn = np.array(list(worlds))
    naive = np.mean(abs(drawn.mean(axis=1)) > 1.96 * drawn.std(axis=1, ddof=1) / math.sqrt(200))
    means = drawn.reshape(WORLDS, 20, 10).mean(axis=2)
    by_z = np.mean(abs(means.mean(axis=1)) > 1.96 * means.std(axis=1, ddof=1) / math.sqrt(20))
    by_t = 1 - covered(by_cluster(drawn, [10] * 20), 0)
    assert means[0].std(ddof=1) / math.sqrt(20) == pytest.approx(mean.clustered_error(drawn[0], groups), abs=1e-12)
    assert naive == pytest.approx(0.411, abs=0.025)
    assert by_z == pytest.approx(0.0585, abs=0.015)
    assert by_t == pytest.approx(0.049, abs=0.01)


def test_question_means_of_three_tries_cover_and_tries_taken_for_questions_do_not() -> None:
    rng = random(9)
    difficulty = rng.beta(0.6, 0.4, (WORLDS, 100))
    tries = rng.random((WORLDS, 100, 3)) < difficulty[:, :, np.newaxis]
    found = students(tries.mean(axis=2))
    same(found, lambda at: mean.mean(repeats.question_means(tries[at])))
    assert holds(covered(found, 0.6))
    pooled = tries.reshape(WORLDS, 300).astype(float)
    assert covered(around(pooled.mean(axis=1), 1.96 * pooled.std(axis=1, ddof=1) / math.sqrt(300)), 0.6) < 0.85


def test_dollars_per_success_cover() -> None:
    rng = random(10)
    cost, solved = rng.lognormal(0, 0.5, (WORLDS, 200)), rng.random((WORLDS, 200)) < 0.8
    assert holds(coverage((ratio(*each) for each in zip(cost, solved, strict=True)), math.exp(0.125) / 0.8))


@pytest.mark.parametrize(("n", "q"), [(12, 0.5), (24, 0.5), (200, 0.5), (100, 0.95), (500, 0.99)])
def test_quantiles_of_latency_cover_in_the_middle_and_in_the_tail(n: int, q: float) -> None:
    drawn = random(11).lognormal(0, 1, (WORLDS, n))
    # The limits of 1, 2, ... n are the places, between whole ones, that the limits have in any world.
    places = quantile.quantile(np.arange(1, n + 1), q)
    ordered = np.sort(drawn, axis=1)
    low, high = (
        (1 - at % 1) * ordered[:, int(at) - 1] + at % 1 * ordered[:, int(at)] for at in (places.low, places.high)
    )
    same((low, high), lambda at: quantile.quantile(drawn[at], q))
    assert holds(covered((low, high), math.exp(stats.norm.ppf(q))))


def test_quantiles_of_clustered_calls_cover() -> None:
    sizes = [5] * 60
    worlds, groups = clustered(sizes, 0.5, 12)
    drawn = np.exp(np.array(list(worlds)))
    below = by_cluster((drawn <= np.quantile(drawn, 0.5, axis=1)[:, np.newaxis]).astype(float), sizes)
    half, ordered, at = (below[1] - below[0]) / 2, np.sort(drawn, axis=1), np.arange(WORLDS)
    low, high = (ordered[at, np.ceil(300 * q - 1e-9).astype(int) - 1] for q in (0.5 - half, 0.5 + half))
    same((low, high), lambda at: quantile.quantile(drawn[at], 0.5, clusters=groups))
    assert holds(covered((low, high), 1.0))


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


@pytest.mark.parametrize(("method", "n"), [("auto", 12), ("auto", 24), ("expanded", 24), ("auto", 200)])
def test_the_bootstrap_covers_once_it_is_widened_for_few_items(method: bootstrap.Method, n: int) -> None:
    worlds = random(17).normal(0.1, 1, (WORLDS, n))
    found = resampled(worlds, method, 999)
    same(found, lambda at: bootstrap.mean(worlds[at], method=method, resamples=999))
    assert holds(covered(found, 0.1))


def test_the_bootstrap_of_twenty_clusters_covers_and_as_textbooks_have_it_is_too_narrow() -> None:
    """Clusters of one size are resampled as their means are."""
    worlds, groups = clustered([10] * 20, 0.5, 18)
    drawn = np.array(list(worlds))
    means = drawn.reshape(WORLDS, 20, 10).mean(axis=2)
    found, narrow = resampled(means, "auto", 999), resampled(means, "percentile", 999)
    same(found, lambda at: bootstrap.mean(drawn[at], clusters=groups, resamples=999))
    assert holds(covered(found, 0))
    assert 0.91 < covered(narrow, 0) < 0.94


def test_the_bootstrap_of_differences_of_a_quantile_covers_more_than_it_says() -> None:
    """It moves in steps, from one value to the next: no resampling of few calls does better."""
    rng = random(30)
    alike = rng.normal(0, 0.5, (WORLDS, 12))
    one, two = (np.exp(alike + rng.normal(0, 0.3, (WORLDS, 12))) for _ in range(2))
    chosen = np.random.default_rng(0).integers(0, 12, (99, 12))
    drawn = np.median(one[:, chosen], axis=-1) - np.median(two[:, chosen], axis=-1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    same((low, high), lambda at: quantile.difference(one[at], two[at], 0.5, resamples=99))
    assert 0.95 < covered((low, high), 0) < 0.995


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


@pytest.mark.parametrize("n", [40, 100, 200])
def test_kappa_and_ac1_cover(n: int) -> None:
    human, agree = 0.6, 0.88
    cells = np.array([human * agree, human * (1 - agree), (1 - human) * (1 - agree), (1 - human) * agree])
    judge = cells[0] + cells[2]
    chance = human * judge + (1 - human) * (1 - judge)
    middle = (human + judge) / 2
    ac1_chance = 2 * middle * (1 - middle)

    counts = random(22).multinomial(n, cells, WORLDS).astype(float)
    differing = counts[(counts[:, 1] + counts[:, 2]) > 0]
    found = kappas(differing)

    def raters(at: int) -> tuple[list[int], list[int]]:
        yes, first, second, no = map(int, differing[at])
        return [1] * (yes + first) + [0] * (second + no), [1] * yes + [0] * first + [1] * second + [0] * no

    same(found[0], lambda at: agreement.kappa(*raters(at)))
    same(found[1], lambda at: agreement.ac1(*raters(at)))
    truths = (agree - chance) / (1 - chance), (agree - ac1_chance) / (1 - ac1_chance)
    for edges, truth in zip(found, truths, strict=True):
        # Where all agree, as in 7 of 1,000 worlds of 40 labels, the interval lies above the truth.
        assert holds(covered(edges, truth) * len(differing) / WORLDS)
