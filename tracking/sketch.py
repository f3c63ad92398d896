"""Quantiles of durations that add up: counts in bins whose bounds grow by a fixed factor.

A sketch is one integer, of which each bin has 40 bits: to merge sketches is to add them. A quantile read from one is
within `RELATIVE_ERROR` of the value that has this rank, of all values of a microsecond and more.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

RELATIVE_ERROR = 0.02
GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
LAST = 750
"""Bin of all that took longer than a hundred days."""
WIDTH = 40
_BYTES = WIDTH // 8
_SCALE = 1 / math.log(GROWTH)


def of(values: Iterable[int]) -> int:
    """The sketch of whole microseconds."""
    log, ceil = math.log, math.ceil
    bins = Counter([ceil(log(value) * _SCALE) if value > 1 else 0 for value in values])
    return sum(count << (WIDTH * min(bin, LAST)) for bin, count in bins.items())


def packed(sketch: int) -> bytes:
    """Without the empty bins at either end: two bytes say how many there were before the first."""
    if not sketch:
        return b""
    first = ((sketch & -sketch).bit_length() - 1) // WIDTH
    sketch >>= first * WIDTH
    return first.to_bytes(2, "little") + sketch.to_bytes((sketch.bit_length() + 7) // 8, "little")


def unpacked(data: bytes) -> int:
    return int.from_bytes(data[2:], "little") << (WIDTH * int.from_bytes(data[:2], "little"))


def quantiles(sketch: int, wanted: Sequence[float]) -> list[float | None]:
    """Microseconds, for quantiles in ascending order; None of a sketch of nothing."""
    data = sketch.to_bytes((sketch.bit_length() + 7) // 8 + _BYTES, "little")
    counts = [int.from_bytes(data[at : at + _BYTES], "little") for at in range(0, len(data), _BYTES)]
    total = sum(counts)
    if not total:
        return [None] * len(wanted)
    found: list[float | None] = []
    bin, below = 0, counts[0]
    for quantile in wanted:
        rank = max(1, math.ceil(quantile * total))
        while below < rank:
            bin += 1
            below += counts[bin]
        found.append(2 * GROWTH**bin / (GROWTH + 1) if bin else 1.0)
    return found
