"""Scorers of structured answers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.scorers.options import Means
from evaluate.scorers.structure import numbers
from evaluate.scorers.table import InvalidScorer
from tests.evaluate.scoring import scored, scorer, value

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def test_json_is_valid_or_the_score_says_where_it_is_not() -> None:
    assert value("json_valid", ' {"a": [1, 2.5, null]} ') is True
    assert value("json_valid", "[NaN]") is False
    wrong = scored("json_valid", '{"a": 1,}')
    assert wrong.value is False
    assert wrong.rationale is not None
    assert wrong.rationale.startswith("the answer is not JSON: ")
    assert value("json_valid", '```json\n{"a": 1}\n```') is False
    assert value("json_valid", '```json\n{"a": 1}\n```', fenced=True) is True


def test_an_answer_is_held_against_a_schema() -> None:
    assert value("json_schema", '{"name": "Ada", "age": 36}', schema=PERSON) is True
    wrong = scored("json_schema", '{"name": "Ada", "age": -1, "x": 0}', schema=PERSON)
    assert wrong.value is False
    assert wrong.rationale is not None
    assert "$.age: -1 is less than the minimum of 0" in wrong.rationale
    assert value("json_schema", "Ada is 36", schema=PERSON) is False


def test_a_schema_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "person.json").write_bytes(orjson.dumps(PERSON))
    judge = scorer("json_schema", Means(directory=tmp_path), schema="person.json")
    assert judge.identity["schema"] == PERSON
    with pytest.raises(InvalidScorer, match="cannot be read: No such file"):
        scorer("json_schema", Means(directory=tmp_path), schema="nobody.json")


def test_a_schema_that_is_none_is_refused_and_one_that_refers_to_a_url_fetches_nothing() -> None:
    with pytest.raises(InvalidScorer, match="the schema is not one"):
        scorer("json_schema", schema={"type": "objct"})
    away = scored("json_schema", "{}", schema={"$ref": "http://127.0.0.1:9/person.json"})
    assert away.value is None
    assert away.error is not None
    assert away.error.startswith("the schema refers to what is not in it")


def test_field_f1_counts_fields_that_are_right_and_those_that_are_not_wanted() -> None:
    wanted = {"name": "Ada", "born": 1815, "works": ["notes", "letters"]}
    assert value("field_f1", orjson.dumps(wanted).decode(), wanted) == 1
    said = '{"name": "Ada", "born": 1816, "works": ["letters"], "died": 1852}'
    # Right: name, letters. Given: 4. Wanted: 4.
    assert value("field_f1", said, wanted) == pytest.approx(2 * 2 / (4 + 4))
    assert value("field_f1", '{"works": ["letters", "notes"]}', wanted, fields=["works"]) == 1
    assert value("field_f1", '{"works": ["letters", "notes"]}', wanted, fields=["works"], ordered=True) == 0
    assert value("field_f1", '{"born": 1815.0}', {"born": 1815}) == 1
    assert value("field_f1", '{"born": "1815"}', {"born": 1815}) == 0
    assert value("field_f1", "no JSON", wanted) == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", max_size=2), JSON, max_size=3))
def test_an_object_has_all_its_own_fields(object: dict[str, Any]) -> None:
    assert value("field_f1", orjson.dumps(object).decode(), orjson.dumps(object).decode()) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The answer is 1,234.50.", ["1234.50"]),
        ("-3 or \u22124", ["-3", "-4"]),
        ("2e-3 and .5", ["0.002", "0.5"]),
        ("$1,000,000 (12%)", ["1000000", "12"]),
        ("It was 3.", ["3"]),
        ("version2 of x4", []),
        ("none", []),
        ("1e999999999", []),
        ("3-4", ["3", "4"]),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, found: list[str]) -> None:
    assert numbers(text) == [Decimal(each) for each in found]


def test_a_number_is_right_within_its_tolerance_and_exactly_without_one() -> None:
    assert value("numeric", "It is 0.3.", 0.3) is True
    assert value("numeric", "about 3.14", "3.14159") is False
    assert value("numeric", "about 3.14", "3.14159", absolute=0.01) is True
    assert value("numeric", "99", 100, relative=0.01) is True
    assert value("numeric", "98.9", 100, relative=0.01) is False
    assert value("numeric", "98.5", 100, measure="error") == 1.5


def test_which_number_is_meant_is_never_guessed() -> None:
    two = scored("numeric", "Of 12 there are 5 left", 5)
    assert (two.value, two.rationale) == (False, "the answer holds 2 numbers")
    assert value("numeric", "Of 12 there are 5 left", 5, find="last") is True
    assert value("numeric", "Of 12 there are 5 left", 12, find="first") is True
    assert scored("numeric", "none left", 5, measure="error").value is None
    assert scored("numeric", "5", "many").error == "the row's 'expected_response' must be a number, not 'many'"


@pytest.mark.parametrize(
    ("said", "wanted", "same"),
    [
        ("select a from t where x = 1 and y = 2", "SELECT a FROM t WHERE y = 2 AND x = 1", True),
        ("```sql\nSELECT t.a FROM t;\n```", "select a from t", True),
        ("SELECT a AS b FROM t", "SELECT a FROM t", False),
        ("SELECT a FROM t WHERE x > 1", "SELECT a FROM t WHERE 1 < x", True),
        ("SELECT a FROM (SELECT a, b FROM t) AS q", "SELECT a FROM t", True),
        ("SELECT a FROM t WHERE x >= 1", "SELECT a FROM t WHERE x > 1", False),
        ("SELECT FROM WHERE", "SELECT a FROM t", False),
        ("I would query the table.", "SELECT a FROM t", False),
    ],
)
def test_statements_are_the_same_when_their_plainest_forms_are(said: str, wanted: str, same: bool) -> None:
    assert value("sql", said, wanted) is same


def test_sql_knows_dialects_and_tables() -> None:
    tables = {"t": {"a": "int", "b": "int"}}
    assert value("sql", "SELECT * FROM t", "SELECT a, b FROM t", tables=tables) is True
    assert value("sql", "SELECT `a` FROM t", "SELECT a FROM t", dialect="mysql") is True
    with pytest.raises(InvalidScorer, match="there is no dialect 'postgresql'"):
        scorer("sql", dialect="postgresql")
    assert scored("sql", "SELECT 1", "SELEC a FRM").value is None
