"""Writes a store, or the calls that a search finds, to a folder of JSON Lines that `restore` reads back."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
import sqlalchemy as sa

from tracking.artifact_paths import OURS, Parts
from tracking.artifacts import Artifacts
from tracking.database import Database
from tracking.fields import CALLS
from tracking.grammar import Source
from tracking.moving.folder import (
    ARTIFACTS,
    FORMAT,
    MANIFEST,
    SAID,
    VERSION,
    FolderError,
    Line,
    dumped,
    line,
    tables,
    text,
)
from tracking.payloads import Payloads, payloads_of
from tracking.run_tables import run_latest, run_metrics, run_params
from tracking.search import where
from tracking.tables import REVISION, calls, experiments
from tracking.trace_tables import assessments, trace_prompts, trace_runs

CALLS_AT_ONCE, ROWS_AT_ONCE = 500, 2_000
OF_RUNS = (run_params, run_latest, run_metrics)
OF_TRACES = (assessments, trace_prompts, trace_runs)
"""Tables in which something stands about calls, which goes with a search for them."""
TRACE = "tr-"

Progress = Callable[[str, int, int | None], None]


class Also(Protocol):
    """Another form in which calls are written: `gatelog export --parquet`."""

    def add(self, lines: Sequence[Line]) -> None: ...

    def close(self) -> None: ...


class Exporting:
    """The folder is made, readable only by its owner; one that has something in it is refused."""

    def __init__(
        self, database: Database, folder: Path, progress: Progress, also: Callable[[Path], Also] | None = None
    ) -> None:
        self._database, self._folder, self._progress = database, folder, progress
        self._lines: Counter[str] = Counter()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise FolderError(f"{str(folder)!r} has something in it; name a new folder")
        except OSError as exc:
            raise FolderError(f"{str(folder)!r} cannot be made: {exc.strerror}") from exc
        self._also = None if also is None else also(folder)

    async def everything(self, artifacts: Artifacts | None) -> Counter[str]:
        """Lines of each file. `artifacts`: with the files."""
        await self._calls(sa.true())
        for table in tables():
            with self._file(table.name) as file:
                async for rows in self._rows(table):
                    self._write(file, table.name, [line(each) for each in rows])
        if artifacts is not None:
            await self._copy(artifacts, ())
        return self._done("")

    async def found(self, filter: str) -> Counter[str]:
        """The calls that a filter finds, their experiments, and what was said about them."""
        condition = where(Source(filter), CALLS, self._database.reader.dialect.name)
        beside = {table.name: self._file(table.name) for table in (*OF_RUNS, *OF_TRACES)}
        try:
            async for ids in self._calls_of(condition):
                await self._about(ids, beside)
        finally:
            for file in beside.values():
                file.close()
        with self._file(experiments.name) as file:
            async for rows in self._rows(experiments):
                self._write(file, experiments.name, [line(each) for each in rows])
        return self._done(filter)

    async def _calls(self, condition: sa.ColumnElement[bool]) -> None:
        async for _ in self._calls_of(condition):
            pass

    async def _calls_of(self, condition: sa.ColumnElement[bool]) -> AsyncIterator[list[str]]:
        """Write calls, oldest first, and give the ids of each batch."""
        last = ""
        with self._file(calls.name) as file:
            while True:
                query = sa.select(calls).where(calls.c.id > last, condition).order_by(calls.c.id).limit(CALLS_AT_ONCE)
                async with self._database.asking() as connection:
                    rows = (await connection.execute(query)).mappings().all()
                    payloads = await payloads_of(connection, rows)
                if not rows:
                    break
                lines = await asyncio.to_thread(_told, rows, payloads)
                self._write(file, calls.name, lines)
                if self._also is not None:
                    await asyncio.to_thread(self._also.add, lines)
                last = rows[-1]["id"]
                yield [row["id"] for row in rows]
        if self._also is not None:
            self._also.close()

    async def _about(self, ids: Sequence[str], files: dict[str, IO[bytes]]) -> None:
        traces = [f"{TRACE}{id}" for id in ids]
        async with self._database.asking() as connection:
            for table in (*OF_RUNS, *OF_TRACES):
                mine = table.c.run_id.in_(ids) if table in OF_RUNS else table.c.trace_id.in_(traces)
                rows = (await connection.execute(sa.select(table).where(mine))).mappings().all()
                self._write(files[table.name], table.name, [line(each) for each in rows])

    async def _rows(self, table: sa.Table) -> AsyncIterator[Sequence[sa.RowMapping]]:
        key, last = list(table.primary_key.columns), None
        while True:
            query = sa.select(table).order_by(*key).limit(ROWS_AT_ONCE)
            if last is not None:
                query = query.where(sa.tuple_(*key) > sa.tuple_(*(sa.literal(last[c.name], c.type) for c in key)))
            async with self._database.asking() as connection:
                rows = (await connection.execute(query)).mappings().all()
            if not rows:
                return
            yield rows
            last = rows[-1]

    async def _copy(self, artifacts: Artifacts, folder: Parts) -> None:
        for entry in await artifacts.entries(folder):
            path = (*folder, entry.name)
            if entry.size is None:
                if path != (OURS,):
                    await self._copy(artifacts, path)
                continue
            target = self._folder.joinpath(ARTIFACTS, *path)
            target.parent.mkdir(parents=True, exist_ok=True)
            blob = await artifacts.open(path)
            try:
                with _opened(target) as file:
                    async for piece in blob.pieces():
                        await asyncio.to_thread(file.write, piece)
            finally:
                await blob.close()
            self._lines[ARTIFACTS] += 1
            self._progress(ARTIFACTS, self._lines[ARTIFACTS], None)

    def _file(self, name: str) -> IO[bytes]:
        self._lines[name] = 0
        return _opened(self._folder / f"{name}.jsonl")

    def _write(self, file: IO[bytes], name: str, lines: Sequence[Line]) -> None:
        file.write(b"".join(map(dumped, lines)))
        self._lines[name] += len(lines)
        self._progress(name.replace("_", " "), self._lines[name], None)

    def _done(self, filter: str) -> Counter[str]:
        about: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "schema": REVISION,
            "exported_unix_ms": time.time_ns() // 1_000_000,
            "filter": filter,
            "lines": {str(name): count for name, count in self._lines.items()},
        }
        with _opened(self._folder / MANIFEST) as file:
            file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return self._lines


def _told(rows: Sequence[sa.RowMapping], payloads: Payloads) -> list[Line]:
    told = []
    for row in rows:
        said = payloads.of(row)
        each = line(row)
        del each["payload_block"]  # which is the store's own matter
        each[SAID] = {**said._asdict(), "request": text(said.request), "response": text(said.response)}
        told.append(each)
    return told


def _opened(path: Path) -> IO[bytes]:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as exc:
        raise FolderError(f"{str(path)!r} cannot be written: {exc.strerror}") from exc
