"""Scorers by n-grams, held to the libraries that define them."""

from __future__ import annotations

import nltk
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from evaluate.scorers.table import InvalidScorer
from tests.evaluate.scoring import sample, scored, scorer, value

HYPOTHESIS, REFERENCE = "the cat is on the mat", "the cat sat on the mat"
WORDS = st.lists(
    st.sampled_from(["the", "a", "cat", "dog", "sat", "on", "mat", ",", ".", "runs", "running"]),
    min_size=1,
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(
    ("name", "options", "golden"),
    [
        ("bleu", {}, 37.991784),
        ("chrf", {}, 61.925151),
        ("chrf", {"words": 2}, 64.370341),
        ("ter", {}, 16.666667),
        ("rouge", {"measure": "rouge1"}, 0.833333),
        ("rouge", {"measure": "rouge2"}, 0.6),
        ("rouge", {"measure": "rougeL"}, 0.833333),
        ("rouge", {"measure": "rougeLsum"}, 0.833333),
    ],
)
def test_text_metrics_are_the_golden_numbers(name: str, options: dict[str, object], golden: float) -> None:
    assert value(name, HYPOTHESIS, REFERENCE, **options) == pytest.approx(golden, abs=1e-6)
    summarize = scorer(name, **options).summarize
    if summarize is not None:
        assert summarize([sample(HYPOTHESIS, REFERENCE)])[f"{name}/corpus"] == pytest.approx(golden, abs=1e-6)


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_rows_are_scored_as_sacrebleu_scores_sentences(said: str, wanted: list[str]) -> None:
    assert value("bleu", said, wanted) == pytest.approx(sacrebleu.sentence_bleu(said, wanted).score, abs=1e-9)
    assert value("chrf", said, wanted) == pytest.approx(sacrebleu.sentence_chrf(said, wanted).score, abs=1e-9)
    assert value("ter", said, wanted) == pytest.approx(sacrebleu.sentence_ter(said, wanted).score, abs=1e-9)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_an_arm_is_scored_as_a_corpus_and_not_as_a_mean_of_rows(pairs: list[tuple[str, str]]) -> None:
    said, wanted = [one for one, _ in pairs], [[other for _, other in pairs]]
    samples = [sample(one, other) for one, other in pairs]
    by_sacrebleu = {
        "bleu": sacrebleu.corpus_bleu(said, wanted).score,
        "chrf": sacrebleu.corpus_chrf(said, wanted).score,
        "ter": sacrebleu.corpus_ter(said, wanted).score,
    }
    for name, expected in by_sacrebleu.items():
        summarize = scorer(name).summarize
        assert summarize is not None
        assert summarize(samples) == {f"{name}/corpus": pytest.approx(expected, abs=1e-9)}


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3), st.booleans())
def test_rouge_is_rouge_scores_for_the_nearest_reference(said: str, wanted: list[str], stem: bool) -> None:
    by_library = RougeScorer(["rougeL"], use_stemmer=stem)
    expected = max(by_library.score(each, said)["rougeL"].fmeasure for each in wanted)
    assert value("rouge", said, wanted, stem=stem) == pytest.approx(expected, abs=1e-9)


def test_rows_without_a_reference_are_left_out_of_the_corpus() -> None:
    summarize = scorer("bleu", name="b").summarize
    assert summarize is not None
    assert summarize([sample(HYPOTHESIS, REFERENCE), sample("x")]) == {"b/corpus": pytest.approx(37.991784, abs=1e-6)}
    assert summarize([sample("x")]) == {"b/corpus": None}
    assert scored("bleu", "x").error == "the row has no expectations"


def test_rows_may_have_more_references_than_others() -> None:
    summarize = scorer("chrf").summarize
    assert summarize is not None
    rows = [sample(HYPOTHESIS, [REFERENCE, HYPOTHESIS]), sample("a dog", "a dog")]
    assert summarize(rows) == {"chrf/corpus": pytest.approx(100)}


def test_meteor_works_by_words_and_stems_alone() -> None:
    # One chunk of six words: the penalty is half of the cube of a sixth.
    said, wanted = "It is a guide to action", "It is a guide to action"
    assert value("meteor", said, wanted, synonyms=False) == pytest.approx(1 - 0.5 * (1 / 6) ** 3)
    assert value("meteor", "it ran", "nothing alike", synonyms=False) == 0


def test_meteor_with_synonyms_says_what_it_lacks() -> None:
    try:
        nltk.data.find("corpora/wordnet")
    except LookupError:
        with pytest.raises(InvalidScorer, match=r"python -m nltk\.downloader wordnet"):
            scorer("meteor")
    else:
        assert value("meteor", "a car", "an automobile") > value("meteor", "a car", "an automobile", synonyms=False)
