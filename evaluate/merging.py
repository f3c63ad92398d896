"""Several evaluations of the same rows as one grid, so that their arms can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evaluate.cells import Cell, Grid


def merged(grids: Sequence[Grid]) -> Grid:
    """The arms of all as arms of one. Rows are the same where their inputs are, whichever dataset they came from."""
    first = grids[0]
    for grid in grids[1:]:
        if grid.primary != first.primary:
            raise ValueError(f"{grid.id} is decided by {grid.primary!r}, and {first.id} by {first.primary!r}")
        if not {cell.row for cell in grid.cells} & {cell.row for cell in first.cells}:
            raise ValueError(f"{grid.id} and {first.id} have no row in common, so nothing can be paired")
    names = [variant.name for grid in grids for variant in grid.variants]

    def called(grid: Grid, name: str) -> str:
        return name if names.count(name) == 1 else f"{name} ({grid.id[:8]})"

    cells: list[Cell] = []
    for grid in grids:
        cells += [replace(cell, variant=called(grid, cell.variant)) for cell in grid.cells]
    return replace(
        first,
        name=" and ".join(dict.fromkeys(grid.name for grid in grids)),
        variants=tuple(
            replace(each, name=called(grid, each.name), baseline=grid is first and each.name == first.baseline.name)
            for grid in grids
            for each in grid.variants
        ),
        metrics=tuple({metric.name: metric for grid in grids for metric in grid.metrics}.values()),
        cells=tuple(cells),
        rows=len({cell.row for cell in cells}),
        spent_nanos=sum(grid.spent_nanos for grid in grids),
        previews={row: words for grid in grids for row, words in grid.previews.items()},
    )
