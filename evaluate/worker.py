"""The process in which evaluation computes: `python -m evaluate.worker MODE`, spoken to in lines of JSON.

Nothing that is heavy or that others wrote runs in the gateway's own process. This one has limits, no secrets in its
environment, and no way to call a model but to ask the process that started it.
"""

from __future__ import annotations

import asyncio
import itertools
import resource
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from evaluate.calling import Answered, CallFailed, Embedded
from evaluate.cells import Grid, Score
from providers.chat import ChatRequest, Json

if TYPE_CHECKING:
    from evaluate.scorers.options import Means

MEMORY_MOST = 4 << 30
"""Bytes of address space, of which libraries for numbers reserve far more than they use."""
AT_ONCE = 32
"""Cells that are scored at a time; most of that is waiting for judges."""


def main(mode: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MOST, MEMORY_MOST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return _worked(mode)
    except ModuleNotFoundError as exc:
        extra = "parquet" if (exc.name or "").startswith("pyarrow") else "evaluate"
        say({"failed": f"this takes {exc.name}, which is not installed: pip install 'gatelog[{extra}]'"})
        return 1


def _worked(mode: str) -> int:
    match mode:
        case "read":
            return _read(_line())
        case "card":
            return _card(_line())
        case "reports":
            return _reports(_line())
        case "certify":
            return _certify(_line())
        case "describe":
            return _describe(_line())
        case "catalogue":
            return _catalogue()
        case "score":
            asyncio.run(_score(_line()))
            return 0
        case _:
            say({"failed": f"there is no mode {mode!r}"})
            return 2


def say(message: Json) -> None:
    sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
    sys.stdout.buffer.flush()


def _line() -> Json:
    said: Json = orjson.loads(sys.stdin.buffer.readline())
    return said


def _read(asked: Json) -> int:
    """A file of a dataset: its rows, some at a time, then what became of the rest."""
    from evaluate.dataset_files import UnreadableError, read
    from evaluate.datasets import Mapped, rows_of

    try:
        records = read(asked["format"], Path(asked["path"]))
        rows, report = rows_of(
            records, Mapped(**asked["mapping"]), splits=asked["splits"], scrubbed=asked["scrub"], seed=asked["seed"]
        )
    except UnreadableError as exc:
        say({"failed": str(exc)})
        return 1
    except MemoryError:
        say({"failed": f"the file takes more than {MEMORY_MOST >> 30} GiB of memory to read"})
        return 1
    for at in range(0, len(rows), 500):
        say({"rows": [row.to_json() for row in rows[at : at + 500]]})
    say({"report": report.to_json()})
    return 0


def _card(asked: Json) -> int:
    from evaluate.cards import compare

    try:
        say({"card": compare(Grid.from_json(asked["grid"]), **asked["options"]).to_json()})
    except ValueError as exc:
        say({"failed": str(exc)})
        return 1
    return 0


def _reports(asked: Json) -> int:
    """The same card as texts that are read."""
    from evaluate.cards import compare
    from evaluate.report import written

    try:
        card = compare(Grid.from_json(asked["grid"]), **asked["options"])
    except ValueError as exc:
        say({"failed": str(exc)})
        return 1
    say({"reports": {form: written(card, form, origin=asked["origin"]) for form in asked["forms"]}})
    return 0


def _certify(asked: Json) -> int:
    """How far a judge agrees with people."""
    from evaluate.certificates import certify

    try:
        say({"certificate": certify(asked["pairs"], level=asked["level"])})
    except ValueError as exc:
        say({"failed": str(exc)})
        return 1
    return 0


def _describe(asked: Json) -> int:
    """What scorers measure, without scoring."""
    from evaluate.scorers.table import InvalidScorer, build

    pipe = Pipe()
    try:
        say({"ready": _described(build(asked["scorers"], pipe.means(asked.get("directory"))))})
    except InvalidScorer as exc:
        say({"failed": str(exc)})
        return 1
    return 0


def _catalogue() -> int:
    """The scorers that there are."""
    from evaluate.scorers.catalogue import catalogue

    say({"scorers": catalogue()})
    return 0


class Pipe:
    """Asks the parent to call models, and hears its answers."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}

    async def ask(self, request: ChatRequest, tags: Mapping[str, str]) -> Answered:
        said = await self._asked({"kind": "chat", "request": request, "tags": dict(tags)})
        return Answered(completion=said["completion"], run_id=said["run_id"], cost_nanos=said["cost_nanos"])

    async def embed(self, model: str, texts: Sequence[str], tags: Mapping[str, str]) -> Embedded:
        said = await self._asked({"kind": "embeddings", "model": model, "texts": list(texts), "tags": dict(tags)})
        return Embedded(vectors=said["vectors"], run_id=said["run_id"], cost_nanos=said["cost_nanos"])

    async def prompt(self, reference: str) -> Json:
        said = await self._asked({"kind": "prompt", "reference": reference})
        found: Json = said["prompt"]
        return found

    def means(self, directory: str | None) -> Means:
        """`directory`: where files are that entries may name; None where whoever wrote them may name none."""
        from evaluate.scorers.options import Means

        at = None if directory is None else Path(directory)
        return Means(ask=self.ask, embed=self.embed, prompt=self.prompt, directory=at)

    def heard(self, answer: Json) -> None:
        waiting = self._waiting.pop(answer["id"])
        if not waiting.done():
            waiting.set_result(answer)

    async def _asked(self, call: Json) -> Json:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        say({"ask": {"id": number, **call}})
        said = await self._waiting[number]
        if (failed := said.get("failed")) is not None:
            raise CallFailed(**failed)
        return said


async def _score(asked: Json) -> None:
    """Scores samples as they come, until there are no more; then says what there is to say of whole arms."""
    from evaluate.scorers.scorer import Sample, Scorer
    from evaluate.scorers.table import InvalidScorer, build

    pipe = Pipe()
    try:
        scorers: Sequence[Scorer] = build(asked["scorers"], pipe.means(asked.get("directory")))
    except InvalidScorer as exc:
        say({"failed": str(exc)})
        return
    say({"ready": _described(scorers)})
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[Json | None] = asyncio.Queue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, orjson.loads(line))
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=listen, daemon=True).start()
    room = asyncio.Semaphore(AT_ONCE)
    live: set[asyncio.Task[None]] = set()
    samples: dict[str, list[Sample]] = {}

    async def score(n: int, sample: Sample) -> None:
        async with room:
            given: list[Score] = await asyncio.gather(*(each.score(sample) for each in scorers))
        say({"scored": {"n": n, "scores": {score.name: score.to_json() for score in given}}})

    while (line := await lines.get()) is not None:
        match line:
            case {"answer": answer}:
                pipe.heard(answer)
            case {"sample": said, "n": n}:
                task = asyncio.create_task(score(n, _sample(said)))
                live.add(task)
                task.add_done_callback(live.discard)
            case {"of_arm": said}:
                sample = _sample(said)
                samples.setdefault(sample.variant, []).append(sample)
            case {"summarize": _}:
                say({"summaries": {arm: _summaries(scorers, each) for arm, each in samples.items()}})
    for each in live:
        each.cancel()
    await asyncio.gather(*live, return_exceptions=True)
    for scorer in scorers:
        await scorer.aclose()


def _described(scorers: Sequence[Any]) -> Json:
    return {
        "metrics": [each.metric.to_json() for each in scorers if each.metric is not None],
        "identities": [{"name": each.name, "judge": each.judge, **each.identity} for each in scorers],
        "rival": any("rival" in each.needs for each in scorers),
        "judged": any(each.judge for each in scorers),
        "summaries": any(each.summarize is not None for each in scorers),
    }


def _summaries(scorers: Sequence[Any], samples: Sequence[Any]) -> Json:
    found: Json = {}
    for scorer in scorers:
        if scorer.summarize is not None:
            found |= scorer.summarize(samples)
    return found


def _sample(said: Json) -> Any:
    from evaluate.scorers.scorer import Sample, Unscored, documents

    context = None
    if "context" in said["inputs"]:
        try:
            context = documents(said["inputs"]["context"])
        except Unscored:
            context = None  # a text of the prompt that happens to be named so
    tools = said.pop("tools")
    return Sample(**said, tools=None if tools is None else tuple(tools), context=context)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
