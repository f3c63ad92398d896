"""How hard a text is to read, by formulas of counts alone: no word list, so nothing to download."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from evaluate.cells import Direction
from evaluate.scorers.answer import AnswerOptions, text_of
from evaluate.scorers.options import Entries, Entry, Means
from evaluate.scorers.scorer import Sample, Scorer, Unscored, by_code
from evaluate.scorers.text import OUTPUT, identity

WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
SENTENCE_END = re.compile(r"[.!?\u2026]+(?=[\s\"'\u201d\u2019)\]]|\Z)")
VOWELS = re.compile(r"[aeiouy]+")
SILENT = re.compile(r"(?:[^laeiouysxzcgh]es|[^dtaeiouy]ed|[^l]e|[aeiouy]le)$")
"""Endings whose e is not spoken: makes, hoped, line, whole. It is in needed, houses and table."""
SPLIT = re.compile(
    r"ia|(?<!p)eo|io(?![nu])|(?<![ctxg])iou|iu|(?<![gq])ua|(?<![tf])(?<!fr)ie(?=[tn])|oe[mt]|[aeiou]ing|ism"
)
"""Vowels side by side that are two syllables: media, video, quiet, poem."""
Formula = Literal["flesch", "flesch_kincaid", "ari", "coleman_liau", "lix"]


@dataclass(frozen=True, slots=True)
class Counts:
    words: int
    sentences: int
    characters: int
    """Letters and digits."""
    syllables: int
    long: int
    """Words of more than six letters."""


class ReadabilityOptions(AnswerOptions):
    formula: Formula = Field(
        default="flesch_kincaid",
        description="Flesch's ease, or a school grade: Flesch-Kincaid's, the automated index, Coleman-Liau's; or LIX",
    )


FORMULAS: Mapping[Formula, tuple[Callable[[Counts], float], Direction]] = {
    "flesch": (lambda c: 206.835 - 1.015 * c.words / c.sentences - 84.6 * c.syllables / c.words, "higher"),
    "flesch_kincaid": (lambda c: 0.39 * c.words / c.sentences + 11.8 * c.syllables / c.words - 15.59, "lower"),
    "ari": (lambda c: 4.71 * c.characters / c.words + 0.5 * c.words / c.sentences - 21.43, "lower"),
    "coleman_liau": (
        lambda c: 0.0588 * (100 * c.characters / c.words) - 0.296 * (100 * c.sentences / c.words) - 15.8,
        "lower",
    ),
    "lix": (lambda c: c.words / c.sentences + 100 * c.long / c.words, "lower"),
}


def readability(options: ReadabilityOptions, means: Means) -> Scorer:
    formula, direction = FORMULAS[options.formula]

    def judgement(sample: Sample) -> float:
        counted = counts(text_of(sample, options))
        if not counted.words:
            raise Unscored("the answer has no words")
        return formula(counted)

    return Scorer(
        name=options.called,
        kind="numeric",
        direction=direction,
        score=by_code(options.called, OUTPUT, judgement),
        identity=identity(options),
    )


def counts(text: str) -> Counts:
    words = WORD.findall(text)
    letters = [sum(map(str.isalnum, word)) for word in words]
    return Counts(
        words=len(words),
        sentences=max(1, len(SENTENCE_END.findall(text))),
        characters=sum(letters),
        syllables=sum(map(syllables, words)),
        long=sum(count > 6 for count in letters),
    )


def syllables(word: str) -> int:
    """Of an English word, by its spelling, which is an estimate."""
    word = word.lower()
    spoken = SILENT.sub(lambda match: match.group().replace("e", "", 1) if match.group() != "e" else "", word)
    return max(1, len(VOWELS.findall(spoken)) + len(SPLIT.findall(spoken)))


ENTRIES: Entries = {
    "readability": Entry(
        about="How hard the answer is to read, by its words, sentences and syllables.",
        options=ReadabilityOptions,
        build=readability,
    ),
}
