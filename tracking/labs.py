"""Labs as they are kept: each state of one as a version, to which the next must say that it is made."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
import zstandard

from providers.chat import Json
from providers.errors import Conflict, InvalidRequest, NotFound
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.page_tables import lab_files, lab_versions, labs
from tracking.rest import Caller, iso

VERSIONS_KEPT = 100
"""Of the newest. Of older ones those with a label stay, and the last of each hour."""
HOUR_US = 3_600_000_000
FILES_MOST = 200
_l, _v, _f = labs.c, lab_versions.c, lab_files.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    id: str
    name: str
    key_id: str | None
    made_by: str | None
    version: int
    state: Json
    created_us: int
    updated_us: int


class LabConflict(Conflict):
    """Somebody else saved a lab first."""

    code = "lab_conflict"

    def __init__(self, message: str, current: Json) -> None:
        super().__init__(message)
        self.current = current


class Labs:
    """`key_id` narrows each method to the labs of one key; others' are as if they were not there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, state: Json, caller: Caller) -> Lab:
        packed, digest, size = await asyncio.to_thread(_packed, state)
        now = _now()
        id = f"lab-{uuid.uuid4().hex[:20]}"
        row = {
            "id": id,
            "name": name,
            "key_id": caller.key_id,
            "made_by": caller.name,
            "version": 1,
            **_sizes(state),
            "created_us": now,
            "updated_us": now,
        }
        async with self._database.changing() as connection:
            await connection.execute(labs.insert().values(row))
            await _keep(connection, id, 1, packed, digest, size, None, caller, now)
        return Lab(
            id=id,
            name=name,
            key_id=caller.key_id,
            made_by=caller.name,
            version=1,
            state=state,
            created_us=now,
            updated_us=now,
        )

    async def page(
        self, query: str, size: int, token: str | None, *, key_id: str | None, caller: Caller
    ) -> tuple[list[Json], str | None]:
        """The last changed first."""
        select = sa.select(labs).order_by(_l.updated_us.desc(), _l.id).limit(size + 1)
        if key_id is not None:
            select = select.where(_l.key_id == key_id)
        if query:
            select = select.where(sa.func.lower(_l.name).contains(query.lower(), autoescape=True))
        if token is not None:
            us, id = _read_token(token)
            select = select.where(sa.or_(_l.updated_us < us, sa.and_(_l.updated_us == us, _l.id > id)))
        async with self._database.asking() as connection:
            rows = (await connection.execute(select)).mappings().all()
        shown = [
            {
                "id": row["id"],
                "name": row["name"],
                "version": row["version"],
                "created_at": iso(row["created_us"]),
                "updated_at": iso(row["updated_us"]),
                "by": row["made_by"],
                "columns": row["columns"],
                "rows": row["rows"],
                "mine": row["key_id"] == caller.key_id,
            }
            for row in rows[:size]
        ]
        if len(rows) <= size:
            return shown, None
        last = rows[size - 1]
        return shown, base64.urlsafe_b64encode(f"{last['updated_us']} {last['id']}".encode()).decode()

    async def get(self, id: str, *, key_id: str | None) -> Lab:
        async with self._database.asking() as connection:
            row = await _row(connection, id, key_id)
            return await _lab(connection, row)

    async def save(
        self,
        id: str,
        base: int,
        state: Json,
        caller: Caller,
        *,
        name: str | None = None,
        label: str | None = None,
        key_id: str | None,
    ) -> tuple[int, int, bool]:
        """The newest version, when it was saved, and whether it is new. Raises LabConflict."""
        packed, digest, size = await asyncio.to_thread(_packed, state)
        async with self._database.changing() as connection:
            row = await _row(connection, id, key_id, lock=True)
            newest = await _version(connection, id, row["version"])
            if base != row["version"]:
                raise LabConflict(
                    f"the lab is at version {row['version']} by now, and this was made of version {base}",
                    {**_shown(newest), "state": await asyncio.to_thread(_unpacked, newest["state"])},
                )
            now = _now()
            renamed = {"name": name} if name is not None and name != row["name"] else {}
            if newest["digest"] == digest:
                labelled = {"label": label} if label is not None and label != newest["label"] else {}
                if labelled:
                    which = sa.and_(_v.lab_id == id, _v.version == row["version"])
                    await connection.execute(lab_versions.update().where(which).values(labelled))
                if renamed:
                    await connection.execute(labs.update().where(_l.id == id).values(**renamed, updated_us=now))
                return row["version"], newest["created_us"], False
            version: int = row["version"] + 1
            await _keep(connection, id, version, packed, digest, size, label, caller, now)
            values = {**renamed, **_sizes(state), "version": version, "updated_us": now}
            await connection.execute(labs.update().where(_l.id == id).values(values))
            await _thin(connection, id, version)
        return version, now, True

    async def versions(self, id: str, *, key_id: str | None) -> list[Json]:
        columns = [each for each in lab_versions.c if each.name != "state"]
        query = sa.select(*columns).where(_v.lab_id == id).order_by(_v.version.desc())
        async with self._database.asking() as connection:
            await _row(connection, id, key_id)
            return [_shown(row) for row in (await connection.execute(query)).mappings()]

    async def version(self, id: str, number: int, *, key_id: str | None) -> Json:
        async with self._database.asking() as connection:
            await _row(connection, id, key_id)
            row = await _version(connection, id, number)
        return {**_shown(row), "state": await asyncio.to_thread(_unpacked, row["state"])}

    async def delete(self, id: str, *, key_id: str | None) -> None:
        async with self._database.changing() as connection:
            await _row(connection, id, key_id, lock=True)
            await connection.execute(labs.delete().where(_l.id == id))

    async def put_file(self, id: str, type: str, body: bytes, *, key_id: str | None) -> str:
        """Its SHA-256, by which it is known."""
        digest = hashlib.sha256(body).hexdigest()
        async with self._database.changing() as connection:
            await _row(connection, id, key_id, lock=True)
            there = await connection.execute(sa.select(_f.digest).where(_f.lab_id == id))
            known = set(there.scalars())
            if len(known) >= FILES_MOST and digest not in known:
                raise InvalidRequest(f"a lab has at most {FILES_MOST} files", code="too_many_files")
            if digest not in known:
                row = {"lab_id": id, "digest": digest, "type": type, "size": len(body), "body": body}
                await connection.execute(lab_files.insert().values(row))
        return digest

    async def files(self, id: str, digests: Iterable[str], *, key_id: str | None) -> dict[str, tuple[str, bytes]]:
        """Type and bytes of each that there is."""
        query = sa.select(_f.digest, _f.type, _f.body).where(_f.lab_id == id, _f.digest.in_(list(digests)))
        async with self._database.asking() as connection:
            await _row(connection, id, key_id)
            return {row.digest: (row.type, row.body) for row in await connection.execute(query)}


