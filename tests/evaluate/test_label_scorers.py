"""Classification and regression, held to scikit-learn and scipy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from evaluate.scorers.table import InvalidScorer
from tests.evaluate.scoring import sample, scored, scorer, value

LABELS = ["spam", "ham", "eggs"]


def figures(name: str, pairs: Sequence[tuple[str, Any]], **options: Any) -> dict[str, float | None]:
    summarize = scorer(name, **options).summarize
    assert summarize is not None
    found = summarize([sample(said, wanted) for said, wanted in pairs])
    return {each.removeprefix(f"{name}/"): figure for each, figure in found.items()}


def test_a_label_is_right_whatever_its_case_and_what_is_none_is_wrong() -> None:
    assert value("classification", "Spam.", "spam", labels=LABELS) is True
    assert value("classification", "**ham**", "spam", labels=LABELS) is False
    other = scored("classification", "It might be spam", "spam", labels=LABELS)
    assert (other.value, other.rationale) == (False, "(none of the labels) for spam")
    assert value("classification", '{"label": "eggs"}', "eggs", labels=LABELS, field="/label") is True
    assert value("classification", "no JSON", "eggs", labels=LABELS, field="/label") is False
    assert scored("classification", "spam", "bacon", labels=LABELS).value is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*LABELS, "dunno"]), st.sampled_from(LABELS)), min_size=1, max_size=20))
def test_an_arms_figures_are_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    found = figures("classification", pairs, labels=LABELS)
    said, true = [one for one, _ in pairs], [other for _, other in pairs]
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(true, said), abs=1e-9)
    for average in ("macro", "micro", "weighted"):
        expected = metrics.f1_score(true, said, labels=LABELS, average=average, zero_division=0)
        assert found[f"f1_{average}"] == pytest.approx(expected, abs=1e-9)
    recalls = metrics.recall_score(true, said, labels=LABELS, average=None, zero_division=0)
    assert [found[f"recall/{label}"] for label in LABELS] == pytest.approx(list(recalls), abs=1e-9)
    if len({*true, *said}) > 1:
        assert found["matthews"] == pytest.approx(metrics.matthews_corrcoef(true, said), abs=1e-9)
    assert found["none_of_the_labels"] == said.count("dunno")
    assert sum(figure or 0 for name, figure in found.items() if name.startswith("confusion/")) == len(pairs)


def test_probabilities_give_what_only_they_can() -> None:
    rows = [("yes", 0.9), ("no", 0.2), ("yes", 0.4), ("no", 0.6)]
    pairs = [(f'{{"label": "x", "p": {chance}}}', label) for label, chance in rows]
    options: dict[str, Any] = {"labels": ["yes", "no"], "positive": "yes", "probability": "/p", "field": "/label"}
    found = figures("classification", pairs, **options)
    true, chances = [label == "yes" for label, _ in rows], [chance for _, chance in rows]
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(true, chances))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(true, chances))
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(true, chances))
    assert "roc_auc" not in figures("classification", [*pairs, ("yes", "yes")], **options)


def test_what_makes_no_sense_together_is_refused() -> None:
    with pytest.raises(InvalidScorer, match="say which with `positive`"):
        scorer("classification", labels=["a", "b"], probability="/p")
    with pytest.raises(InvalidScorer, match="labels must differ in more than their case"):
        scorer("classification", labels=["a", "A"])
    with pytest.raises(InvalidScorer, match="`positive` must be one of two labels"):
        scorer("classification", labels=["a", "b"], positive="c")


NUMBERS = st.floats(-1000, 1000).map(lambda number: round(number, 3))


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=15))
def test_the_figures_of_numbers_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    said, true = [one for one, _ in pairs], [other for _, other in pairs]
    found = figures("regression", [(f"It is {one}", other) for one, other in pairs])
    assert found["mean_absolute_error"] == pytest.approx(metrics.mean_absolute_error(true, said), rel=1e-9, abs=1e-9)
    assert found["mean_squared_error"] == pytest.approx(metrics.mean_squared_error(true, said), rel=1e-9, abs=1e-9)
    assert found["max_error"] == pytest.approx(metrics.max_error(true, said), rel=1e-9, abs=1e-9)
    assert found["sum_on_target"] == pytest.approx(sum(true), rel=1e-9, abs=1e-9)
    if found["r2"] is not None:
        assert found["r2"] == pytest.approx(metrics.r2_score(true, said), rel=1e-9, abs=1e-9)


def test_correlations_are_scipys() -> None:
    said, true = [1.0, 2.5, 2.0, 4.0, 6.0], [1.0, 2.0, 3.0, 4.0, 5.0]
    found = figures("regression", [(str(one), other) for one, other in zip(said, true, strict=True)])
    assert found["pearson"] == pytest.approx(stats.pearsonr(true, said).statistic)
    assert found["spearman"] == pytest.approx(stats.spearmanr(true, said).statistic)
    assert found["kendall"] == pytest.approx(stats.kendalltau(true, said).statistic)
    assert figures("regression", [("1", 1)])["r2"] is None


def test_a_row_of_numbers_is_scored_by_its_error() -> None:
    assert value("regression", "about 7", 10) == 3
    assert scored("regression", "7 or 8", 10).error == "the answer holds 2 numbers"
    assert scorer("regression").direction == "lower"
