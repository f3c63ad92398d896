"""The reference's golden numbers of two systems on the same items: tests, intervals, margins, planning, peeking."""

from __future__ import annotations

import math

import pytest

from evaluate.statistics import margin, mcnemar, multiplicity, paired, paired_share, permutation, planning, sequential
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.mean import standard_error
from evaluate.statistics.repeats import question_means
from tests.evaluate import golden


def close(value: float) -> object:
    """The reference gives six decimals."""
    return pytest.approx(value, abs=6e-7)


SMALL = Table.of(golden.A, golden.B)
DIFFERENCES = paired.differences(golden.X, golden.Y)
"""Of the dozen scores, x minus y."""


def test_golden_paired_difference_and_its_error_both_ways() -> None:
    assert paired.interval(golden.D).value == close(0.166667)
    assert standard_error(golden.D) == close(0.098295)
    a, b = standard_error(golden.A), standard_error(golden.B)
    rho = paired.correlation(golden.A, golden.B)
    assert math.sqrt(a**2 + b**2 - 2 * a * b * rho) == close(0.098295)


def test_golden_error_without_pairs_and_the_correlation_that_pairs_use() -> None:
    assert paired.unpaired_error(golden.A, golden.B) == close(0.144860)
    assert paired.correlation(golden.A, golden.B) == close(0.539792)


def test_golden_clustered_error_of_the_paired_difference() -> None:
    assert paired.interval(golden.D, clusters=golden.CLUSTERS).se == close(0.052705)


def test_golden_paired_t_of_binary_scores() -> None:
    found = paired.t_test(golden.D)
    assert (found.statistic, found.value) == (close(1.695582), close(0.103462))


def test_golden_table_of_pairs() -> None:
    assert Table(both=10, first=5, second=1, neither=8) == SMALL


def test_golden_mcnemar_of_5_to_1() -> None:
    assert mcnemar.exact(SMALL).value == close(0.218750)
    assert mcnemar.mid_p(SMALL).value == close(0.125)
    assert mcnemar.chi_squared(SMALL).value == close(0.102470)
    assert mcnemar.chi_squared(SMALL, correction=True).value == close(0.220671)


def test_golden_mcnemar_of_30_to_14() -> None:
    assert mcnemar.exact(golden.TABLE).value == close(0.022629)
    corrected = mcnemar.chi_squared(golden.TABLE, correction=True)
    assert (corrected.statistic, corrected.value) == (close(5.113636), close(0.023739))
    plain = mcnemar.chi_squared(golden.TABLE)
    assert (plain.statistic, plain.value) == (close(5.818182), close(0.015861))


def test_golden_intervals_of_a_paired_difference_of_shares() -> None:
    wald = paired_share.wald(golden.TABLE)
    assert (wald.value, wald.se) == (close(0.08), close(0.032680))
    assert (wald.low, wald.high) == (close(0.015948), close(0.144052))
    tango = paired_share.tango(golden.TABLE)
    assert (tango.low, tango.high) == (close(0.015571), close(0.146495))
    newcombe = paired_share.newcombe(golden.TABLE)
    assert (newcombe.low, newcombe.high) == (close(0.015001), close(0.144351))


def test_golden_tango_at_no_difference_is_the_root_of_mcnemars_chi_squared() -> None:
    assert paired_share.tango_z(golden.TABLE, 0) == close(2.412091)
    assert paired_share.tango_z(golden.TABLE, 0) ** 2 == pytest.approx(
        mcnemar.chi_squared(golden.TABLE).statistic, abs=1e-12
    )


def test_golden_numeric_difference_and_effect_size() -> None:
    assert DIFFERENCES.mean() == close(0.045833)
    assert DIFFERENCES.std(ddof=1) == close(0.043371)
    assert paired.d_z(DIFFERENCES) == close(1.056769)


def test_golden_numeric_tests() -> None:
    t = paired.t_test(DIFFERENCES)
    assert (t.statistic, t.value) == (close(3.660755), close(0.003750))
    flipped = permutation.sign_flip(DIFFERENCES)
    assert flipped.value == close(0.006836)
    assert flipped.test == "sign-flip permutation, all 2^12"


def test_golden_wilcoxon_exact_and_by_the_normal_approximation() -> None:
    assert paired.wilcoxon(DIFFERENCES, method="exact").value == close(0.006836)
    assert paired.wilcoxon(DIFFERENCES, method="asymptotic").value == close(0.008211)


def test_golden_adjusted_p_values() -> None:
    assert multiplicity.adjusted(golden.P_VALUES) == [close(p) for p in (0.005, 0.048, 0.09, 0.09, 0.2)]
    assert multiplicity.adjusted(golden.P_VALUES, "bh") == [close(p) for p in (0.005, 0.03, 0.05, 0.05, 0.2)]
    by = (0.011417, 0.0685, 0.114167, 0.114167, 0.456667)
    assert multiplicity.adjusted(golden.P_VALUES, "by") == [close(p) for p in by]


def test_golden_non_inferiority_of_scores_that_passes() -> None:
    candidate_minus_baseline = paired.differences(golden.Y, golden.X)
    assert candidate_minus_baseline.mean() == close(-0.045833)
    found = margin.not_worse(candidate_minus_baseline, 0.10)
    assert (found.statistic, found.df) == (close(4.326347), 11)
    assert found.value == close(0.000601)


def test_golden_equivalence_of_scores() -> None:
    assert margin.equivalent(paired.differences(golden.Y, golden.X), 0.10).value == close(0.000601)


def test_golden_non_inferiority_of_binary_scores_that_fails() -> None:
    found = margin.not_worse([-d for d in golden.D], 0.05)
    assert found.statistic == close(-1.186908)
    assert found.value == close(0.876310)


def test_golden_numbers_of_items() -> None:
    once = planning.items(0.03, 1 / 9, within_first=1 / 6, within_second=1 / 6)
    assert once == pytest.approx(3875.99, abs=5e-3)
    ten = planning.items(0.03, 1 / 9, within_first=1 / 6, within_second=1 / 6, repeats_first=10, repeats_second=10)
    assert ten == pytest.approx(1259.70, abs=5e-3)


def test_golden_smallest_difference_to_be_seen() -> None:
    assert planning.smallest_difference(math.sqrt(0.22 / 200)) == close(0.092918)


def test_golden_items_for_mcnemar() -> None:
    assert planning.mcnemar_items(0.15, 0.07) == pytest.approx(267.44, abs=5e-3)


def test_golden_items_for_an_effect_by_t_and_by_the_normal_distribution() -> None:
    assert planning.t_items(0.2) == pytest.approx(198.15, abs=5e-3)
    assert planning.items(0.2, 1.0) == pytest.approx(196.22, abs=5e-3)


@pytest.mark.parametrize(("won", "lost", "e"), [(5, 1, 1.523810), (30, 14, 3.400763), (20, 3, 197.360437)])
def test_golden_e_values(won: int, lost: int, e: float) -> None:
    assert sequential.of_discordant(won, lost) == close(e)


def test_golden_identity_of_repeats_and_clusters() -> None:
    assert paired.interval(question_means(golden.TRIES)).se == close(0.125)
