"""How long the newest answers of an endpoint were, in tokens."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from tracking.database import Database
from tracking.tables import calls

NEWEST = 200


class AnswerSizes:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, endpoint: str, *, key_id: str | None) -> Sequence[int]:
        """`key_id` narrows it to the calls of one key."""
        mine = [] if key_id is None else [calls.c.key_id == key_id]
        query = (
            sa.select(calls.c.output_tokens, calls.c.status)
            .where(calls.c.endpoint == endpoint, *mine)
            .order_by(calls.c.started_us.desc())
            .limit(NEWEST)
        )
        async with self._database.asking() as connection:
            rows = (await connection.execute(query)).all()
        return [row.output_tokens for row in rows if row.output_tokens is not None and row.status == "ok"]
