"""What a scorer is: a name, what it needs of a sample, and a function from the sample to a score."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from evaluate.cells import Direction, Metric, Score, Value
from providers.chat import Json

Kind = Literal["binary", "numeric", "category"]
Need = Literal["output", "expectations", "inputs", "tools", "context", "latency", "ttft", "cost", "rival"]
Summary = Callable[[Sequence["Sample"]], Mapping[str, float | None]]
"""Figures of a whole arm that are not means of its cells' scores: corpus BLEU, macro F1, R squared."""
Close = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing that was retrieved."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Everything that a scorer may look at: one cell, with its row."""

    evaluation: str = ""
    row: str
    variant: str = ""
    repeat: int = 0
    inputs: Json = field(default_factory=dict)
    expectations: Json = field(default_factory=dict)
    output: Json | None = None
    """The message of the answer, as OpenAI's chat has it."""
    text: str = ""
    tools: tuple[Json, ...] | None = None
    """The tools that were offered, as OpenAI's chat has them."""
    context: tuple[Document, ...] | None = None
    """What was retrieved for the row, the best first."""
    latency_us: int | None = None
    ttft_us: int | None = None
    cost_nanos: int | None = None
    cached: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    rival: str | None = None
    """What the baseline answered to the same row, for scorers that compare."""
    rival_variant: str | None = None

    @property
    def tags(self) -> dict[str, str]:
        """What the runs of a judge's calls are found by."""
        return {
            "gatelog.evaluation": self.evaluation,
            "gatelog.row": self.row,
            "gatelog.variant": self.variant,
            "gatelog.repeat": str(self.repeat),
        }


class Unscored(Exception):
    """A sample that cannot be scored. The message says why; it becomes the score's error."""


Judgement = Callable[[Sample], Value | tuple[Value, str]]
"""Code that scores: a value, or one and the reason for it. It raises Unscored."""


async def nothing_to_close() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """It is asked with `score`, which gives a Score for every sample and raises nothing for what a sample holds."""

    name: str
    kind: Kind
    direction: Direction | None = "higher"
    """Which way is better; None for a category and for what has no better."""
    needs: frozenset[Need] = frozenset({"output"})
    score: Callable[[Sample], Awaitable[Score]]
    summarize: Summary | None = None
    identity: Json = field(default_factory=dict)
    """All that decides what it says: its options; for a judge the digest of its prompt, its model, its parameters."""
    judge: bool = False
    """It calls a model, so it takes time and money."""
    aclose: Close = nothing_to_close

    @property
    def metric(self) -> Metric | None:
        """As a grid lists it. A category is no metric."""
        if self.kind == "category":
            return None
        return Metric(name=self.name, direction=self.direction or "higher", kind=self.kind)


def by_code(name: str, needs: frozenset[Need], judgement: Judgement) -> Callable[[Sample], Awaitable[Score]]:
    """The `score` of a scorer that is a plain function."""

    async def score(sample: Sample) -> Score:
        try:
            check(sample, needs)
            said = judgement(sample)
            value, rationale = said if isinstance(said, tuple) else (said, None)
            return Score(name=name, value=value, rationale=rationale, cost_nanos=0)
        except Unscored as why:
            return unscored(name, str(why))
        except Exception as exc:  # noqa: BLE001  # a library may stumble over one answer, and the others have scores
            return unscored(name, f"the scorer failed: {type(exc).__name__}: {exc}"[:1000])

    return score


def unscored(name: str, why: str, **more: Any) -> Score:
    return Score(name=name, value=None, error=why, **{"cost_nanos": 0, **more})


def check(sample: Sample, needs: frozenset[Need]) -> None:
    """Raises Unscored for what the sample lacks."""
    for need in sorted(needs):
        if LACKS[need](sample):
            raise Unscored(WHY[need])


LACKS: Mapping[Need, Callable[[Sample], bool]] = {
    "output": lambda sample: sample.output is None and not sample.text,
    "expectations": lambda sample: not sample.expectations,
    "inputs": lambda sample: not sample.inputs,
    "tools": lambda sample: sample.tools is None,
    "context": lambda sample: sample.context is None,
    "latency": lambda sample: sample.latency_us is None or sample.cached,
    "ttft": lambda sample: sample.ttft_us is None or sample.cached,
    "cost": lambda sample: sample.cost_nanos is None,
    "rival": lambda sample: sample.rival is None,
}
WHY: Mapping[Need, str] = {
    "output": "there is no answer to score",
    "expectations": "the row has no expectations",
    "inputs": "the row has no inputs",
    "tools": "it is not known which tools were offered",
    "context": "the row has no context: documents that were retrieved, as a list under `context`",
    "latency": "the latency is not known, or is a cache's",
    "ttft": "the time to the first token is not known, or is a cache's",
    "cost": "the cost is not known",
    "rival": "there is no answer of the baseline to the same row",
}


def expected(sample: Sample, name: str) -> Any:
    """One of the row's expectations. Raises Unscored where it is not there."""
    try:
        return sample.expectations[name]
    except KeyError:
        there = ", ".join(map(repr, sample.expectations)) or "none"
        raise Unscored(f"the row expects nothing under {name!r}; its expectations: {there}") from None


def documents(value: Any) -> tuple[Document, ...]:
    """What people write as retrieved documents: texts, or objects with `id` and `text` (or `content`, `page_content`).

    A document without an id has its place in the list for one, from 0. Raises Unscored for anything else.
    """
    if not isinstance(value, list | tuple):
        raise Unscored(f"the context must be a list of documents, not {value!r:.100}")
    return tuple(_document(at, each) for at, each in enumerate(value))


def _document(at: int, value: Any) -> Document:
    match value:
        case str():
            return Document(id=str(at), text=value)
        case {"text": str() as text} | {"content": str() as text} | {"page_content": str() as text}:
            return Document(id=str(value.get("id", value.get("doc_id", at))), text=text)
        case {"id": id} | {"doc_id": id}:
            return Document(id=str(id), text="")
    raise Unscored(f"document {at} of the context must be a text, or an object with `id` and `text`: {value!r:.100}")
