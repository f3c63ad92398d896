"""Plain sequences as arrays, and what all statistics ask of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from evaluate.statistics.refusal import Refused

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Numbers = Sequence[float] | Sequence[int] | Sequence[bool] | npt.NDArray[Any]
Clusters = Sequence[Hashable] | npt.NDArray[Any]
"""One label for each item. Items with the same label depend on each other; None is a group of its own."""


def floats(values: Numbers, *, at_least: int = 1, what: str = "values") -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{what} are a list of numbers, not an array of shape {array.shape!r}")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite numbers; leave missing ones out")
    if array.size < at_least:
        raise Refused(f"{array.size} {what}; at least {at_least} are needed")
    return array


def pairs(first: Numbers, second: Numbers) -> tuple[Floats, Floats]:
    one, two = floats(first), floats(second)
    if one.size != two.size:
        raise ValueError(f"pairs need two lists of one length, not {one.size} and {two.size}")
    return one, two


def binary(values: Numbers) -> Floats:
    array = floats(values)
    if not np.isin(array, (0.0, 1.0)).all():
        raise ValueError("a binary score is 0 or 1, False or True")
    return array


def groups(clusters: Clusters | None, n: int) -> Indices:
    """For each item the number of its group, counted from 0; without clusters every item is its own."""
    if clusters is None:
        return np.arange(n)
    labels = list(clusters)
    if len(labels) != n:
        raise ValueError(f"one cluster for each item: {n} items, {len(labels)} clusters")
    numbers: dict[Hashable, int] = {}
    return np.array(
        [
            numbers.setdefault(("alone", at) if label is None else ("group", label), len(numbers))
            for at, label in enumerate(labels)
        ],
        dtype=np.intp,
    )


def clustered(clusters: Clusters | None) -> bool:
    """Whether any two items share a cluster."""
    if clusters is None:
        return False
    labels = [label for label in clusters if label is not None]
    return len(set(labels)) < len(labels)


def within_unit(value: float, what: str) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{what} lies between 0 and 1, both excluded, not at {value!r}")
    return value


def normal_quantile(probability: float) -> float:
    return float(stats.norm.ppf(probability))


def two_sided(level: float) -> float:
    """The normal quantile that leaves (1 - level) / 2 on either side."""
    return normal_quantile((1 + within_unit(level, "a level")) / 2)
