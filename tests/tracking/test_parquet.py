"""Runs leave the store as Parquet with their types, in bounded memory, and never as half a file that looks whole."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tracking.kept import opened, row
from tracking.csv_out import COLUMNS
from tracking.parquet_out import WRITER, parquet
from tracking.parquet_writer import ROWS, TYPES, Output, write
from tracking.runs import Runs

pytestmark = pytest.mark.anyio


async def whole(runs: AsyncIterator[Any]) -> bytes:
    return b"".join([piece async for piece in parquet(runs)])


async def test_every_column_has_its_type_and_its_values(tmp_path: Path) -> None:
    rows = [
        row(1, tags={"team": "search", "x": "=1+1"}, cost_nanos=123_456_789_012, stream=True),
        row(2, model=None, cost_nanos=None, end_user="=SUM(A1)"),
    ]
    async with opened(f"sqlite:///{tmp_path}/gatelog.db", rows) as database:
        runs = [run async for run in Runs(database).export("", ["start_time"])]
        table = pq.read_table(io.BytesIO(await whole(Runs(database).export("", ["start_time"]))))
    assert table.schema.names == list(COLUMNS)
    assert {field.name: field.type for field in table.schema} == {name: TYPES[name] for name in COLUMNS}
    one, two = table.to_pylist()
    assert one["cost_usd"] == Decimal("123.456789012")
    assert (one["tags"], one["stream"]) == ([("team", "search"), ("x", "=1+1")], True)
    assert (two["model"], two["cost_usd"], two["cost_nanos"], two["tags"]) == (None, None, None, [])
    assert two["user"] == "=SUM(A1)", "in Parquet a text is a text"
    for run, read in zip(runs, (one, two), strict=True):
        assert int(read["started_at"].timestamp() * 1000) == run["times"]["started_unix_ms"]
        plain = set(COLUMNS) - {"started_at", "cost_usd", "tags"}
        assert {name: read[name] for name in plain} == {name: COLUMNS[name](run) for name in plain}


async def test_no_runs_are_a_file_without_rows(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/gatelog.db", []) as database:
        table = pq.read_table(io.BytesIO(await whole(Runs(database).export())))
    assert (table.num_rows, table.schema.names) == (0, list(COLUMNS))


async def test_an_export_that_fails_leaves_no_whole_file_and_no_process(tmp_path: Path) -> None:
    async def broken(found: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for run in found:
            yield run
        raise ConnectionAbortedError("the store went away")

    heard = io.BytesIO()

    async def hear(pieces: AsyncIterator[bytes]) -> None:
        async for piece in pieces:
            heard.write(piece)

    async with opened(f"sqlite:///{tmp_path}/gatelog.db", [row(1)]) as database:
        with pytest.raises(ConnectionAbortedError):
            await hear(parquet(broken(Runs(database).export())))
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(io.BytesIO(heard.getvalue()))
    assert writers() == []


async def test_whoever_leaves_early_leaves_no_process(tmp_path: Path) -> None:
    async def endless(found: list[Any]) -> AsyncIterator[Any]:
        while True:
            for run in found:
                yield run
            await asyncio.sleep(0)

    async with opened(f"sqlite:///{tmp_path}/gatelog.db", [row(n) for n in range(100)]) as database:
        runs = [run async for run in Runs(database).export()]
    pieces = parquet(endless(runs))
    assert len(await anext(pieces)) > 0
    assert len(writers()) == 1
    await pieces.aclose()
    assert writers() == []


def writers() -> list[str]:
    children = psutil.Process().children(recursive=True)
    return [" ".join(child.cmdline()) for child in children if WRITER in child.cmdline()]


def test_a_row_group_is_written_before_the_next_is_read() -> None:
    class Lines(io.BytesIO):
        """Tells how much had been written when each line was read."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.left, self.written = number, list[int]()

        def __next__(self) -> bytes:
            if not self.left:
                raise StopIteration
            self.left -= 1
            self.written.append(output.tell())
            return b'{"id": "x", "tags": {}}\n'

    output = io.BytesIO()
    lines = Lines(3 * ROWS)
    write(lines, output, ["id", "tags"])
    assert lines.written[0] < lines.written[ROWS + 1] < lines.written[2 * ROWS + 1]
    assert pq.ParquetFile(io.BytesIO(output.getvalue())).metadata.num_row_groups == 3


def test_a_pipe_is_told_where_it_is() -> None:
    output = Output(io.BytesIO())
    assert output.write(b"abc") == 3
    assert output.tell() == 3


def test_the_server_does_not_load_what_writes_parquet() -> None:
    code = "import gateway.app, sys; print([n for n in ('pyarrow', 'numpy', 'pandas') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
