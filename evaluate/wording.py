"""Figures in words: a metric's values, differences, money, time and chance, as reports and gates print them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from evaluate.card import Card, Comparison, Figure
from evaluate.statistics.interval import Interval

Write = Callable[[float], str]
NONE = "\u2013"
MINUS = "\u2212"


def value_of(kind: str) -> Write:
    """How a metric's values are written: a binary one in percent."""
    return _VALUES.get(kind, number)


def change_of(kind: str) -> Write:
    """How a difference is written: always with its sign, that of a binary metric in percentage points."""
    return _CHANGES.get(kind, lambda value: _signed(value, number))


def interval(it: Interval | None, write: Write) -> str:
    return NONE if it is None else f"{write(it.low)} to {write(it.high)}"


def figure(it: Figure, write: Write) -> str:
    return NONE if it.interval is None else write(it.interval.value)


def number(value: float) -> str:
    """Three significant digits, or all of a whole number."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return _minus(f"{value:,.0f}")
    if abs(value) >= 1e-4:
        text = f"{value:.3g}"
        return _minus(text if "e" not in text else f"{value:.0f}")
    return _minus(f"{value:.1e}")


def percent(value: float) -> str:
    return _minus(f"{_rounded(100 * value):.1f} %")


def dollars(value: float) -> str:
    """Of dollars two digits after the point, of less three that say something."""
    if value == 0:
        return "$0"
    sign, size = (MINUS if value < 0 else ""), abs(value)
    if size >= 0.995:
        return f"{sign}${size:,.2f}"
    if size >= 1e-4:
        return f"{sign}${max(_trimmed(f'{size:.3g}'), f'{size:.2f}', key=len)}"
    return f"{sign}${_trimmed(f'{size:.9f}')}" if size >= 1e-9 else f"{sign}${size:.1e}"


def nanos(value: int | None) -> str:
    return "unknown" if value is None else dollars(value / 1e9)


def seconds(value: float) -> str:
    size = abs(value)
    return _minus(
        f"{value:.2f} s" if size >= 9.995 else f"{value:.3g} s" if size >= 0.9995 else f"{value * 1000:.3g} ms"
    )


def chance(p: float | None) -> str:
    """A p-value: what is too small to matter is said to be below that."""
    if p is None:
        return NONE
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"


def share(level: float) -> str:
    """A level of confidence, as 95 %."""
    return f"{_trimmed(f'{100 * level:.2f}')} %"


def count(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def kind_of(card: Card, metric: str) -> str:
    return next((each["kind"] for each in card.metrics if each["name"] == metric), "numeric")


def direction_of(card: Card, metric: str) -> Literal["higher", "lower"]:
    return (
        "lower" if any(each["name"] == metric and each["direction"] == "lower" for each in card.metrics) else "higher"
    )


def effect(comparison: Comparison) -> str:
    """How large a difference is, in the terms of its kind."""
    if comparison.fixed is not None and comparison.broke is not None:
        return f"fixed {comparison.fixed:,}, broke {comparison.broke:,}"
    return NONE if comparison.effect_size is None else f"d_z {number(comparison.effect_size)}"


def _points(value: float) -> str:
    return _signed(_rounded(100 * value), lambda size: f"{size:.1f} pp")


def _rounded(value: float) -> float:
    """To a tenth, and nothing is not less than nothing."""
    return round(value, 1) + 0.0


def _signed(value: float, write: Write) -> str:
    text = write(value)
    return text if value <= 0 or text.startswith("+") else f"+{text}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


_VALUES: dict[str, Write] = {"binary": percent, "latency": seconds, "cost": dollars}
_CHANGES: dict[str, Write] = {
    "binary": lambda value: _minus(_points(value)),
    "latency": lambda value: _signed(value, seconds),
    "cost": lambda value: _signed(value, dollars),
}
