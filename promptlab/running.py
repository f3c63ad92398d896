"""Runs the cells of labs: several at once and not too many, whoever looks at them, until they are over or stopped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from promptlab.calling import Ask, Outcome, Question
from promptlab.lab_events import Channel
from promptlab.lab_state import Column, PromptRef, State
from promptlab.live_cell import LiveCell, text_of
from promptlab.question import File, fingerprint, named_files, question
from providers.chat import Json
from providers.errors import GatewayError, InvalidRequest, StorageUnavailable
from tracking import rest
from tracking.lab_cells import Cell, LabCells, Place
from tracking.labs import Lab, Labs
from tracking.money import dollars
from tracking.rest import Caller

AT_ONCE_MOST = 5_000
"""Cells that one request may queue."""
ALL_MOST = 64
"""Calls of all labs of this process at a time."""
ALIVE_SECONDS, LOOK_SECONDS = 5.0, 1.0
FORGOTTEN_SECONDS = 600.0
"""After so long without anything new, a lab's events are not kept any more."""
log = logging.getLogger("gatelog.lab")

Chosen = Sequence[Place] | Literal["all", "missing"]
Original = Callable[[str, str | None], Awaitable[Json | None]]
"""The request of a run, for a key that may see it; None where there is none to be had."""
Takes = Callable[[PromptRef], Awaitable[Collection[str]]]
"""The variables of a prompt."""


@dataclass(slots=True)
class Work:
    """One cell that is to be asked, or cannot be."""

    place: Place
    question: Question | GatewayError
    caller: Caller
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    live: LiveCell | None = None
    started_us: int = 0


@dataclass(slots=True)
class Active:
    """The cells of one lab that are queued or running."""

    limit: int = 1
    works: dict[Place, Work] = field(default_factory=dict)
    waiting: deque[Place] = field(default_factory=deque)
    running: int = 0


