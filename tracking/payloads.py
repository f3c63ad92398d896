"""What was said in calls, kept many calls to a block: a row for each alone costs more to write than the call's own.

    block     length of index   index (JSON)   bodies, one after the other
    index     [id, bytes of request, bytes of response, response type, attempts, price] of each call

All of it is compressed together, since calls that follow each other are much alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
import zstandard

from tracking.engines import AsyncConnection
from tracking.tables import payload_blocks
from tracking.tail import Logged

BLOCK_BYTES = 128 << 10
"""Of bodies in one block, before another is begun: to read one call is to unpack its block."""
COMPRESSED_FROM = 2048
"""Bytes of a block, below which compressing saves less than it costs."""
LEVEL = 1
RANDOM_BITS = 20

Block = tuple[int, bytes, str]
"""Of `payload_blocks`."""


class Said(NamedTuple):
    """What was said in one call, or as much of it as was kept."""

    request: bytes | None = None
    response: bytes | None = None
    response_type: str | None = None
    """`json` or `sse`."""
    attempts: list[dict[str, Any]] | None = None
    price: dict[str, Any] | None = None


NOTHING = Said()


class Packer:
    """Makes blocks. It holds one compressor, so it belongs to one thread."""

    def __init__(self) -> None:
        self._compress = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False).compress

    def pack(self, logged: Sequence[Logged]) -> tuple[list[int], list[Block]]:
        """The number of each call's block, and the blocks."""
        numbers: list[int] = []
        blocks: list[Block] = []
        index: list[Any] = []
        bodies: list[bytes] = []
        size, first = 0, 0
        for place, call in enumerate(logged, 1):
            end, request, response = call.end, call.request, call.response
            if end is not None:
                said = (end.get("response_type"), end.get("attempts"), end.get("price"))
            else:
                said = (None, None, call.begin.get("price") if call.begin is not None else None)
            index.append((call.id, len(request), len(response), *said))
            bodies.append(request)
            bodies.append(response)
            size += len(request) + len(response)
            if size >= BLOCK_BYTES or place == len(logged):
                number = new_number(min(entry[0] for entry in index))
                blocks.append(self._block(number, index, bodies))
                numbers += [number] * (place - first)
                index, bodies = [], []
                size, first = 0, place
        return numbers, blocks

    def _block(self, number: int, index: list[Any], bodies: list[bytes]) -> Block:
        head = orjson.dumps(index)
        body = b"".join((len(head).to_bytes(4, "little"), head, *bodies))
        if len(body) < COMPRESSED_FROM:
            return number, body, "raw"
        return number, self._compress(body), "zstd"


class Payloads:
    """The blocks of some calls. It unpacks one at a time, which takes a moment each: ask in the calls' order."""

    def __init__(self, blocks: Mapping[int, tuple[bytes, str]]) -> None:
        self._blocks = blocks
        self._number: int | None = None
        self._open: dict[str, Said] = {}

    def of(self, row: sa.RowMapping) -> Said:
        """By a row of `calls`."""
        number: int | None = row["payload_block"]
        if number is None or number not in self._blocks:
            return NOTHING
        if number != self._number:
            self._open, self._number = unpacked(*self._blocks[number]), number
        return self._open.get(row["id"], NOTHING)


async def payloads_of(connection: AsyncConnection, rows: Sequence[sa.RowMapping]) -> Payloads:
    """All that was said in these calls."""
    numbers = {row["payload_block"] for row in rows} - {None}
    if not numbers:
        return Payloads({})
    c = payload_blocks.c
    found = await connection.execute(sa.select(c.number, c.body, c.encoding).where(c.number.in_(numbers)))
    return Payloads({row.number: (row.body, row.encoding) for row in found})


def unpacked(body: bytes, encoding: str) -> dict[str, Said]:
    """What was said in each call of a block."""
    match encoding:
        case "raw":
            data = bytes(body)
        case "zstd":
            data = zstandard.ZstdDecompressor().decompress(body)
        case _:
            raise ValueError(f"a block is encoded as {encoding!r}, and this Gatelog reads raw and zstd")
    end = 4 + int.from_bytes(data[:4], "little")
    said: dict[str, Said] = {}
    for id, request, response, *rest in orjson.loads(data[4:end]):
        start, middle, end = end, end + request, end + request + response
        said[id] = Said(data[start:middle] or None, data[middle:end] or None, *rest)
    return said


def new_number(oldest: str) -> int:
    """Of a block whose oldest call has this id: so a block is found by its age, and never outlives one of its calls."""
    return first_number(int(oldest[:12], 16)) | secrets.randbits(RANDOM_BITS)


def first_number(ms: int) -> int:
    """The smallest number of a block whose calls all began at or after this time, in milliseconds since the epoch."""
    return ms << RANDOM_BITS
