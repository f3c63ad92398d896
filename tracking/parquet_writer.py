"""The process that writes Parquet: runs as lines of JSON come in, a file goes out, and little is held between."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

ROWS, BYTES = 10_000, 8 << 20
"""How much is held at most before it is written, as a row group."""
STRINGS = (
    *("id", "status", "kind", "endpoint", "requested_model", "provider", "model", "response_model", "credential"),
    *("usage_basis", "finish_reason", "error_code", "error_message", "experiment", "parent_run_id", "key_id"),
    *("user", "session"),
)
WHOLE = (
    *("http_status", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("cache_write_1h_tokens", "reasoning_tokens", "input_audio_tokens", "output_audio_tokens", "searches"),
    *("total_tokens", "cost_nanos"),
)
TYPES: dict[str, Any] = {
    **dict.fromkeys(STRINGS, pa.string()),
    **dict.fromkeys(WHOLE, pa.int64()),
    **dict.fromkeys(("duration_ms", "ttft_ms", "upstream_ms"), pa.float64()),
    "stream": pa.bool_(),
    "started_at": pa.timestamp("ms", tz="UTC"),
    "cost_usd": pa.decimal128(38, 9),
    "tags": pa.map_(pa.string(), pa.string()),
}


class Output:
    """Where the file goes. A pipe cannot tell how far it is, so this counts."""

    closed = False

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._written = stream, 0

    def write(self, piece: bytes) -> int:
        self._stream.write(piece)
        self._written += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.flush()


def write(lines: IO[bytes], stream: IO[bytes], names: list[str]) -> None:
    schema = pa.schema([(name, TYPES[name]) for name in names])
    with pq.ParquetWriter(pa.PythonFile(Output(stream), mode="w"), schema, compression="zstd") as writer:
        for rows in _groups(lines):
            columns = [[_value(name, row[name]) for row in rows] for name in names]
            arrays = [pa.array(column, TYPES[name]) for name, column in zip(names, columns, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _groups(lines: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        rows.append(orjson.loads(line))
        size += len(line)
        if len(rows) >= ROWS or size >= BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _value(name: str, value: Any) -> Any:
    match name, value:
        case "cost_usd", str():
            return Decimal(value)
        case "tags", dict():
            return list(value.items())
        case _:
            return value


if __name__ == "__main__":
    from tracking.csv_out import COLUMNS

    write(sys.stdin.buffer, sys.stdout.buffer, list(COLUMNS))
