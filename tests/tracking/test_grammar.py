"""Filters are read as their grammar says, and every fault points at its place."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.errors import InvalidRequest
from tracking.grammar import DEEPEST, And, Comparison, Key, Not, Or, Source, Tree, parse


def tree(text: str) -> Tree | None:
    return parse(Source(text))


def only(text: str) -> Comparison:
    found = tree(text)
    assert isinstance(found, Comparison)
    return found


def fault(text: str) -> tuple[int, str]:
    with pytest.raises(InvalidRequest) as caught:
        tree(text)
    error = caught.value
    assert (error.status, error.code, error.param) == (400, "invalid_filter", "filter")
    found = re.match(r"filter, column (\d+): (.*)", error.message)
    assert found is not None, error.message
    return int(found[1]), found[2]


@pytest.mark.parametrize(
    ("text", "section", "name"),
    [
        ("status = 'ok'", None, "status"),
        ("metrics.cost_usd = 'ok'", "metrics", "cost_usd"),
        ("tags.mlflow.user = 'ok'", "tags", "mlflow.user"),
        ("tags.team-name = 'ok'", "tags", "team-name"),
        ("tags.`my key` = 'ok'", "tags", "my key"),
        ("tags.\"my key\" = 'ok'", "tags", "my key"),
        ("tags.\"a.b\".c = 'ok'", "tags", "a.b.c"),
        ('tags."say ""hi""" = \'ok\'', "tags", 'say "hi"'),
        ("tags.1st = 'ok'", "tags", "1st"),
    ],
)
def test_a_key_is_a_section_and_a_name(text: str, section: str | None, name: str) -> None:
    assert only(text).key == Key(section, name, 0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x = 'it''s'", "it's"),
        ("x = 'a\\'", "a\\"),
        ('x = "double"', "double"),
        ("x = ''", ""),
        ("x = 12", Decimal(12)),
        ("x = -0.50", Decimal("-0.5")),
        ("x = .5", Decimal("0.5")),
        ("x = 1e-3", Decimal("0.001")),
        ("x=1", Decimal(1)),
        ("x = TRUE", True),
        ("x = false", False),
    ],
)
def test_a_value_is_a_number_a_string_or_a_truth(text: str, value: object) -> None:
    assert only(text).values[0].value == value


def test_not_binds_tighter_than_and_and_and_tighter_than_or() -> None:
    found = tree("NOT a = 1 AND b = 2 OR c = 3")
    assert isinstance(found, Or)
    left, right = found.terms
    assert isinstance(right, Comparison)
    assert isinstance(left, And)
    assert isinstance(left.terms[0], Not)
    assert isinstance(tree("a = 1 AND (b = 2 OR c = 3)"), And)
    assert isinstance(tree("not (a = 1 or b = 2)"), Not)


def test_the_negative_operators_are_not_of_the_positive_ones() -> None:
    for text in ("a NOT IN (1, 2)", "a IS NOT NULL", "a NOT LIKE 'x'", "a not ilike 'x'"):
        found = tree(text)
        assert isinstance(found, Not)
        assert isinstance(found.term, Comparison)


def test_an_empty_filter_says_nothing() -> None:
    assert tree("") is None
    assert tree(" \n\t") is None


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("status = gpt", 10, "found 'gpt', where a number, or a string in single quotes, should be"),
        ("status = 'ok", 10, "a string begins here and does not end; close it with '"),
        ("tags.`a = 1", 6, "a quoted name begins here and does not end"),
        ("status == 'ok'", 8, "found '=='; write ="),
        ("a = 1 && b = 2", 7, "found '&&'; write AND"),
        ("a = 1 b = 2", 7, "found 'b', where AND, OR or the end should be"),
        ("(a = 1", 7, "found the end, where AND, OR or ')' should be"),
        ("a = 1)", 6, "found ')', where AND, OR or the end should be"),
        ("a IN (1, )", 10, "found ')', where a number"),
        ("a IN 1", 6, "found '1', where '(' and a list of values should be"),
        ("a IS 1", 6, "found '1', where NULL or NOT NULL should be"),
        ("a LIKE 1", 8, "LIKE takes a string in single quotes"),
        ("tags. team = 'x'", 5, "found '.', which stands only between the names of a key"),
        ("a = 12abc", 5, "'12abc' is not a number"),
        ("a =", 4, "found the end, where a number"),
        ("a", 2, "found the end, where =, !=, <"),
        ("AND a = 1", 1, "found 'AND', where a key like metrics.cost_usd"),
        ("1 = a", 1, "found '1', where a key like"),
        ('tags."" = 1', 1, "has an empty name in quotes"),
        ("a = 1; DROP TABLE calls", 6, "found ';', which means nothing here"),
        ("a = '\x00'", 6, "which no stored text can hold"),
        ("a = 1 OR " * 300 + "a = 1", 1801, "there are more than 200 comparisons"),
        ("(" * 1_000, DEEPEST + 1, f"nested more than {DEEPEST} deep"),
        ("NOT " * 1_000, DEEPEST * 4 + 1, f"nested more than {DEEPEST} deep"),
        ("x" * 70_000, 65_537, "it has 70000 characters"),
    ],
)
def test_a_fault_points_at_its_column(text: str, column: int, words: str) -> None:
    at, message = fault(text)
    assert (at, words in message) == (column, True), message


def test_a_caret_stands_under_the_fault() -> None:
    with pytest.raises(InvalidRequest) as caught:
        tree("metrics.cost_usd > 1 AND\nstatus = gpt AND tags.team = 'x'")
    _, line, caret = caught.value.message.splitlines()
    assert line[caret.index("^") :].startswith("gpt")


def reads_or_points(text: str) -> None:
    try:
        tree(text)
    except InvalidRequest as exc:
        refusal = exc
    else:
        return
    found = re.match(r"filter, column (\d+): \S", refusal.message)
    assert found is not None
    assert 1 <= int(found[1]) <= len(text) + 1
    assert refusal.message.encode()


@given(st.text())
@example("\ud800")
@example("'\udfff")
@example("a = ١٢")
@example("a IN (" + "1," * 6_000)
def test_any_text_is_read_or_refused_with_its_column(text: str) -> None:
    reads_or_points(text)


PIECES = [
    "(",
    ")",
    ",",
    "=",
    "!=",
    "<>",
    "==",
    "<",
    "<=",
    ">",
    ">=",
    "!",
    "AND",
    "and",
    "OR",
    "NOT",
    "LIKE",
    "ILIKE",
    "IN",
    "IS",
    "NULL",
    "TRUE",
    "1",
    "-1.5e9",
    "1e",
    "'x'",
    "''",
    "'",
    '"',
    "`",
    "a",
    "b.c",
]
QUOTED = ["tags.`a b`", 'tags."x"', "metrics.cost_usd", "status", '"', "\n", ".", "..", "a.", "''", "é", "a.'b'"]


@given(st.lists(st.sampled_from(PIECES + QUOTED)), st.sampled_from([" ", ""]))
def test_any_row_of_the_grammars_own_words_is_read_or_refused_with_its_column(words: list[str], between: str) -> None:
    reads_or_points(between.join(words))
