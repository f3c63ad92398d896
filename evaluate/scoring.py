"""Scores cells as they are filled, in a process of its own, and writes each score beside its cell and on its run."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from evaluate.calling import Ask, CallFailed, Embed
from evaluate.cells import Cell, Row, Score
from evaluate.process import Worker, WorkerDied, started
from providers.chat import Json
from providers.errors import GatewayError, InvalidRequest, StorageUnavailable
from tracking.assessments import Assessment
from tracking.call_traces import trace_id

WRITE_SECONDS = 0.2
SILENT_SECONDS = 300.0
"""A process that has cells to score, waits for no call and says nothing for so long hangs."""
STARTS_MOST = 3
SOURCES = {"code": "CODE", "judge": "LLM_JUDGE", "human": "HUMAN"}

log = logging.getLogger("gatelog.evaluate")
Save = Callable[[Sequence[tuple[int, Mapping[str, Score]]]], Awaitable[None]]
Prompt = Callable[[str], Awaitable[Json]]


class Scoring:
    """The scorers of one evaluation. `run` must be running while cells are given to it."""

    def __init__(
        self, evaluation: str, scorers: Sequence[Any], names: Sequence[str], ask: Ask, embed: Embed, prompt: Prompt,
        save: Save,
    ) -> None:  # fmt: skip
        self._evaluation, self._scorers, self._names = evaluation, list(scorers), names
        self._ask, self._embed, self._prompt, self._save = ask, embed, prompt, save
        self._waiting: dict[int, Json] = {}
        """Samples that were given and have no score yet."""
        self._scored: list[tuple[int, Mapping[str, Score]]] = []
        self._fresh: asyncio.Queue[int] = asyncio.Queue()
        self._calls: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._heard_at = time.monotonic()

    def give(self, n: int, sample: Json) -> None:
        self._idle.clear()
        self._waiting[n] = sample
        self._fresh.put_nowait(n)

    async def drained(self) -> None:
        """Wait until all that was given is scored and written."""
        await self._idle.wait()

    async def run(self) -> None:
        writing = asyncio.create_task(self._write())
        try:
            starts = 0
            while True:
                starts += 1
                try:
                    await self._with_a_worker()
                except (WorkerDied, InvalidRequest) as error:
                    log.warning("evaluation %s: %s", self._evaluation, error.message)
                    if starts >= STARTS_MOST or isinstance(error, InvalidRequest):
                        self._give_up(error.message)
                        starts = 0
                    elif self._waiting:
                        for n in self._waiting:
                            self._fresh.put_nowait(n)
        finally:
            for each in (writing, *self._calls):
                each.cancel()
            await asyncio.gather(writing, *self._calls, return_exceptions=True)

    async def _with_a_worker(self) -> None:
        """Begin one when there is something to score; until it dies."""
        first = await self._fresh.get()
        async with started("score", {"scorers": self._scorers}) as worker:
            await worker.hear()
            self._heard_at = time.monotonic()
            feeding = asyncio.create_task(self._feed(worker, first))
            hearing = asyncio.create_task(self._hear(worker))
            watching = asyncio.create_task(self._watch())
            tasks = {feeding, hearing, watching}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                for each in done:
                    each.result()
            finally:
                for each in (*tasks, *self._calls):
                    each.cancel()
                await asyncio.gather(*tasks, *self._calls, return_exceptions=True)

    async def _feed(self, worker: Worker, first: int) -> None:
        n = first
        while True:
            if n in self._waiting:
                await worker.tell({"n": n, "sample": self._waiting[n]})
            n = await self._fresh.get()

    async def _hear(self, worker: Worker) -> None:
        while True:
            match await worker.hear():
                case {"scored": {"n": n, "scores": scores}}:
                    if self._waiting.pop(n, None) is not None:
                        given = {name: Score.from_json(score) for name, score in scores.items()}
                        self._scored.append((n, given))
                case {"ask": asked}:
                    call = asyncio.create_task(self._answer(worker, asked))
                    self._calls.add(call)
                    call.add_done_callback(self._calls.discard)
            self._heard_at = time.monotonic()

    async def _answer(self, worker: Worker, asked: Json) -> None:
        await worker.tell({"answer": {"id": asked["id"], **await self._said(asked)}})
        self._heard_at = time.monotonic()

    async def _said(self, asked: Json) -> Json:
        try:
            match asked["kind"]:
                case "chat":
                    answered = await self._ask(asked["request"], asked["tags"])
                    return {
                        "completion": answered.completion,
                        "run_id": answered.run_id,
                        "cost_nanos": answered.cost_nanos,
                    }
                case "embeddings":
                    found = await self._embed(asked["model"], asked["texts"], asked["tags"])
                    return {
                        "vectors": [list(each) for each in found.vectors],
                        "run_id": found.run_id,
                        "cost_nanos": found.cost_nanos,
                    }
                case _:
                    return {"prompt": await self._prompt(asked["reference"])}
        except CallFailed as failed:
            said = {name: getattr(failed, name) for name in ("message", "code", "status", "run_id", "cost_nanos")}
            return {"failed": said}
        except GatewayError as error:
            return {"failed": {"message": error.message, "code": error.code, "status": error.status}}

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if not self._waiting or self._calls:
                self._heard_at = time.monotonic()
            elif time.monotonic() - self._heard_at > SILENT_SECONDS:
                raise WorkerDied(f"the scorers said nothing for {SILENT_SECONDS:g} s")

    def _give_up(self, why: str) -> None:
        """What cannot be scored is unscored, and says why."""
        for n in list(self._waiting):
            del self._waiting[n]
            self._scored.append((n, {name: Score(name=name, value=None, error=why) for name in self._names}))

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            try:
                if batch := list(self._scored):
                    await self._save(batch)
                    del self._scored[: len(batch)]
            except StorageUnavailable as error:
                log.warning("scores of evaluation %s wait: %s", self._evaluation, error.message)
                await asyncio.sleep(1.0)
            if not self._waiting and not self._scored:
                self._idle.set()


async def summaries(
    scorers: Sequence[Any], samples: Sequence[Json], seconds: float
) -> dict[str, dict[str, float | None]]:
    """Figures of whole arms that are not means of their cells: corpus BLEU, macro F1."""
    async with asyncio.timeout(seconds), started("score", {"scorers": list(scorers)}) as worker:
        await worker.hear()
        for sample in samples:
            await worker.tell({"of_arm": sample})
        await worker.tell({"summarize": True})
        found: dict[str, dict[str, float | None]] = (await worker.hear())["summaries"]
        return found


def sample_of(evaluation: str, cell: Cell, row: Row, tools: Any, rival: Cell | None) -> Json:
    """What scorers are shown of a cell."""
    return {
        "evaluation": evaluation,
        "row": row.id,
        "variant": cell.variant,
        "repeat": cell.repeat,
        "inputs": row.inputs,
        "expectations": row.expectations,
        "output": cell.output,
        "text": cell.text,
        "tools": tools if isinstance(tools, list) else None,
        "latency_us": cell.latency_us,
        "ttft_us": cell.ttft_us,
        "cost_nanos": cell.cost_nanos,
        "cached": cell.cached,
        "prompt_tokens": cell.prompt_tokens,
        "completion_tokens": cell.completion_tokens,
        "model": cell.model,
        "rival": None if rival is None or rival.status != "ok" else rival.text,
        "rival_variant": None if rival is None else rival.variant,
    }


def assessed(run_id: str, score: Score, now_us: int, source_id: str) -> tuple[str, str, Assessment]:
    """A score as MLflow's feedback on the trace of the cell's call. Its id is by content, so that it is given once."""
    id = hashlib.sha256(f"{run_id}:{score.name}".encode()).hexdigest()[:32]
    value: Json = {"value": score.value}
    if score.error is not None:
        value["error"] = {"error_code": "UNSCORED", "error_message": score.error[:1000]}
    metadata = {"gatelog.judge_runs": ",".join(score.judge_run_ids)} if score.judge_run_ids else None
    if score.cost_nanos:
        metadata = {**(metadata or {}), "gatelog.cost_nanos": str(score.cost_nanos)}
    said = Assessment(
        name=score.name[:250],
        kind="feedback",
        value=value,
        source={"source_type": SOURCES[score.source], "source_id": source_id},
        rationale=score.rationale,
        metadata=metadata,
        created_us=now_us,
        updated_us=now_us,
    )
    return f"a-{id}", trace_id(run_id), said
