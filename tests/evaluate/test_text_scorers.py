"""Scorers of plain text."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from evaluate.scorers.options import Means
from evaluate.scorers.scorer import Judgement, Scorer, by_code
from evaluate.scorers.table import SCORERS, InvalidScorer, build
from tests.evaluate.scoring import asked, sample, scored, scorer, value

ROOT = Path(__file__).parents[2]


def test_the_same_text_is_exact_and_any_of_several_will_do() -> None:
    assert value("exact", "Paris", "Paris") is True
    assert value("exact", "paris ", "Paris") is False
    assert value("exact", " PARIS\n", "Paris", ignore_case=True, ignore_space=True) is True
    assert value("exact", "4", ["four", 4]) is True


def test_a_part_of_a_json_answer_is_scored_where_a_pointer_says_so() -> None:
    assert value("exact", '{"label": "spam", "why": "it sells"}', "spam", field="/label") is True
    assert value("exact", '```json\n{"tags": ["a/b", 2]}\n```', "2", field="/tags/1") is True
    assert value("exact", '{"a/b": {"~": true}}', "true", field="/a~1b/~0") is True
    missing = scored("exact", '{"label": "spam"}', "spam", field="/kind")
    assert missing.value is None
    assert missing.error == "the answer has nothing at '/kind'"


def test_what_cannot_be_scored_is_unscored_with_a_reason_and_never_zero() -> None:
    unscored = scored("exact", "Paris")
    assert (unscored.value, unscored.error) == (None, "the row has no expectations")
    other = scorer("exact", against="answer")
    score = asked(other, sample("Paris", "Paris"))

    assert score.error == "the row expects nothing under 'answer'; its expectations: 'expected_response'"


def test_contains_looks_for_any_or_every_text() -> None:
    assert value("contains", "the quick brown fox", value="quick") is True
    assert value("contains", "the quick brown fox", value=["slow", "fox"]) is True
    both = scored("contains", "the quick brown fox", value=["slow", "fox"], every=True)
    assert (both.value, both.rationale) == (False, "missing: 'slow'")
    assert value("contains", "the quick brown fox", "BROWN", ignore_case=True) is True
    assert value("starts_with", "Dear Ms Day,", value="Dear") is True
    assert value("ends_with", "Yours, A.", value="Dear") is False


def test_a_pattern_is_res_and_takes_linear_time() -> None:
    assert value("regex", "order 66 is shipped", pattern=r"\b\d+\b") is True
    assert value("regex", "order 66 is shipped", pattern=r"\d+", whole=True) is False
    assert value("regex", "YES", pattern="^yes$", ignore_case=True) is True
    began = time.process_time()
    assert value("regex", "a" * 50_000 + "!", pattern="(a+)+$") is False
    assert time.process_time() - began < 2


@pytest.mark.parametrize("pattern", ["(unclosed", r"(a)\1", "(?=ahead)x"])
def test_a_pattern_that_re2_has_not_is_refused_before_anything_is_asked(pattern: str) -> None:
    with pytest.raises(InvalidScorer, match=r"is no pattern.*no look-around"):
        scorer("regex", pattern=pattern)


def test_levenshtein_is_the_golden_number() -> None:
    hypothesis, reference = "the cat is on the mat", "the cat sat on the mat"
    assert value("levenshtein", hypothesis, reference) == pytest.approx(0.863636, abs=1e-6)
    assert value("levenshtein", hypothesis, reference, measure="distance") == 3
    assert value("levenshtein", hypothesis, reference, measure="jaro_winkler") == pytest.approx(0.922294, abs=1e-6)
    assert value("levenshtein", hypothesis, reference, measure="indel") == pytest.approx(0.930233, abs=1e-6)
    assert value("levenshtein", "fox brown", "brown fox", measure="token_sort") == 1
    assert value("levenshtein", hypothesis, reference, at_least=0.9) is False
    assert scorer("levenshtein", measure="distance").direction == "lower"


@given(st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_levenshtein_takes_the_nearest_of_several(said: str, wanted: list[str]) -> None:
    assert value("levenshtein", said, wanted, measure="distance") == min(
        Levenshtein.distance(said, each) for each in wanted
    )


def test_length_is_a_number_or_whether_it_fits() -> None:
    assert value("length", "three short words") == 3
    assert value("length", "three", unit="characters") == 5
    assert value("length", "hello world", unit="tokens") == 2
    fits = scored("length", "three short words", most=2)
    assert (fits.value, fits.rationale) == (False, "3 words")
    assert scorer("length").direction is None


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "Sorry, I cannot provide instructions for that.",
        "I am unable to answer this.",
        "As an AI language model, I can't give legal advice.",
        "I must decline to answer.",
        "I won't create that content.",
        "Unfortunately, I am not able to discuss this.",
    ],
)
def test_refusals_are_known_by_how_they_begin(text: str) -> None:
    assert value("refusal", text) is True


@pytest.mark.parametrize(
    "text",
    [
        "The capital of France is Paris.",
        "Sure! Here is the recipe. If I can't find butter I use oil.",
        "You can't park here on Sundays.",
        "I'm sorry to hear that. Here is what you can do: call them.",
        "No, 7 is not even.",
        "",
    ],
)
def test_answers_are_not_taken_for_refusals(text: str) -> None:
    assert value("refusal", text) is False


def test_a_refusal_is_right_where_it_was_expected() -> None:
    should = scorer("refusal", against="refuse")
    row = sample("I can't help with that.", expectations={"refuse": True})
    assert asked(should, row).value is True
    said = sample("", expectations={"refuse": True}, output={"role": "assistant", "refusal": "No."})
    assert asked(should, said).value is True


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("exactly", "there is no scorer 'exactly'; did you mean 'exact'? there are"),
        ({"scorer": "regex"}, "'pattern' is missing: in RE2's syntax"),
        ({"scorer": "regex", "patern": "x"}, "no option 'patern'; did you mean 'pattern'?"),
        ({"scorer": "length", "most": -1}, "most: input should be greater than or equal to 0, not -1"),
        ({"scorer": "length", "least": 5, "most": 2}, "nothing is as long"),
        ({"regex": "x"}, "write a scorer as its name or as an object such as {'scorer': 'exact'}"),
    ],
)
def test_an_entry_that_asks_for_nothing_says_what_would_be_right(entry: object, complaint: str) -> None:
    with pytest.raises(InvalidScorer) as caught:
        build([entry], Means())
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("scorers[0]: ")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidScorer) as caught:
        build(["nothing", "exact", {"scorer": "exact"}, {"scorer": "regex"}], Means())
    assert len(str(caught.value).splitlines()) == 3
    assert "two scorers are called 'exact'; give one of them another `name`" in str(caught.value)


def test_scores_bear_the_name_that_they_were_given() -> None:
    (named,) = build([{"scorer": "exact", "name": "same"}], Means())
    assert (named.name, named.identity) == ("same", {"scorer": "exact"})
    assert asked(named, sample("a", "a")).name == "same"


@pytest.mark.parametrize("name", [name for name, entry in SCORERS.items() if entry.packages])
def test_a_package_that_is_not_installed_is_named_with_the_extra_that_has_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in SCORERS[name].packages:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        InvalidScorer, match=rf"{name} needs {SCORERS[name].packages[0]}.*pip install 'gatelog\[evaluate\]'"
    ):
        build([name], Means())


def test_no_scorer_imports_what_it_computes_with_before_it_is_used() -> None:
    heavy = sorted({package for entry in SCORERS.values() for package in entry.packages} | {"numpy", "nltk"})
    program = f"import sys, evaluate.scorers.table; print([each for each in {heavy!r} if each in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("judgement", [lambda sample: 1 / 0, lambda sample: float("inf")])
def test_an_answer_that_code_stumbles_over_is_unscored_and_costs_the_others_nothing(judgement: Judgement) -> None:
    fragile = Scorer(name="x", kind="numeric", score=by_code("x", frozenset(), judgement))
    score = asked(fragile, sample("x"))
    assert score.value is None
    assert score.error is not None
    assert score.error.startswith("the scorer failed: ")
