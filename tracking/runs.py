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
from tracking.database import Database
from tracking.fields import CALLS
from tracking.grammar import Source
from tracking.rows import unpacked
from tracking.search import narrowed, where
from tracking.tables import calls, payloads
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


@dataclass(frozen=True, slots=True)
class Payload:
    """What was said in a call, as it was said, or as much of it as was kept."""

    request: bytes | None
    response: bytes | None
    response_type: str | None
    """`json` or `sse`."""


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
        rows, token = await self._rows(shape.COLUMNS, filter, order_by, page_size, page_token, key_id, narrow or {})
        return Page(await asyncio.to_thread(_listed, rows), token)

    async def get(self, id: str, *, key_id: str | None = None, raw: bool = False) -> Run | None:
        """One run with each attempt, and what was said: a stream as the whole that it came to, or `raw` as it was."""
        columns = (*shape.COLUMNS, *DETAILS)
        query = sa.select(*columns).select_from(BOTH).where(*_mine(id, key_id))
        async with self._database.asking() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        # To unpack and assemble megabytes takes longer than the event loop may be kept.
        return None if row is None else await asyncio.to_thread(detailed, row, raw)

    async def payload(self, id: str, *, key_id: str | None = None) -> Payload | None:
        """None where there is no such run. A run whose bodies are not kept has a payload of nothing."""
        query = sa.select(*DETAILS).select_from(BOTH).where(*_mine(id, key_id))
        async with self._database.asking() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else await asyncio.to_thread(_payload, row)

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
        columns = (*shape.COLUMNS, *DETAILS)
        token: str | None = None
        while True:
            rows, token = await self._rows(columns, filter, order_by, EXPORT_PAGE, token, key_id, narrow or {})
            for row in rows:
                yield await asyncio.to_thread(detailed, row, raw)
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
        columns: Sequence[sa.ColumnElement[Any]],
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
        table = BOTH if len(columns) > len(shape.COLUMNS) else calls
        # One more than asked for, to know whether there is a page after this one.
        select = sa.select(*columns, *order.columns()).select_from(table).where(*conditions).order_by(*order.clauses())
        rows: list[sa.RowMapping] = []
        async with self._database.asking() as connection:
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


BOTH = calls.outerjoin(payloads, payloads.c.id == calls.c.id)
DETAILS = (
    payloads.c.request,
    payloads.c.response,
    payloads.c.response_type,
    payloads.c.encoding,
    payloads.c.attempts.label("attempt_list"),
    payloads.c.price,
)


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


def detailed(row: sa.RowMapping, raw: bool) -> Run:
    """A run with what was said in it, of a row with `DETAILS`. Slow for large ones: call it in a thread."""
    payload = _payload(row)
    kind = cast(Kind, row["kind"] or "chat")
    return {
        **shape.run(row),
        "attempts": row["attempt_list"],
        "price": row["price"],
        "request": _read(payload.request),
        "response": _response(payload, kind, raw),
        "response_type": payload.response_type,
    }


def _payload(row: sa.RowMapping) -> Payload:
    encoding = row["encoding"]
    return Payload(unpacked(row["request"], encoding), unpacked(row["response"], encoding), row["response_type"])


def _response(payload: Payload, kind: Kind, raw: bool) -> Any:
    if payload.response is None:
        return None
    if payload.response_type != "sse":
        return _read(payload.response)
    return payload.response.decode(errors="replace") if raw else assemble(payload.response, kind)


def _read(body: bytes | None) -> Any:
    """The JSON that it is; a text where it is none, as of an answer that was cut."""
    if body is None:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="replace")
