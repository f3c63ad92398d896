"""This process's append-only files, where a call is before it is forwarded and before its last byte is answered.

`directory/marker/NNNNNNNN.seg`, beside a `lock` that the process holds for as long as it lives; so another process can
tell a journal that is being written from one that was left behind. What the recorder has brought into the store, it
removes.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections import deque
from pathlib import Path

import orjson

from tracking import segments
from tracking.calls import Begin, End
from tracking.paper import Paper
from tracking.segments import BEGIN, END, Record

SEGMENT_BYTES = 16 << 20
RECENT_BYTES, RECENT_AT_ONCE = 2 << 20, 1000
"""Records kept in memory until the recorder has taken them, and how many it takes at once."""
LOCK = "lock"


Position = tuple[int, int]
"""A place in a journal: the number of a segment, and an offset in it."""


class Journal:
    """Writes one process's calls. All of it is called in one thread, the event loop's.

    What `begin` and `end` have written survives the death of the process. With `fsync`, what was written before a call
    of `synced` survives the death of the machine once that has returned.
    """

    def __init__(self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES, fsync: bool = False) -> None:
        self._segment_bytes, self._fsync = segment_bytes, fsync
        self._lease = Lease.new(directory)
        self.folder = self._lease.folder
        self.marker = bytes.fromhex(self.folder.name)
        self._paper: Paper | None = None
        self._rolled: list[int] = []
        """Full segments that are still to be synced."""
        self.closed = False
        self._syncing: asyncio.Future[None] | None = None
        self.position: Position = (0, 0)
        """Up to where all is written and may be read, by other threads too."""
        self._recent: deque[tuple[int, Record]] = deque()
        self._remembered = 0
        """Bytes of records put into `_recent` since they were last counted."""
        self._roll()

    def begin(self, meta: Begin, body: bytes) -> None:
        self._append(BEGIN, meta, body)

    def end(self, meta: End, body: bytes) -> None:
        self._append(END, meta, body)

    def recent(self, position: Position) -> list[Record]:
        """What was written from a position on, as far as it is still in memory; empty where its beginning is not.

        For the recorder, in its own thread: as long as it keeps up, it need not read again what was just written.
        """
        found: list[Record] = []
        number, offset = position
        try:
            while len(found) < RECENT_AT_ONCE:
                at, record = self._recent[0]
                if at != number or record.offset > offset:
                    if (at, record.offset) > (number, offset):
                        break
                elif record.offset == offset:
                    found.append(record)
                    offset += record.size
                self._recent.popleft()
        except IndexError:  # no more, or forgotten meanwhile
            pass
        return found

    async def synced(self) -> None:
        """Return when all that is written is on the disk itself; at once when `fsync` is off.

        Those who wait at the same time share one sync. Raises OSError when the disk failed, after which nothing in the
        segment is believed to be on it, and the journal goes on in another.
        """
        if not self._fsync:
            return
        if self._syncing is not None:
            # It began before our record was written, so it says nothing about ours.
            await asyncio.wait([self._syncing])
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.ensure_future(self._sync())
        await asyncio.shield(self._syncing)

    def close(self) -> None:
        """Nothing more is written. What is not recorded by now is for the recorder, or for the next process."""
        assert self._paper is not None, "it is closed once"
        self._paper.finish()
        for file in (*self._rolled, self._paper.file):
            if self._fsync:
                os.fdatasync(file)
            os.close(file)
        self._rolled.clear()
        self._paper = None
        self.closed = True
        self._lease.release()

    def _append(self, kind: int, facts: Begin | End, body: bytes) -> None:
        meta = orjson.dumps(facts)
        if self.position[1] >= self._segment_bytes:
            self._roll()
        number, offset = self.position
        record = segments.record(self.marker, kind, meta, body)
        size = len(record)
        assert self._paper is not None, "it is not closed"
        self._paper.write(record)
        self._recent.append((number, Record(kind, offset, size, meta, body, facts)))
        self.position = (number, offset + size)
        self._remembered += size
        if self._remembered > RECENT_BYTES:
            self._forget()

    def _forget(self) -> None:
        """A recorder that is far behind reads the file instead: the journal is the queue, and memory is bounded."""
        self._remembered = sum(record.size for _, record in tuple(self._recent))
        if self._remembered > RECENT_BYTES // 2:
            self._recent.clear()
            self._remembered = 0

    def _roll(self) -> None:
        number = self.position[0] + 1
        path = self.folder / segments.name(number)
        header = segments.file_head(self.marker)
        paper = Paper(path)
        try:
            paper.write(header)
        except OSError:
            os.close(paper.file)
            path.unlink()
            raise
        if (full := self._paper) is not None:
            full.finish()
            if self._fsync:
                self._rolled.append(full.file)
            else:
                os.close(full.file)
        self._paper = paper
        self.position = (number, len(header))

    async def _sync(self) -> None:
        rolled, self._rolled = self._rolled, []
        # A duplicate, since the file may be rolled over and closed while the disk is busy.
        assert self._paper is not None, "it is not closed"
        current = os.dup(self._paper.file)
        try:
            await asyncio.to_thread(_sync_all, [*rolled, current], self.folder)
        except OSError:
            # What a second try says of these pages is worth nothing: the kernel has dropped them.
            self._roll()
            raise
        finally:
            for file in (*rolled, current):
                os.close(file)


class Lease:
    """The right to a journal's folder: for its writer while it lives, then for the one who takes over what it left."""

    def __init__(self, folder: Path, file: int) -> None:
        self.folder, self._file = folder, file

    @classmethod
    def new(cls, directory: Path) -> Lease:
        """A folder of our own, made inside `directory`."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            folder = directory / segments.new_marker().hex()
            folder.mkdir(mode=0o700)
            if (lease := cls.take(folder, create=True)) is not None:
                return lease

    @classmethod
    def take(cls, folder: Path, *, create: bool = False) -> Lease | None:
        """The lease of a folder whose process is dead; None while it lives, or when another has taken it over."""
        path = folder / LOCK
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between our opening and our locking it, another may have taken over, finished, and removed it.
            ours = os.fstat(file).st_ino == path.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if not ours:
            os.close(file)
            return None
        return cls(folder, file)

    def release(self) -> None:
        """Let go of the folder. It is removed when nothing is left in it; damaged files stay, for people to look at."""
        left = {path.suffix for path in self.folder.iterdir() if path.name != LOCK}
        if ".seg" not in left:
            (self.folder / LOCK).unlink()
        if not left:
            self.folder.rmdir()
        os.close(self._file)


def folders(directory: Path) -> list[Path]:
    """Of every journal in a directory, living or dead."""
    if not directory.is_dir():
        return []
    return sorted({path.parent for pattern in (LOCK, "*.seg") for path in directory.glob(f"*/{pattern}")})


def _sync_all(files: list[int], folder: Path) -> None:
    for file in files:
        os.fdatasync(file)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
