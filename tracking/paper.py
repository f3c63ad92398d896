"""The end of a file that is being written through memory, which costs a copy where `write(2)` costs a system call.

What has been copied into a shared mapping is the kernel's, as what `write` was given is: it survives the death of the
process at any moment. Room is made before anything is copied, so that a full disk is an error here and not a SIGBUS.
"""

from __future__ import annotations

import errno
import mmap
import os
from pathlib import Path

WINDOW_BYTES = 1 << 20
"""Of the file that are in memory at once, and by which it grows."""
PAGE = mmap.ALLOCATIONGRANULARITY


class Paper:
    """A new file, empty at first. Beyond what was written it may hold zeros, until it is closed."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._size = 0
        self._start, self._end = 0, 0
        """Of the window, in the file."""
        self._window: mmap.mmap | None = None

    def write(self, data: bytes) -> None:
        """Append. Raises OSError where there is no room, and then nothing has been written."""
        start = self._size
        end = start + len(data)
        if end > self._end:
            self._advance(len(data))
        assert self._window is not None
        self._window[start - self._start : end - self._start] = data
        self._size = end

    def finish(self) -> None:
        """Let go of the memory and give back what was not needed. The file itself stays open, to be synced."""
        if self._window is not None:
            self._window.close()
            self._window = None
            self._start = self._end = self._size
            os.ftruncate(self.file, self._size)

    def _advance(self, size: int) -> None:
        start = self._size // PAGE * PAGE
        needed = self._size + size
        try:
            end = max(start + WINDOW_BYTES, needed)
            _reserve(self.file, self._end, end)
        except OSError:
            # A disk that has no room for all of a window may have some for this record.
            end = needed
            _reserve(self.file, self._end, end)
        window = mmap.mmap(self.file, end - start, offset=start)
        if self._window is not None:
            self._window.close()
        self._window, self._start, self._end = window, start, end


def _reserve(file: int, start: int, end: int) -> None:
    """Blocks of the disk, all of them or an OSError."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, start, end - start)
        return
    zeros = bytes(end - start)
    if os.pwrite(file, zeros, start) != len(zeros):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
