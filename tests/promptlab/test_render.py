"""Filling in prompts: what is put where, and what never happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptlab.prompts import render, variables
from providers.errors import InvalidRequest

MOST = 1000


def filled(template: str, **values: Any) -> str:
    (message,) = render([{"role": "user", "content": template}], values, MOST)
    content: str = message["content"]
    return content


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("no variable", {}, "no variable"),
        ("{{a}}{{ a }}{{\ta\n}}", {"a": "x"}, "xxx"),
        ("{{a}} {{b.c}}", {"a": "1", "b.c": "2"}, "1 2"),
        ("{{a}}", {"a": 1.5}, "1.5"),
        ("{{a}}", {"a": True}, "true"),
        ("{{a}}", {"a": ""}, ""),
        ("{a} {{ }} {{1}} {{a-b}} {{{{", {}, "{a} {{ }} {{1}} {{a-b}} {{{{"),
        ("{{{a}}}", {"a": "x"}, "{x}"),
        ("{{a}} {{b}}", {"a": "{{b}}", "b": "{{a}}"}, "{{b}} {{a}}"),
        ("{{a}}", {"a": r"\1 {% raw %} ${b} %s"}, r"\1 {% raw %} ${b} %s"),
    ],
)
def test_a_variable_becomes_its_value_and_the_rest_stays(template: str, values: dict[str, Any], expected: str) -> None:
    assert filled(template, **values) == expected


@given(value=st.text(max_size=50), around=st.text(alphabet="ab {}%", max_size=20))
def test_a_value_stands_in_the_result_as_it_was_given(value: str, around: str) -> None:
    template = f"{around}|{{{{x}}}}|"
    if variables([{"content": template}]) == {"x"} and "{%" not in template:
        assert filled(template, x=value) == f"{around}|{value}|"


def test_variables_are_found_in_every_text_of_every_message() -> None:
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "{{a}}"}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/{{b}}.png"}}]},
    ]
    assert variables(messages) == {"a", "b"}
    system, user = render(messages, {"a": "1", "b": "2"}, MOST)
    assert system["content"] == [{"type": "text", "text": "1"}]
    assert user["content"][0]["image_url"] == {"url": "https://x/2.png"}
    assert messages[0]["content"] == [{"type": "text", "text": "{{a}}"}]


def test_a_filled_prompt_has_a_limit_that_counts_all_of_it() -> None:
    assert len(filled("{{x}}" * 10, x="y" * 99)) == 990
    with pytest.raises(InvalidRequest, match="more than 1000 characters"):
        filled("{{x}}" * 10, x="y" * 100)  # and the message says who speaks


@pytest.mark.parametrize(
    ("template", "values", "says"),
    [
        ("{{a}} {{b}}", {}, "lacks 'a', 'b'; the prompt takes a, b"),
        ("{{a}}", {"a": "1", "z": "2"}, "has no variable 'z'; it takes a"),
        ("none", {"z": "2"}, "it takes none"),
        ("{{a}}", {"a": None}, "give a string, a number, true or false"),
        ("{{a}}", {"a": ["x"]}, "give a string"),
        ("{% if a %}{{a}}{% endif %}", {"a": "x"}, "Jinja2"),
    ],
)
def test_what_cannot_be_filled_in_is_said(template: str, values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        filled(template, **values)
