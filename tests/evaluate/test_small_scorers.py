"""Readability, tool calls, and what a cell took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evaluate.calling import CallFailed, Embedded
from evaluate.cells import Score
from evaluate.scorers.options import Means
from evaluate.scorers.readability import counts, syllables
from evaluate.scorers.scorer import Sample
from evaluate.scorers.table import InvalidScorer, build
from tests.evaluate.scoring import asked, sample, scored, scorer, value

PANGRAM = "The quick brown fox jumps over the lazy dog. It was a sunny day and everyone was happy."


def test_readability_is_its_formulas_on_what_was_counted() -> None:
    found = counts(PANGRAM)
    assert (found.words, found.sentences, found.characters, found.syllables, found.long) == (18, 2, 68, 24, 1)
    assert value("readability", PANGRAM) == pytest.approx(0.39 * 9 + 11.8 * 24 / 18 - 15.59)
    assert value("readability", PANGRAM, formula="ari") == pytest.approx(4.71 * 68 / 18 + 0.5 * 9 - 21.43)
    assert value("readability", PANGRAM, formula="lix") == pytest.approx(9 + 100 / 18)
    assert value("readability", PANGRAM, formula="flesch") == pytest.approx(206.835 - 1.015 * 9 - 84.6 * 24 / 18)
    assert scorer("readability", formula="flesch").direction == "higher"
    assert scored("readability", "...").error == "the answer has no words"


def test_golden_grades_are_ours_but_for_what_textstat_does_otherwise() -> None:
    """The reference's 1.386667 and 2.822222 are textstat's. It takes full stops for characters, of which there are two
    here, and rounds Coleman and Liau's .0588 to .058."""
    ari, coleman_liau = (value("readability", PANGRAM, formula=each) for each in ("ari", "coleman_liau"))
    assert ari == pytest.approx(1.386667 - 4.71 * 2 / 18, abs=1e-6)
    assert coleman_liau == pytest.approx(2.822222 + 0.0008 * 100 * 68 / 18, abs=1e-6)


@pytest.mark.parametrize(
    ("word", "count"),
    [("table", 2), ("whole", 1), ("makes", 1), ("houses", 2), ("needed", 2), ("hoped", 1), ("the", 1), ("media", 3),
     ("nation", 2), ("quiet", 2), ("people", 2), ("language", 2), ("university", 5), ("doing", 2), ("mechanism", 4)],
)  # fmt: skip
def test_syllables_are_told_by_spelling(word: str, count: int) -> None:
    assert syllables(word) == count


def called(*calls: tuple[str, str]) -> Sample:
    made = [{"id": f"c{at}", "function": {"name": name, "arguments": said}} for at, (name, said) in enumerate(calls)]
    wanted = [{"name": "find", "arguments": {"city": "Rome", "days": 2}}, {"name": "book", "arguments": {"id": 7}}]
    output = {"role": "assistant", "content": None, "tool_calls": made}
    return Sample(row="r", output=output, expectations={"expected_tool_calls": wanted})


FIND, BOOK = ("find", '{"days": 2, "city": "Rome"}'), ("book", '{"id": 7}')


def by(entry: dict[str, Any], *calls: tuple[str, str]) -> Score:
    return asked(scorer("tool_calls", **entry), called(*calls))


def test_tool_calls_are_the_same_in_name_arguments_and_order() -> None:
    assert by({}, FIND, BOOK).value is True
    other = by({}, BOOK, FIND)
    assert other.value is False
    assert other.rationale is not None
    assert other.rationale.startswith('called book({"id":7}), find(')
    assert by({}, FIND).value is False
    assert by({}, ("find", "{}"), BOOK).value is False
    assert by({"arguments": False}, ("find", "{}"), BOOK).value is True
    assert by({}, ("find", "{not json"), BOOK).value is False


