"""What an evaluation came to in numbers, as metrics of its parent run."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from statistics import fmean

from evaluate.cells import Grid
from tracking.logged_runs import Metric

NAME_MOST = 250
_UNFIT = re.compile(r"[^\w./ -]")


def of_grid(grid: Grid) -> dict[str, float]:
    """How many cells of each variant are errors, and what `means` has."""
    errors = {
        f"errors/{variant.name}": float(sum(cell.status == "error" for cell in grid.of(variant.name)))
        for variant in grid.variants
    }
    return errors | means(grid, {metric.name for metric in grid.metrics})


def means(grid: Grid, metrics: Collection[str]) -> dict[str, float]:
    """Of each of these metrics and each variant, and how many answers have no score."""
    found: dict[str, float] = {}
    for variant in grid.variants:
        cells = list(grid.of(variant.name))
        for name in metrics:
            values = [value for cell in cells if (value := cell.measure(name)) is not None]
            if values:
                found[f"{name}/{variant.name}"] = fmean(values)
            scored = sum(name in cell.scores for cell in cells)
            if scored > len(values):
                found[f"{name}_unscored/{variant.name}"] = float(scored - len(values))
    return found


def logged(figures: Mapping[str, float], now_us: int) -> list[Metric]:
    """By names that MLflow takes."""
    return [
        Metric(key=_UNFIT.sub("_", name)[:NAME_MOST], value=value, timestamp_ms=now_us // 1000)
        for name, value in figures.items()
        if math.isfinite(value)
    ]
