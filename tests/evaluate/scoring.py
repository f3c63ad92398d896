"""Scorers by their entries, for tests: one sample in, its score out."""

from __future__ import annotations

import asyncio
from typing import Any

from evaluate.cells import Score
from evaluate.scorers.options import Means
from evaluate.scorers.scorer import Sample, Scorer
from evaluate.scorers.table import build
from providers.chat import Json


def scorer(name: str, means: Means | None = None, /, **options: Any) -> Scorer:
    return build([{"scorer": name, **options}], means or Means())[0]


def sample(text: str = "", expected: Any = None, **more: Any) -> Sample:
    """An answer, and what was expected of it."""
    expectations: Json = {} if expected is None else {"expected_response": expected}
    output = {"role": "assistant", "content": text}
    return Sample(**{"row": "r1", "output": output, "text": text, "expectations": expectations, **more})


def asked(scorer: Scorer, sample: Sample) -> Score:
    async def score() -> Score:
        return await scorer.score(sample)

    return asyncio.run(score())


def scored(name: str, text: str = "", expected: Any = None, /, **options: Any) -> Score:
    return asked(scorer(name, **options), sample(text, expected))


def value(name: str, text: str = "", expected: Any = None, /, **options: Any) -> Any:
    return scored(name, text, expected, **options).value