def test_a_trajectory_allows_what_it_is_asked_to() -> None:
    def way(order: str, *calls: tuple[str, str]) -> Any:
        return by({"match": "trajectory", "order": order}, *calls).value

    look = ("look", "{}")
    assert way("unordered", BOOK, FIND) is True
    assert way("unordered", BOOK, FIND, BOOK) is False
    assert way("subset", BOOK) is True
    assert way("subset", look) is False
    assert way("superset", look, FIND, look, BOOK) is True
    assert way("superset", BOOK, FIND) is False
    with pytest.raises(InvalidScorer, match="`order` is for `match: trajectory`"):
        scorer("tool_calls", order="subset")


def test_fuzzy_tool_calls_are_scored_by_how_alike_they_are() -> None:
    assert by({"match": "fuzzy"}, BOOK, FIND).value == 1
    # One of two arguments is right: half for the name, half of the other half; the second call is missing.
    assert by({"match": "fuzzy"}, ("find", '{"city": "rome", "days": 3}')).value == pytest.approx(2 * 0.75 / 3)
    assert by({"match": "fuzzy"}).value == 0


def test_what_a_cell_took_is_a_number_or_within_its_limit() -> None:
    cell = sample(
        "x", latency_us=1_500_000, ttft_us=200_000, cost_nanos=2_500_000, prompt_tokens=10, completion_tokens=5
    )
    assert asked(scorer("latency"), cell).value == 1.5
    assert asked(scorer("latency", until="first_token", at_most=0.1), cell).value is False
    assert asked(scorer("cost"), cell).value == 0.0025
    assert asked(scorer("cost", at_most=0.0025), cell).value is True
    assert asked(scorer("tokens", of="both"), cell).value == 15
    assert asked(scorer("tokens"), sample("x")).value is None


def test_their_names_leave_room_for_what_every_cell_has_of_itself() -> None:
    assert (scorer("latency").name, scorer("cost").name) == ("latency_s", "cost_usd")
    with pytest.raises(InvalidScorer, match="every cell has a metric 'cost' without a scorer"):
        build([{"scorer": "cost", "name": "cost"}], Means())


def test_a_cached_cell_has_no_latency_and_an_unpriced_one_no_cost() -> None:
    assert (
        asked(scorer("latency"), sample("x", latency_us=5, cached=True)).error
        == "the latency is not known, or is a cache's"
    )
    assert asked(scorer("cost", at_most=1), sample("x")).value is None


class Vectors:
    """Vectors by the length and the first letter of a text."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str], dict[str, str]]] = []

    async def __call__(self, model: str, texts: Sequence[str], tags: Mapping[str, str]) -> Embedded:
        self.asked.append((model, list(texts), dict(tags)))
        if "refuse" in texts:
            raise CallFailed("no such model")
        vectors = [[float(len(text)), float(ord(text[0]) if text else 0)] for text in texts]
        return Embedded(vectors=vectors, run_id="run-1", cost_nanos=40)


def test_similarity_is_of_vectors_asked_for_through_the_gateway() -> None:
    vectors = Vectors()
    means = Means(embed=vectors)
    near = scorer("similarity", means, model="openai/text-embedding-3-small")
    score = asked(near, sample("same", ["same", "x"], evaluation="e1"))
    assert score.value == pytest.approx(1)
    assert (score.judge_run_ids, score.cost_nanos) == (("run-1",), 40)
    (asked_for,) = vectors.asked
    assert asked_for[1] == ["same", "same", "x"]
    assert asked_for[2]["gatelog.evaluation"] == "e1"
    assert asked_for[2]["gatelog.scorer"] == "similarity"
    apart = scorer("similarity", means, model="m", measure="euclidean")
    assert asked(apart, sample("aaaa", "a")).value == 3
    assert asked(scorer("similarity", means, model="m", at_least=0.99), sample("", "a")).error == (
        "a vector is zero, so it has no direction to compare"
    )
    assert asked(near, sample("refuse", "x")).error == "no vectors: no such model"
    with pytest.raises(InvalidScorer, match="there is no gateway here"):
        scorer("similarity", model="m")
