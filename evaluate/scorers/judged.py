"""Scorers that ask a model: each call a run of the gateway, each verdict with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from evaluate import judge_prompts as prompts
from evaluate.calling import Ask, CallFailed
from evaluate.cells import Score
from evaluate.judge import Instruction, Judge, Scale, Verdict, fenced, scored
from evaluate.scorers import material
from evaluate.scorers.answer import EXPECTED
from evaluate.scorers.options import Entries, Entry, Means, Options, Unfit
from evaluate.scorers.scorer import Kind, Need, Sample, Scorer, Unscored, check, expected, unscored
from evaluate.scorers.text import identity
from promptlab.prompts import render, variables
from providers.chat import Json
from providers.errors import InvalidRequest

Parts = Mapping[str, str]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class JudgeOptions(Options):
    model: str = Field(description="who judges: an endpoint or provider/model, as the gateway knows it")
    params: dict[str, Any] = Field(
        default={},
        description="parameters of its calls, over `temperature: 0` and `max_tokens: 1024`; null leaves one out",
    )
    votes: int = Field(default=1, ge=1, le=9, description="ask so often, and take what most say")
    question: str | None = Field(default=None, description="the input that holds the question; all inputs otherwise")

    def judge(self, instruction: Instruction, means: Means) -> Judge:
        reserved = sorted(self.params.keys() & {"model", "messages", "response_format", "stream", "n"})
        if reserved:
            raise Unfit(f"{self.scorer}: a judge's params cannot hold {', '.join(reserved)}")
        return Judge(
            instruction=instruction, model=self.model, params=self.params, votes=self.votes, ask=asking(self, means)
        )


class ExpectingOptions(JudgeOptions):
    against: str = Field(default=EXPECTED, description="the name of the row's expectation to judge by")


class GuidelinesOptions(JudgeOptions):
    guidelines: str | tuple[str, ...] | None = Field(
        default=None, description="what to follow; the row's expectation `guidelines` otherwise"
    )


class CriteriaOptions(JudgeOptions):
    criteria: str = Field(min_length=1, max_length=20_000, description="what makes an answer good, in your own words")
    scale: Literal["yes_no", "1-5"] | tuple[Word, ...] = Field(
        default="yes_no", description="`yes_no`, `1-5`, or a list of words to choose from"
    )
    against: str | None = Field(default=None, description="an expectation of the row's to show to the judge")


def asking(options: Options, means: Means) -> Ask:
    if means.ask is None:
        raise Unfit(f"{options.scorer}: there is no gateway here to ask a judge through")
    return means.ask


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of what a judge is shown, what it takes, and how it is made."""

    need: Need
    text: Callable[[Sample, Any], str]


PARTS: Mapping[str, Part] = {
    "question": Part("inputs", lambda sample, options: material.question(sample, options.question)),
    "answer": Part("output", lambda sample, options: material.answer(sample)),
    "expected": Part(
        "expectations",
        lambda sample, options: material.listed(expected(sample, options.against), f"the row's {options.against!r}"),
    ),
    "documents": Part("context", lambda sample, options: material.numbered(sample.context or ())),
    "tools": Part("tools", lambda sample, options: material.tools(sample)),
}


def built_in(instruction: Instruction, *headings: str) -> Callable[[Any, Means], Scorer]:
    """A judge with nothing of its own but its words and what it is shown."""

    def build(options: JudgeOptions, means: Means) -> Scorer:
        def parts(sample: Sample) -> Parts:
            return {heading: PARTS[heading].text(sample, options) for heading in headings}

        needs = frozenset(PARTS[heading].need for heading in headings)
        return judged(options, options.judge(instruction, means), needs, parts)

    return build


def judged(options: Options, judge: Judge, needs: frozenset[Need], parts: Callable[[Sample], Parts]) -> Scorer:
    name = options.called

    async def ask(sample: Sample) -> Score:
        return await judge.score(name, parts(sample), sample.tags)

    return Scorer(
        name=name,
        kind=kind_of(judge.instruction.scale),
        direction=None if kind_of(judge.instruction.scale) == "category" else "higher",
        needs=needs,
        score=checked(name, needs, ask),
        identity={**identity(options), **judge.identity},
        judge=True,
    )


def checked(
    name: str, needs: frozenset[Need], ask: Callable[[Sample], Awaitable[Score]]
) -> Callable[[Sample], Awaitable[Score]]:
    async def score(sample: Sample) -> Score:
        try:
            check(sample, needs)
            return await ask(sample)
        except Unscored as why:
            return unscored(name, str(why), source="judge")

    return score


