"""Ten thousand made-up worlds in which the truth is known, and how often an interval holds it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from evaluate.statistics.interval import Interval
from evaluate.statistics.numbers import Floats

WORLDS = 10_000


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def coverage(intervals: Iterator[Interval], truth: float) -> float:
    found = [interval.low <= truth <= interval.high for interval in intervals]
    return sum(found) / len(found)


def holds(covered: float) -> bool:
    """What is nominally 95 %."""
    return 0.94 <= covered <= 0.96


def clustered(sizes: list[int], icc: float, seed: int, worlds: int = WORLDS) -> tuple[Iterator[Floats], list[int]]:
    rng, groups = random(seed), np.repeat(np.arange(len(sizes)), sizes)
    return (
        rng.normal(0, math.sqrt(icc), len(sizes))[groups] + rng.normal(0, math.sqrt(1 - icc), groups.size)
        for _ in range(worlds)
    ), groups.tolist()
