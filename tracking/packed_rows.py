"""Rows kept by the page: some hundred at a time, as JSON, compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
import zstandard

from providers.chat import Json

ROWS = 200
"""To a page: what is read at once to show some of them."""


def pages(rows: Sequence[Json]) -> Iterator[tuple[int, bytes]]:
    """Slow for many: call it in a thread."""
    for page, at in enumerate(range(0, len(rows), ROWS)):
        yield page, pack(rows[at : at + ROWS])


def pack(value: object) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(orjson.dumps(value))


def unpack(body: bytes) -> list[Json]:
    found: list[Json] = orjson.loads(zstandard.ZstdDecompressor().decompressobj().decompress(body))
    return found


def unpack_one(body: bytes) -> Json:
    found: Json = orjson.loads(zstandard.ZstdDecompressor().decompressobj().decompress(body))
    return found