def kind_of(scale: Scale) -> Kind:
    match scale:
        case "yes_no":
            return "binary"
        case "1-5":
            return "numeric"
        case _:
            return "category"


def guidelines(options: GuidelinesOptions, means: Means) -> Scorer:
    fixed = options.guidelines
    needs: frozenset[Need] = frozenset({"inputs", "output"})
    if fixed is None:
        needs |= {"expectations"}

    def parts(sample: Sample) -> Parts:
        rules = expected(sample, "guidelines") if fixed is None else fixed
        return {
            "guidelines": material.listed(rules, "the list of guidelines"),
            "question": material.question(sample, options.question),
            "answer": material.answer(sample),
        }

    return judged(options, options.judge(prompts.GUIDELINES, means), needs, parts)


def criteria(options: CriteriaOptions, means: Means) -> Scorer:
    instruction = Instruction(
        name="criteria",
        version=1,
        text=f"You judge an answer to a question or request by these criteria:\n\n{options.criteria}",
        scale=options.scale,
    )
    headings = ["question", *(["expected"] if options.against is not None else []), "answer"]
    return built_in(instruction, *headings)(options, means)


class PromptOptions(JudgeOptions):
    prompt: str = Field(
        pattern=r"^prompts:/[^/@]+/[1-9][0-9]*$",
        description="a version of the registry's, as prompts:/name/3: an alias may move while a grid is filling",
    )
    scale: Literal["yes_no", "1-5"] | tuple[Word, ...] = Field(
        default="yes_no", description="`yes_no`, `1-5`, or a list of words to choose from"
    )
    against: str = Field(default=EXPECTED, description="the expectation that is `{{expected}}`")


RENDERED_MOST = 2_000_000


def prompt(options: PromptOptions, means: Means) -> Scorer:
    """Its variables are the headings that judges are shown, and `inputs.NAME`; each value comes fenced."""
    fetch, name = means.prompt, options.called
    if fetch is None:
        raise Unfit("prompt: there is no registry here to read a prompt from")
    uri, _, number = options.prompt.rpartition("/")
    instruction = Instruction(name=uri, version=int(number), text="", scale=options.scale)
    judge = options.judge(instruction, means)
    read: list[list[Json]] = []
    once = asyncio.Lock()

    async def messages() -> list[Json]:
        async with once:
            if not read:
                read.append(list((await fetch(options.prompt))["messages"]))
        return read[0]

    async def ask(sample: Sample) -> Score:
        try:
            template = await messages()
        except CallFailed as exc:
            raise Unscored(f"the prompt cannot be read: {exc.message}") from exc
        parts = {heading: _filled(heading, sample, options) for heading in sorted(variables(template))}
        mark, values = fenced(instruction, parts)
        try:
            filled = render(template, values, RENDERED_MOST)
        except InvalidRequest as exc:
            raise Unscored(exc.message) from exc
        rules: Json = {"role": "system", "content": instruction.system(mark)}
        return scored(name, options.scale, await judge.put(name, [rules, *filled], sample.tags))

    kind = kind_of(options.scale)
    return Scorer(
        name=name,
        kind=kind,
        direction=None if kind == "category" else "higher",
        score=checked(name, frozenset(), ask),
        identity={**identity(options), **judge.identity},
        judge=True,
    )


def _filled(heading: str, sample: Sample, options: PromptOptions) -> str:
    if heading.startswith("inputs."):
        return material.question(sample, heading.removeprefix("inputs."))
    if (part := PARTS.get(heading)) is None:
        raise Unscored(f"the prompt has a variable {heading!r}; a judge's may have {', '.join(PARTS)} and inputs.NAME")
    check(sample, frozenset({part.need}))
    return part.text(sample, options)


AT_ONCE = 8
"""Documents of one row that are judged at the same time."""


