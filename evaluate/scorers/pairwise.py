"""The scorer that compares an answer with the baseline's to the same row, in both orders."""

from __future__ import annotations

import asyncio
import re

from pydantic import Field

from evaluate.cells import Score
from evaluate.judge import Instruction, Verdict
from evaluate.judge_prompts import PAIRWISE
from evaluate.scorers import material
from evaluate.scorers.judged import JudgeOptions, checked
from evaluate.scorers.options import Entries, Entry, Means
from evaluate.scorers.scorer import Need, Sample, Scorer, check, unscored
from evaluate.scorers.text import identity

NEEDS: frozenset[Need] = frozenset({"inputs", "output"})
ORDERS = re.compile(
    r"^candidate first: (candidate|baseline|tie); baseline first: (candidate|baseline|tie)$", re.MULTILINE
)
"""The line of a rationale that says what was said in either order: with the candidate in front, and behind."""


class PairwiseOptions(JudgeOptions):
    criteria: str | None = Field(
        default=None, min_length=1, max_length=20_000, description="what makes an answer the better one"
    )


def pairwise(options: PairwiseOptions, means: Means) -> Scorer:
    """1 where the candidate wins in both orders, 0 where the baseline does, and one half for everything between."""
    instruction = PAIRWISE
    if options.criteria is not None:
        words = f"{PAIRWISE.text}\n\nWhat makes an answer the better one:\n{options.criteria}"
        instruction = Instruction(name="pairwise:criteria", version=1, text=words, scale=PAIRWISE.scale)
    name, judge = options.called, options.judge(instruction, means)

    async def ask(sample: Sample) -> Score:
        if sample.variant and sample.variant == sample.rival_variant:
            return Score(name=name, value=0.5, rationale="it is the baseline itself", cost_nanos=0, source="judge")
        check(sample, frozenset({"rival"}))
        mine, theirs = material.answer(sample), sample.rival or "[nothing]"
        if mine == theirs:
            return Score(name=name, value=0.5, rationale="the answers are the same", cost_nanos=0, source="judge")
        asked = material.question(sample, options.question)

        async def put(order: str, first: str, second: str) -> Verdict:
            parts = {"question": asked, "first": first, "second": second}
            return await judge.verdict(name, parts, {**sample.tags, "gatelog.order": order})

        return _both(
            name, *await asyncio.gather(put("candidate-first", mine, theirs), put("baseline-first", theirs, mine))
        )

    return Scorer(
        name=name,
        kind="numeric",
        needs=NEEDS | {"rival"},
        score=checked(name, NEEDS, ask),
        identity={**identity(options), **judge.identity},
        judge=True,
    )


def _both(name: str, ahead: Verdict, behind: Verdict) -> Score:
    """`ahead` was said with the candidate in front, `behind` with the baseline in front."""
    runs = (*ahead.runs, *behind.runs)
    known = ahead.cost_nanos is not None and behind.cost_nanos is not None
    cost = (ahead.cost_nanos or 0) + (behind.cost_nanos or 0) if known else None
    if error := ahead.error or behind.error:
        return unscored(name, error, judge_run_ids=runs, cost_nanos=cost, source="judge")
    one = {"first": "candidate", "second": "baseline", "tie": "tie"}[ahead.choice]
    other = {"first": "baseline", "second": "candidate", "tie": "tie"}[behind.choice]
    value = {("candidate", "candidate"): 1.0, ("baseline", "baseline"): 0.0}.get((one, other), 0.5)
    rationale = f"candidate first: {one}; baseline first: {other}\n{ahead.rationale}\n{behind.rationale}"
    return Score(
        name=name, value=value, rationale=rationale[:5000], judge_run_ids=runs, cost_nanos=cost, source="judge"
    )


ENTRIES: Entries = {
    "pairwise": Entry(
        about="The answer is better than the baseline's to the same row, asked in both orders: 1, 0, or 0.5 for a tie.",
        options=PairwiseOptions,
        build=pairwise,
    ),
}
