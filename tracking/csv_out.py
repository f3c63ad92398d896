"""Runs as rows of plain columns: CSV, in which no spreadsheet finds a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any

import orjson

from tracking.runs import Run
from tracking.shape import TOKENS

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would run."""


def _at(*path: str) -> Callable[[Run], Any]:
    def value(run: Run) -> Any:
        found: Any = run
        for name in path:
            found = None if found is None else found[name]
        return found

    return value


COLUMNS: Mapping[str, Callable[[Run], Any]] = {
    **{name: _at(name) for name in ("id", "status", "http_status", "kind", "endpoint", "requested_model")},
    **{name: _at(name) for name in ("provider", "model", "response_model", "credential", "stream")},
    **{name: _at("times", name) for name in ("started_at", "duration_ms", "ttft_ms", "upstream_ms")},
    **{name: _at("usage", name) for name in (*TOKENS, "total_tokens")},
    "usage_basis": _at("usage", "basis"),
    "cost_usd": _at("cost", "usd"),
    "cost_nanos": _at("cost", "nanos"),
    "finish_reason": _at("finish_reason"),
    "error_code": _at("error", "code"),
    "error_message": _at("error", "message"),
    **{name: _at(name) for name in ("experiment", "parent_run_id", "key_id", "user", "session")},
    "tags": lambda run: orjson.dumps(run["tags"], option=orjson.OPT_SORT_KEYS).decode(),
}


async def csv_lines(runs: AsyncIterator[Run]) -> AsyncGenerator[bytes]:
    """A head line, and a line for each run. An empty cell is unknown."""
    yield line(list(COLUMNS))
    async for run in runs:
        yield line([cell(value(run)) for value in COLUMNS.values()])


def line(cells: list[str]) -> bytes:
    """One line, its cells quoted where they need to be."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """A value as a text that no spreadsheet runs."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() if value.startswith(FORMULA):
            return f"'{value}"
        case _:
            return str(value)
