"""Scorers of what a cell took, and of how near its meaning is: seconds, dollars, tokens, vectors."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from evaluate.calling import CallFailed
from evaluate.cells import Score, Value
from evaluate.scorers.answer import AgainstOptions, references, text_of
from evaluate.scorers.options import Entries, Entry, Means, Options, Unfit
from evaluate.scorers.scorer import Need, Sample, Scorer, Unscored, by_code, check, unscored
from evaluate.scorers.text import AGAINST, identity


class LimitOptions(Options):
    at_most: float | None = Field(default=None, ge=0, description="score whether it is no more than this")


class LatencyOptions(LimitOptions):
    until: Literal["end", "first_token"] = Field(default="end", description="the whole answer, or its first token")


class TokensOptions(LimitOptions):
    of: Literal["answer", "prompt", "both"] = Field(
        default="answer", description="which tokens, as the provider counts"
    )


class SimilarityOptions(AgainstOptions):
    model: str = Field(description="the embedding model, by the name that the gateway knows it by")
    measure: Literal["cosine", "dot", "euclidean"] = Field(default="cosine", description="how vectors are compared")
    at_least: float | None = Field(default=None, description="score whether the similarity is at least this")


def latency(options: LatencyOptions, means: Means) -> Scorer:
    """In seconds, as the gateway measured them. A cell from the cache has none."""
    need: Need = "latency" if options.until == "end" else "ttft"

    def seconds(sample: Sample) -> float:
        micros = sample.latency_us if options.until == "end" else sample.ttft_us
        assert micros is not None, "checked as a need"
        return micros / 1e6

    return _limited(options, options.name or "latency_s", frozenset({need}), seconds, "s")


def cost(options: LimitOptions, means: Means) -> Scorer:
    def paid(sample: Sample) -> float:
        assert sample.cost_nanos is not None, "checked as a need"
        return sample.cost_nanos / 1e9

    return _limited(options, options.name or "cost_usd", frozenset({"cost"}), paid, "US$")


def tokens(options: TokensOptions, means: Means) -> Scorer:
    def counted(sample: Sample) -> float:
        counts = {
            "answer": (sample.completion_tokens,),
            "prompt": (sample.prompt_tokens,),
            "both": (sample.prompt_tokens, sample.completion_tokens),
        }[options.of]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            raise Unscored("the number of tokens is not known")
        return float(sum(known))

    return _limited(options, options.called, frozenset(), counted, "tokens")


def _limited(
    options: LimitOptions, name: str, needs: frozenset[Need], measure: Callable[[Sample], float], unit: str
) -> Scorer:
    def judgement(sample: Sample) -> Value | tuple[Value, str]:
        measured = measure(sample)
        return measured if options.at_most is None else (measured <= options.at_most, f"{measured:g} {unit}")

    return Scorer(
        name=name,
        kind="numeric" if options.at_most is None else "binary",
        direction="lower" if options.at_most is None else "higher",
        needs=needs,
        score=by_code(name, needs, judgement),
        identity=identity(options),
    )


def similarity(options: SimilarityOptions, means: Means) -> Scorer:
    """Each comparison is one call for vectors through the gateway, and its cost the score's."""
    name, embed = options.called, means.embed
    if embed is None:
        raise Unfit("similarity: there is no gateway here to ask for vectors")

    async def score(sample: Sample) -> Score:
        try:
            check(sample, AGAINST)
            texts = [text_of(sample, options), *references(sample, options.against)]
        except Unscored as why:
            return unscored(name, str(why))
        try:
            answer = await embed(options.model, texts, {**sample.tags, "gatelog.scorer": name})
        except CallFailed as exc:
            return unscored(name, f"no vectors: {exc.message}", cost_nanos=exc.cost_nanos)
        runs = () if answer.run_id is None else (answer.run_id,)
        said, *wanted = answer.vectors
        try:
            nearest = _nearest(options, said, wanted)
        except Unscored as why:
            return unscored(name, str(why), judge_run_ids=runs, cost_nanos=answer.cost_nanos)
        value: Value = nearest if options.at_least is None else nearest >= options.at_least
        rationale = None if options.at_least is None else f"{options.measure} {nearest:.4f}"
        return Score(name=name, value=value, rationale=rationale, judge_run_ids=runs, cost_nanos=answer.cost_nanos)

    euclidean = options.measure == "euclidean"
    return Scorer(
        name=name,
        kind="numeric" if options.at_least is None else "binary",
        direction="lower" if euclidean and options.at_least is None else "higher",
        needs=AGAINST,
        score=score,
        identity=identity(options),
        judge=True,
    )


def _nearest(options: SimilarityOptions, said: Sequence[float], wanted: Sequence[Sequence[float]]) -> float:
    compared = [_compared(options.measure, said, each) for each in wanted]
    return min(compared) if options.measure == "euclidean" else max(compared)


def _compared(measure: str, one: Sequence[float], other: Sequence[float]) -> float:
    if len(one) != len(other):
        raise Unscored(f"the vectors have {len(one)} and {len(other)} dimensions")
    match measure:
        case "euclidean":
            return math.dist(one, other)
        case "dot":
            return _product(one, other)
    lengths = math.hypot(*one) * math.hypot(*other)
    if lengths == 0:
        raise Unscored("a vector is zero, so it has no direction to compare")
    return _product(one, other) / lengths


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, one, other))


ENTRIES: Entries = {
    "latency": Entry(about="How long the answer took, in seconds.", options=LatencyOptions, build=latency),
    "cost": Entry(about="What the answer cost, in US dollars.", options=LimitOptions, build=cost),
    "tokens": Entry(about="How many tokens the provider counted.", options=TokensOptions, build=tokens),
    "similarity": Entry(
        about="How near the answer is in meaning to what was expected, by vectors of a model of the gateway's.",
        options=SimilarityOptions,
        build=similarity,
    ),
}
