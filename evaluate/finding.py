"""Finds cells by what scorers said of them: within a range, unscored, or worse than the baseline on the same row."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal, Self

from evaluate import grids
from evaluate.cells import Cell, Grid, Row
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.evaluations import Evaluations

AT_ONCE = 1000
"""Cells that are read at a time, in whole rows."""
LOOKED_AT_MOST = 20_000
"""Cells that one request looks at. Where that is not enough, its page is short and the next goes on."""
RANGE = re.compile(r"(?P<least>-?\d+(?:\.\d+)?)?\.\.(?P<most>-?\d+(?:\.\d+)?)?")

Change = Literal["worse", "better"]
CHANGES: Mapping[str, Change] = {"worse": "worse", "better": "better"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a cell, of one metric."""

    metric: str
    higher: bool
    """More of the metric is better."""
    baseline: str
    unscored: bool = False
    least: float | None = None
    most: float | None = None
    change: Change | None = None

    @classmethod
    def of(cls, grid: Grid, metric: str | None, score: str | None, change: str | None) -> Self | None:
        """None where nothing is asked of scores. Raises InvalidRequest."""
        if metric is None and score is None and change is None:
            return None
        try:
            found = grid.metric(metric or grid.primary)
        except KeyError as exc:
            raise InvalidRequest(str(exc.args[0]), param="metric") from exc
        if change is not None and change not in CHANGES:
            raise InvalidRequest(f"change is {change!r}; say {' or '.join(CHANGES)}", param="change")
        least, most = (None, None) if score in (None, "unscored") else _range(str(score))
        return cls(
            metric=found.name,
            higher=found.direction == "higher",
            baseline=grid.baseline.name,
            unscored=score == "unscored",
            least=least,
            most=most,
            change=None if change is None else CHANGES[change],
        )

    def has(self, cell: Cell, baseline: float | None) -> bool:
        """Whether a cell is one of them; `baseline` is the mean of the baseline's scores on its row."""
        value = cell.measure(self.metric)
        if self.unscored:
            return cell.status == "ok" and value is None
        if value is None:
            return self.least is None and self.most is None and self.change is None
        if self.change is not None:
            if baseline is None or cell.variant == self.baseline:
                return False
            gained = value - baseline if self.higher else baseline - value
            if not (gained < 0 if self.change == "worse" else gained > 0):
                return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


async def page(
    store: Evaluations, kept: Json, wanted: Wanted, *, after: int, size: int, narrow: Mapping[str, Any]
) -> tuple[list[Cell], int | None, dict[str, Row]]:
    """As `grids.page`, of the cells that are wanted; `narrow` holds values of columns. A page may be short, or empty,
    although there are more."""
    deep = grids.deep(kept)
    # Whole rows, for a cell is held against the baseline's of its row.
    start = (after + 1) // deep * deep
    some = max(1, AT_ONCE // deep) * deep
    chosen: list[Json] = []
    last: int | None = None
    for _ in range(max(1, LOOKED_AT_MOST // some)):
        found = await store.cells(kept["id"], after=start - 1, size=some)
        chosen += await asyncio.to_thread(_chosen, found, wanted, after, narrow)
        if len(chosen) > size:
            chosen = chosen[:size]
            last = chosen[-1]["n"]
            break
        if len(found) < some:
            last = None
            break
        start += some
        last = start - 1
    cells, rows = await grids.filled(store, kept, chosen)
    return cells, last, rows


def _chosen(found: Sequence[Json], wanted: Wanted, after: int, narrow: Mapping[str, Any]) -> list[Json]:
    # Of the answer nothing is looked at, so it stays packed.
    light = [grids.cell({**each, "output": None}, Row(id=each["row_id"], inputs={})) for each in found]
    of_baseline: dict[str, list[float]] = {}
    for cell in light:
        if cell.variant == wanted.baseline and (value := cell.measure(wanted.metric)) is not None:
            of_baseline.setdefault(cell.row, []).append(value)
    means = {row: fmean(values) for row, values in of_baseline.items()}
    return [
        kept
        for kept, cell in zip(found, light, strict=True)
        if kept["n"] > after
        and all(kept[column] == value for column, value in narrow.items())
        and wanted.has(cell, means.get(cell.row))
    ]


def _range(said: str) -> tuple[float | None, float | None]:
    found = RANGE.fullmatch(said)
    if found is None or found[0] == "..":
        raise InvalidRequest(
            f"score is {said!r:.100}; say unscored, or two ends such as 0..0.5, of which one may be left out",
            param="score",
        )
    least, most = found["least"], found["most"]
    return None if least is None else float(least), None if most is None else float(most)
