"""Reads a journal from its oldest segment on: each begin with its end, and what is damaged; removes what is recorded.

It reads the journal of this process while it is written, and one that a dead process left behind, in the same way.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tracking import segments
from tracking.calls import Begin, End
from tracking.journal import Journal, Lease
from tracking.segments import BEGIN, FILE_HEAD_BYTES, Fault, Record

BLOCK_BYTES = 1 << 20
"""Read at once; what it completes is one batch."""
KEPT_BYTES = 8 << 20
"""Of requests that wait in memory for their ends; those beyond are read again when the end has come."""
NUL = b"\\u0000"
"""As JSON spells it."""


@dataclass(slots=True, eq=False)
class Segment:
    path: Path
    marker: bytes | None = None
    unrecorded: int = 0
    """Its records whose calls are not in the store yet."""
    read: bool = False
    """To its end, and nothing more will be written to it."""
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Logged:
    """One call as a journal holds it. Without an end, its process died before the call was over."""

    begin: Begin | None
    request: bytes
    end: End | None
    response: bytes
    owners: list[Segment]
    nul: bool = False
    """Somewhere in the begin or the end is a character NUL, which not every store can keep."""

    @property
    def id(self) -> str:
        return self.end["id"] if self.end is not None else self.begin["id"] if self.begin is not None else ""


@dataclass(slots=True, eq=False)
class _Pending:
    meta: bytes
    begin: Begin | None
    """Taken apart, for as long as the block is read in which it stands: most calls end in it."""
    body: bytes | None
    offset: int
    """Of the body, in its segment."""
    size: int
    segment: Segment


class Tail:
    """One journal being read. Given its `Journal`, it stops at what is written; else the journal is a dead one's."""

    def __init__(self, folder: Path, journal: Journal | None = None, lease: Lease | None = None) -> None:
        self.folder, self._journal, self._lease = folder, journal, lease
        self._segments: dict[int, Segment] = {}
        self._pending: dict[str, _Pending] = {}
        self._kept = 0
        self._number, self._offset = 0, 0
        self.found: list[tuple[Path, Fault]] = []
        """What was damaged, for whoever reads to tell and to clear."""

    @property
    def finished(self) -> bool:
        """A dead journal of which nothing is left to read."""
        return self._lease is not None and not self._pending and not self._following()

    def behind_bytes(self) -> int:
        """Written, and not read yet."""
        try:
            files = {int(path.stem): path.stat().st_size for path in segments.segments(self.folder)}
        except FileNotFoundError:
            return 0
        if (limit := self._limit()) is not None:
            files[limit[0]] = limit[1]  # the file itself is larger, by room that is not used yet
        ahead = sum(size for number, size in files.items() if number >= self._number)
        return max(0, ahead - (self._offset if self._number in files else 0))

    def read(self) -> list[Logged]:
        """The calls that the next block completes; empty when there is nothing new.

        Of a dead journal, once all is read, the calls that never ended follow.
        """
        while True:
            if records := self._remembered():
                if logged := self._matched(self._segments[self._number], records):
                    return logged
            elif (step := self._block()) is None:
                break
            elif logged := self._paired(*step):
                return logged
        return self._interrupted() if self._lease is not None else []

    def recorded(self, calls: Iterable[Logged]) -> None:
        """These are in the store: what is not needed any more is removed, or, where it was damaged, put aside."""
        for call in calls:
            for segment in call.owners:
                segment.unrecorded -= 1
        self._sweep()

    def refused(self, call: Logged, why: str) -> None:
        """The store cannot take this call. Its segments are put aside, not removed."""
        for segment in call.owners:
            self._fault(segment, Fault(0, 0, f"call {call.id}: {why}"))

    def inherit(self) -> bool:
        """This process has closed its journal: go on with it as with a dead one's. False when another has taken it."""
        self._lease = Lease.take(self.folder)
        self._journal = None
        return self._lease is not None

    def close(self) -> None:
        """Let go of a dead journal, whose folder goes with it when all of it has been recorded."""
        if self._lease is not None:
            self._lease.release()

    def _limit(self) -> tuple[int, int] | None:
        return None if self._journal is None else self._journal.position

    def _block(self) -> tuple[Segment, bytes, int] | None:
        """The next bytes to read: their segment, and up to where it can be read."""
        limit = self._limit()
        if limit == (self._number, self._offset):
            return None
        while (current := self._current(limit)) is not None:
            segment, upto, ends = current
            if data := _pread(segment.path, self._offset, min(BLOCK_BYTES, upto - self._offset)):
                return segment, data, upto
            if not ends:
                return None
            segment.read = True
            self._sweep()
            self._number += 1
            self._offset = 0
        return None

    def _current(self, limit: tuple[int, int] | None) -> tuple[Segment, int, bool] | None:
        following = self._following()
        if not following:
            return None
        number, path = following[0]
        if number != self._number:
            self._number, self._offset = number, 0
        segment = self._segments.setdefault(number, Segment(path))
        if limit is not None and number == limit[0]:
            return segment, limit[1], False
        try:
            return segment, path.stat().st_size, True
        except FileNotFoundError:
            return segment, 0, True

    def _following(self) -> list[tuple[int, Path]]:
        try:
            files = [(int(path.stem), path) for path in segments.segments(self.folder)]
        except FileNotFoundError:
            return []
        return [
            (number, path)
            for number, path in files
            if number >= self._number and not ((known := self._segments.get(number)) and known.read)
        ]

    def _paired(self, segment: Segment, data: bytes, upto: int) -> list[Logged]:
        base = self._offset
        start = 0
        if base == 0:
            segment.marker = segments.marker_of(segment.path, data)
            start = FILE_HEAD_BYTES if data.startswith(segments.FORMAT) else 0
        items, cut = _cut(segment, data, start, base, base + len(data) >= upto)
        while not items and cut is not None:  # one record is larger than the block
            more = _pread(segment.path, base, min(upto - base, 4 * len(data)))
            items, cut = _cut(segment, more, start, base, base + len(more) >= upto or len(more) <= len(data))
            data = more
        found = self._matched(segment, items)
        self._offset = base + len(data) if cut is None else cut.offset
        return found

    def _remembered(self) -> list[Record]:
        """The next records, if they are of this process and it has not forgotten them yet."""
        if self._journal is None or self._number not in self._segments:
            return []
        return self._journal.recent((self._number, self._offset))

    def _matched(self, segment: Segment, items: Sequence[Record | Fault]) -> list[Logged]:
        """The calls that these complete. The reading goes on behind the last of them."""
        found, new = list[Logged](), list[_Pending]()
        for item in items:
            if isinstance(item, Fault):
                self._fault(segment, item)
            elif (call := self._one(segment, item, new)) is not None:
                found.append(call)
        if items:
            last = items[-1]
            self._offset = last.offset + last.size
        for pending in new:
            self._settle(pending)
        return found

    def _one(self, segment: Segment, record: Record, new: list[_Pending]) -> Logged | None:
        try:
            facts: Any = orjson.loads(record.meta) if record.facts is None else record.facts
            id: str = facts["id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self._fault(segment, Fault(record.offset, record.size, "a whole record that is not about a call"))
            return None
        segment.unrecorded += 1
        if record.kind == BEGIN:
            offset = record.offset + record.size - len(record.body)
            pending = _Pending(record.meta, facts, record.body, offset, len(record.body), segment)
            self._pending[id] = pending
            new.append(pending)
            return None
        begun = self._pending.pop(id, None)
        if begun is None:
            return Logged(None, b"", facts, record.body, [segment], NUL in record.meta)
        nul = NUL in record.meta or NUL in begun.meta
        return Logged(*self._begun(begun), facts, record.body, [begun.segment, segment], nul)

    def _begun(self, pending: _Pending) -> tuple[Begin, bytes]:
        begin = pending.begin
        if begin is None:
            begin = orjson.loads(pending.meta)
            if pending.body is not None:
                self._kept -= pending.size
        body = pending.body
        if body is None:
            body = _pread(pending.segment.path, pending.offset, pending.size)
        pending.begin = begin
        return begin, body

    def _settle(self, pending: _Pending) -> None:
        """What has not ended by the end of its block is kept small."""
        id = pending.begin["id"] if pending.begin is not None else ""
        if self._pending.get(id) is not pending:
            return
        pending.begin = None
        if self._kept + pending.size > KEPT_BYTES:
            pending.body = None
        else:
            self._kept += pending.size

    def _interrupted(self) -> list[Logged]:
        found = []
        for id in list(self._pending)[:500]:
            pending = self._pending.pop(id)
            nul = NUL in pending.meta
            found.append(Logged(*self._begun(pending), None, b"", [pending.segment], nul))
        return found

    def _fault(self, segment: Segment, fault: Fault) -> None:
        segment.faults.append(fault)
        self.found.append((segment.path, fault))

    def _sweep(self) -> None:
        for number, segment in list(self._segments.items()):
            if segment.read and not segment.unrecorded:
                del self._segments[number]
                if segment.faults:
                    _rename(segment.path)
                else:
                    segment.path.unlink(missing_ok=True)


def _cut(
    segment: Segment, data: bytes, start: int, base: int, whole: bool
) -> tuple[list[Record | Fault], Fault | None]:
    """What is in the data, and apart from it what may go on behind its end."""
    if segment.marker is None:
        return [Fault(base, len(data), "a file whose header and folder name are both damaged")], None
    items = list(segments.scan(data, segment.marker, start, base))
    if items and not whole and isinstance(last := items[-1], Fault):
        return items[:-1], last
    return items, None


def _rename(path: Path) -> None:
    try:
        path.rename(path.with_suffix(".damaged"))
    except FileNotFoundError:
        pass


def _pread(path: Path, offset: int, size: int) -> bytes:
    if size <= 0:
        return b""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(file, size, offset)
    finally:
        os.close(file)
