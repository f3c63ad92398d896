"""Plots as SVG that needs nothing but the style sheet of the page around it: intervals, differences, costs."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from evaluate.quoting import in_html, neutral

WIDTH = 900.0
ROOM = 80
"""How far apart two numbers beside each other have to be, so that both can be read."""
NARROW = 26
"""Characters of an arm's name that have room beside its interval."""

Tone = Literal["good", "bad", "same", "unsure", "plain"]
Direction = Literal["higher", "lower"]
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval. An end that is unknown is None and is not drawn."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    arm: int = 0
    """Which arm's colour it has; 0 is the baseline's."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One arm by what it costs and how good it is."""

    label: str
    cost: Estimate
    quality: Estimate
    arm: int
    dominated: bool
    front: bool


def difference(it: Estimate, tone: Tone, write: Write, *, margin: float | None, worse: str, better: str) -> str:
    """The interval of a difference on a line through zero, with the margin within which arms count as the same."""
    low, high = _ends(it)
    reach = 1.25 * max(abs(low), abs(high), margin or 0.0, 1e-12)
    x = _scale(-reach, reach, 24, WIDTH - 24)
    parts: list[str] = []
    if margin:
        parts.append(_rect(x(-margin), 26, x(margin) - x(-margin), 40, "band"))
        if x(margin) - x(-margin) > ROOM:
            parts += [_text(x(at), 20, write(at), "tick", "middle") for at in (-margin, margin)]
        else:
            parts.append(_text(x(0), 18, f"± {write(margin).removeprefix('+')}", "tick", "middle"))
    parts.append(_line(24, 66, WIDTH - 24, 66, "axis"))
    for tick in ticks(-reach, reach, 7):
        parts.append(_line(x(tick), 66, x(tick), 71, "axis"))
        parts.append(_text(x(tick), 86, write(tick), "tick", "middle"))
    parts.append(_line(x(0), 22, x(0), 71, "zero"))
    parts.append(_text(24, 12, f"← {worse}", "side", "start"))
    parts.append(_text(WIDTH - 24, 12, f"{better} →", "side", "end"))
    parts.append(_whisker(x, low, high, 46, f"tone-{tone}", 9))
    parts.append(_circle(x(it.value), 46, 7, f"dot tone-{tone}"))
    return _svg(94, parts, f"{it.label}: {write(it.value)}, interval {write(low)} to {write(high)}")


def intervals(them: Sequence[Estimate], write: Write, title: str) -> str:
    """One line for each arm, on one scale."""
    if not them:
        return ""
    left, right = 190.0, WIDTH - 90
    lowest, highest = _room([end for it in them for end in _ends(it)])
    x = _scale(lowest, highest, left, right)
    height = 34.0 * len(them) + 34
    parts: list[str] = []
    for tick in ticks(lowest, highest, 6):
        parts.append(_line(x(tick), 6, x(tick), height - 24, "grid"))
        parts.append(_text(x(tick), height - 8, write(tick), "tick", "middle"))
    for number, it in enumerate(them):
        y = 24 + 34.0 * number
        low, high = _ends(it)
        parts.append(_text(left - 14, y + 4, _short(it.label), "name", "end"))
        parts.append(_whisker(x, low, high, y, f"arm-{it.arm % 8}", 6))
        parts.append(_circle(x(it.value), y, 5, f"dot arm-{it.arm % 8}"))
        parts.append(_text(right + 16, y + 4, write(it.value), "value", "start"))
    said = "; ".join(f"{it.label} {write(it.value)}" for it in them)
    return _svg(height, parts, f"{title}: {said}")


def pareto(points: Sequence[Point], cost: Write, quality: Write, *, cost_name: str, quality_name: str) -> str:
    """Every arm by cost and quality with the intervals of both, and the line of those that nothing dominates."""
    if not points:
        return ""
    left, right, top, bottom = 74.0, WIDTH - 30, 22.0, 300.0
    costs = [end for point in points for end in _ends(point.cost)]
    lowest, highest = _room(costs, at_least=0.0)
    low, high = _room([end for point in points for end in _ends(point.quality)])
    x, y = _scale(lowest, highest, left, right), _scale(low, high, bottom, top)
    parts: list[str] = []
    for tick in ticks(low, high, 6):
        parts.append(_line(left, y(tick), right, y(tick), "grid"))
        parts.append(_text(left - 10, y(tick) + 4, quality(tick), "tick", "end"))
    for tick in ticks(lowest, highest, 6):
        parts.append(_line(x(tick), bottom, x(tick), bottom + 5, "axis"))
        parts.append(_text(x(tick), bottom + 20, cost(tick), "tick", "middle"))
    parts.append(_line(left, bottom, right, bottom, "axis"))
    parts.append(_text((left + right) / 2, bottom + 42, cost_name, "side", "middle"))
    parts.append(_text(left, top - 8, f"↑ {quality_name}", "side", "start"))
    front = sorted((point for point in points if point.front), key=lambda point: point.cost.value)
    if len(front) > 1:
        path = " ".join(f"{x(point.cost.value):.1f},{y(point.quality.value):.1f}" for point in front)
        parts.append(f'<polyline class="front" points="{path}"/>')
    taken: list[tuple[float, float]] = []
    for point in points:
        at_x, at_y, tone = x(point.cost.value), y(point.quality.value), f"arm-{point.arm % 8}"
        parts.append(_whisker(x, *_ends(point.cost), at_y, f"thin {tone}", 4))
        ends = sorted(y(end) for end in _ends(point.quality))
        parts.append(_line(at_x, ends[0], at_x, ends[1], f"whisker thin {tone}"))
        parts += [_line(at_x - 4, end, at_x + 4, end, f"whisker thin {tone}") for end in ends]
        parts.append(_circle(at_x, at_y, 6, f"{'ring' if point.dominated else 'dot'} {tone}"))
        parts.append(_beside(point.label, at_x, at_y, taken))
    said = "; ".join(f"{point.label} {cost(point.cost.value)}, {quality(point.quality.value)}" for point in points)
    return _svg(bottom + 52, parts, f"{quality_name} by {cost_name}: {said}")


