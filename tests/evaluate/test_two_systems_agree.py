"""Statistics of two systems agree with the libraries of the field, or with their definition, on whatever numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.optimize import minimize_scalar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from evaluate.statistics import (
    margin,
    mcnemar,
    multiplicity,
    paired,
    paired_share,
    permutation,
    planning,
    sequential,
    verdict,
)
from evaluate.statistics.interval import Interval
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.refusal import Refused

differences = st.lists(st.integers(-500, 500).map(lambda n: n / 64), min_size=3, max_size=40).filter(
    lambda values: len(set(values)) > 1
)
tables = st.builds(
    Table,
    both=st.integers(0, 120),
    first=st.integers(0, 60),
    second=st.integers(0, 60),
    neither=st.integers(0, 120),
).filter(lambda table: table.n > 0)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(tables)
def test_mcnemar_is_a_binomial_test_of_discordant_pairs(table: Table) -> None:
    b, n = table.first, table.discordant
    assert mcnemar.exact(table).value == near(stats.binomtest(b, n).pvalue if n else 1.0)
    if n:
        below = stats.binom.cdf(min(b, n - b) - 1, n, 0.5)
        assert mcnemar.mid_p(table).value == near(
            min(1.0, 2 * below + stats.binom.pmf(b, n, 0.5)) if 2 * b != n else 1 - stats.binom.pmf(b, n, 0.5)
        )
        assert mcnemar.chi_squared(table).value == near(stats.chi2.sf((2 * b - n) ** 2 / n, 1))


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_a_table_counts_every_pair_once(pairs: list[tuple[bool, bool]]) -> None:
    one, two = zip(*pairs, strict=True)
    table = Table.of(one, two)
    assert (table.n, table.both, table.neither) == (len(pairs), pairs.count((True, True)), pairs.count((False, False)))
    assert (table.first, table.second) == (pairs.count((True, False)), pairs.count((False, True)))


@settings(deadline=None)
@given(tables)
def test_tango_at_no_difference_is_mcnemars_statistic(table: Table) -> None:
    wanted = mcnemar.chi_squared(table).statistic
    assert wanted is not None
    assert paired_share.tango_z(table, 0.0) ** 2 == near(wanted)


@settings(deadline=None)
@given(tables, levels)
def test_tangos_limits_are_the_differences_that_its_test_just_rejects(table: Table, level: float) -> None:
    found = paired_share.tango(table, level)
    z = stats.norm.ppf((1 + level) / 2)
    assert -1 <= found.low <= found.value <= found.high <= 1
    if found.low > -1:
        assert paired_share.tango_z(table, found.low) == pytest.approx(z, abs=1e-6)
    if found.high < 1:
        assert paired_share.tango_z(table, found.high) == pytest.approx(-z, abs=1e-6)


@settings(deadline=None)
@given(tables, levels)
def test_tango_does_not_care_who_is_first(table: Table, level: float) -> None:
    turned = Table(both=table.both, first=table.second, second=table.first, neither=table.neither)
    one, two = paired_share.tango(table, level), paired_share.tango(turned, level).negated()
    assert one.low == pytest.approx(two.low, abs=1e-8)
    assert one.high == pytest.approx(two.high, abs=1e-8)


@settings(deadline=None, max_examples=30)
@given(tables, st.sampled_from([-0.3, -0.05, 0.02, 0.2]))
def test_tangos_variance_is_that_of_the_likeliest_table(table: Table, delta: float) -> None:
    b, c, same = table.first, table.second, table.both + table.neither
    assume(b and c and same)

    def unlikely(second: float) -> float:
        return -(b * math.log(second + delta) + c * math.log(second) + same * math.log(1 - 2 * second - delta))

    found = minimize_scalar(
        unlikely, bounds=(max(0.0, -delta) + 1e-12, (1 - delta) / 2 - 1e-12), options={"xatol": 1e-12}, method="bounded"
    )
    z = (b - c - table.n * delta) / math.sqrt(table.n * (2 * found.x + delta - delta**2))
    assert paired_share.tango_z(table, delta) == pytest.approx(z, rel=1e-5, abs=1e-5)


@settings(deadline=None)
@given(tables, levels)
def test_newcombe_joins_two_wilson_intervals(table: Table, level: float) -> None:
    n, first, second = table.n, table.both + table.first, table.both + table.second
    l1, u1 = proportion_confint(first, n, 1 - level, "wilson")
    l2, u2 = proportion_confint(second, n, 1 - level, "wilson")
    scale = first * (n - first) * second * (n - second)
    cross = table.both * table.neither - table.first * table.second
    phi = 0.0 if scale == 0 else (max(cross - n / 2, 0) if cross > 0 else cross) / math.sqrt(scale)
    p1, p2 = first / n, second / n
    low = math.sqrt(max(0.0, (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2))
    high = math.sqrt(max(0.0, (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2))
    found = paired_share.newcombe(table, level)
    # A root of what is 0 but for rounding is as large as the root of the rounding.
    assert found.low == pytest.approx(p1 - p2 - low, abs=1e-7)
    assert found.high == pytest.approx(p1 - p2 + high, abs=1e-7)


@settings(deadline=None)
@given(differences)
def test_the_paired_t_test_is_scipys(values: list[float]) -> None:
    found, wanted = paired.t_test(values), stats.ttest_1samp(values, 0)
    assert (found.statistic, found.value) == (near(wanted.statistic), near(wanted.pvalue))
    assert paired.d_z(values) == near(wanted.statistic / math.sqrt(len(values)))


@settings(deadline=None)
@given(differences)
def test_wilcoxon_is_scipys(values: list[float]) -> None:
    found = paired.wilcoxon(values)
    exact = found.test.endswith("exact")
    assert found.value == near(stats.wilcoxon(values, method="exact" if exact else "asymptotic").pvalue)
    assert exact == (0 not in values and len({abs(value) for value in values}) == len(values))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-6, 6), min_size=2, max_size=9), st.data())
def test_flipping_signs_is_counting_all_signs(values: list[int], data: st.DataObject) -> None:
    groups = data.draw(st.lists(st.integers(0, 5), min_size=len(values), max_size=len(values)))
    sums = [sum(v for v, g in zip(values, groups, strict=True) if g == group) for group in sorted(set(groups))]
    every = [
        sum(sign * s for sign, s in zip(signs, sums, strict=True))
        for signs in itertools.product((1, -1), repeat=len(sums))
    ]
    wanted = sum(abs(each) >= abs(sum(sums)) for each in every) / len(every)
    assert permutation.sign_flip(values, clusters=groups).value == near(min(1.0, wanted))


def test_many_pairs_are_flipped_at_random_and_the_same_way_each_time() -> None:
    values = np.random.default_rng(1).normal(0.2, 1, 200)
    one, two = permutation.sign_flip(values), permutation.sign_flip(values)
    assert one == two
    scipys = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=5000, rng=np.random.default_rng(2)
    )
    assert one.value == pytest.approx(scipys.pvalue, abs=0.01)
    assert one.value == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.01)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=12))
def test_adjusted_p_values_are_statsmodels(values: list[float]) -> None:
    assert multiplicity.adjusted(values) == [near(p) for p in multipletests(values, method="holm")[1]]
    assert multiplicity.adjusted(values, "bh") == [near(p) for p in multipletests(values, method="fdr_bh")[1]]
    assert multiplicity.adjusted(values, "by") == [near(p) for p in multipletests(values, method="fdr_by")[1]]
    assert multiplicity.adjusted(values, "none") == values


@settings(deadline=None)
@given(differences, st.sampled_from([0.01, 0.1, 1.0]))
def test_margins_are_statsmodels(values: list[float], by: float) -> None:
    one_sided = DescrStatsW(values).ttest_mean(-by, alternative="larger")
    found = margin.not_worse(values, by)
    assert (found.statistic, found.value) == (near(one_sided[0]), near(one_sided[1]))
    wanted = ttost_paired(np.array(values), np.zeros(len(values)), -by, by)[0]
    assert margin.equivalent(values, by).value == near(wanted)


@settings(deadline=None)
@given(tables, st.sampled_from([0.02, 0.1]))
def test_a_share_is_not_worse_where_tangos_interval_says_so(table: Table, by: float) -> None:
    low = paired_share.tango(table, 0.9).low
    assume(abs(low + by) > 1e-6)
    assert (margin.not_worse_share(table, by).value <= 0.05) == (low > -by)


@given(tables, st.sampled_from([0.02, 0.1]))
def test_shares_are_equivalent_where_tangos_interval_lies_within_the_margin(table: Table, by: float) -> None:
    found = paired_share.tango(table, 0.9)
    assume(min(abs(found.low + by), abs(found.high - by)) > 1e-6)
    assert (margin.equivalent_share(table, by).value <= 0.05) == (-by < found.low and found.high < by)


def test_a_margin_is_above_0() -> None:
    with pytest.raises(ValueError, match="above 0"):
        margin.not_worse([1, 2, 3], -0.1)


@settings(deadline=None)
@given(st.floats(0.05, 1.5), st.sampled_from([0.01, 0.05, 0.1]), st.sampled_from([0.8, 0.9]))
def test_so_many_items_have_the_power_that_was_asked_for(effect: float, alpha: float, power: float) -> None:
    n = planning.t_items(effect, alpha=alpha, power=power)
    assert TTestPower().power(effect, n, alpha) == pytest.approx(power, abs=1e-6)
    items = planning.items(effect, 1.0, alpha=alpha, power=power)
    assert planning.smallest_difference(math.sqrt(1 / items), alpha=alpha, power=power) == near(effect)


@settings(deadline=None)
@given(st.integers(2, 10), st.integers(2, 6), st.data())
def test_the_intraclass_correlation_is_that_of_an_analysis_of_variance(
    clusters: int, size: int, data: st.DataObject
) -> None:
    drawn = [data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)) for _ in range(clusters)]
    assume(any(len(set(each)) > 1 for each in drawn))
    f = stats.f_oneway(*drawn).statistic
    found = planning.icc(np.ravel(drawn), np.repeat(range(clusters), size))
    assert found == near((f - 1) / (f - 1 + size))


def test_clusters_multiply_what_is_needed() -> None:
    assert planning.design_effect(10, 0.5) == 5.5


def test_more_rows_are_those_that_make_the_interval_clear_the_margin() -> None:
    assert planning.more_items(100, 0.05, 0.0, None) is None
    more = planning.more_items(100, 0.05, -0.01, 0.05)
    assert more == math.ceil((1.6448536 + 0.8416212) ** 2 * 0.25 / 0.0025) - 100
    assert planning.more_items(100, 0.05, 0.08, None) == math.ceil(2.8015852**2 * 0.25 / 0.0064) - 100


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 40))
def test_bounded_evidence_of_wins_and_losses_is_the_same_number(won: int, lost: int, ties: int) -> None:
    values = [1.0] * won + [-1.0] * lost + [0.0] * ties
    assert sequential.of_bounded(values) == pytest.approx(sequential.of_discordant(won, lost), rel=1e-9)
    assert sequential.of_signs(values) == sequential.of_discordant(won, lost)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(-64, 64).map(lambda n: n / 64), min_size=1, max_size=20))
def test_bounded_evidence_is_the_mixture_of_all_stakes(values: list[float]) -> None:
    wanted, _ = integrate.quad(lambda stake: math.prod(1 + stake * value for value in values) / 2, -1, 1)
    assert sequential.of_bounded(values) == pytest.approx(wanted, rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(-64, 64).map(lambda n: n / 64), min_size=1, max_size=60))
def test_a_confidence_sequence_leaves_out_what_the_evidence_rejects(values: list[float]) -> None:
    found = sequential.confidence_sequence(values)
    assert -1 <= found.low <= found.value <= found.high <= 1
    excluded = not found.low <= 0 <= found.high
    assert excluded == (sequential.of_bounded(values) >= 20) or sequential.of_bounded(values) == pytest.approx(20)


def test_a_difference_beyond_its_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the bound"):
        sequential.of_bounded([0.5, 1.5])


def evidence(low: float, high: float, **more: float) -> verdict.Evidence:
    def span(level: float, least: float, most: float) -> Interval:
        return Interval(value=(least + most) / 2, low=least, high=most, level=level, method="t", n=100)

    middle, half = (low + high) / 2, (high - low) / 2
    p = 0.01 if low > 0 or high < 0 else 0.5
    return verdict.Evidence(
        wide=span(0.95, low, high),
        narrow=span(0.9, middle - half * 0.8, middle + half * 0.8),
        units=100,
        p=more.get("p", p),
        p_not_worse=more.get("p_not_worse", 0.01),
        p_equivalent=more.get("p_equivalent", 0.01),
        margin=0.1,
    )


@pytest.mark.parametrize(
    ("low", "high", "word", "claims"),
    [
        (0.15, 0.3, "better", ("better", "not worse")),
        (0.01, 0.05, "better", ("better", "equivalent", "not worse")),
        (-0.3, -0.15, "worse", ("worse",)),
        (-0.05, -0.01, "worse", ("worse", "equivalent", "not worse")),
        (-0.05, 0.05, "equivalent", ("equivalent", "not worse")),
        (-0.05, 0.3, "not worse", ("not worse",)),
        (-0.3, 0.05, "inconclusive", ()),
        (-0.3, 0.3, "inconclusive", ()),
    ],
)
def test_the_table_of_verdicts(low: float, high: float, word: str, claims: tuple[str, ...]) -> None:
    assert verdict.word(evidence(low, high)) == word
    assert verdict.claims(evidence(low, high)) == claims


def test_an_interval_that_its_adjusted_test_does_not_bear_out_claims_nothing() -> None:
    assert verdict.word(evidence(0.15, 0.3, p=0.06, p_not_worse=0.06)) == "inconclusive"
    assert verdict.claims(evidence(-0.05, 0.05, p_equivalent=0.06)) == ("not worse",)


def test_without_a_test_nothing_is_claimed_unless_the_interval_holds_at_all_times() -> None:
    made = evidence(0.15, 0.3)
    early = verdict.Evidence(wide=made.wide, narrow=made.narrow, units=100, early=True)
    assert verdict.word(early) == "better"
    assert verdict.word(replace(early, early=False)) == "inconclusive"


def test_what_has_no_figure_is_refused_in_words() -> None:
    for refused in (
        lambda: paired.d_z([1, 1, 1]),
        lambda: paired.interval([0, 0, 0]),
        lambda: paired.correlation([1, 1], [0, 1]),
        lambda: planning.items(0, 1),
        lambda: planning.mcnemar_items(0.1, 0.1),
        lambda: paired_share.tango(Table(both=0, first=0, second=0, neither=0)),
    ):
        with pytest.raises(Refused, match=r"\w{3,}"):
            refused()
