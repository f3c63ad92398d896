"""Calls into the store: a batch in one transaction, each at most once, by SQL that is compiled once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking import experiments, texts, usage
from tracking.database import Database, reason
from tracking.engines import AsyncConnection
from tracking.payloads import Packer
from tracking.rows import COLUMNS, Rows
from tracking.tables import calls, payload_blocks
from tracking.tail import Logged

NAMES_MOST = 10_000
IDS_MOST = 5_000
"""Asked for at once."""
NOT_TAKEN = ("22", "23", "54")
"""Classes of SQLSTATE that are about the data: trying again cannot help."""
REFUSALS = (sa.exc.DBAPIError, ValueError, OverflowError, TypeError, KeyError)
"""What comes of a value that a column cannot hold, or of a record that lacks what every call has."""


class Writer:
    """Writes to one store. It belongs to one event loop."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self._database, self._rows = database, rows
        self._packer = Packer()
        self._calls = _calls_insertion(database)
        columns = payload_blocks.columns.keys()
        self._blocks = str(sa.insert(payload_blocks).compile(dialect=database.writer.dialect, column_keys=columns))
        self._experiments: dict[str, int] = {}
        self._usage = usage.waiting_insertion(database.writer.dialect)
        self._texts = texts.waiting_insertion(database.writer.dialect)

    async def write(self, batch: Sequence[Logged]) -> list[tuple[Logged, str]]:
        """Give back the calls that the store will never take, each with the reason; all others are in it then."""
        try:
            await self._write(batch)
        except REFUSALS as error:
            if not _refused(error):
                raise
            if len(batch) == 1:
                return [(batch[0], f"the store would not take it: {reason(error)}")]
            middle = len(batch) // 2
            return await self.write(batch[:middle]) + await self.write(batch[middle:])
        return []

    async def _write(self, batch: Sequence[Logged]) -> None:
        await self._name({name for call in batch if call.begin and (name := call.begin.get("experiment")) is not None})
        try:
            await self._commit(batch, reread=self._database.postgres)
        except _RereadError:
            await self._commit(batch, reread=True)

    async def _commit(self, batch: Sequence[Logged], reread: bool) -> None:
        """`reread`: some of these calls may be in the store already, where they are left as they are."""
        async with self._database.writing() as connection:
            if reread and not (batch := await _fresh(connection, batch)):
                return
            numbers, blocks = self._packer.pack(batch)
            make, known = self._rows.call, self._experiments
            rows = [make(call, number, known) for call, number in zip(batch, numbers, strict=True)]
            done = await connection.exec_driver_sql(self._calls, rows)
            if not reread and done.rowcount != len(rows):
                raise _RereadError
            await connection.exec_driver_sql(self._blocks, [*blocks])
            await connection.exec_driver_sql(self._usage, usage.waiting(rows))
            await connection.exec_driver_sql(self._texts, texts.waiting(rows))

    async def _name(self, names: set[str]) -> None:
        if names <= self._experiments.keys():
            return
        if len(self._experiments) > NAMES_MOST:
            self._experiments.clear()
        async with self._database.writing() as connection:
            found = await experiments.ids(connection, names)
        self._experiments |= found


class _RereadError(Exception):
    """A batch held calls that are in the store already."""


async def _fresh(connection: AsyncConnection, batch: Sequence[Logged]) -> Sequence[Logged]:
    """Of these, each call once that is not in the store."""
    by_id = {call.id: call for call in reversed(batch)}
    ids = list(by_id)
    for start in range(0, len(ids), IDS_MOST):
        query = sa.select(calls.c.id).where(calls.c.id.in_(ids[start : start + IDS_MOST]))
        for known in (await connection.execute(query)).scalars():
            del by_id[known]
    return list(by_id.values())


def _refused(error: Exception) -> bool:
    """Whether a store refuses what it was given, rather than being unable to take anything now."""
    if not isinstance(error, sa.exc.DBAPIError):
        return True
    if isinstance(error.orig, (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)):
        return True
    cause = getattr(error.orig, "__cause__", None)
    state: Any = getattr(cause, "sqlstate", None)
    return isinstance(cause, ValueError) or (isinstance(state, str) and state[:2] in NOT_TAKEN)


def _calls_insertion(database: Database) -> str:
    """Of one row in the order of `COLUMNS`; it is left alone when it is there already."""
    insert = postgresql.insert if database.postgres else sqlite.insert
    ordered = sa.table(calls.name, *(sa.column(name, calls.c[name].type) for name in COLUMNS))
    statement = insert(ordered).values(dict.fromkeys(COLUMNS)).on_conflict_do_nothing()
    return str(statement.compile(dialect=database.writer.dialect))
