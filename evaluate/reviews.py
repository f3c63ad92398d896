"""Which answers people are asked to judge next, so that what they say stands for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from evaluate.cells import Cell, Grid

COMPARES, SHARES = "pairwise", "retrieval_relevance"
"""Scorers whose scores are not of one answer, or no verdict on it: people cannot label as they judge."""


def metrics(grid: Grid) -> dict[str, str | list[str]]:
    """What people can be asked of its answers, and how they answer: `yes_no`, `1-5`, or one of some words."""
    identities = {str(each["name"]): each for each in grid.scorers}
    found = {
        each.name: scale(each.kind, identities.get(each.name, {}))
        for each in grid.metrics
        if each.kind in ("binary", "numeric")
    }
    for name, identity in identities.items():
        if identity.get("judge"):
            found.setdefault(name, scale(None, identity))
    return {name: how for name, how in found.items() if how is not None}


def scale(kind: str | None, identity: Mapping[str, Any]) -> str | list[str] | None:
    """None where people cannot say it in a press of a key."""
    if identity.get("scorer") in (COMPARES, SHARES):
        return None
    if kind == "binary":
        return "yes_no"
    words = identity.get("scale")
    if isinstance(words, list | tuple):
        return [str(each) for each in words]
    return "1-5" if kind == "numeric" else None


def reviewable(grid: Grid, metric: str) -> list[Cell]:
    """Answers that can be labelled; where a judge gives the metric, those that it could judge."""
    judged = any(score.source == "judge" for cell in grid.cells if (score := cell.scores.get(metric)) is not None)
    return [
        cell
        for cell in grid.cells
        if cell.status == "ok"
        and cell.run_id is not None
        and (not judged or ((score := cell.scores.get(metric)) is not None and score.value is not None))
    ]


def ordered(cells: Sequence[Cell], variants: Sequence[str], seed: int) -> list[Cell]:
    """Every row once before any a second time, the variants by turns, in an order by chance that is always the same.

    It does not look at what the judge said. Labels that are picked by that tell how often the judge is right where it
    says yes, but no longer how often it says yes where it should, which is what a correction needs.
    """
    place = {name: number for number, name in enumerate(variants)}
    by_row: dict[str, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    rows = sorted(by_row, key=lambda row: _chance(seed, row))
    turns: list[tuple[int, int, Cell]] = []
    for number, row in enumerate(rows):
        turned = sorted(by_row[row], key=lambda cell: (cell.repeat, (place[cell.variant] + number) % len(variants)))
        turns += [(turn, number, cell) for turn, cell in enumerate(turned)]
    return [cell for _, _, cell in sorted(turns, key=lambda turn: turn[:2])]


def _chance(seed: int, row: str) -> bytes:
    return hashlib.sha256(f"{seed}:{row}".encode()).digest()
