"""Runs as Parquet: written by a process of its own, so that the one which serves calls stays as small as it is."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncGenerator, AsyncIterator

import orjson

from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.csv_out import COLUMNS
from tracking.runs import Run

WRITER = "tracking.parquet_writer"
PIECE = 1 << 16


def check() -> None:
    """Raise InvalidRequest where Parquet cannot be written."""
    if importlib.util.find_spec("pyarrow") is None:
        raise InvalidRequest(
            "Parquet needs pyarrow, which is not installed here: pip install 'gatelog[parquet]'", param="format"
        )


async def parquet(runs: AsyncIterator[Run]) -> AsyncGenerator[bytes]:
    """A file, piece by piece. One that breaks off has no end, by which every reader knows it."""
    # -P: whatever lies in the folder that the server was started in is not a module of ours.
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", WRITER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None, "it was asked for"
    feeding = asyncio.create_task(_feed(runs, child))
    try:
        while piece := await child.stdout.read(PIECE):
            yield piece
        await feeding
        if await child.wait():
            raise RuntimeError(f"the process that writes Parquet ended with {child.returncode}")
    finally:
        feeding.cancel()
        if child.returncode is None:
            child.kill()
        await asyncio.gather(feeding, child.wait(), return_exceptions=True)


async def _feed(runs: AsyncIterator[Run], child: asyncio.subprocess.Process) -> None:
    """A line of JSON for each run. Only when there are no more does the child hear that it may end the file."""
    assert child.stdin is not None, "it was asked for"
    try:
        async for run in runs:
            child.stdin.write(orjson.dumps(_row(run)) + b"\n")
            await child.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # what it died of, its exit code says
    except BaseException:
        child.kill()
        raise
    child.stdin.close()


def _row(run: Run) -> Json:
    """As in CSV, but for what Parquet has types of its own for."""
    row = {name: value(run) for name, value in COLUMNS.items()}
    return {**row, "started_at": run["times"]["started_unix_ms"], "tags": run["tags"]}
