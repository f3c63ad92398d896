"""Works at one evaluation until it is finished or stopped: fills its cells, scores them, and closes it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from evaluate import closing, forecast, scoring
from evaluate.asking import Asking
from evaluate.board import Board
from evaluate.cells import Row, Score
from evaluate.ledger import Ledger
from evaluate.pace import Pace
from evaluate.records import Halted, Records
from evaluate.replies import EMBEDDINGS, Post
from evaluate.runner import Filled, Runner, taken_up
from evaluate.scorers.kept import opened
from evaluate.scoring import Scoring
from evaluate.terms import Gateway, limit_of
from providers.chat import Json, Kind
from providers.errors import GatewayError
from tracking.assessments import Assessments
from tracking.evaluations import Evaluations
from tracking.packed_rows import pack
from tracking.runs import Runs
from tracking.trace_log import now_us

BEAT_SECONDS = 2.0

log = logging.getLogger("gatelog.evaluate")


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed to work."""

    store: Evaluations
    runs: Runs
    assessments: Assessments
    gateway: Gateway
    closer: closing.Closer


class Work:
    """One evaluation in the hands of one process."""

    def __init__(self, id: str, owner: str, means: Means) -> None:
        self._id, self._owner, self._means = id, owner, means
        self._store = means.store
        self._runner: Runner | None = None
        self._lost = False

    async def run(self) -> None:
        """To its end, or until another process has taken it over."""
        kept = await self._store.get(self._id)
        if kept["state"] == "stopping":
            await self._close(kept, "stopped", kept["reason"] or "it was stopped")
            return
        post = self._means.gateway.post(kept["key_id"])
        if post is None:
            await self._close(kept, "stopped", "the key that it was started with is no longer good")
            return
        try:
            await self._worked(kept, post)
        except Halted as halted:
            await self._close(kept, "stopped", str(halted))
        except GatewayError as error:
            log.warning("evaluation %s failed: %s", self._id, error.message)
            await self._close(kept, "failed", error.message)

    def stop(self, reason: str) -> None:
        """Begin no other call. Who has changed the state of the evaluation need not wait until that is seen."""
        if self._runner is not None:
            self._runner.stop(reason)

    async def _worked(self, kept: Json, post: Post) -> None:
        spec = kept["spec"]
        rows = [Row.from_json(row) for row in await self._store.rows(self._id)]
        board = await asyncio.to_thread(Board, kept, rows, self._means.gateway)
        ledger = Ledger(kept["budget_nanos"], spent=await self._store.spent(self._id))
        records = Records(self._store.calls_of)
        headers = {"x-gatelog-parent-run-id": self._id, "x-gatelog-experiment": spec["experiment"]}
        judges = Asking(
            self._id, post, records, Pace(spec["concurrency"], time.monotonic), ledger, self._bound, headers=headers
        )
        names = [each["name"] for each in spec["identities"]]
        scorers = opened(spec["scorers"], self._means.gateway.open)
        scorer = Scoring(self._id, scorers, names, judges.ask, judges.embed, self._prompt, self._save_scores(board))

        def filled(cell: Filled) -> None:
            for n, sample in board.filled(cell):
                scorer.give(n, sample)

        runner = self._runner = Runner(
            self._id,
            post,
            records,
            self._save_cells,
            Pace(spec["concurrency"], time.monotonic),
            ledger,
            filled,
            headers=headers,
        )
        beside = [asyncio.create_task(each) for each in (records.watch(), scorer.run(), self._beat(ledger))]
        working = asyncio.create_task(self._fill(kept, board, runner, scorer, ledger))
        try:
            await asyncio.wait({working, *beside}, return_when=asyncio.FIRST_COMPLETED)
            for each in beside:
                if each.done():
                    each.result()
            if not self._lost:
                await working
        finally:
            for each in (working, *beside):
                each.cancel()
            await asyncio.gather(working, *beside, return_exceptions=True)

    async def _fill(self, kept: Json, board: Board, runner: Runner, scorer: Scoring, ledger: Ledger) -> None:
        cells = await self._store.cells(self._id)
        left = await asyncio.to_thread(board.there, cells)
        made = await self._store.calls(self._id)
        tasks, found = await taken_up(self._id, left, made, self._answer)
        await self._save_cells(found)
        unscored = await asyncio.to_thread(board.unscored)
        for n, sample in [*unscored, *(each for cell in found for each in board.filled(cell))]:
            scorer.give(n, sample)
        reason: str | None = None
        pilot = board.pilot(tasks) if kept["spec"]["pilot"] and not (kept["forecast"] or {}).get("pilot_cells") else []
        if pilot:
            began = time.monotonic()
            reason = await runner.run(pilot)
            if reason is None:
                await scorer.drained()
                expected = forecast.by_pilot(board.pilots(), time.monotonic() - began)
                await self._store.update(self._id, forecast=expected.to_json())
        if reason is None:
            chosen = {task.n for task in pilot}
            reason = await runner.run([task for task in tasks if task.n not in chosen])
        if reason is not None:
            raise Halted(reason)
        await self._store.move(self._id, ("running",), "scoring")
        await scorer.drained()
        # Whoever wants it stopped now is too late: nothing is left that could be stopped.
        await self._close(kept, "finished", None)

    async def _close(self, kept: Json, state: str, reason: str | None) -> None:
        await self._means.closer.close(kept, state, reason)

    async def _beat(self, ledger: Ledger) -> None:
        """Say that it is worked at, and hear whether it should stop. Ends when another process has it."""
        while True:
            state = await self._store.beat(self._id, self._owner, ledger.spent)
            if state is None:
                self._lost = True
                log.warning("evaluation %s is worked at by another process", self._id)
                return
            if state == "stopping" and self._runner is not None:
                reason = (await self._store.get(self._id))["reason"] or "it was stopped"
                self._runner.stop(reason)
                if not self._runner.busy:
                    raise Halted(reason)
            await asyncio.sleep(BEAT_SECONDS)

    async def _save_cells(self, cells: Sequence[Filled]) -> None:
        packed = await asyncio.to_thread(
            lambda: [{**asdict(each), "output": None if each.output is None else pack(each.output)} for each in cells]
        )
        await self._store.save(self._id, packed)

    def _save_scores(self, board: Board) -> scoring.Save:
        async def save(scored: Sequence[tuple[int, Mapping[str, Score]]]) -> None:
            now = now_us()
            given = [
                scoring.assessed(cell.run_id, score, now, f"gatelog/{self._id}")
                for n, scores in scored
                if (cell := board.cell(n)).run_id is not None
                for score in scores.values()
            ]
            await self._means.assessments.add(given, self._id)
            rows = [
                {"n": n, "scores": {name: score.to_json() for name, score in scores.items()}} for n, scores in scored
            ]
            await self._store.save(self._id, rows)
            for n, scores in scored:
                board.scored(n, scores)

        return save

    async def _answer(self, run: str) -> Json | None:
        found = await self._means.runs.get(run)
        if found is None or found["response_truncated"]:
            return None
        response = found["response"]
        return response if isinstance(response, dict) else None

    async def _prompt(self, reference: str) -> Json:
        template = await self._means.gateway.template(reference)
        return {
            "messages": list(template.messages),
            "version": int(template.reference.rpartition("/")[2]),
            "config": dict(template.parameters),
        }

    def _bound(self, path: str, request: Json) -> int | None:
        kind: Kind = "embeddings" if path == EMBEDDINGS else "chat"
        terms = self._means.gateway.terms(kind, str(request.get("model")))
        if kind == "embeddings":
            return terms.most(terms.texts(request), 0)
        return terms.most(terms.input(request), limit_of(request))
