"""docs/scorers.md says of every scorer what it is and what it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evaluate.scorers.answer import AnswerOptions
from evaluate.scorers.custom import LimitedOptions
from evaluate.scorers.judged import JudgeOptions
from evaluate.scorers.options import Options
from evaluate.scorers.table import SCORERS
from tests.evaluate.scoring import sample

PAGE = (Path(__file__).parents[2] / "docs" / "scorers.md").read_text()
SECTIONS = {
    name: section
    for section in re.split(r"^#### ", PAGE, flags=re.MULTILINE)[1:]
    for name in re.findall(r"`(\w+)`", section.splitlines()[0])
}
SHARED = (Options, AnswerOptions, JudgeOptions, LimitedOptions)
"""Their options stand in one place, above."""


def options(kind: type[Options]) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items()}


def test_every_scorer_is_in_the_page_and_no_other() -> None:
    assert SECTIONS.keys() == SCORERS.keys()


@pytest.mark.parametrize("name", SCORERS)
def test_every_option_of_a_scorer_is_in_its_section(name: str) -> None:
    kind = SCORERS[name].options
    shared = set().union(*(options(each) for each in SHARED if issubclass(kind, each)))
    listed = set(re.findall(r"^\| `(\w+)` \|", SECTIONS[name].split("\n## ")[0], re.MULTILINE))
    assert options(kind) - shared <= listed
    assert SCORERS[name].about in SECTIONS[name]


@pytest.mark.parametrize("kind", SHARED[1:])
def test_shared_options_are_described(kind: type[Options]) -> None:
    for name in options(kind) - {"scorer"}:
        assert f"`{name}`" in PAGE


def test_every_option_says_what_it_is_for() -> None:
    silent = [
        f"{name}.{field}"
        for name, entry in SCORERS.items()
        for field, info in entry.options.model_fields.items()
        if not info.description
    ]
    assert not silent


def test_the_page_says_all_that_a_custom_scorer_gets() -> None:
    from evaluate.scorers.given import shown

    said = re.search(r"^The sample has (.*?)\. It is", PAGE, re.MULTILINE | re.DOTALL)
    assert said is not None
    assert set(re.findall(r"`(\w+)`", said[1])) == set(shown(sample("x")))
