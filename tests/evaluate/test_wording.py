"""Figures are written so that they can be read, and say no more than is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from evaluate.plots import ticks
from evaluate.wording import (
    chance,
    change_of,
    count,
    dollars,
    interval,
    nanos,
    number,
    percent,
    seconds,
    share,
    value_of,
)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (number, 0.0, "0"),
        (number, 0.123456, "0.123"),
        (number, -0.5, "\u22120.5"),
        (number, 999.9, "1000"),
        (number, 12_345.6, "12,346"),
        (number, 0.00001234, "1.2e-05"),
        (percent, 0.5, "50.0 %"),
        (percent, -0.0001, "0.0 %"),
        (dollars, 0.0, "$0"),
        (dollars, 0.4, "$0.40"),
        (dollars, 0.0123456, "$0.0123"),
        (dollars, 1234.5, "$1,234.50"),
        (dollars, -2.0, "\u2212$2.00"),
        (dollars, 0.000000021, "$0.000000021"),
        (seconds, 0.0312, "31.2 ms"),
        (seconds, 0.9996, "1 s"),
        (seconds, 1.2345, "1.23 s"),
        (seconds, 61.234, "61.23 s"),
        (change_of("binary"), 0.0707, "+7.1 pp"),
        (change_of("binary"), -0.0707, "\u22127.1 pp"),
        (change_of("binary"), -0.0001, "0.0 pp"),
        (change_of("latency"), 0.2, "+200 ms"),
        (change_of("cost"), 0.002, "+$0.002"),
        (change_of("numeric"), 0.25, "+0.25"),
        (value_of("binary"), 1.0, "100.0 %"),
        (value_of("numeric"), 3.0, "3"),
        (chance, 0.00001, "< 0.0001"),
        (chance, 0.00375, "0.0037"),
        (chance, 0.218750, "0.219"),
        (share, 0.95, "95 %"),
        (share, 0.998, "99.8 %"),
    ],
)
def test_a_figure_is_written(write: Callable[[float], str], value: float, text: str) -> None:
    assert write(value) == text


def test_what_is_not_known_is_not_a_number() -> None:
    assert nanos(None) == "unknown"
    assert nanos(0) == "$0"
    assert chance(None) == interval(None, number) == "\u2013"
    assert (count(1, "row"), count(2_000, "row")) == ("1 row", "2,000 rows")


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.07, 0.13), (0.0003, 0.0011), (-5e6, 2e6), (0.97, 0.991)])
def test_ticks_are_few_round_and_within(low: float, high: float) -> None:
    found = ticks(low, high, 6)
    assert 3 <= len(found) <= 9
    assert all(low - 1e-9 * (high - low) <= tick <= high + 1e-9 * (high - low) for tick in found)
    steps = {round((b - a) / (high - low), 9) for a, b in pairwise(found)}
    assert len(steps) == 1
    assert ticks(1.0, 1.0, 6) == [1.0]
