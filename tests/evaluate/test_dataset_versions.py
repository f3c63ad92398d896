"""Rows of datasets: mapped, refused, split by cluster, known by their content, and scrubbed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.cells import Row
from evaluate.datasets import Mapped, digest, from_record, mapped, row_id, rows_of, split_of, splits_in, to_record
from evaluate.scrub import luhn, mod97, scrub

Json = dict[str, Any]


def test_columns_are_mapped_to_variables_expectations_tags_and_a_cluster() -> None:
    mapping = Mapped(
        inputs={"question": "Frage"}, expectations={"expected_response": "Antwort"}, tags=["lang"], cluster="user",
        weight="w", split="part",
    )  # fmt: skip
    row = mapped({"Frage": "a", "Antwort": "b", "lang": "de", "user": 7, "w": "2.5", "part": "test", "x": 1}, mapping)
    assert (row.inputs, row.expectations, row.tags) == ({"question": "a"}, {"expected_response": "b"}, {"lang": "de"})
    assert (row.cluster, row.weight, row.split) == ("7", 2.5, "test")


def test_without_a_mapping_columns_are_taken_by_their_names() -> None:
    row = mapped(
        {"q": "a", "ideal": "b", "expected_facts": ["c"], "tags.lang": "de", "inputs.deep": 1, "cluster": "s"}, Mapped()
    )
    assert row.inputs == {"q": "a", "deep": 1}
    assert row.expectations == {"expected_response": "b", "expected_facts": ["c"]}
    assert (row.tags, row.cluster) == ({"lang": "de"}, "s")


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({}, "there is nothing to ask"),
        ({"expected": "x"}, "there is nothing to ask"),
        ({"inputs": {"q": 1}, "expectations": "x"}, "expectations must be an object"),
        ({"q": "a\x00b"}, "NUL"),
        ({"q": "\ud800"}, "surrogate"),
        ({"q": float("nan")}, "which is no number"),
        ({"q": 2**70}, "more than 64 bits"),
        ({"q": "x" * 1_000_001}, "a text of 1000001 characters"),
        ({"q": "a", "weight": "-1"}, "weight is '-1'; say a positive number"),
        ({"q": "a", "weight": "inf"}, "weight is 'inf'"),
        ({"q": "a", "cluster": ["x"]}, "cluster is ['x']"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_with_why(record: Json, problem: str) -> None:
    rows, report = rows_of([("line 2", record)], Mapped())
    assert rows == []
    assert report.refused[0].where == "line 2"
    assert problem in report.refused[0].problem


def test_nesting_without_end_is_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    _, report = rows_of([("line 1", {"q": deep})], Mapped())
    assert "nested deeper than 50" in report.refused[0].problem


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="there is no column 'frage'; there are 'Frage'"):
        mapped({"Frage": "x"}, Mapped(inputs={"question": "frage"}))


def test_the_same_question_is_one_row_and_the_first_counts() -> None:
    rows, report = rows_of([("1", {"q": "a", "ideal": "x"}), ("2", {"q": "a", "ideal": "y"})], Mapped())
    assert [row.expectations for row in rows] == [{"expected_response": "x"}]
    assert (report.read, report.taken, report.duplicates) == (2, 1, 1)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=30, unique=True), st.integers(0, 5))
def test_rows_of_a_cluster_are_of_one_split_whatever_else_there_is(clusters: list[str], seed: int) -> None:
    splits = {"dev": 0.3, "test": 0.7}
    before = {cluster: split_of(cluster, splits, seed) for cluster in clusters}
    records = [(str(n), {"q": f"{c} {n}", "cluster": c}) for c in clusters for n in range(2)]
    rows, _ = rows_of(records, Mapped(), splits=splits, seed=seed)
    for row in rows:
        assert row.split == before[row.cluster or ""[:500]]


def test_splits_have_about_the_shares_that_were_asked_for() -> None:
    rows, _ = rows_of([(str(n), {"q": n}) for n in range(4000)], Mapped(), splits={"dev": 1, "test": 3})
    assert 900 < splits_in(rows)["dev"] < 1100


def test_a_version_is_known_by_its_content_in_whatever_order() -> None:
    one, two = Row(id=row_id({"q": 1}), inputs={"q": 1}), Row(id=row_id({"q": 2}), inputs={"q": 2})
    assert digest([one, two]) == digest([two, one]) != digest([one])


ROWS = st.builds(
    lambda inputs, expectations, tags, cluster, weight, split: Row(
        id=row_id(inputs), inputs=inputs, expectations=expectations, tags=tags, cluster=cluster, weight=weight,
        split=split,
    ),
    st.dictionaries(st.text(), st.text(), min_size=1),
    st.dictionaries(st.text(), st.text()),
    st.dictionaries(st.text().filter(lambda name: not name.startswith(("gatelog.", "mlflow."))), st.text()),
    st.none() | st.text(min_size=1, max_size=50),
    st.floats(0.001, 1e6),
    st.none() | st.text(min_size=1, max_size=50),
)  # fmt: skip


@given(ROWS)
def test_a_row_comes_back_from_mlflows_record_as_it_was(row: Row) -> None:
    assert from_record(to_record(row)) == row


def test_what_identifies_people_is_marked_and_the_same_has_the_same_mark() -> None:
    text = (
        "ann@example.com wrote to bob@example.org; ann@example.com paid with 4111 1111 1111 1111 from "
        "DE89 3704 0044 0532 0130 00, SSN 123-45-6789, call +45 12 34 56 78, host 10.0.0.1, key sk-abcdefghijklmnop1234"
    )
    clean, found = scrub({"inputs": {"text": text, "n": 3}, "expectations": {"who": "ann@example.com"}})
    said = clean["inputs"]["text"]
    assert said.count("<EMAIL_1>") == 2
    assert "<EMAIL_2>" in said
    assert clean["expectations"]["who"] == "<EMAIL_1>"
    for kind in ("CARD", "IBAN", "SSN", "PHONE", "IP", "SECRET"):
        assert f"<{kind}_1>" in said, said
    assert clean["inputs"]["n"] == 3
    assert found["EMAIL"] == 4


def test_numbers_without_right_check_digits_and_plain_numbers_stay() -> None:
    text = "order 4111 1111 1111 1112, version 1.2.3, 2026-11-23, 300.1.1.1, 42 %"
    assert not luhn("4111111111111112")
    assert not mod97("DE89370400440532013001")
    clean, found = scrub({"text": "version 1.2.3, 300.1.1.1, 42 %"})
    assert clean == {"text": "version 1.2.3, 300.1.1.1, 42 %"}
    assert not found
    assert scrub({"text": text})[0] == {"text": text}
