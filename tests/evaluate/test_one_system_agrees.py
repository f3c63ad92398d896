"""Statistics of one system agree with the libraries of the field, or with their definition, on whatever numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from evaluate.statistics import bootstrap, mean, missing, pareto, proportion, quantile, repeats, sampling
from evaluate.statistics.ratio import ratio
from evaluate.statistics.refusal import Refused

numbers = st.lists(st.integers(-1000, 1000).map(lambda n: n / 64), min_size=3, max_size=40)
"""Sums of these are exact, so that nothing but the method is compared."""
counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def clustered(size: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, max(1, size // 3)), min_size=size, max_size=size)


@settings(deadline=None)
@given(counts, levels)
def test_wilson_and_clopper_pearson_are_scipys(count: tuple[int, int], level: float) -> None:
    test = stats.binomtest(*count)
    for ours, theirs in ((proportion.wilson, "wilson"), (proportion.clopper_pearson, "exact")):
        found, wanted = ours(*count, level), test.proportion_ci(level, theirs)
        assert (found.low, found.high) == (near(wanted.low), near(wanted.high))


@settings(deadline=None)
@given(counts, levels)
def test_a_credible_interval_under_jeffreys_prior_is_jeffreys_interval(count: tuple[int, int], level: float) -> None:
    successes, n = count
    assume(0 < successes < n)
    one, two = proportion.jeffreys(successes, n, level), proportion.credible(successes, n, level, prior=(0.5, 0.5))
    assert (one.low, one.high) == (near(two.low), near(two.high))


@settings(deadline=None)
@given(numbers, levels)
def test_without_clusters_the_interval_is_students(values: list[float], level: float) -> None:
    assume(np.ptp(values) > 0)
    found, wanted = mean.mean(values, level=level), stats.ttest_1samp(values, 0).confidence_interval(level)
    assert (found.low, found.high) == (near(wanted.low), near(wanted.high))


@settings(deadline=None)
@given(numbers, levels)
def test_the_normal_interval_is_statsmodels(values: list[float], level: float) -> None:
    found, wanted = mean.clt(values, level), DescrStatsW(values).zconfint_mean(alpha=1 - level)
    assert (found.low, found.high) == (near(wanted[0]), near(wanted[1]))


@settings(deadline=None)
@given(st.data(), numbers)
def test_clustered_errors_are_those_of_a_regression_on_nothing(data: st.DataObject, values: list[float]) -> None:
    groups = data.draw(clustered(len(values)))
    assume(len(set(groups)) > 1)
    model = sm.OLS(values, np.ones(len(values)))
    wanted = model.fit(cov_type="cluster", cov_kwds={"groups": np.array(groups)}).bse[0]
    plain = model.fit(cov_type="cluster", cov_kwds={"groups": np.array(groups), "use_correction": False}).bse[0]
    assert mean.clustered_error(values, groups) == near(wanted)
    assert mean.clustered_error(values, groups, corrected=False) == near(plain)


@settings(deadline=None)
@given(st.integers(2, 8), st.integers(1, 5), st.data())
def test_of_clusters_of_one_size_the_interval_is_statsmodels_with_t(
    clusters: int, size: int, data: st.DataObject
) -> None:
    n = clusters * size
    values = data.draw(st.lists(st.integers(-64, 64), min_size=n, max_size=n))
    groups = np.repeat(np.arange(clusters), size)
    fit = sm.OLS(values, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    low, high = fit.conf_int()[0]
    found = mean.mean(values, clusters=groups)
    assert (found.low, found.high, found.df) == (near(low), near(high), near(clusters - 1))


@settings(deadline=None)
@given(st.data(), numbers)
def test_of_clusters_of_any_size_the_error_is_bell_and_mccaffreys(data: st.DataObject, values: list[float]) -> None:
    groups = np.array(data.draw(clustered(len(values))))
    assume(len(set(groups)) > 1)
    n = len(values)
    residuals = np.array(values) - np.mean(values)
    squared = 0.0
    for group in set(groups):
        at = groups == group
        # (I - H)^(-1/2) of the regression on nothing, by its eigenvalues.
        roots, vectors = np.linalg.eigh(np.eye(at.sum()) - 1 / n)
        squared += float((vectors @ np.diag(roots**-0.5) @ vectors.T @ residuals[at]).sum()) ** 2
    assert mean.mean(values, clusters=groups).se == near(math.sqrt(squared) / n)


@settings(deadline=None)
@given(st.data(), numbers)
def test_weighted_means_are_those_of_a_weighted_regression(data: st.DataObject, values: list[float]) -> None:
    weights = data.draw(st.lists(st.integers(1, 20), min_size=len(values), max_size=len(values)))
    fit = sm.WLS(values, np.ones(len(values)), weights=np.array(weights, dtype=float)).fit(cov_type="HC2")
    found = mean.mean(values, weights=weights)
    assert (found.value, found.se) == (near(fit.params[0]), near(fit.bse[0]))
    # Satterthwaite's: of the covariance of the residuals that HC2 squares.
    share = np.array(weights) / sum(weights)
    adjust, less = np.diag(1 / np.sqrt(1 - share)), np.eye(len(values)) - np.outer(share, np.ones(len(values)))
    covariance = adjust @ less @ np.diag(share**2) @ less.T @ adjust
    assert found.df == near(np.trace(covariance) ** 2 / (covariance**2).sum())


@settings(deadline=None)
@given(st.data(), numbers)
def test_millers_equation_is_what_it_says(data: st.DataObject, values: list[float]) -> None:
    groups = data.draw(clustered(len(values)))
    n, x = len(values), np.array(values) - np.mean(values)
    covariances = sum(x[i] * x[j] for i in range(n) for j in range(n) if i != j and groups[i] == groups[j])
    squared = (x**2).sum() / (n - 1) / n + covariances / n**2
    assert mean.miller_error(values, groups) ** 2 == near(max(0.0, squared))


@settings(deadline=None)
@given(numbers)
def test_items_that_are_their_own_cluster_are_not_clustered(values: list[float]) -> None:
    assert mean.clustered_error(values, range(len(values))) == near(mean.standard_error(values))
    assert mean.mean(values, clusters=[None] * len(values)) == mean.mean(values)


def test_a_single_cluster_is_refused() -> None:
    with pytest.raises(Refused, match="at least 2 clusters"):
        mean.mean([1, 2, 3], clusters=["a", "a", "a"])


@settings(deadline=None)
@given(st.integers(2, 12), st.integers(2, 5), st.data())
def test_the_variance_split_is_that_of_an_analysis_of_variance(rows: int, tries: int, data: st.DataObject) -> None:
    drawn = st.lists(st.integers(0, 8), min_size=tries, max_size=tries)
    scores = [data.draw(drawn) for _ in range(rows)]
    found = repeats.spread(scores)
    within = float(np.var(scores, axis=1, ddof=1).mean())
    between = float(np.var(np.mean(scores, axis=1), ddof=1)) - within / tries
    assert (found.within, found.between) == (near(within), near(between))
    if within > 0:
        f = stats.f_oneway(*scores).statistic
        assert found.between == near((f - 1) * within / tries)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_chances_of_k_tries_are_those_of_all_choices(tries: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(tries)))
    chosen = list(itertools.combinations(tries, k))
    assert repeats.pass_at(len(tries), sum(tries), k) == near(sum(map(any, chosen)) / len(chosen))
    assert repeats.pass_all(len(tries), sum(tries), k) == near(sum(map(all, chosen)) / len(chosen))


def test_more_tries_than_were_made_are_refused() -> None:
    with pytest.raises(Refused, match="k = 4 of 3 tries"):
        repeats.pass_at(3, 1, 4)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 100), min_size=20, max_size=60), st.sampled_from(["percentile", "basic", "BCa"]))
def test_the_bootstrap_of_a_mean_is_scipys(values: list[int], method: str) -> None:
    assume(np.ptp(values) > 0)
    wanted = stats.bootstrap(
        (values,), np.mean, method=method, n_resamples=500, rng=np.random.default_rng(3)
    ).confidence_interval
    found = bootstrap.mean(values, method=method.lower(), resamples=500, seed=3)  # type: ignore[arg-type]  # one of three
    assert (found.low, found.high) == (near(wanted.low), near(wanted.high))


@settings(deadline=None, max_examples=20)
@given(st.data(), st.lists(st.integers(0, 100), min_size=10, max_size=40))
def test_resampling_clusters_by_rows_and_by_their_sums_is_the_same(data: st.DataObject, values: list[int]) -> None:
    groups = data.draw(clustered(len(values)))
    assume(len(set(groups)) > 2 and len(set(groups)) < len(values) and np.ptp(values) > 0)
    array = np.array(values, dtype=float)
    try:
        fast = bootstrap.mean(array, clusters=groups, method="percentile", resamples=200)
    except Refused:
        assume(False)
    slow = bootstrap.of_rows(
        lambda rows: float(array[rows].mean()), len(values), clusters=groups, method="percentile", resamples=200
    )
    assert (fast.low, fast.high, fast.clusters) == (near(slow.low), near(slow.high), len(set(groups)))


def test_resampling_clusters_of_one_size_is_the_same_fast_and_slow() -> None:
    values, groups = np.random.default_rng(3).lognormal(0, 1, 120), np.tile(np.arange(30), 4)
    fast = quantile.difference(values, values[::-1], 0.5, clusters=groups, resamples=200)
    slow = bootstrap.of_rows(
        lambda rows: float(np.median(values[rows]) - np.median(values[::-1][rows])),
        120,
        clusters=groups,
        method="percentile",
        resamples=200,
    )
    assert fast == slow


def test_bca_falls_back_to_percentiles_with_few_items_and_items_alike_are_refused() -> None:
    assert bootstrap.mean([0, 1] * 5).method == "bootstrap, percentile, expanded"
    assert bootstrap.mean([0, 1] * 15).method == "bootstrap, bca, expanded"
    with pytest.raises(Refused, match="at least 10 are needed"):
        bootstrap.mean([0, 1, 1] * 3)
    with pytest.raises(Refused, match="the same figure"):
        bootstrap.mean([1.0] * 30)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=8, max_size=60), levels)
def test_fiellers_limits_are_the_ratios_that_a_t_test_just_rejects(drawn: list[tuple[int, bool]], level: float) -> None:
    costs, solved = [cost / 64 for cost, _ in drawn], [float(ok) for _, ok in drawn]
    try:
        found = ratio(costs, solved, level=level)
    except Refused:
        assume(False)
    t = stats.t.ppf((1 + level) / 2, len(drawn) - 1)
    for limit in (found.low, found.high):
        residuals = np.array(costs) - limit * np.array(solved)
        assert abs(residuals.mean()) == near(t * residuals.std(ddof=1) / math.sqrt(len(drawn)))
    residuals = np.array(costs) - found.value * np.array(solved)
    assert found.se == near(residuals.std(ddof=1) / math.sqrt(len(drawn)) / np.mean(solved))


def test_successes_too_few_to_divide_by_are_refused() -> None:
    with pytest.raises(Refused, match="not one success"):
        ratio([1, 2, 3], [0, 0, 0])
    with pytest.raises(Refused, match="no upper limit"):
        ratio([1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 1])


@settings(deadline=None)
@given(st.integers(100, 3000), st.sampled_from([0.5, 0.9, 0.95]), levels)
def test_limits_lie_between_ranks_that_hold_more_and_less_often(n: int, q: float, level: float) -> None:
    try:
        found = quantile.quantile(np.arange(1, n + 1), q, level=level)
    except Refused:
        assume(False)
    chance = stats.binom(n, q).cdf
    assert chance(math.ceil(found.high) - 1) - chance(math.floor(found.low) - 1) >= level - 1e-12
    assert chance(math.floor(found.high) - 1) - chance(math.ceil(found.low) - 1) <= level + 1e-12


@pytest.mark.parametrize(("q", "least"), [(0.95, 100), (0.99, 500)])
def test_a_tail_needs_its_number_of_calls(q: float, least: int) -> None:
    with pytest.raises(Refused, match=f"needs at least {least}"):
        quantile.quantile(np.arange(least - 1), q)
    assert quantile.quantile(np.arange(least), q).high < least - 0.5


def test_calls_of_one_row_are_as_slow_as_each_other() -> None:
    seconds = np.repeat(np.random.default_rng(2).lognormal(0, 1, 60), 5)
    alone, together = quantile.quantile(seconds, 0.5), quantile.quantile(seconds, 0.5, clusters=np.repeat(range(60), 5))
    assert together.method == "Woodruff, clustered"
    assert together.half_width > 1.5 * alone.half_width


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from([0.25, 0.5, 1.0])), min_size=2, max_size=6))
def test_horvitz_thompson_is_right_on_average_over_all_samples(calls: list[tuple[int, float]]) -> None:
    expected = 0.0
    for kept in itertools.product([True, False], repeat=len(calls)):
        chance = math.prod(pi if keep else 1 - pi for keep, (_, pi) in zip(kept, calls, strict=True))
        sample = [call for keep, call in zip(kept, calls, strict=True) if keep]
        if chance and sample:
            y, pi = zip(*sample, strict=True)
            expected += chance * sampling.horvitz_thompson(y, pi, len(calls)).value
    assert expected == near(sum(y for y, _ in calls) / len(calls))


@settings(deadline=None)
@given(numbers)
def test_hajek_with_equal_chances_is_the_mean_with_a_finite_population(values: list[float]) -> None:
    found = sampling.hajek(values, [0.25] * len(values))
    assert found.value == near(float(np.mean(values)))
    assert found.se == near(mean.standard_error(values) * math.sqrt(1 - 0.25))


def test_a_stratum_sampled_to_the_last_call_has_no_error_left() -> None:
    whole = sampling.Stratum(size=3, scores=[0, 1, 1])
    part = sampling.Stratum(size=97, scores=[0, 1, 0, 1])
    assert sampling.stratified({"a": whole}).se == 0
    found = sampling.stratified({"a": whole, "b": part})
    assert found.value == near(0.03 * 2 / 3 + 0.97 * 0.5)
    assert found.se == near(0.97 * math.sqrt((1 - 4 / 97) * (1 / 3) / 4))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=5), st.data())
def test_neyman_gives_every_call_away_and_to_no_stratum_more_than_it_has(
    strata: list[tuple[int, int]], data: st.DataObject
) -> None:
    sizes = {str(at): size for at, (size, _) in enumerate(strata)}
    deviations = {str(at): float(deviation) for at, (_, deviation) in enumerate(strata)}
    spread = sum(size for name, size in sizes.items() if deviations[name]) or sum(sizes.values())
    n = data.draw(st.integers(0, spread))
    found = sampling.neyman(sizes, deviations, n)
    assert sum(found.values()) == n
    assert all(0 <= found[name] <= sizes[name] for name in sizes)


def test_neyman_follows_size_and_spread() -> None:
    assert sampling.neyman({"a": 1000, "b": 1000}, {"a": 1.0, "b": 3.0}, 100) == {"a": 25, "b": 75}


maybe = st.lists(st.one_of(st.none(), st.sampled_from([0.0, 1.0])), min_size=1, max_size=5)


@settings(deadline=None)
@given(maybe, st.data())
def test_worst_cases_are_those_of_all_that_could_have_been(one: list[float | None], data: st.DataObject) -> None:
    two = data.draw(st.lists(st.one_of(st.none(), st.sampled_from([0.0, 1.0])), min_size=len(one), max_size=len(one)))

    def possible(scores: Sequence[float | None]) -> list[float]:
        return [sum(each) for each in itertools.product(*[(0.0, 1.0) if s is None else (s,) for s in scores])]

    every = [(a - b) / len(one) for a in possible(one) for b in possible(two)]
    found = missing.worst_case(one, two)
    assert (found.low, found.high) == (near(min(every)), near(max(every)))


points = st.dictionaries(st.text(min_size=1, max_size=3), st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1)


@settings(deadline=None)
@given(points)
def test_the_front_is_never_empty_and_beats_all_others(drawn: dict[str, tuple[int, int]]) -> None:
    front = pareto.front(drawn)
    assert front
    for name, (quality, cost) in drawn.items():
        beaten = any(
            drawn[other][0] >= quality and drawn[other][1] <= cost and drawn[other] != (quality, cost)
            for other in front
        )
        assert beaten == (name not in front)
