"""Reads back what `export` wrote, into a store that may have something in it: what is there already stays as it is.

Experiments and registered models are matched by name; all else keeps its id.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tracking import texts, usage
from tracking.artifact_paths import inside
from tracking.artifacts import PIECE, Artifacts
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.experiments import DEFAULT
from tracking.moving.folder import ARTIFACTS, FORMAT, MANIFEST, SAID, VERSION, FolderError, Line, body, row, tables
from tracking.payloads import Packer
from tracking.registry_tables import model_aliases, model_versions, registered_models, registry_revision
from tracking.rows import COLUMNS, json
from tracking.run_tables import run_datasets, run_inputs
from tracking.tables import calls, experiments, payload_blocks
from tracking.tail import Logged

AT_ONCE = 500
NAMED: dict[str, tuple[str, ...]] = {
    experiments.name: ("name",),
    registered_models.name: ("name",),
    run_datasets.name: ("experiment_id", "name", "digest"),
}
"""Tables whose ids each store counts out itself, and what a row is known by instead."""
REFERS: dict[tuple[str, str], str] = {
    (model_versions.name, "model_id"): registered_models.name,
    (model_aliases.name, "model_id"): registered_models.name,
    (run_inputs.name, "dataset_id"): run_datasets.name,
}
"""Columns that hold such an id, beside those named `experiment_id`."""

Progress = Callable[[str, int, int | None], None]


class Restoring:
    """`artifacts` is where files go; None leaves them in the folder."""

    def __init__(self, database: Database, folder: Path, artifacts: Artifacts | None, progress: Progress) -> None:
        self._database, self._folder, self._artifacts, self._progress = database, folder, artifacts, progress
        self._insert = postgresql.insert if database.postgres else sqlite.insert
        self._ids: dict[str, dict[int, int]] = {name: {} for name in NAMED}
        """Of these tables: an id in the folder, and that of the same row here."""
        self._new: Counter[str] = Counter()
        self._lines = self._manifest()

    async def restore(self) -> Counter[str]:
        """Rows that are new, of each table."""
        known = tables()
        if unknown := sorted(self._lines.keys() - {each.name for each in known} - {calls.name, ARTIFACTS}):
            raise FolderError(f"the export has {unknown[0]!r}, which this Gatelog does not know: a later one wrote it")
        for table in known:
            if table.name in self._lines:
                await self._table(table)
        await self._calls()
        async with self._database.changing() as connection:
            await connection.execute(registry_revision.update().values(revision=registry_revision.c.revision + 1))
        if self._artifacts is not None and (self._folder / ARTIFACTS).is_dir():
            await self._files(self._artifacts)
        return self._new

    def _manifest(self) -> dict[str, int]:
        try:
            about = orjson.loads((self._folder / MANIFEST).read_bytes())
            if about["format"] != FORMAT:
                raise KeyError(FORMAT)
            if about["version"] > VERSION:
                raise FolderError(f"the export is of version {about['version']}, and this Gatelog reads {VERSION}")
            lines: dict[str, int] = about["lines"]
        except FileNotFoundError as exc:
            raise FolderError(f"{str(self._folder)!r} has no {MANIFEST}: it is no export, or not a whole one") from exc
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as exc:
            raise FolderError(f"{str(self._folder / MANIFEST)!r} is no manifest of an export") from exc
        return lines

    async def _table(self, table: sa.Table) -> None:
        for lines in self._batches(table.name):
            rows = [self._mapped(table, row(table, each)) for each in lines]
            async with self._database.changing() as connection:
                if table.name in NAMED:
                    for each in rows:
                        self._ids[table.name][each["id"]] = await self._named(connection, table, each)
                else:
                    await self._add(connection, table, rows)

    def _mapped(self, table: sa.Table, of: Line) -> Line:
        for name in of:
            to = experiments.name if name == "experiment_id" else REFERS.get((table.name, name))
            if to is not None:
                known = self._ids[to].get(of[name])
                if known is None and to != experiments.name:
                    raise FolderError(f"{table.name}.jsonl names the {name} {of[name]!r}, which {to}.jsonl lacks")
                # What belongs to an experiment that is no more goes where all goes that names none.
                of[name] = DEFAULT if known is None else known
        if table is model_versions:
            del of["id"]  # which nothing refers to
        return of

    async def _named(self, connection: AsyncConnection, table: sa.Table, of: Line) -> int:
        """The id of this row here, which is made where it is not there."""
        by = [table.c[name] == of[name] for name in NAMED[table.name]]
        query = sa.select(table.c.id).where(*by)
        known: int | None = (await connection.execute(query)).scalar_one_or_none()
        if known is not None:
            return known
        new = {name: value for name, value in of.items() if name != "id"}
        made = await connection.execute(sa.insert(table).values(new).returning(table.c.id))
        self._new[table.name] += 1
        return int(made.scalar_one())

    async def _add(self, connection: AsyncConnection, table: sa.Table, rows: Sequence[Line]) -> None:
        statement = self._insert(table).on_conflict_do_nothing().returning(*table.primary_key.columns)
        self._new[table.name] += len((await connection.execute(statement, list(rows))).all())

    async def _calls(self) -> None:
        """As the recorder writes them: what was said in blocks, and usage and words for those that count them."""
        packer, columns = Packer(), [name for name in COLUMNS if name != "payload_block"]
        dialect = self._database.writer.dialect
        for lines in self._batches(calls.name):
            rows = [self._mapped(calls, {**row(calls, each), SAID: each.get(SAID) or {}}) for each in lines]
            async with self._database.changing() as connection:
                there = sa.select(calls.c.id).where(calls.c.id.in_([each["id"] for each in rows]))
                known = set((await connection.execute(there)).scalars())
                fresh = [each for each in rows if each["id"] not in known]
                if not fresh:
                    continue
                said = [_logged(each) for each in fresh if any(each[SAID].values())]
                numbers, blocks = await asyncio.to_thread(packer.pack, said)
                of: dict[Any, int] = {each.id: number for each, number in zip(said, numbers, strict=True)}
                kept = [{name: each.get(name) for name in columns} for each in fresh]
                made = [{**each, "payload_block": of.get(each["id"])} for each in kept]
                await connection.execute(sa.insert(calls), made)
                if blocks:
                    names = payload_blocks.columns.keys()
                    await connection.execute(
                        sa.insert(payload_blocks), [dict(zip(names, block, strict=True)) for block in blocks]
                    )
                tuples = [tuple(_written(name, each[name]) for name in COLUMNS) for each in made]
                await connection.exec_driver_sql(usage.waiting_insertion(dialect), usage.waiting(tuples))
                await connection.exec_driver_sql(texts.waiting_insertion(dialect), texts.waiting(tuples))
                self._new[calls.name] += len(fresh)

    def _batches(self, name: str) -> Iterator[list[Line]]:
        path, batch, read = self._folder / f"{name}.jsonl", list[Line](), 0
        try:
            with path.open("rb") as file:
                for read, each in enumerate(file, 1):
                    batch.append(orjson.loads(each))
                    if len(batch) == AT_ONCE:
                        yield batch
                        self._progress(name.replace("_", " "), read, self._lines[name])
                        batch = []
        except orjson.JSONDecodeError as exc:
            raise FolderError(f"{path.name}, line {read}: {exc}") from exc
        except OSError as exc:
            raise FolderError(f"{str(path)!r} cannot be read: {exc.strerror}") from exc
        if read != self._lines[name]:
            raise FolderError(f"{path.name} has {read} lines, and the manifest says {self._lines[name]}")
        if batch:
            yield batch
        self._progress(name.replace("_", " "), read, read)

    async def _files(self, artifacts: Artifacts) -> None:
        root = self._folder / ARTIFACTS
        for path in sorted(root.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            parts = inside(path.relative_to(root).as_posix())
            beside = await artifacts.entries(parts[:-1])
            if not any(each.name == parts[-1] and each.size is not None for each in beside):
                await artifacts.put(parts, _pieces(path))
                self._new[ARTIFACTS] += 1
            self._progress(ARTIFACTS, self._new[ARTIFACTS], self._lines.get(ARTIFACTS))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


def _logged(call: Line) -> Logged:
    """As much of a call as a block is made of."""
    said = call[SAID]
    end: Any = {"id": call["id"], **{name: said.get(name) for name in ("response_type", "attempts", "price")}}
    return Logged(None, body(said.get("request")), end, body(said.get("response")), [])


def _written(name: str, value: Any) -> Any:
    return json(value) if name == "tags" and value is not None else value