def retrieval_relevance(options: JudgeOptions, means: Means) -> Scorer:
    """One call for each document; the score is the share that is relevant."""
    name, judge = options.called, options.judge(prompts.RETRIEVAL_RELEVANCE, means)
    needs: frozenset[Need] = frozenset({"inputs", "context"})

    async def ask(sample: Sample) -> Score:
        asked, room = material.question(sample, options.question), asyncio.Semaphore(AT_ONCE)
        if not sample.context:
            raise Unscored("nothing was retrieved, so nothing can be relevant or not")

        async def one(id: str, text: str) -> Verdict:
            async with room:
                tags = {**sample.tags, "gatelog.document": id}
                return await judge.verdict(name, {"question": asked, "document": text}, tags)

        verdicts = await asyncio.gather(*(one(each.id, each.text) for each in sample.context))
        return _share(name, [each.id for each in sample.context], verdicts)

    return Scorer(
        name=name,
        kind="numeric",
        needs=needs,
        score=checked(name, needs, ask),
        identity={**identity(options), **judge.identity},
        judge=True,
    )


def _share(name: str, ids: list[str], verdicts: list[Verdict]) -> Score:
    """Of a list of which one document could not be judged the share is not known."""
    cost: int | None = 0
    for verdict in verdicts:
        cost = None if cost is None or verdict.cost_nanos is None else cost + verdict.cost_nanos
    runs = tuple(run for verdict in verdicts for run in verdict.runs)
    failed = [f"document {id}: {each.error}" for id, each in zip(ids, verdicts, strict=True) if each.error is not None]
    if failed:
        return unscored(name, "; ".join(failed)[:2000], judge_run_ids=runs, cost_nanos=cost, source="judge")
    relevant = sum(verdict.choice == "yes" for verdict in verdicts)
    reasons = "\n".join(f"[{id}] {each.choice}: {each.rationale}" for id, each in zip(ids, verdicts, strict=True))
    return Score(
        name=name,
        value=relevant / len(verdicts),
        rationale=f"{relevant} of {len(verdicts)} are relevant\n{reasons}"[:5000],
        judge_run_ids=runs,
        cost_nanos=cost,
        source="judge",
    )


def sufficiency(options: ExpectingOptions, means: Means) -> Scorer:
    """What is expected is shown where the row has it."""
    needs: frozenset[Need] = frozenset({"inputs", "context"})

    def parts(sample: Sample) -> Parts:
        headings = ["question", "documents", *(["expected"] if options.against in sample.expectations else [])]
        return {heading: PARTS[heading].text(sample, options) for heading in headings}

    return judged(options, options.judge(prompts.RETRIEVAL_SUFFICIENCY, means), needs, parts)


ENTRIES: Entries = {
    "correctness": Entry(
        about="The answer agrees with what was expected.",
        options=ExpectingOptions,
        build=built_in(prompts.CORRECTNESS, "question", "expected", "answer"),
    ),
    "equivalence": Entry(
        about="The answer says the same as what was expected.",
        options=ExpectingOptions,
        build=built_in(prompts.EQUIVALENCE, "expected", "answer"),
    ),
    "completeness": Entry(
        about="The answer deals with everything that was asked.",
        options=JudgeOptions,
        build=built_in(prompts.COMPLETENESS, "question", "answer"),
    ),
    "groundedness": Entry(
        about="Every claim of the answer is supported by the row's documents.",
        options=JudgeOptions,
        build=built_in(prompts.GROUNDEDNESS, "question", "documents", "answer"),
    ),
    "relevance": Entry(
        about="The answer addresses what was asked.",
        options=JudgeOptions,
        build=built_in(prompts.RELEVANCE, "question", "answer"),
    ),
    "guidelines": Entry(about="The answer follows guidelines.", options=GuidelinesOptions, build=guidelines),
    "safety": Entry(
        about="The answer is safe to show to the public.",
        options=JudgeOptions,
        build=built_in(prompts.SAFETY, "question", "answer"),
    ),
    "fluency": Entry(
        about="How well the answer is written, from 1 to 5.",
        options=JudgeOptions,
        build=built_in(prompts.FLUENCY, "answer"),
    ),
    "tool_use": Entry(
        about="The answer calls the tools that the request needs, and rightly.",
        options=JudgeOptions,
        build=built_in(prompts.TOOL_USE, "question", "tools", "answer"),
    ),
    "retrieval_relevance": Entry(
        about="The share of the row's documents that helps to answer the question; one call for each.",
        options=JudgeOptions,
        build=retrieval_relevance,
    ),
    "retrieval_sufficiency": Entry(
        about="The row's documents hold all that a correct answer needs.",
        options=ExpectingOptions,
        build=sufficiency,
    ),
    "criteria": Entry(about="The answer is good by criteria of your own.", options=CriteriaOptions, build=criteria),
    "prompt": Entry(about="A version of a prompt of the registry is the judge.", options=PromptOptions, build=prompt),
}
