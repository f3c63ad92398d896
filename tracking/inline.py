"""SQLite spoken to in the thread that asks, for who has a thread of its own already.

aiosqlite gives each connection a thread, and every statement a way there and back. The recorder's event loop serves
nobody else, so for it that is a second thread to wake, for nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import aiosqlite


class _AtOnce:
    """In place of the queue to a connection's thread: what is put into it is done."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = item
        try:
            result = function()
        except BaseException as exc:  # handed on, as aiosqlite's own thread does
            if future is None:
                raise
            future.set_exception(exc)
        else:
            if future is not None:
                future.set_result(result)


class Connection(aiosqlite.Connection):
    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._tx = _AtOnce()  # type: ignore[assignment]  # all that is asked of the queue is put_nowait

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        # As aiosqlite's, which starts its thread here.
        return self._connect().__await__()


def connect(database: str, **options: Any) -> Connection:
    """For SQLAlchemy's `async_creator_fn`."""
    return Connection(partial(sqlite3.connect, database, **options))
