"""Fills a grid: each cell one answer, as fast as providers take it, within the budget, and on from where it stopped."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluate import replies
from evaluate.ledger import Ledger
from evaluate.pace import Pace
from evaluate.records import Halted, Records
from evaluate.replies import Post, Reply
from evaluate.requests import Question
from providers.chat import Json
from providers.errors import StorageUnavailable

ATTEMPTS_MOST = 4
"""Calls of one cell that a provider failed, before the cell is an error."""
THROTTLED_MOST = 30
"""Calls of one cell that a provider refused for being too many."""
BACKOFF_SECONDS, BACKOFF_MOST = 0.25, 20.0
BUSY_SECONDS = 15.0
"""How long a call is waited for that was asked for before and has left no record: longer than a recorder takes to catch
up after a crash. Then it is taken to have died before it was made."""
FLUSH_SECONDS = 0.1
"""Between writings of what became of cells."""

log = logging.getLogger("gatelog.evaluate")


@dataclass(slots=True)
class Task:
    """One cell as it is worked at."""

    n: int
    question: Question
    hold: int
    """Nano-dollars that one call of it may cost at most."""
    tags: Mapping[str, str]
    attempts: int = 0
    """Calls that were made of it."""
    lost: int = 0
    """Of these, those that a crash of ours cut short, which are not the provider's failures."""
    throttled: int = 0
    cost: int | None = None
    """The sum of what its calls cost, as far as that is known."""
    settled: set[str] = field(default_factory=set)
    """Runs that are in the sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What became of a cell."""

    n: int
    status: str
    error: str | None
    run_id: str | None
    attempts: int
    cost_nanos: int | None
    latency_us: int | None
    ttft_us: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    model: str | None
    output: Json | None


