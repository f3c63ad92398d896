"""Keeps the process quick and small once everything is there."""

from __future__ import annotations

import ctypes
import gc

GARBAGE_AFTER = 20_000
"""Objects made and not freed, after which the collector looks for cycles. Calls make next to none."""


def settle() -> None:
    """What is there now stays: without this the collector would look through all of it, for a tenth of a second, again
    and again. What only the start needed is given back, where the C library is glibc."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
