"""Keeps the process quick and small once everything is there."""

from __future__ import annotations

import ctypes
import gc

GARBAGE_AFTER = 20_000
"""Objects made and not freed, after which the collector looks for cycles. Calls make next to none."""


ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1
"""Of mallopt(3)."""


def spare() -> None:
    """Before there are threads: glibc would give each an arena of its own, none of which the others can use, and would
    learn from the first large bodies to keep all later ones for itself."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ARENA_MAX, 2)
        mallopt(MMAP_THRESHOLD, 256 << 10)
        mallopt(TRIM_THRESHOLD, 1 << 20)


def settle() -> None:
    """What is there now stays: without this the collector would look through all of it, for a tenth of a second, again
    and again. What only the start needed is given back, where the C library is glibc."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