class Runner:
    """One grid. `run` may be called again with more of its cells."""

    def __init__(
        self,
        evaluation: str,
        post: Post,
        records: Records,
        save: Callable[[Sequence[Filled]], Awaitable[None]],
        pace: Pace,
        ledger: Ledger,
        on_filled: Callable[[Filled], None],
        *,
        headers: Mapping[str, str],
    ) -> None:
        """`headers` are those that every call has."""
        self._evaluation, self._post, self._records, self._save = evaluation, post, records, save
        self._pace, self._ledger, self._on_filled, self._headers = pace, ledger, on_filled, headers
        self._unsaved: list[Filled] = []
        self._stop: str | None = None
        self.busy = False
        """Whether cells are being filled."""
        self._dice = random.Random(evaluation)  # noqa: S311 - only spreads the waits

    def stop(self, reason: str) -> None:
        """Begin no other call; those under way are still answered. The first reason stands."""
        self._stop = self._stop or reason

    @property
    def stopped(self) -> str | None:
        return self._stop

    async def run(self, tasks: Sequence[Task]) -> str | None:
        """Work at these cells until each is filled; or the reason why it was stopped before."""
        writing = asyncio.create_task(self._write())
        live: set[asyncio.Task[None]] = set()
        self.busy = True
        try:
            for task in tasks:
                while len(live) >= 4 * self._pace.limit + 16:
                    await self._some(live, writing)
                if self.stopped is not None:
                    break
                live.add(asyncio.create_task(self._cell(task)))
            while live:
                await self._some(live, writing)
            await self._flush()
            return self._stop
        finally:
            self.busy = False
            for each in (*live, writing):
                each.cancel()
            await asyncio.gather(*live, writing, return_exceptions=True)

    async def _some(self, live: set[asyncio.Task[None]], writing: asyncio.Task[None]) -> None:
        """Wait until a cell is filled. What goes wrong with one, or with the writing, is raised here."""
        done, _ = await asyncio.wait({*live, writing}, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            live.discard(each)
            try:
                each.result()
            except Halted as halted:
                self.stop(str(halted))

    async def _cell(self, task: Task) -> None:
        busy_until: float | None = None
        while True:
            reply, entered = await self._call(task)
            self._pace.leave(entered, throttled=reply.outcome == "throttled", retry_after=reply.retry_after)
            figures = None
            if reply.outcome == "busy":
                self._ledger.settle(task.hold, None)
                busy_until = busy_until or time.monotonic() + BUSY_SECONDS
                if time.monotonic() < busy_until:
                    await asyncio.sleep(reply.retry_after or 0.5)
                    continue
                task.attempts, task.lost, busy_until = task.attempts + 1, task.lost + 1, None
                continue
            busy_until = None
            task.attempts += 1
            if reply.run_id is not None:
                figures = await self._records.of(reply.run_id)
            self._settle(task, figures, reply)
            if reply.outcome == "stop":
                raise Halted(f"the gateway answered {reply.error}")
            if reply.outcome == "ok":
                self._fill(task, figures, reply, "ok", None)
                return
            if reply.outcome == "failed" or not self._may_again(task, reply):
                self._fill(task, figures, reply, "error", reply.error)
                return
            await asyncio.sleep(self._backoff(task, reply))

    async def _call(self, task: Task) -> tuple[Reply, float]:
        """One attempt, once there is room for it in the budget and at the provider."""
        self._go_on()
        if not await self._ledger.hold(task.hold):
            raise Halted(self._ledger.refused(task.hold))
        try:
            entered = await self._pace.enter()
        except asyncio.CancelledError:
            self._ledger.settle(task.hold, None)
            raise
        headers = {
            **self._headers,
            **task.question.headers,
            **task.tags,
            "idempotency-key": key_of(self._evaluation, task.n, task.attempts),
        }
        try:
            self._go_on()
            return replies.read(await self._post(replies.CHAT, task.question.body, headers)), entered
        except BaseException:
            self._ledger.settle(task.hold, None)
            self._pace.leave(entered)
            raise

    def _go_on(self) -> None:
        if self._stop is not None:
            raise Halted(self._stop)

    def _settle(self, task: Task, figures: Json | None, reply: Reply) -> None:
        cost = None if figures is None else figures["cost_nanos"]
        if figures is not None and figures["id"] in task.settled:
            self._ledger.settle(task.hold, None)  # found again after a crash: it is in what was spent
            return
        # Of an answer whose cost nobody knows, the most that it can have cost is taken.
        self._ledger.settle(task.hold, cost, unknown=cost is None and reply.outcome == "ok")
        if figures is not None and cost is not None:
            task.settled.add(figures["id"])
            task.cost = (task.cost or 0) + cost

    def _may_again(self, task: Task, reply: Reply) -> bool:
        if reply.outcome == "throttled":
            task.throttled += 1
            return task.throttled < THROTTLED_MOST
        return task.attempts - task.lost - task.throttled < ATTEMPTS_MOST

    def _backoff(self, task: Task, reply: Reply) -> float:
        if reply.outcome == "throttled" and reply.retry_after is not None:
            return 0.0  # the pace waits
        most = min(BACKOFF_MOST, BACKOFF_SECONDS * 2 ** min(task.attempts, 10))
        return self._dice.uniform(most / 2, most)

    def _fill(self, task: Task, figures: Json | None, reply: Reply, status: str, error: str | None) -> None:
        filled = filled_of(task, figures, reply.completion, status, error, reply.run_id)
        self._unsaved.append(filled)
        self._on_filled(filled)

    async def _write(self) -> None:
        """Write what became of cells, some at a time."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self._flush()
            except StorageUnavailable as error:
                log.warning("evaluation %s waits for the store: %s", self._evaluation, error.message)
                await asyncio.sleep(1.0)

    async def _flush(self) -> None:
        while self._unsaved:
            batch = list(self._unsaved)
            await self._save(batch)
            del self._unsaved[: len(batch)]


def key_of(evaluation: str, n: int, attempt: int) -> str:
    """The idempotency key of one call: the same whoever makes it, before and after a crash."""
    return f"{evaluation}-{n}-{attempt}"


def place_of(key: str | None, evaluation: str) -> tuple[int, int] | None:
    """The cell and the attempt that a key is of."""
    if key is None or not key.startswith(f"{evaluation}-"):
        return None
    n, _, attempt = key.removeprefix(f"{evaluation}-").partition("-")
    return (int(n), int(attempt)) if n.isdigit() and attempt.isdigit() else None


async def taken_up(
    evaluation: str, tasks: Sequence[Task], made: Sequence[Json], answer: Callable[[str], Awaitable[Json | None]]
) -> tuple[list[Task], list[Filled]]:
    """What is left to do after a crash, and the cells whose calls were answered although nobody wrote it down.

    `made` are the figures of all calls that were made for the evaluation.
    """
    by_cell: dict[int, dict[int, Json]] = {}
    for call in made:
        if (place := place_of(call["idempotency_key"], evaluation)) is not None:
            by_cell.setdefault(place[0], {})[place[1]] = call
    left: list[Task] = []
    filled: list[Filled] = []
    for task in tasks:
        attempts = by_cell.get(task.n, {})
        answered: Json | None = None
        for attempt in sorted(attempts):
            call = attempts[attempt]
            task.attempts = attempt + 1
            task.lost += call["status"] in ("interrupted", "client_cancelled")
            task.throttled += call["error_code"] == "upstream_429"
            if call["cost_nanos"] is not None:
                task.settled.add(call["id"])
                task.cost = (task.cost or 0) + call["cost_nanos"]
            answered = call if call["status"] == "ok" else None
        completion = None if answered is None else await answer(answered["id"])
        if answered is not None and completion is not None:
            filled.append(filled_of(task, answered, completion, "ok", None, answered["id"]))
        else:
            left.append(task)
    return left, filled


def filled_of(
    task: Task, figures: Json | None, completion: Json | None, status: str, error: str | None, run_id: str | None
) -> Filled:
    known: Mapping[str, Any] = figures or {}
    return Filled(
        n=task.n,
        status=status,
        error=error,
        run_id=run_id,
        attempts=task.attempts,
        cost_nanos=task.cost,
        latency_us=known.get("duration_us"),
        # Of a plain answer the first token is the last one, which says nothing.
        ttft_us=known.get("ttft_us") if known.get("stream") else None,
        prompt_tokens=known.get("input_tokens"),
        completion_tokens=known.get("output_tokens"),
        model=known.get("response_model") or known.get("model"),
        output=None if completion is None else replies.message_of(completion),
    )
