"""Calls into the store: a batch in one transaction, each at most once, by SQL that is compiled once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking import experiments
from tracking.database import Database, reason
from tracking.rows import Rows
from tracking.tables import calls, payloads
from tracking.tail import Logged

NAMES_MOST = 10_000
NOT_TAKEN = ("22", "23", "54")
"""Classes of SQLSTATE that are about the data: trying again cannot help."""
REFUSALS = (sa.exc.DBAPIError, ValueError, OverflowError, TypeError, KeyError)
"""What comes of a value that a column cannot hold, or of a record that lacks what every call has."""


class Writer:
    """Writes to one store. It belongs to one event loop."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self._database, self._rows = database, rows
        self._calls, self._payloads = _insertion(database, calls), _insertion(database, payloads)
        self._experiments: dict[str, int] = {}

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
        rows = [self._rows.call(call, self._experiments) for call in batch]
        bodies = [self._rows.payload(call) for call in batch]
        async with self._database.writing() as connection:
            await connection.exec_driver_sql(self._calls, rows)
            await connection.exec_driver_sql(self._payloads, bodies)

    async def _name(self, names: set[str]) -> None:
        if names <= self._experiments.keys():
            return
        if len(self._experiments) > NAMES_MOST:
            self._experiments.clear()
        async with self._database.writing() as connection:
            found = await experiments.ids(connection, names)
        self._experiments |= found


def _refused(error: Exception) -> bool:
    """Whether a store refuses what it was given, rather than being unable to take anything now."""
    if not isinstance(error, sa.exc.DBAPIError):
        return True
    if isinstance(error.orig, (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)):
        return True
    cause = getattr(error.orig, "__cause__", None)
    state: Any = getattr(cause, "sqlstate", None)
    return isinstance(cause, (asyncpg.DataError, ValueError)) or (isinstance(state, str) and state[:2] in NOT_TAKEN)


def _insertion(database: Database, table: sa.Table) -> str:
    """Of one row, which is left alone when it is there already."""
    insert = postgresql.insert if database.postgres else sqlite.insert
    statement = insert(table).values(dict.fromkeys(table.columns.keys())).on_conflict_do_nothing()
    return str(statement.compile(dialect=database.writer.dialect))
