"""A gate, from grid to outcome, rarely passes a candidate at its bounds, and mostly one that is far beyond."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evaluate.cells import Grid
from evaluate.face import card_for
from evaluate.gate import decide, judge
from evaluate.gate_file import Floor, Gate, Primary
from tests.evaluate.grids import CORRECT, grid

pytestmark = pytest.mark.slow

WORLDS, SOME, ROWS = 120, 20, 60
MARGIN = 0.1
TOO_MANY = 0.05 + 3 * (0.05 * 0.95 / WORLDS) ** 0.5
"""Of passes that are none, where at most one in twenty is allowed: three standard errors above."""


def world(seed: int, old: float, new: float) -> Grid:
    rng = np.random.default_rng(seed)
    easy = rng.random(ROWS)

    def right(share: float, own: np.ndarray) -> Callable[[int, int], bool]:
        # Rows that one arm finds hard are mostly hard for the other too, and each has rows of its own.
        return lambda row, repeat: bool((easy[row] if own[row] > 0.4 else rng.random()) < share)

    both = {"old": right(old, rng.random(ROWS)), "new": right(new, rng.random(ROWS))}
    return grid(both, rows=ROWS, metric=CORRECT, seed=seed)


def outcomes(gate: Gate, old: float, new: float, worlds: int) -> Counter[str]:
    made = (world(seed, old, new) for seed in range(worlds))
    return Counter(judge(gate, card_for(gate, each)).outcome for each in made)


@pytest.mark.parametrize(
    ("primary", "at_the_bound", "beyond"),
    [
        (Primary(metric="correctness"), (0.7, 0.7), (0.4, 0.85)),
        (Primary(metric="correctness", test="non_inferiority", margin=MARGIN), (0.8, 0.7), (0.6, 0.85)),
        (Primary(metric="correctness", test="equivalence", margin=MARGIN), (0.7, 0.8), (1.0, 1.0)),
    ],
    ids=lambda it: it.test if isinstance(it, Primary) else str(it),
)
def test_what_lies_on_a_bound_rarely_passes(
    primary: Primary, at_the_bound: tuple[float, float], beyond: tuple[float, float]
) -> None:
    gate = Gate(primary=primary)
    assert outcomes(gate, *at_the_bound, WORLDS)["pass"] / WORLDS <= TOO_MANY
    assert outcomes(gate, *beyond, SOME)["pass"] / SOME > 0.8


def test_what_lies_on_a_floor_rarely_passes_and_rarely_fails() -> None:
    floor = Floor(metric="correctness", wilson_lower=0.8)
    found = Counter(
        decide(floor, card_for(Gate(floors=(floor,)), world(seed, 0.5, 0.8))).outcome for seed in range(WORLDS)
    )
    assert found["pass"] / WORLDS <= TOO_MANY
    assert found["fail"] / WORLDS <= TOO_MANY


def test_a_grid_that_fills_never_passes() -> None:
    whole = world(0, 0.2, 1.0)
    gate = Gate(primary=Primary(metric="correctness"))
    assert judge(gate, card_for(gate, whole)).outcome == "pass"
    last = replace(whole.cells[-1], status="pending", scores={})
    assert judge(gate, card_for(gate, replace(whole, cells=(*whole.cells[:-1], last)))).outcome == "inconclusive"
