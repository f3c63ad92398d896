"""How often verdicts and gates err, watched or not, in ten thousand made-up worlds in which the truth is known."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from evaluate import differences
from evaluate.cells import Metric
from evaluate.differences import Pairs
from evaluate.statistics import (
    margin,
    multiplicity,
    proportion,
    sequential,
    verdict,
)
from evaluate.statistics.numbers import Floats
from tests.evaluate.worlds import WORLDS, clustered, random

pytestmark = pytest.mark.slow

NOISE = 3 * math.sqrt(0.05 * 0.95 / WORLDS)
"""By how much ten thousand worlds may miss a rate of 5 % by chance: three standard errors, 0.65 points."""
CORRECT = Metric(name="correctness", kind="binary")


def peeked(seed: int, steps: int = 300) -> tuple[Floats, Floats]:
    """Pairs won so far after each discordant pair of arms that are alike, and how many there were."""
    won = (random(seed).random((WORLDS, steps)) < 0.5).cumsum(axis=1)
    return won.astype(float), np.arange(1, steps + 1).astype(float)


def test_evidence_that_may_be_watched_errs_less_than_it_says_however_often_it_is_watched() -> None:
    """The reference: 3.0 % of worlds, where a p-value looked at after every pair raises a false alarm in 32.9 %."""
    won, seen = peeked(23)
    table = np.array([[sequential.of_discordant(b, n - b) if b <= n else 0.0 for b in range(301)] for n in range(301)])
    alarmed = (table[seen.astype(int), won.astype(int)] >= sequential.threshold(0.05)).any(axis=1).mean()
    assert alarmed == pytest.approx(0.03, abs=0.006)
    assert alarmed <= 0.05
    p = 2 * np.minimum(stats.binom.cdf(won, seen, 0.5), stats.binom.sf(won - 1, seen, 0.5))
    assert ((p < 0.05) & (seen >= 6)).any(axis=1).mean() == pytest.approx(0.329, abs=0.02)


def test_watched_evidence_of_numbers_errs_less_than_it_says() -> None:
    drawn = random(24).choice([-1.0, -0.5, -0.25, 0.25, 0.5, 1.0], (1000, 150))
    alarmed = sum(any(sequential.of_bounded(x[:seen]) >= 20 for seen in range(5, 151, 5)) for x in drawn)
    assert alarmed / 1000 <= 0.05


def test_a_candidate_worse_by_the_margin_is_rarely_called_not_worse_by_who_watches() -> None:
    """At the level 1 - 2 alpha the lower limit errs in alpha of worlds, at all looks together."""
    drawn = random(25).choice([1.0, -1.0, 0.0], (WORLDS, 300), p=[0.05, 0.10, 0.85])
    won, lost = (drawn == 1).cumsum(axis=1), (drawn == -1).cumsum(axis=1)

    @cache
    def passes(b: int, c: int, n: int) -> bool:
        if (b - c) / n <= -0.05:
            return False
        values = [1.0] * b + [-1.0] * c + [0.0] * (n - b - c)
        return sequential.of_bounded(values, mean=-0.05) >= 1 / (2 * 0.05)

    looks = range(19, 300, 20)
    passed = sum(any(passes(int(b[at]), int(c[at]), at + 1) for at in looks) for b, c in zip(won, lost, strict=True))
    assert passed / WORLDS <= 0.05


def pairs(first: int, second: int, n: int) -> Pairs:
    """So many rows that only the candidate, and only the baseline, got right."""
    same = (n - first - second) * [1.0]
    return Pairs(
        metric=CORRECT,
        rows=tuple(map(str, range(n))),
        candidate=(*[1.0] * first, *[0.0] * second, *same),
        baseline=(*[0.0] * first, *[1.0] * second, *same),
        clusters=None,
        weights=None,
        range=(0.0, 1.0),
    )


@cache
def claims(first: int, second: int, n: int, by: float) -> tuple[verdict.Word, ...]:
    made = pairs(first, second, n)
    deciding, _ = differences.tests(made, 0)
    not_worse, equivalent = differences.not_worse(made, by), differences.equivalent(made, by)
    assert deciding is not None
    assert not_worse is not None
    assert equivalent is not None
    return verdict.claims(
        verdict.Evidence(
            wide=differences.interval(made, 0.95),
            narrow=differences.interval(made, 0.90),
            units=n,
            p=deciding.value,
            p_not_worse=not_worse.value,
            p_equivalent=equivalent.value,
            margin=by,
        )
    )


def claimed(word: verdict.Word, n: int, first: float, second: float, by: float, seed: int) -> float:
    drawn = random(seed).multinomial(n, [first, second, 1 - first - second], WORLDS)
    return sum(word in claims(int(b), int(c), n, by) for b, c, _ in drawn) / WORLDS


@pytest.mark.parametrize(("n", "discordant"), [(24, 0.25), (100, 0.1), (200, 0.22), (500, 0.15)])
def test_arms_that_are_alike_are_rarely_called_better_or_worse(n: int, discordant: float) -> None:
    better = claimed("better", n, discordant / 2, discordant / 2, 0.05, 26)
    worse = claimed("worse", n, discordant / 2, discordant / 2, 0.05, 26)
    assert better + worse <= 0.05 + NOISE


@pytest.mark.parametrize(
    ("n", "first", "second", "by"), [(200, 0.07, 0.12, 0.05), (500, 0.04, 0.06, 0.02), (100, 0.05, 0.15, 0.10)]
)
def test_a_gate_rarely_passes_a_candidate_that_is_worse_by_the_margin(
    n: int, first: float, second: float, by: float
) -> None:
    assert claimed("not worse", n, first, second, by, 27) <= 0.05 + NOISE
    assert claimed("equivalent", n, first, second, by, 27) <= 0.05 + NOISE


def test_a_gate_on_scores_of_sessions_rarely_passes_a_candidate_that_is_worse_by_the_margin() -> None:
    worlds, groups = clustered([10] * 20, 0.5, 28, 5000)
    passed = np.mean([margin.not_worse(x - 0.5, 0.5, clusters=groups).value <= 0.05 for x in worlds])
    assert passed <= 0.05 + NOISE * math.sqrt(2)


@pytest.mark.parametrize(("n", "floor"), [(50, 0.85), (200, 0.9), (500, 0.98)])
def test_a_floor_rarely_passes_what_lies_on_it(n: int, floor: float) -> None:
    """Computed over all outcomes. The lower limit is of an interval with both sides, so half of 5 % is meant."""
    passing = [k for k in range(n + 1) if proportion.wilson(k, n).low >= floor]
    assert stats.binom.pmf(passing, n, floor).sum() <= 0.05


def test_of_many_candidates_that_are_alike_rarely_any_is_called_better() -> None:
    drawn = random(29).multinomial(200, [0.1, 0.1, 0.8], (WORLDS, 5))

    @cache
    def p(first: int, second: int) -> float:
        found, _ = differences.tests(pairs(first, second, 200), 0)
        assert found is not None
        return found.value

    alarmed = sum(min(multiplicity.adjusted([p(int(b), int(c)) for b, c, _ in world])) <= 0.05 for world in drawn)
    assert alarmed / WORLDS <= 0.05 + NOISE