def differences(edges: Sequence[float], counts: Sequence[int], write: Write, *, better: Direction) -> str:
    """How often the candidate did how much better or worse than the baseline on the same row."""
    most = max(counts, default=0)
    if not most:
        return ""
    left, right, top, bottom = 30.0, WIDTH - 30, 30.0, 190.0
    reach = max(abs(edges[0]), abs(edges[-1]))
    x, y = _scale(-reach, reach, left, right), _scale(0, most, bottom, top)
    parts: list[str] = []
    for start, end, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            tone = _tone(start, end, better)
            wide = max(x(end) - x(start) - 2, 1.5)
            parts.append(_rect(x(start) + 1, y(count), wide, bottom - y(count), f"bar tone-{tone}"))
            if wide > 22:
                parts.append(_text(x((start + end) / 2), y(count) - 6, f"{count:,}", "value", "middle"))
    parts.append(_line(left, bottom, right, bottom, "axis"))
    for tick in ticks(-reach, reach, 7):
        parts.append(_line(x(tick), bottom, x(tick), bottom + 5, "axis"))
        parts.append(_text(x(tick), bottom + 20, write(tick), "tick", "middle"))
    parts.append(_line(x(0), top - 8, x(0), bottom, "zero"))
    sides = ("worse", "better") if better == "higher" else ("better", "worse")
    parts.append(_text(left, 12, f"← {sides[0]}", "side", "start"))
    parts.append(_text(right, 12, f"{sides[1]} →", "side", "end"))
    return _svg(bottom + 30, parts, f"Differences of {sum(counts)} pairs")


def outcomes(broke: int, ties: int, fixed: int, *, words: tuple[str, str, str] = ("broke", "the same", "fixed")) -> str:
    """Of a binary metric: the rows that only the baseline got right, those without a difference, and the others."""
    total = broke + ties + fixed
    if not total:
        return ""
    parts: list[str] = []
    at = 0.0
    for count, word, tone in zip((broke, ties, fixed), words, ("bad", "same", "good"), strict=True):
        wide = WIDTH * count / total
        if count:
            parts.append(_rect(at + 1, 22, max(wide - 2, 1.5), 34, f"bar tone-{tone}"))
        anchor, where = {"bad": ("start", 0.0), "same": ("middle", WIDTH / 2), "good": ("end", WIDTH)}[tone]
        parts.append(_text(where, 12, f"{count:,} {word}", f"value ink-{tone}", anchor))
        at += wide
    said = ", ".join(f"{count:,} {word}" for count, word in zip((broke, ties, fixed), words, strict=True))
    return _svg(62, parts, f"Of {total:,}: {said}")


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from low to high, near `about` of them."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return [low]
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(each for each in (1, 2, 2.5, 5, 10) if each * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step + 0.0 for number in range(first, last + 1)]


def _tone(start: float, end: float, better: Direction) -> Tone:
    middle = (start + end) / 2
    if abs(middle) <= 0.25 * (end - start):
        return "same"
    return "good" if (middle > 0) == (better == "higher") else "bad"


def _ends(it: Estimate) -> tuple[float, float]:
    return (it.value if it.low is None else it.low, it.value if it.high is None else it.high)


def _room(values: Sequence[float], at_least: float | None = None) -> tuple[float, float]:
    """A range that leaves air around the values."""
    low, high = min(values), max(values)
    air = 0.08 * (high - low) or 0.1 * abs(high) or 0.1
    return (low - air if at_least is None else max(at_least, low - air)), high + air


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _whisker(x: Callable[[float], float], low: float, high: float, y: float, kind: str, half: float) -> str:
    ends = "".join(_line(x(end), y - half, x(end), y + half, f"whisker {kind}") for end in (low, high))
    return _line(x(low), y, x(high), y, f"whisker {kind}") + ends


def _beside(label: str, x: float, y: float, taken: list[tuple[float, float]]) -> str:
    """A point's name where no other name is: right of it above its whisker, else further up or down."""
    at = x + 10 if x < WIDTH * 0.66 else x - 10
    for up in (-10.0, 18.0, -26.0, 34.0, -42.0):
        if all(abs(at - other_x) > 150 or abs(y + up - other_y) > 13 for other_x, other_y in taken):
            break
    taken.append((at, y + up))
    return _text(at, y + up, _short(label), "name", "start" if x < WIDTH * 0.66 else "end")


def _short(label: str) -> str:
    label = neutral(label)
    return label if len(label) <= NARROW else f"{label[: NARROW - 1]}…"


def _svg(height: float, parts: Iterable[str], said: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{in_html(said)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"/>'


def _circle(x: float, y: float, radius: float, kind: str) -> str:
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(neutral(text))}</text>'
