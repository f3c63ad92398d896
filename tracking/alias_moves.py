"""The history of aliases, written with each change of one; and which aliases administrators alone may move."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import Conflict, Forbidden
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.page_tables import alias_moves, protected_aliases
from tracking.rest import Caller, iso

Kind = Literal["set", "deleted", "rollback"]
HISTORY_MOST = 1_000
_m = alias_moves.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Who moves an alias, and why. Nobody is the gateway itself, which may."""

    by: Caller | None = None
    note: str | None = None
    evidence: Json | None = None
    kind: Kind = "set"
    expected: tuple[int | None] | None = None
    """The version that the alias is thought to have now; not said where there is no tuple."""


NOBODY = Move()


async def allow(connection: AsyncConnection, aliases: Iterable[str], move: Move) -> None:
    """Raises Forbidden where one of them is protected from whoever moves it."""
    if move.by is None or move.by.role == "admin":
        return
    asked = list(aliases)
    query = sa.select(protected_aliases.c.alias).where(protected_aliases.c.alias.in_(asked))
    for alias in (await connection.execute(query)).scalars() if asked else ():
        raise Forbidden(f"the alias {alias!r} is protected: administrators alone move it", code="protected_alias")


async def write(
    connection: AsyncConnection, name: str, alias: str, before: int | None, after: int | None, move: Move
) -> Json:
    """As it is shown. Raises Conflict where the alias is not where it was thought to be."""
    if move.expected is not None and move.expected[0] != before:
        where = "is not set" if before is None else f"is at version {before}"
        raise Conflict(f"the alias {alias!r} {where} by now; look again", code="alias_moved")
    row = {
        "name": name,
        "alias": alias,
        "from_version": before,
        "to_version": after,
        "kind": move.kind,
        "key_id": move.by.key_id if move.by else None,
        "made_by": move.by.name if move.by else None,
        "note": move.note,
        "evidence": move.evidence,
        "created_us": time.time_ns() // 1000,
    }
    made = await connection.execute(alias_moves.insert().values(row).returning(_m.id))
    return shown({"id": made.scalar_one(), **row})


async def renamed(connection: AsyncConnection, name: str, new_name: str) -> None:
    await connection.execute(alias_moves.update().where(_m.name == name).values(name=new_name))


async def before(connection: AsyncConnection, name: str, alias: str, version: int) -> int | None:
    """The version that the alias had before it was moved to this one by somebody who did not go back."""
    query = (
        sa.select(_m.from_version)
        .where(_m.name == name, _m.alias == alias, _m.to_version == version, _m.kind == "set")
        .order_by(_m.id.desc())
        .limit(1)
    )
    found: int | None = (await connection.execute(query)).scalar()
    return found


class AliasMoves:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, name: str, alias: str | None = None) -> list[Json]:
        """The newest first."""
        query = sa.select(alias_moves).where(_m.name == name).order_by(_m.id.desc()).limit(HISTORY_MOST)
        async with self._database.asking() as connection:
            rows = await connection.execute(query if alias is None else query.where(_m.alias == alias))
            return [shown(dict(row)) for row in rows.mappings()]

    async def protected(self) -> list[str]:
        async with self._database.asking() as connection:
            query = sa.select(protected_aliases.c.alias).order_by(protected_aliases.c.alias)
            return list((await connection.execute(query)).scalars())

    async def protect(self, aliases: Sequence[str]) -> None:
        """These, and no others."""
        async with self._database.changing() as connection:
            await connection.execute(protected_aliases.delete())
            if aliases:
                await connection.execute(
                    protected_aliases.insert(), [{"alias": alias} for alias in sorted(set(aliases))]
                )


def shown(row: Json) -> Json:
    return {
        "id": row["id"],
        "prompt": row["name"],
        "alias": row["alias"],
        "from_version": row["from_version"],
        "to_version": row["to_version"],
        "kind": row["kind"],
        "by": row["made_by"],
        "by_key": row["key_id"],
        "at": iso(row["created_us"]),
        "note": row["note"],
        "evidence": row["evidence"],
    }
