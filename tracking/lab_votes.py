"""Votes between two answers of a lab, by people who did not know whose they were."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa

from tracking.database import Database
from tracking.page_tables import lab_votes
from tracking.rest import Caller

Choice = Literal["left", "right", "tie", "both_bad"]
_v = lab_votes.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """`first` is what stood at the left."""

    id: str
    row_id: str
    repeat: int
    first_column: str
    second_column: str
    first_run: str
    second_run: str
    choice: Choice
    note: str | None
    key_id: str | None
    made_by: str | None
    created_us: int

    @property
    def winner(self) -> str | None:
        """A column; None where neither was better."""
        return {"left": self.first_column, "right": self.second_column}.get(self.choice)


class LabVotes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, lab_id: str) -> list[Vote]:
        """In the order in which they were given."""
        columns = [each for each in lab_votes.c if each.name != "lab_id"]
        query = sa.select(*columns).where(_v.lab_id == lab_id).order_by(_v.created_us, _v.id)
        async with self._database.asking() as connection:
            return [Vote(**row) for row in (await connection.execute(query)).mappings()]

    async def add(
        self,
        lab_id: str,
        row_id: str,
        repeat: int,
        first: tuple[str, str],
        second: tuple[str, str],
        choice: Choice,
        note: str | None,
        caller: Caller,
    ) -> Vote:
        """`first` and `second` are a column and its run."""
        vote = Vote(
            id=f"vote-{uuid.uuid4().hex}",
            row_id=row_id,
            repeat=repeat,
            first_column=first[0],
            second_column=second[0],
            first_run=first[1],
            second_run=second[1],
            choice=choice,
            note=note,
            key_id=caller.key_id,
            made_by=caller.name,
            created_us=time.time_ns() // 1000,
        )
        async with self._database.changing() as connection:
            await connection.execute(lab_votes.insert().values(lab_id=lab_id, **asdict(vote)))
        return vote
