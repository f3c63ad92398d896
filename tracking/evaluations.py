"""Evaluations as they are kept: each grid, its rows, and what became of its cells."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import Conflict, NotFound
from tracking import experiments
from tracking.database import Database
from tracking.evaluation_tables import evaluation_cells, evaluation_pages, evaluations
from tracking.packed_rows import ROWS, pages, unpack
from tracking.tables import calls
from tracking.trace_log import now_us

_e, _c, _p = evaluations.c, evaluation_cells.c, evaluation_pages.c
BATCH = 500
SILENT_US = 10_000_000
"""After so long without a word from its owner a grid is anybody's."""
LIVE = ("running", "stopping", "scoring")
"""States in which some process should be at work."""
FIGURES = (
    "id",
    "status",
    "idempotency_key",
    "error_code",
    "error_message",
    "cost_nanos",
    "duration_us",
    "ttft_us",
    "input_tokens",
    "output_tokens",
    "response_model",
    "model",
    "stream",
)
"""What is read of a cell's call."""


class Evaluations:
    """To whom a `key_id` is given, evaluations by other keys are not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def experiment(self, name: str) -> int:
        """The id of an experiment, made where there is none of this name."""
        async with self._database.changing() as connection:
            return (await experiments.ids(connection, [name]))[name]

    async def create(self, values: Mapping[str, Any], rows: Sequence[Json], cells: Sequence[Mapping[str, Any]]) -> None:
        packed = await asyncio.to_thread(lambda: list(pages(rows)))
        id = values["id"]
        fresh = {"evaluation_id": id, "status": "pending", "attempts": 0}
        async with self._database.changing() as connection:
            await connection.execute(evaluations.insert().values({**values, "created_us": now_us(), "spent_nanos": 0}))
            await connection.execute(
                evaluation_pages.insert(), [{"evaluation_id": id, "page": page, "body": body} for page, body in packed]
            )
            for at in range(0, len(cells), BATCH):
                batch = [{**fresh, **cell} for cell in cells[at : at + BATCH]]
                await connection.execute(evaluation_cells.insert(), batch)

    async def get(self, id: str, *, key_id: str | None = None) -> Json:
        select = sa.select(*(column for column in _e if column.name != "card")).where(*_mine(id, key_id))
        async with self._database.asking() as connection:
            row = (await connection.execute(select)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no evaluation {id[:100]!r}")
        return dict(row)

    async def page(self, size: int, after: tuple[int, str] | None, *, key_id: str | None = None) -> list[Json]:
        """The newest first, after the one of this time and id."""
        select = sa.select(*(column for column in _e if column.name != "card"))
        if key_id is not None:
            select = select.where(_e.key_id == key_id)
        if after is not None:
            us, id = after
            select = select.where(sa.or_(_e.created_us < us, sa.and_(_e.created_us == us, _e.id > id)))
        async with self._database.asking() as connection:
            found = await connection.execute(select.order_by(_e.created_us.desc(), _e.id).limit(size))
            return [dict(row) for row in found.mappings()]

    async def update(self, id: str, **values: Any) -> None:
        async with self._database.changing() as connection:
            await connection.execute(evaluations.update().where(_e.id == id).values(values))

    async def move(self, id: str, among: Sequence[str], state: str, reason: str | None = None, **values: Any) -> bool:
        """To another state, if it is in one of these; whether it was."""
        change = evaluations.update().where(_e.id == id, _e.state.in_(among))
        async with self._database.changing() as connection:
            done = await connection.execute(change.values(state=state, reason=reason, **values))
        return bool(done.rowcount)

    async def take(self, owner: str) -> list[str]:
        """Those at which nobody is at work, now this owner's."""
        now = now_us()
        silent = sa.or_(_e.owner.is_(None), _e.beat_us.is_(None), _e.beat_us < now - SILENT_US)
        which = sa.and_(_e.state.in_(LIVE), silent)
        async with self._database.asking() as connection:
            if (await connection.execute(sa.select(_e.id).where(which).limit(1))).first() is None:
                return []
        async with self._database.changing() as connection:
            taken = evaluations.update().where(which).values(owner=owner, beat_us=now).returning(_e.id)
            return list((await connection.execute(taken)).scalars())

    async def beat(self, id: str, owner: str, spent_nanos: int) -> str | None:
        """Say that it is still worked at; its state, or None where it is another's by now."""
        mine = sa.and_(_e.id == id, _e.owner == owner)
        async with self._database.changing() as connection:
            values = {"beat_us": now_us(), "spent_nanos": spent_nanos}
            done = await connection.execute(evaluations.update().where(mine).values(values).returning(_e.state))
            state: str | None = done.scalar_one_or_none()
            return state

    async def drop(self, owner: str) -> None:
        """Let go of all that is this owner's, so that another need not wait to take it up."""
        async with self._database.changing() as connection:
            left = evaluations.update().where(_e.owner == owner, _e.state.in_(LIVE))
            await connection.execute(left.values(owner=None, beat_us=None))

    async def delete(self, id: str) -> None:
        async with self._database.changing() as connection:
            gone = await connection.execute(evaluations.delete().where(_e.id == id, _e.state.not_in(LIVE)))
        if not gone.rowcount:
            raise Conflict(f"the evaluation {id[:100]!r} is running; stop it first")

    async def rows(self, id: str, start: int = 0, count: int | None = None) -> list[Json]:
        select = sa.select(_p.body).where(_p.evaluation_id == id, _p.page >= start // ROWS).order_by(_p.page)
        if count is not None:
            select = select.where(_p.page <= (start + count) // ROWS)
        async with self._database.asking() as connection:
            bodies = list((await connection.execute(select)).scalars())
        found = await asyncio.to_thread(lambda: [row for body in bodies for row in unpack(body)])
        at = start % ROWS
        return found[at:] if count is None else found[at : at + count]

    async def cells(
        self,
        id: str,
        *,
        after: int = -1,
        size: int | None = None,
        narrow: Mapping[str, Any] | None = None,
        unscored: bool = False,
    ) -> list[Json]:
        """In the order of the grid. `narrow` holds values of columns."""
        select = sa.select(evaluation_cells).where(_c.evaluation_id == id, _c.n > after).order_by(_c.n)
        for name, value in (narrow or {}).items():
            select = select.where(_c[name] == value)
        if unscored:
            select = select.where(_c.status == "ok", _c.scores.is_(None))
        if size is not None:
            select = select.limit(size)
        async with self._database.asking() as connection:
            return [dict(row) for row in (await connection.execute(select)).mappings()]

    async def counts(self, ids: Sequence[str]) -> dict[str, Json]:
        """Of each: how many cells there are of each status, and how many are scored."""
        scored = sa.func.sum(sa.case((_c.scores.is_not(None), 1), else_=0))
        select = (
            sa.select(_c.evaluation_id, _c.status, sa.func.count().label("many"), scored.label("scored"))
            .where(_c.evaluation_id.in_(ids))
            .group_by(_c.evaluation_id, _c.status)
        )
        found: dict[str, Json] = {id: {"total": 0, "ok": 0, "error": 0, "pending": 0, "scored": 0} for id in ids}
        async with self._database.asking() as connection:
            for row in (await connection.execute(select)).mappings():
                one = found[row["evaluation_id"]]
                one[row["status"]] = row["many"]
                one["total"] += row["many"]
                one["scored"] += int(row["scored"])
        return found

    async def save(self, id: str, cells: Sequence[Mapping[str, Any]]) -> None:
        """Columns of cells, each with its `n`; all of them have the same."""
        if not cells:
            return
        names = [name for name in cells[0] if name != "n"]
        change = evaluation_cells.update().where(_c.evaluation_id == id, _c.n == sa.bindparam("at"))
        change = change.values({name: sa.bindparam(f"b_{name}") for name in names})
        bound = [{"at": cell["n"], **{f"b_{name}": cell[name] for name in names}} for cell in cells]
        async with self._database.changing() as connection:
            await connection.execute(change, bound)

    async def calls(self, id: str) -> list[Json]:
        """The figures of every call that was made for it, as far as they are recorded."""
        return await self._figures(calls.c.parent_run_id == id)

    async def calls_of(self, runs: Sequence[str]) -> list[Json]:
        found: list[Json] = []
        for at in range(0, len(runs), BATCH):
            found += await self._figures(calls.c.id.in_(runs[at : at + BATCH]))
        return found

    async def spent(self, id: str) -> int:
        """The sum of what its runs cost, as far as that is known."""
        select = sa.select(sa.func.coalesce(sa.func.sum(calls.c.cost_nanos), 0)).where(calls.c.parent_run_id == id)
        async with self._database.asking() as connection:
            return int((await connection.execute(select)).scalar_one())

    async def lengths(self, endpoint: str, most: int) -> list[int]:
        """How many tokens the latest answers of an endpoint had."""
        c = calls.c
        select = (
            sa.select(c.output_tokens)
            .where(c.endpoint == endpoint, c.status == "ok", c.output_tokens.is_not(None))
            .order_by(c.started_us.desc())
            .limit(most)
        )
        async with self._database.asking() as connection:
            return [int(tokens) for tokens in (await connection.execute(select)).scalars()]

    async def announce(self, id: str, metrics: Sequence[Json], identities: Sequence[Json]) -> None:
        """Metrics, and what decides their scores, beside those that it has; of one name the latest stands."""
        if not metrics and not identities:
            return
        async with self._database.changing() as connection:
            found = await connection.execute(sa.select(_e.spec).where(_e.id == id).with_for_update())
            spec = dict(found.scalar_one())
            for part, given in (("metrics", metrics), ("identities", identities)):
                spec[part] = list({each["name"]: each for each in (*spec[part], *given)}.values())
            await connection.execute(evaluations.update().where(_e.id == id).values(spec=spec))

    async def card(self, id: str, digest: str) -> bytes | None:
        """What was made of the grid with this digest, if it was."""
        select = sa.select(_e.card).where(_e.id == id, _e.card_digest == digest)
        async with self._database.asking() as connection:
            found: bytes | None = (await connection.execute(select)).scalar_one_or_none()
        return found

    async def _figures(self, condition: sa.ColumnElement[bool]) -> list[Json]:
        select = sa.select(*(calls.c[name] for name in FIGURES)).where(condition)
        async with self._database.asking() as connection:
            return [dict(row) for row in (await connection.execute(select)).mappings()]


def _mine(id: str, key_id: str | None) -> list[sa.ColumnElement[bool]]:
    condition = _e.id == id
    asked = condition if id.isascii() and "\x00" not in id else sa.false()
    return [asked] if key_id is None else [asked, _e.key_id == key_id]
