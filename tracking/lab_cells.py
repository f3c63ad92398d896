"""What became of the cells of labs: one row for each, from when it is queued until it is asked again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from providers.chat import Json
from tracking.database import Database
from tracking.page_tables import lab_cells
from tracking.tables import calls

SILENT_SECONDS = 20
"""A cell whose process has said nothing for so long is not run any more."""
AT_ONCE = 500
_c = lab_cells.c
PENDING = ("queued", "running")


class Place(NamedTuple):
    row: str
    column: str
    repeat: int

    def shown(self) -> Json:
        return {"row": self.row, "column": self.column, "repeat": self.repeat}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """`said` is the message, `result` what is known of the call; of its figures the run has the word."""

    place: Place
    status: str
    question: str
    run_id: str | None
    said: Json | None
    result: Json | None
    worker: str
    started_us: int
    updated_us: int


class LabCells:
    def __init__(self, database: Database) -> None:
        self._database = database
        self.worker = secrets.token_hex(8)
        """This process."""

    async def of(self, lab_id: str) -> list[Cell]:
        """With the figures of the runs that have been recorded."""
        figures = [calls.c[name] for name in FIGURES]
        query = (
            sa.select(lab_cells, calls.c.id.label("recorded"), *figures)
            .outerjoin_from(lab_cells, calls, calls.c.id == _c.run_id)
            .where(_c.lab_id == lab_id)
            .order_by(_c.row_id, _c.column_id, _c.repeat)
        )
        async with self._database.asking() as connection:
            return [_cell(row) for row in (await connection.execute(query)).mappings()]

    async def changed(self, lab_id: str, since_us: int) -> list[Cell]:
        """Those that are over, and were not before."""
        async with self._database.asking() as connection:
            query = sa.select(_c.row_id, _c.column_id, _c.repeat).where(
                _c.lab_id == lab_id, _c.updated_us > since_us, _c.status.not_in(PENDING)
            )
            places = {Place(*row) for row in await connection.execute(query)}
        return [cell for cell in await self.of(lab_id) if cell.place in places] if places else []

    async def queue(self, lab_id: str, questions: Sequence[tuple[Place, str]]) -> None:
        now = _now()
        async with self._database.changing() as connection:
            for n in range(0, len(questions), AT_ONCE):
                some = questions[n : n + AT_ONCE]
                await connection.execute(lab_cells.delete().where(_which(lab_id, [place for place, _ in some])))
                rows = [
                    {
                        "lab_id": lab_id,
                        "row_id": place.row,
                        "column_id": place.column,
                        "repeat": place.repeat,
                        "status": "queued",
                        "question": question,
                        "worker": self.worker,
                        "stop": False,
                        "started_us": now,
                        "updated_us": now,
                    }
                    for place, question in some
                ]
                await connection.execute(lab_cells.insert(), rows)

    async def over(
        self, lab_id: str, place: Place, status: str, run_id: str | None, said: Json | None, result: Json
    ) -> None:
        values = {"status": status, "run_id": run_id, "said": said, "result": result, "updated_us": _now()}
        async with self._database.changing() as connection:
            mine = sa.and_(_which(lab_id, [place]), _c.worker == self.worker)
            await connection.execute(lab_cells.update().where(mine).values(values))

    async def end(self, lab_id: str, places: Sequence[Place], status: str) -> None:
        """Of those that were never asked."""
        async with self._database.changing() as connection:
            for n in range(0, len(places), AT_ONCE):
                which = sa.and_(_which(lab_id, places[n : n + AT_ONCE]), _c.status.in_(PENDING))
                await connection.execute(lab_cells.update().where(which).values(status=status, updated_us=_now()))

    async def interrupt(self) -> None:
        """All that this process runs: it ends."""
        async with self._database.changing() as connection:
            mine = sa.and_(_c.worker == self.worker, _c.status.in_(PENDING))
            await connection.execute(lab_cells.update().where(mine).values(status="interrupted", updated_us=_now()))

    async def ask_to_stop(self, lab_id: str, places: Sequence[Place] | None) -> int:
        """Those that other processes run. How many there are."""
        asked = 0
        async with self._database.changing() as connection:
            some = [None] if places is None else [places[n : n + AT_ONCE] for n in range(0, len(places), AT_ONCE)]
            for each in some:
                which = _c.lab_id == lab_id if each is None else _which(lab_id, each)
                others = sa.and_(which, _c.status.in_(PENDING), _c.worker != self.worker)
                asked += (await connection.execute(lab_cells.update().where(others).values(stop=True))).rowcount
        return asked

    async def to_stop(self) -> list[tuple[str, Place]]:
        """What other processes ask this one to stop."""
        query = sa.select(_c.lab_id, _c.row_id, _c.column_id, _c.repeat).where(
            _c.worker == self.worker, _c.status.in_(PENDING), _c.stop
        )
        async with self._database.asking() as connection:
            return [(row[0], Place(*row[1:])) for row in await connection.execute(query)]

    async def alive(self) -> None:
        """Say that this process still runs its cells."""
        async with self._database.changing() as connection:
            mine = sa.and_(_c.worker == self.worker, _c.status.in_(PENDING))
            await connection.execute(lab_cells.update().where(mine).values(updated_us=_now()))


FIGURES = ("cost_nanos", "input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")


def _which(lab_id: str, places: Sequence[Place]) -> sa.ColumnElement[bool]:
    here = sa.tuple_(_c.row_id, _c.column_id, _c.repeat).in_([tuple(place) for place in places])
    return sa.and_(_c.lab_id == lab_id, here)


def _cell(row: sa.RowMapping) -> Cell:
    result: dict[str, Any] | None = row["result"]
    if result is not None and row["recorded"] is not None:
        usage = {name: row[name] for name in FIGURES[1:]}
        result = {**result, "cost_nanos": row["cost_nanos"], "usage": usage}
    status = row["status"]
    if status in PENDING and row["updated_us"] < _now() - SILENT_SECONDS * 1_000_000:
        status = "interrupted"
    return Cell(
        place=Place(row["row_id"], row["column_id"], row["repeat"]),
        status=status,
        question=row["question"],
        run_id=row["run_id"],
        said=row["said"],
        result=result,
        worker=row["worker"],
        started_us=row["started_us"],
        updated_us=row["updated_us"],
    )


def _now() -> int:
    return time.time_ns() // 1000
