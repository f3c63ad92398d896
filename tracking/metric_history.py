"""Every value that a metric had: pages of one run's, and of several runs' to draw curves from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from providers.chat import Json
from tracking import run_shape as shape
from tracking.database import Database
from tracking.mlflow.errors import invalid
from tracking.run_tables import run_metrics
from tracking.tables import calls

MOST = 25_000
_m = run_metrics.c
_PLACE = (_m.timestamp_ms, _m.step, _m.value, _m.nan, _m.model_id)
"""What puts the values of one metric in order."""


class MetricHistory:
    """To whom a `key_id` is given, what was logged of calls by other keys is not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, run_id: str, key: str, size: int, token: str | None, *, key_id: str | None = None
    ) -> tuple[list[Json], str | None]:
        where = [_m.run_id == run_id, _m.key == key, *_visible(key_id)]
        if token is not None:
            where.append(sa.tuple_(*_PLACE) > sa.tuple_(*_place(token)))
        select = sa.select(run_metrics).where(*where).order_by(*_PLACE).limit(size + 1)
        rows = await self._rows(select)
        shown = [_shown(row) for row in rows[:size]]
        return shown, _token(rows[size - 1]) if len(rows) > size else None

    async def bulk(self, run_ids: Sequence[str], key: str, most: int, *, key_id: str | None = None) -> list[Json]:
        """Of several runs, by run; the first `most` of them all."""
        where = [_m.run_id.in_(run_ids), _m.key == key, *_visible(key_id)]
        rows = await self._rows(sa.select(run_metrics).where(*where).order_by(_m.run_id, *_PLACE).limit(most))
        return [_of_run(row) for row in rows]

    async def sampled(
        self,
        run_ids: Sequence[str],
        key: str,
        most: int,
        steps: tuple[int, int] | None,
        *,
        key_id: str | None = None,
    ) -> list[Json]:
        """Values at about `most` steps, spread evenly over those that any of the runs has; and each run's first and
        last."""
        where = [_m.run_id.in_(run_ids), _m.key == key, *_visible(key_id)]
        if steps is not None:
            where.append(_m.step.between(*steps))
        async with self._database.asking() as connection:
            distinct = sa.select(_m.step).where(*where).distinct().order_by(_m.step)
            there = list((await connection.execute(distinct)).scalars())
            ends = sa.select(_m.run_id, sa.func.min(_m.step), sa.func.max(_m.step)).where(*where).group_by(_m.run_id)
            found: list[Json] = []
            for run_id, first, last in sorted((await connection.execute(ends)).tuples()):
                wanted = sorted({*_spread(there, most), first, last})
                of_run = [*where, _m.run_id == run_id, _m.step.in_(wanted)]
                select = sa.select(run_metrics).where(*of_run).order_by(_m.step, *_PLACE).limit(MOST)
                found += [_of_run(row) for row in (await connection.execute(select)).mappings()]
        return found

    async def _rows(self, select: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        async with self._database.asking() as connection:
            found: Sequence[sa.RowMapping] = (await connection.execute(select)).mappings().all()
        return found


def _visible(key_id: str | None) -> list[sa.ColumnElement[bool]]:
    if key_id is None:
        return []
    return [~sa.exists().where(calls.c.id == _m.run_id, calls.c.key_id.is_distinct_from(key_id))]


def _spread(steps: Sequence[int], most: int) -> list[int]:
    if len(steps) <= most:
        return list(steps)
    return [steps[n * (len(steps) - 1) // max(1, most - 1)] for n in range(most)]


def _shown(row: sa.RowMapping) -> Json:
    measured = ("model_id", "dataset_name", "dataset_digest")
    shown = shape.metric(row, None if row["nan"] else row["value"])
    return {**shown, **{name: row[name] for name in measured if row[name]}}


def _of_run(row: sa.RowMapping) -> Json:
    return {**_shown(row), "run_id": row["run_id"]}


def _token(row: sa.RowMapping) -> str:
    # As text, since JSON has no infinity.
    place = [row["timestamp_ms"], row["step"], repr(row["value"]), row["nan"], row["model_id"]]
    return base64.urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


def _place(token: str) -> list[sa.ColumnElement[Any]]:
    try:
        timestamp, step, value, nan, model = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        for number in (timestamp, step):
            if type(number) is not int or abs(number) >= 2**63:
                raise ValueError(number)
        return [
            sa.literal(timestamp, sa.BigInteger),
            sa.literal(step, sa.BigInteger),
            sa.literal(float(value), sa.Double),
            sa.literal(bool(nan), sa.Boolean),
            sa.literal(str(model), sa.String),
        ]
    except (ValueError, TypeError, binascii.Error) as exc:
        raise invalid(f"{token[:40]!r} is no page token; send next_page_token of the page before as it came") from exc
