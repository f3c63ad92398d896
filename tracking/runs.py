"""Calls read back as runs: pages of them, one with all that was said, and those that come in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
import sqlalchemy as sa

from providers.assemble import assemble
from providers.chat import Json, Kind
from providers.errors import InvalidRequest
from tracking import order as orders
from tracking import shape
from tracking.call_tags import by_rare_tags
from tracking.database import Database
from tracking.fields import CALLS
from tracking.grammar import Source
from tracking.payloads import Payloads, Said, payloads_of
from tracking.search import narrowed, where
from tracking.tables import calls
from tracking.windows import windows

PAGE = 50
PAGE_MOST = 1_000
EXPORT_PAGE = 200
"""Runs that an export holds at a time, with all that was said in them."""
LATE_SECONDS = 900
"""A call is recorded when it is over, so runs come in by the order of their ends. One is looked for so long after its
beginning: longer than a call may take by default (`timeouts.total`) and a recorder may be behind."""

Run = Json
"""See `shape.run`."""


@dataclass(frozen=True, slots=True)
class Page:
    runs: list[Run]
    next_page_token: str | None
    """None on the last page."""


class Runs:
    """`key_id` narrows each method to the runs of one key; to others' it is as if they were not there."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name

    async def page(
        self,
        filter: str = "",
        order_by: Sequence[str] = (),
        page_size: int = PAGE,
        page_token: str | None = None,
        *,
        key_id: str | None = None,
        narrow: Mapping[str, str] | None = None,
    ) -> Page:
        """Runs that pass a filter, newest first unless told otherwise. `narrow` holds keys of `search.NARROWING`."""
        if not 1 <= page_size <= PAGE_MOST:
            raise InvalidRequest(f"page_size is {page_size}; say 1 to {PAGE_MOST}", param="page_size")
        rows, token = await self._rows(filter, order_by, page_size, page_token, key_id, narrow or {})
        return Page(await asyncio.to_thread(_listed, rows), token)

    async def get(self, id: str, *, key_id: str | None = None, raw: bool = False) -> Run | None:
        """One run with each attempt, and what was said: a stream as the whole that it came to, or `raw` as it was."""
        query = sa.select(*shape.COLUMNS).where(*_mine(id, key_id))
        async with self._database.asking() as connection:
            rows = (await connection.execute(query)).mappings().all()
            payloads = await payloads_of(connection, rows)
        # To unpack and assemble megabytes takes longer than the event loop may be kept.
        return await asyncio.to_thread(detailed, rows[0], payloads, raw) if rows else None

    async def payload(self, id: str, *, key_id: str | None = None) -> Said | None:
        """None where there is no such run. In a run whose bodies are not kept, nothing was said."""
        query = sa.select(calls.c.id, calls.c.payload_block).where(*_mine(id, key_id))
        async with self._database.asking() as connection:
            rows = (await connection.execute(query)).mappings().all()
            payloads = await payloads_of(connection, rows)
        return await asyncio.to_thread(payloads.of, rows[0]) if rows else None

    async def export(
        self,
        filter: str = "",
        order_by: Sequence[str] = (),
        *,
        key_id: str | None = None,
        narrow: Mapping[str, str] | None = None,
        raw: bool = False,
    ) -> AsyncIterator[Run]:
        """Every run that passes, in detail, a page at a time."""
        token: str | None = None
        while True:
            rows, token = await self._rows(filter, order_by, EXPORT_PAGE, token, key_id, narrow or {})
            async with self._database.asking() as connection:
                payloads = await payloads_of(connection, rows)
            for row in rows:
                yield await asyncio.to_thread(detailed, row, payloads, raw)
            if token is None:
                return

    def check(self, filter: str, order_by: Sequence[str], narrow: Mapping[str, str]) -> None:
        """Raise what a search would raise for its words, without searching."""
        self._conditions(filter, None, narrow)
        orders.order(order_by, CALLS, self._dialect)

    def tail(self, filter: str = "") -> Tail:
        """Runs that are recorded from now on."""
        return Tail(self, filter)

    async def since(self, id: str, filter: str = "") -> list[str]:
        """Ids, in order, of the runs that pass and began after this id."""
        query = sa.select(calls.c.id).where(calls.c.id > id, *self._conditions(filter, None, {})).order_by(calls.c.id)
        async with self._database.asking() as connection:
            return list((await connection.execute(query)).scalars())

    async def several(self, ids: Sequence[str]) -> list[Run]:
        query = sa.select(*shape.COLUMNS).where(calls.c.id.in_(ids)).order_by(calls.c.id)
        async with self._database.asking() as connection:
            return _listed((await connection.execute(query)).mappings().all())

    async def _rows(
        self,
        filter: str,
        order_by: Sequence[str],
        size: int,
        token: str | None,
        key_id: str | None,
        narrow: Mapping[str, str],
    ) -> tuple[Sequence[sa.RowMapping], str | None]:
        conditions = self._conditions(filter, key_id, narrow)
        order = orders.order(order_by, CALLS, self._dialect)
        query = orders.fingerprint(filter, list(order_by), key_id, sorted(narrow.items()))
        after = None if token is None else orders.values(token, query, order)
        if after is not None:
            conditions.append(order.after(after))
        # One more than asked for, to know whether there is a page after this one.
        select = sa.select(*shape.COLUMNS, *order.columns()).where(*conditions).order_by(*order.clauses())
        rows: list[sa.RowMapping] = []
        async with self._database.asking() as connection:
            select = select.where(*await by_rare_tags(connection, Source(filter), CALLS))
            async for window in windows(connection, Source(filter), order, after):
                found = await connection.execute(select.limit(size + 1 - len(rows)), window)
                rows += found.mappings()
                if len(rows) > size:
                    break
        if len(rows) <= size:
            return rows, None
        last = rows[size - 1]
        return rows[:size], orders.token(query, tuple(last[f"order_{n}"] for n in range(len(order.terms))))

    def _conditions(self, filter: str, key_id: str | None, narrow: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
        conditions = [where(Source(filter), CALLS, self._dialect)]
        conditions += [narrowed(name, text, CALLS, self._dialect) for name, text in narrow.items()]
        if key_id is not None:
            conditions.append(calls.c.key_id == key_id)
        return conditions


class Tail:
    """Gives each run once, soon after it was recorded."""

    def __init__(self, runs: Runs, filter: str) -> None:
        self._runs, self._filter = runs, filter
        self._seen: set[str] | None = None

    async def more(self) -> list[Run]:
        """Runs recorded since the last time. The first time there are none: it marks where the tail begins."""
        recent = set(await self._runs.since(_first_id(time.time() - LATE_SECONDS), self._filter))
        new = [] if self._seen is None else sorted(recent - self._seen)
        self._seen = recent
        return [run for n in range(0, len(new), PAGE_MOST) for run in await self._runs.several(new[n : n + PAGE_MOST])]


def _mine(id: str, key_id: str | None) -> list[sa.ColumnElement[bool]]:
    condition = calls.c.id == id
    # An id is 32 ASCII characters, and PostgreSQL would refuse to compare with what no text can hold.
    asked = condition if id.isascii() and "\x00" not in id else sa.false()
    return [asked] if key_id is None else [asked, calls.c.key_id == key_id]


def _first_id(seconds: float) -> str:
    """What is smaller than every id made since: UUIDv7 begins with 48 bits of milliseconds."""
    return f"{int(seconds * 1000):012x}"


def _listed(rows: Sequence[sa.RowMapping]) -> list[Run]:
    return [shape.run(row) for row in rows]


def detailed(row: sa.RowMapping, payloads: Payloads, raw: bool) -> Run:
    """A run with what was said in it. Slow for large ones: call it in a thread."""
    said = payloads.of(row)
    return {
        **shape.run(row),
        "attempts": said.attempts or None,
        "price": said.price,
        "request": _read(said.request),
        "response": _response(said, cast(Kind, row["kind"] or "chat"), raw),
        "response_type": said.response_type,
    }


def _response(said: Said, kind: Kind, raw: bool) -> Any:
    if said.response is None:
        return None
    if said.response_type != "sse":
        return _read(said.response)
    return said.response.decode(errors="replace") if raw else assemble(said.response, kind)


def _read(body: bytes | None) -> Any:
    """The JSON that it is; a text where it is none, as of an answer that was cut."""
    if body is None:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