class LabRuns:
    """`alone`: no other process runs cells of the same store."""

    def __init__(
        self, labs: Labs, cells: LabCells, ask: Ask, original: Original, takes: Takes, *, most: int, alone: bool
    ) -> None:
        self._labs, self._cells, self._ask, self._most = labs, cells, ask, most
        self._original, self._takes, self._alone = original, takes, alone
        self._active: dict[str, Active] = {}
        self._channels: dict[str, tuple[Channel, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0

    def channel(self, lab_id: str) -> Channel:
        channel = self._channels[lab_id][0] if lab_id in self._channels else Channel()
        self._channels[lab_id] = channel, time.monotonic()
        return channel

    def running(self, lab_id: str) -> int:
        active = self._active.get(lab_id)
        return 0 if active is None else len(active.works)

    async def questions(
        self, lab: Lab, chosen: Chosen, *, key_id: str | None
    ) -> tuple[State, list[tuple[Place, str, Question | GatewayError]]]:
        """What is to be asked, with a fingerprint; for a cell that cannot be asked, why."""
        state = rest.checked(State, lab.state)
        places = await self._chosen(lab, state, chosen)
        if len(places) > AT_ONCE_MOST:
            raise InvalidRequest(f"{len(places)} cells are too many at once; ask for at most {AT_ONCE_MOST}")
        columns = {column.id: column for column in state.columns if any(place.column == column.id for place in places)}
        originals = {id: await self._original_of(column, key_id) for id, column in columns.items()}
        takes = {id: await self._takes_of(column) for id, column in columns.items()}
        names = named_files(state)
        files = await self._labs.files(lab.id, names, key_id=key_id) if names else {}
        made = await asyncio.to_thread(_asked, lab, state, places, originals, takes, files, self._most)
        return state, made

    async def run(self, lab: Lab, chosen: Chosen, caller: Caller, *, key_id: str | None) -> int:
        """How many cells are new in the queue."""
        state, made = await self.questions(lab, chosen, key_id=key_id)
        active = self._active.setdefault(lab.id, Active())
        active.limit = state.concurrency
        new = [each for each in made if each[0] not in active.works]
        for place, _, asked in new:
            active.works[place] = Work(place, asked, caller)
        if new:
            try:
                await self._cells.queue(lab.id, [(place, hashed) for place, hashed, _ in new])
            except BaseException:
                for place, _, _ in new:
                    del active.works[place]
                raise
            self.channel(lab.id).tell("queued", {"cells": [place.shown() for place, _, _ in new]})
            active.waiting.extend(place for place, _, _ in new)
        self._pump()
        return len(new)

    async def stop(self, lab_id: str, places: Sequence[Place] | None) -> int:
        """All, or these. Those that wait are over at once."""
        active = self._active.get(lab_id, Active())
        wanted = [place for place in active.works if places is None or place in set(places)]
        waiting = [place for place in wanted if place in set(active.waiting)]
        for place in waiting:
            active.waiting.remove(place)
            del active.works[place]
        for place in wanted:
            if place in active.works:
                active.works[place].stop.set()
        if waiting:
            await self._cells.end(lab_id, waiting, "stopped")
            for place in waiting:
                self.channel(lab_id).tell("cell", _shown(place, "stopped"))
        others = 0 if self._alone else await self._cells.ask_to_stop(lab_id, places)
        return len(wanted) + others

    async def cells(self, lab: Lab) -> Json:
        """Every cell that was ever asked and is still in the lab, and the mark of what comes after."""
        mark = self.channel(lab.id).mark
        state = rest.checked(State, lab.state)
        found = await self._cells.of(lab.id)
        hashes = await asyncio.to_thread(_fingerprints, state, [cell.place for cell in found])
        works = self._active.get(lab.id, Active()).works
        shown = [
            shown_cell(cell, works.get(cell.place), stale=cell.question != hashes[cell.place])
            for cell in found
            if cell.place in hashes
        ]
        return {"cells": shown, "event": mark}

    async def asked(self, lab: Lab) -> tuple[State, list[Cell]]:
        """The cells of the lab that were ever asked."""
        state = rest.checked(State, lab.state)
        return state, [cell for cell in await self._cells.of(lab.id) if in_lab(state, cell.place)]

    async def answered(self, lab: Lab) -> tuple[State, list[Cell]]:
        """Those that have an answer."""
        state, cells = await self.asked(lab)
        return state, [cell for cell in cells if cell.status == "ok"]

    async def events(self, lab_id: str, last: str | None, stopping: asyncio.Event) -> AsyncIterator[bytes]:
        channel = self.channel(lab_id)
        number, looked = channel.after(last), time.time_ns() // 1000
        yield rest.BEAT
        quiet = 0.0
        while True:
            found = None if number is None else channel.since(number)
            if found is None:
                number = channel.after(None)
                yield rest.event("reset", {}, channel.mark)
            elif found:
                number, quiet = found[-1][0], 0.0
                yield b"".join(data for _, data in found)
            if not self._alone:
                now = time.time_ns() // 1000
                for cell in await self._cells.changed(lab_id, looked):
                    if cell.worker != self._cells.worker:
                        yield rest.event("cell", shown_cell(cell, None, stale=False))
                looked = now
            seconds = rest.BEAT_SECONDS if self._alone else LOOK_SECONDS
            began = time.monotonic()
            if not await channel.wait(number or 0, seconds, stopping):
                return
            quiet += time.monotonic() - began
            if quiet >= rest.BEAT_SECONDS:
                quiet = 0.0
                yield rest.BEAT

    async def watch(self) -> None:
        """Say again and again that this process lives, stop what others ask to be stopped, and forget old events."""
        said = 0.0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            if any(active.works for active in self._active.values()):
                try:
                    if now - said > ALIVE_SECONDS:
                        await self._cells.alive()
                        said = now
                    for lab_id, place in [] if self._alone else await self._cells.to_stop():
                        await self.stop(lab_id, [place])
                except StorageUnavailable as error:
                    log.warning("cells of labs go on, unseen: %s", error.message)
            for id, (channel, touched) in list(self._channels.items()):
                if now - touched > FORGOTTEN_SECONDS and not channel.heard and not self.running(id):
                    del self._channels[id]
            for id in [id for id, active in self._active.items() if not active.works]:
                del self._active[id]

    async def close(self) -> None:
        """The server ends: what is under way is cut."""
        pending = any(active.works for active in self._active.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if pending:
            try:
                await self._cells.interrupt()
            except StorageUnavailable as error:
                log.warning("cells of labs were interrupted, and it could not be noted: %s", error.message)

    async def _chosen(self, lab: Lab, state: State, chosen: Chosen) -> list[Place]:
        if chosen not in ("all", "missing"):
            places = [place for place in chosen if isinstance(place, Place)]
            for place in places:
                if not in_lab(state, place):
                    raise InvalidRequest(f"the lab has no cell {place.shown()}", param="cells", code="no_such_cell")
            return list(dict.fromkeys(places))
        places = [
            Place(row.id, column.id, repeat)
            for row in state.rows
            for column in state.columns
            for repeat in range(state.repeats)
        ]
        if chosen == "all":
            return places
        hashes = await asyncio.to_thread(_fingerprints, state, places)
        good = {cell.place for cell in await self._cells.of(lab.id) if _is_answer(cell, hashes)}
        return [place for place in places if place not in good]

    async def _original_of(self, column: Column, key_id: str | None) -> Json | None:
        return None if column.origin is None else await self._original(column.origin.run_id, key_id)

    async def _takes_of(self, column: Column) -> Collection[str] | GatewayError:
        try:
            return [] if column.prompt is None else await self._takes(column.prompt)
        except GatewayError as error:
            return error

    def _pump(self) -> None:
        """Begin what may begin, a cell of each lab in turn."""
        more = True
        while more and self._running < ALL_MOST:
            more = False
            for lab_id, active in self._active.items():
                if active.waiting and active.running < active.limit and self._running < ALL_MOST:
                    work = active.works[active.waiting.popleft()]
                    active.running += 1
                    self._running += 1
                    task = asyncio.get_running_loop().create_task(self._one(lab_id, active, work))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                    more = True

    async def _one(self, lab_id: str, active: Active, work: Work) -> None:
        channel, place = self.channel(lab_id), work.place
        work.started_us = time.time_ns() // 1000
        live = work.live = LiveCell(channel, place)
        try:
            channel.tell("started", place.shown())
            if isinstance(work.question, GatewayError):
                error = work.question
                said = {"code": error.code, "message": error.message, "status": error.status}
                outcome = Outcome(run_id=None, status="error", error=said)
            else:
                outcome = await self._ask(work.question, work.caller, live, work.stop)
            live.close()
            message = await live.message()
            result = _result(outcome, work.started_us)
            kept = message if outcome.kept else None
            try:
                await self._cells.over(lab_id, place, outcome.status, outcome.run_id, kept, result)
            except StorageUnavailable as error:
                log.warning("what became of a cell of lab %s could not be kept: %s", lab_id, error.message)
            shown = _shown(place, outcome.status, run_id=outcome.run_id, message=message, result=result)
            channel.tell("cell", shown)
        finally:
            active.works.pop(place, None)
            active.running -= 1
            self._running -= 1
        self._pump()


def in_lab(state: State, place: Place) -> bool:
    column, row = state.column(place.column), state.row(place.row)
    return column is not None and row is not None and 0 <= place.repeat < state.repeats


def shown_cell(cell: Cell, work: Work | None, *, stale: bool) -> Json:
    """`work`: it is being asked again."""
    if work is None:
        shown = _shown(cell.place, cell.status, run_id=cell.run_id, message=cell.said, result=cell.result)
        return {**shown, "stale": stale}
    live = work.live
    shown = _shown(cell.place, "queued" if live is None else "running")
    return {**shown, "stale": stale} | ({} if live is None else {"text": live.text, "run_id": live.run_id})


def _shown(
    place: Place, status: str, *, run_id: str | None = None, message: Json | None = None, result: Json | None = None
) -> Json:
    got = result or {}
    nanos, ttft, total = got.get("cost_nanos"), got.get("ttft_us"), got.get("total_us")
    began, ended = got.get("started_us"), got.get("ended_us")
    return {
        **place.shown(),
        "status": status,
        "run_id": run_id,
        "stale": False,
        "message": message,
        "text": text_of(message),
        "finish_reason": got.get("finish_reason"),
        "error": got.get("error"),
        "ttft_ms": None if ttft is None else ttft / 1000,
        "total_ms": None if total is None else total / 1000,
        "usage": got.get("usage"),
        "cost": None if nanos is None else {"usd": dollars(nanos), "nanos": nanos},
        "provider": got.get("provider"),
        "model": got.get("model"),
        "started_at": None if began is None else rest.iso(began),
        "ended_at": None if ended is None else rest.iso(ended),
    }


def _result(outcome: Outcome, started_us: int) -> Json:
    return {
        "finish_reason": outcome.finish_reason,
        "error": outcome.error,
        "ttft_us": outcome.ttft_us,
        "total_us": outcome.total_us,
        "usage": outcome.usage,
        "cost_nanos": outcome.cost_nanos,
        "provider": outcome.provider,
        "model": outcome.model,
        "started_us": started_us,
        "ended_us": time.time_ns() // 1000,
    }


def _is_answer(cell: Cell, hashes: dict[Place, str]) -> bool:
    pending = cell.status in ("queued", "running")
    return (cell.status == "ok" or pending) and hashes.get(cell.place) == cell.question


def _fingerprints(state: State, places: Sequence[Place]) -> dict[Place, str]:
    columns, rows = {each.id: each for each in state.columns}, {each.id: each for each in state.rows}
    return {
        place: fingerprint(state, columns[place.column], rows[place.row], place.repeat)
        for place in places
        if place.column in columns and place.row in rows and place.repeat < state.repeats
    }


def _asked(
    lab: Lab,
    state: State,
    places: Sequence[Place],
    originals: dict[str, Json | None],
    takes: dict[str, Collection[str] | GatewayError],
    files: dict[str, File],
    most: int,
) -> list[tuple[Place, str, Question | GatewayError]]:
    columns, rows = {each.id: each for each in state.columns}, {each.id: each for each in state.rows}
    made: list[tuple[Place, str, Question | GatewayError]] = []
    for place in places:
        column, row, took = columns[place.column], rows[place.row], takes[place.column]
        asked: Question | GatewayError
        try:
            if isinstance(took, GatewayError):
                raise took
            asked = question(
                state,
                column,
                row,
                place.repeat,
                lab_id=lab.id,
                version=lab.version,
                original=originals[place.column],
                files=files,
                takes=took,
                most=most,
            )
        except GatewayError as error:
            asked = error
        made.append((place, fingerprint(state, column, row, place.repeat), asked))
    return made
