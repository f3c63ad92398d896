"""Grids made up for tests: so many rows, arms that answer them well or badly, calls with a cost and a latency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from evaluate.cells import Cell, DatasetRef, Grid, Metric, Score, Variant

CORRECT = Metric(name="correctness", kind="binary")
Answer = Callable[[int, int], float | bool | None]
"""Of a row and a repeat: what the scorer says."""


def grid(
    arms: Mapping[str, Answer],
    *,
    rows: int = 200,
    repeats: int = 1,
    metric: Metric = CORRECT,
    clusters: int | None = None,
    weights: Sequence[float] | None = None,
    cost_nanos: Mapping[str, int] | None = None,
    slices: Callable[[int], Mapping[str, str]] = lambda row: {},
    seed: int = 0,
) -> Grid:
    """The first arm is the baseline."""
    rng = np.random.default_rng(seed)
    cells = []
    for row in range(rows):
        slow = rng.lognormal(0, 0.5)
        for name, answer in arms.items():
            for repeat in range(repeats):
                cost = (cost_nanos or {}).get(name, 1_000_000)
                cells.append(
                    Cell(
                        row=f"row-{row}",
                        variant=name,
                        repeat=repeat,
                        cluster=None if clusters is None else f"session-{row % clusters}",
                        weight=1.0 if weights is None else weights[row],
                        status="ok",
                        run_id=f"run-{name}-{row}-{repeat}",
                        text=f"{name} answers {row}",
                        scores={metric.name: Score(name=metric.name, value=answer(row, repeat), cost_nanos=0)},
                        cost_nanos=cost + int(rng.integers(0, cost // 10)),
                        latency_us=int(1e6 * slow * rng.lognormal(0, 0.1)),
                        ttft_us=int(2e5 * slow),
                        prompt_tokens=100,
                        completion_tokens=20,
                        model=f"{name}-2026-01-01",
                        slices=slices(row),
                    )
                )
    return Grid(
        id="e-1",
        name="which is better",
        dataset=DatasetRef(name="questions", version=3, digest="d16e57"),
        variants=tuple(
            Variant(name=name, endpoint=f"demo/{name}", prompt="prompts:/answer/3", baseline=at == 0)
            for at, name in enumerate(arms)
        ),
        metrics=(metric,),
        primary=metric.name,
        rows=rows,
        repeats=repeats,
        cells=tuple(cells),
        state="finished",
        created_us=1,
        seed=seed,
        previews={f"row-{row}": f"question {row}" for row in range(rows)},
    )


def changed(made: Grid, change: Callable[[Cell], Cell]) -> Grid:
    return replace(made, cells=tuple(change(cell) for cell in made.cells))


def right(share: float, seed: int) -> Answer:
    """Right on so many rows, picked by chance; every repeat alike."""
    rng = np.random.default_rng(seed)
    drawn = rng.random(100_000) < share
    return lambda row, repeat: bool(drawn[row])
