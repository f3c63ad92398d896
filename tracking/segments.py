"""What a journal's file looks like inside: a header, then records, each with lengths and a CRC-32 of all of it.

    file    "GLOG0001"  marker
    record  marker  crc32  kind  length of meta  length of body   meta (JSON)   body (as it was sent)

The marker is eight random bytes, another for each journal, and is also the name of the journal's folder. It is how
reading finds its way again after damage, and no caller can know it: a request whose text looks like a record is never
taken for one. Zeros behind the last record are room that was not used; no marker begins with one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple
from zlib import crc32

BEGIN, END = 1, 2
"""The kinds of records."""
FORMAT = b"GLOG0001"
MARKER_BYTES = 8
FILE_HEAD_BYTES = len(FORMAT) + MARKER_BYTES
_HEAD = Struct("<8sIIII")
_CHECKED = Struct("<III")
_NAME = re.compile(r"\d{8}\.seg")
_FOLDER = re.compile(r"[0-9a-f]{16}")


class Record(NamedTuple):
    kind: int
    offset: int
    """In the file."""
    size: int
    meta: bytes
    body: bytes
    facts: Any = None
    """The meta as it was before it was written, where it is still known."""


class Fault(NamedTuple):
    """Bytes of a file that are no record."""

    offset: int
    size: int
    what: str


def new_marker() -> bytes:
    first, rest = 1 + secrets.randbelow(255), secrets.token_bytes(MARKER_BYTES - 1)
    return bytes((first,)) + rest


def file_head(marker: bytes) -> bytes:
    return FORMAT + marker


def record(marker: bytes, kind: int, meta: bytes, body: bytes) -> bytes:
    """One record as it stands in a file. Copying the body into it costs less than a write of several parts would."""
    checked = _CHECKED.pack(kind, len(meta), len(body))
    crc = crc32(body, crc32(checked + meta))
    return b"".join((marker, crc.to_bytes(4, "little"), checked, meta, body))


def name(number: int) -> str:
    return f"{number:08d}.seg"


def segments(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def marker_of(path: Path, data: bytes) -> bytes | None:
    """The marker of a file, by its header; if that is damaged, by its folder's name."""
    if data.startswith(FORMAT) and len(data) >= FILE_HEAD_BYTES:
        return data[len(FORMAT) : FILE_HEAD_BYTES]
    if _FOLDER.fullmatch(path.parent.name):
        return bytes.fromhex(path.parent.name)
    return None


def scan(data: bytes, marker: bytes, offset: int = 0, base: int = 0) -> Iterator[Record | Fault]:
    """Every whole record in `data` from `offset` on, and what lies between them. `base` is where `data` is in its file.

    The last item is a fault when bytes remain that are no record. Of data that was cut, they may be the start of one.
    """
    view, size, bad = memoryview(data), len(data), -1
    while offset < size:
        if size - offset >= _HEAD.size:
            found, crc, kind, meta_size, body_size = _HEAD.unpack_from(data, offset)
            facts = offset + _HEAD.size
            end = facts + meta_size + body_size
            if found == marker and end <= size and kind in (BEGIN, END):
                checked = offset + _HEAD.size - _CHECKED.size
                if crc32(view[facts + meta_size : end], crc32(view[checked : facts + meta_size])) == crc:
                    if bad >= 0:
                        yield _fault(data, marker, bad, offset, base)
                        bad = -1
                    body = facts + meta_size
                    yield Record(kind, base + offset, end - offset, data[facts:body], data[body:end])
                    offset = end
                    continue
        bad = offset if bad < 0 else bad
        following = data.find(marker, offset + 1)
        offset = size if following < 0 else following
    if bad >= 0 and data.count(0, bad) < size - bad:
        yield _fault(data, marker, bad, size, base)


def _fault(data: bytes, marker: bytes, start: int, end: int, base: int) -> Fault:
    if not data.startswith(marker, start):
        what = "no record"
    elif end == len(data):
        what = "a record that is not whole, or has a wrong checksum"
    else:
        what = "a record with a wrong checksum"
    return Fault(base + start, end - start, what)
