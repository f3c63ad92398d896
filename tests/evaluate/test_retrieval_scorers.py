"""Scorers of what was retrieved, held to trec_eval."""

from __future__ import annotations

from typing import Any

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from evaluate.cells import Score
from evaluate.scorers.scorer import documents
from tests.evaluate.scoring import asked, sample, scorer


def retrieved(name: str, ranked: list[str], relevant: Any, **options: Any) -> Score:
    context = documents([{"id": id, "text": ""} for id in ranked])
    row = sample("", context=context, expectations={"relevant_documents": relevant})
    return asked(scorer(name, **options), row)


def test_the_golden_numbers_are_trecs_and_mlflows_go_by_their_own_name() -> None:
    ranked, relevant = ["d1", "x", "d3"], ["d1", "d2", "d3"]
    assert retrieved("precision_at_k", ranked, relevant, k=5).value == pytest.approx(0.4)
    assert retrieved("precision_at_k", ranked, relevant, k=5, semantics="mlflow").value == pytest.approx(
        0.666667, abs=1e-6
    )
    assert retrieved("recall_at_k", ranked, relevant, k=5).value == pytest.approx(0.666667, abs=1e-6)
    assert retrieved("average_precision", ranked, relevant).value == pytest.approx(0.555556, abs=1e-6)
    assert retrieved("reciprocal_rank", ranked, relevant).value == 1
    assert retrieved("ndcg_at_k", ["d1"], relevant, k=5).value == pytest.approx(0.469279, abs=1e-6)
    assert retrieved("ndcg_at_k", ["d1"], relevant, k=5, semantics="mlflow").value == 1


IDS = st.sampled_from([f"d{number}" for number in range(8)])


@given(st.lists(IDS, unique=True, min_size=1), st.dictionaries(IDS, st.integers(0, 3), min_size=1), st.integers(1, 10))
def test_every_measure_is_trec_evals(ranked: list[str], grades: dict[str, int], k: int) -> None:
    if not any(grades.values()):
        assert retrieved("ndcg_at_k", ranked, grades).value is None
        return
    measures = {f"P.{k}", f"recall.{k}", f"success.{k}", f"ndcg_cut.{k}", "map", "recip_rank"}
    run = {"q": {id: float(-place) for place, id in enumerate(ranked)}}
    found = pytrec_eval.RelevanceEvaluator({"q": grades}, measures).evaluate(run)["q"]
    ours = {
        f"P_{k}": retrieved("precision_at_k", ranked, grades, k=k),
        f"recall_{k}": retrieved("recall_at_k", ranked, grades, k=k),
        f"success_{k}": retrieved("success_at_k", ranked, grades, k=k),
        f"ndcg_cut_{k}": retrieved("ndcg_at_k", ranked, grades, k=k),
        "map": retrieved("average_precision", ranked, grades),
        "recip_rank": retrieved("reciprocal_rank", ranked, grades),
    }
    assert {name: score.value for name, score in ours.items()} == pytest.approx(found, abs=1e-9)


def test_names_say_how_many_count() -> None:
    assert scorer("ndcg_at_k", k=3).name == "ndcg@3"
    assert scorer("reciprocal_rank").name == "reciprocal_rank"


def test_a_document_retrieved_twice_counts_where_it_comes_first() -> None:
    assert retrieved("precision_at_k", ["d1", "d1", "x"], ["d1"], k=2).value == 0.5


def test_a_row_for_which_nothing_is_relevant_is_unscored() -> None:
    assert retrieved("recall_at_k", ["d1"], []).value is None
    assert retrieved("recall_at_k", [], ["d1"]).value == 0
    wrong = retrieved("recall_at_k", ["d1"], {"d1": "very"})
    assert wrong.error is not None
    assert "must be a list of ids, or an object of ids and whole grades" in wrong.error
    nothing = asked(scorer("recall_at_k"), sample("", expectations={"relevant_documents": ["d1"]}))
    assert nothing.error is not None
    assert nothing.error.startswith("the row has no context")


def test_documents_are_read_as_people_write_them() -> None:
    assert [each.id for each in documents(["one", {"id": 7, "text": "two"}, {"page_content": "three"}])] == [
        "0",
        "7",
        "2",
    ]
    assert documents([{"doc_id": "d"}])[0].text == ""