async def _row(connection: AsyncConnection, id: str, key_id: str | None, *, lock: bool = False) -> sa.RowMapping:
    query = sa.select(labs).where(_l.id == id)
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    if row is None or (key_id is not None and row["key_id"] != key_id):
        raise NotFound(f"there is no lab {id[:100]!r}")
    return row


async def _version(connection: AsyncConnection, id: str, number: int) -> sa.RowMapping:
    query = sa.select(lab_versions).where(_v.lab_id == id, _v.version == number)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"the lab has no version {number}, or no longer")
    return row


async def _lab(connection: AsyncConnection, row: sa.RowMapping) -> Lab:
    state = (await _version(connection, row["id"], row["version"]))["state"]
    return Lab(
        id=row["id"],
        name=row["name"],
        key_id=row["key_id"],
        made_by=row["made_by"],
        version=row["version"],
        state=await asyncio.to_thread(_unpacked, state),
        created_us=row["created_us"],
        updated_us=row["updated_us"],
    )


async def _keep(
    connection: AsyncConnection,
    id: str,
    version: int,
    packed: bytes,
    digest: str,
    size: int,
    label: str | None,
    caller: Caller,
    now: int,
) -> None:
    row = {
        "lab_id": id,
        "version": version,
        "state": packed,
        "digest": digest,
        "size": size,
        "label": label,
        "key_id": caller.key_id,
        "made_by": caller.name,
        "created_us": now,
    }
    await connection.execute(lab_versions.insert().values(row))


async def _thin(connection: AsyncConnection, id: str, newest: int) -> None:
    later = lab_versions.alias()
    same_hour = later.c.created_us // HOUR_US == _v.created_us // HOUR_US
    again = sa.select(later.c.version).where(later.c.lab_id == id, later.c.version > _v.version, same_hour)
    old = sa.and_(_v.lab_id == id, _v.version <= newest - VERSIONS_KEPT, _v.label.is_(None))
    await connection.execute(lab_versions.delete().where(old, sa.exists(again)))


def _sizes(state: Json) -> dict[str, int]:
    return {"columns": len(state.get("columns") or ()), "rows": len(state.get("rows") or ())}


def _packed(state: Json) -> tuple[bytes, str, int]:
    body = orjson.dumps(state)
    return zstandard.ZstdCompressor(level=3).compress(body), hashlib.sha256(body).hexdigest(), len(body)


def _unpacked(packed: bytes) -> Json:
    state: Json = orjson.loads(zstandard.ZstdDecompressor().decompress(packed))
    return state


def _shown(row: sa.RowMapping) -> dict[str, Any]:
    return {
        "version": row["version"],
        "saved_at": iso(row["created_us"]),
        "by": row["made_by"],
        "label": row["label"],
        "bytes": row["size"],
    }


def _read_token(token: str) -> tuple[int, str]:
    try:
        us, _, id = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
        return int(us), id
    except (binascii.Error, ValueError) as exc:
        raise InvalidRequest(
            f"page_token {token[:40]!r} is not one of ours", param="page_token", code="invalid_page_token"
        ) from exc


def _now() -> int:
    return time.time_ns() // 1000
