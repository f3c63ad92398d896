"""Versions of datasets: what one held at a time, kept as it was, and known by the hash of its content."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from providers.chat import Json
from providers.errors import NotFound
from tracking.database import Database
from tracking.evaluation_tables import dataset_pages, dataset_versions
from tracking.packed_rows import ROWS, pages, unpack
from tracking.trace_log import now_us
from tracking.trace_tables import evaluation_datasets

_v, _p, _d = dataset_versions.c, dataset_pages.c, evaluation_datasets.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    dataset_id: str
    version: int
    digest: str
    rows: int
    splits: Mapping[str, int]
    source: Json | None
    created_us: int
    created_by: str | None

    def to_json(self) -> Json:
        return {
            "version": self.version,
            "digest": self.digest,
            "rows": self.rows,
            "splits": dict(self.splits),
            "source": self.source,
            "created_unix_ms": self.created_us // 1000,
            "created_by": self.created_by,
        }


class DatasetVersions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id_or_name: str) -> Json:
        """A dataset by its id, or the newest of a name: `id`, `name`, `tags`, `rows`, times."""
        which = sa.or_(_d.id == id_or_name, _d.name == id_or_name)
        # Of a dataset that is named as another's id the id wins.
        order = (sa.case((_d.id == id_or_name, 0), else_=1), _d.created_us.desc())
        select = sa.select(evaluation_datasets).where(which).order_by(*order).limit(1)
        found = None
        if "\x00" not in id_or_name:
            async with self._database.asking() as connection:
                found = (await connection.execute(select)).mappings().one_or_none()
        if found is None:
            raise NotFound(f"there is no dataset {id_or_name[:200]!r}, by id or by name")
        return _dataset(found)

    async def page(self, size: int, after: tuple[int, str] | None) -> list[Json]:
        """Datasets, those changed last first, after the one of this time and id; each with its latest version."""
        latest = sa.select(sa.func.max(_v.version)).where(_v.dataset_id == _d.id).scalar_subquery()
        select = sa.select(evaluation_datasets, latest.label("latest"))
        if after is not None:
            us, id = after
            select = select.where(sa.or_(_d.updated_us < us, sa.and_(_d.updated_us == us, _d.id > id)))
        select = select.order_by(_d.updated_us.desc(), _d.id).limit(size)
        async with self._database.asking() as connection:
            rows = (await connection.execute(select)).mappings().all()
        return [{**_dataset(row), "version": row["latest"]} for row in rows]

    async def keep(
        self,
        dataset_id: str,
        digest: str,
        rows: Sequence[Json],
        splits: Mapping[str, int],
        source: Json | None,
        author: str | None,
    ) -> Version:
        """The version of this content: the one that there is, or a new one."""
        packed = await asyncio.to_thread(lambda: list(pages(rows)))
        async with self._database.changing() as connection:
            held = sa.select(_d.id).where(_d.id == dataset_id).with_for_update()
            if (await connection.execute(held)).first() is None:
                raise NotFound(f"there is no dataset {dataset_id[:200]!r}")
            same = sa.select(dataset_versions).where(_v.dataset_id == dataset_id, _v.digest == digest)
            if (there := (await connection.execute(same)).mappings().one_or_none()) is not None:
                return Version(**there)
            latest = sa.select(sa.func.max(_v.version)).where(_v.dataset_id == dataset_id)
            made = Version(
                dataset_id=dataset_id,
                version=((await connection.execute(latest)).scalar() or 0) + 1,
                digest=digest,
                rows=len(rows),
                splits=splits,
                source=source,
                created_us=now_us(),
                created_by=author,
            )
            values = {name: getattr(made, name) for name in Version.__slots__}
            await connection.execute(dataset_versions.insert().values({**values, "splits": dict(splits)}))
            at = {"dataset_id": dataset_id, "version": made.version}
            if packed:
                bodies = [{**at, "page": page, "body": body} for page, body in packed]
                await connection.execute(dataset_pages.insert(), bodies)
        return made

    async def all(self, dataset_id: str) -> list[Version]:
        """The newest first."""
        select = sa.select(dataset_versions).where(_v.dataset_id == dataset_id).order_by(_v.version.desc())
        async with self._database.asking() as connection:
            return [Version(**row) for row in (await connection.execute(select)).mappings()]

    async def get(self, dataset_id: str, version: int) -> Version:
        select = sa.select(dataset_versions).where(_v.dataset_id == dataset_id, _v.version == version)
        async with self._database.asking() as connection:
            row = (await connection.execute(select)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"the dataset {dataset_id[:200]!r} has no version {version}")
        return Version(**row)

    async def rows(self, dataset_id: str, version: int, start: int = 0, count: int | None = None) -> list[Json]:
        """Rows of a version in their order, all or some."""
        select = sa.select(_p.body).where(_p.dataset_id == dataset_id, _p.version == version).order_by(_p.page)
        first = start // ROWS
        select = select.where(_p.page >= first)
        if count is not None:
            select = select.where(_p.page <= (start + count) // ROWS)
        async with self._database.asking() as connection:
            bodies = list((await connection.execute(select)).scalars())
        found = await asyncio.to_thread(lambda: [row for body in bodies for row in unpack(body)])
        at = start - first * ROWS
        return found[at:] if count is None else found[at : at + count]


def _dataset(row: sa.RowMapping) -> Json:
    return {
        "id": row["id"],
        "name": row["name"],
        "tags": row["tags"],
        "rows": row["records"],
        "created_unix_ms": row["created_us"] // 1000,
        "updated_unix_ms": row["updated_us"] // 1000,
        "updated_us": row["updated_us"],
        "created_by": row["created_by"],
    }
