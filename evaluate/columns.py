"""A grid turned on its side: for each arm and metric the tries of each row, with what ties rows together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from evaluate.cells import Cell, Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    rows: tuple[str, ...]
    """In the order in which the grid has them."""
    cells: dict[str, dict[str, list[Cell]]]
    """By variant and row."""
    cluster_of: dict[str, str | None]
    weight_of: dict[str, float]
    slices_of: dict[str, dict[str, str]] = field(default_factory=dict)
    _tries: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict, repr=False, compare=False)
    _means: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict, repr=False, compare=False)
    """What was read from the cells already: each slice and comparison asks for the same again."""

    @classmethod
    def of(cls, grid: Grid) -> Self:
        cells: dict[str, dict[str, list[Cell]]] = {variant.name: {} for variant in grid.variants}
        first: dict[str, Cell] = {}
        for cell in grid.cells:
            first.setdefault(cell.row, cell)
            cells[cell.variant].setdefault(cell.row, []).append(cell)
        return cls(
            rows=tuple(first),
            cells=cells,
            cluster_of={row: cell.cluster for row, cell in first.items()},
            weight_of={row: cell.weight for row, cell in first.items()},
            slices_of={row: dict(cell.slices) for row, cell in first.items()},
        )

    def of_arm(self, variant: str) -> Iterable[Cell]:
        return (cell for cells in self.cells[variant].values() for cell in cells)

    def tries(self, variant: str, metric: str) -> Mapping[str, list[float]]:
        """The numbers of each row that has any."""
        found = self._tries.get((variant, metric))
        if found is None:
            found = self._tries[variant, metric] = {}
            for row, cells in self.cells[variant].items():
                numbers = [number for cell in cells if (number := cell.measure(metric)) is not None]
                if numbers:
                    found[row] = numbers
        return found

    def means(self, variant: str, metric: str) -> Mapping[str, float]:
        """One number for each row that has any: tries of a row are one item."""
        found = self._means.get((variant, metric))
        if found is None:
            tries = self.tries(variant, metric)
            found = self._means[variant, metric] = {row: sum(numbers) / len(numbers) for row, numbers in tries.items()}
        return found

    def settled(self, row: str) -> bool:
        """Whether no cell of the row is still to come, in any arm."""
        return all(cell.status != "pending" for arm in self.cells.values() for cell in arm.get(row, ()))

    def clusters(self, rows: Sequence[str]) -> list[str | None] | None:
        """Of these rows; None where no two share one."""
        labels = [self.cluster_of[row] for row in rows]
        known = [label for label in labels if label is not None]
        return labels if len(set(known)) < len(known) else None

    def weights(self, rows: Sequence[str]) -> list[float] | None:
        """Of these rows; None where all weigh the same."""
        weights = [self.weight_of[row] for row in rows]
        return weights if len(set(weights)) > 1 else None
