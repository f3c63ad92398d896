"""The formats in which runs leave the store, each written as the runs are read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import orjson

from tracking import parquet_out
from tracking.csv_out import csv_lines
from tracking.runs import Run

FORMATS: Mapping[str, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
"""Their media types. JSON Lines have all of a run; the others are tables, without what was said."""


def ready(format: str) -> None:
    """Raise InvalidRequest where this format cannot be written here."""
    if format == "parquet":
        parquet_out.check()


def written(format: str, runs: AsyncIterator[Run]) -> AsyncGenerator[bytes]:
    match format:
        case "csv":
            return csv_lines(runs)
        case "parquet":
            return parquet_out.parquet(runs)
        case _:
            return _lines(runs)


async def _lines(runs: AsyncIterator[Run]) -> AsyncGenerator[bytes]:
    async for run in runs:
        yield orjson.dumps(run) + b"\n"
