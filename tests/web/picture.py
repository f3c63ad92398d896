"""A small picture, as a file and as a URL that has all of it."""

from __future__ import annotations

import base64
import struct
import zlib


def png(width: int = 48, height: int = 32) -> bytes:
    """A picture that can be seen."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    line = b"".join(bytes((40 + 4 * x, 100, 220 - 4 * x)) for x in range(width))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress((b"\0" + line) * height))
        + chunk(b"IEND", b"")
    )


IMAGE = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
