"""Calls as one Parquet file, for whatever reads tables. It needs `gatelog[parquet]`, and a process of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from tracking.moving.folder import SAID, Line
from tracking.tables import calls

NAME = "calls.parquet"
BODIES = ("request", "response")
_COLUMNS = tuple(column for column in calls.c if column.name != "payload_block")
SCHEMA = pa.schema(
    [
        *(
            pa.field(
                column.name,
                pa.bool_()
                if isinstance(column.type, sa.Boolean)
                else pa.int64()
                if isinstance(column.type, sa.Integer)
                else pa.string(),
            )
            for column in _COLUMNS
        ),
        *(pa.field(name, pa.string()) for name in BODIES),
    ]
)
"""Tags are JSON, and so are bodies that were; one that is no text is null."""


class ParquetCalls:
    """The file in a folder. It is whole once it is closed."""

    def __init__(self, folder: Path) -> None:
        self._file = os.fdopen(os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
        self._writer = pq.ParquetWriter(self._file, SCHEMA, compression="zstd")

    def add(self, lines: Sequence[Line]) -> None:
        rows = [{**line, "tags": _json(line["tags"]), **_bodies(line[SAID])} for line in lines]
        self._writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def _json(tags: object) -> str | None:
    return None if tags is None else orjson.dumps(tags).decode()


def _bodies(said: Line) -> Line:
    return {name: said[name] if isinstance(said[name], str) else None for name in BODIES}
