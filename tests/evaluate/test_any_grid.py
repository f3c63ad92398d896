"""Whatever a grid holds, its card can be made, is plain JSON, and contradicts itself nowhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.card import Card, Comparison
from evaluate.cards import compare
from evaluate.cells import Cell, DatasetRef, Grid, Metric, Score, Variant

KINDS: tuple[Any, ...] = ("binary", "numeric", "cost", "latency")
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5).map(float),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.just("polite"),
)
measured = st.one_of(st.none(), st.integers(0, 10**10))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    arms = [f"arm-{at}" for at in range(draw(st.integers(1, 3)))]
    rows, repeats = draw(st.integers(0, 9)), draw(st.integers(1, 3))
    kind = draw(st.sampled_from(KINDS))
    clusters = draw(st.lists(st.one_of(st.none(), st.sampled_from("abc")), min_size=rows, max_size=rows))
    weights = draw(st.one_of(st.just([1.0] * rows), st.lists(st.floats(0.1, 9), min_size=rows, max_size=rows)))
    drawn = draw(st.sampled_from([values, st.booleans(), st.just(1.0), st.floats(0, 1)]))
    statuses = draw(st.sampled_from([["ok"], ["ok", "error"], ["ok", "error", "pending"], ["pending"]]))
    cells = []
    for row in range(rows):
        for arm in arms:
            for repeat in range(repeats):
                status: Any = draw(st.sampled_from(statuses))
                value = draw(drawn)
                cells.append(
                    Cell(
                        row=str(row),
                        variant=arm,
                        repeat=repeat,
                        cluster=clusters[row],
                        weight=weights[row],
                        status=status,
                        error="upstream_5xx" if status == "error" else None,
                        run_id=f"{row}-{arm}-{repeat}",
                        text=draw(st.sampled_from(["", "yes", "certainly"])),
                        scores={"quality": Score(name="quality", value=value)} if status == "ok" else {},
                        cost_nanos=draw(measured),
                        latency_us=draw(measured),
                        cached=draw(st.booleans()),
                        slices={"half": str(row % 2)},
                    )
                )
    return Grid(
        id="e",
        name="any",
        dataset=DatasetRef(name="rows", digest="0"),
        variants=tuple(Variant(name=arm, endpoint="demo") for arm in arms),
        metrics=(Metric(name="quality", kind=kind, direction=draw(st.sampled_from(["higher", "lower"]))),),
        primary="quality",
        scorers=draw(st.sampled_from([(), ({"name": "quality", "scorer": "pairwise"},)])),
        rows=rows,
        repeats=repeats,
        cells=tuple(cells),
    )


def consistent(it: Comparison, card: Card) -> None:
    missing = it.missing
    assert missing.pairs == it.n
    assert it.n + missing.only_candidate + missing.only_baseline + missing.neither == card.rows
    for figure in (it.difference, it.narrow):
        assert (figure.interval is None) != (figure.refused is None)
        if figure.interval is not None:
            assert figure.interval.low <= figure.interval.value <= figure.interval.high
    for p in (it.p, *it.also):
        assert p is None or 0 <= p.value <= 1
    if not card.complete:
        assert it.p is None
    if it.fixed is not None and it.broke is not None:
        assert it.fixed + it.broke + it.ties == it.n
    if it.verdict.word == "inconclusive":
        assert it.verdict.claims == ()
    else:
        assert it.verdict.claims[0] == it.verdict.word
        assert it.difference.interval is not None


@settings(deadline=None, max_examples=30)
@given(grids(), st.sampled_from([None, 0.1]), st.sampled_from(["holm", "bh", "none"]))
def test_any_grid_has_a_card(grid: Grid, margin: float | None, adjustment: Any) -> None:
    card = compare(grid, margin=margin, adjustment=adjustment, slice_minimum=2)
    json.dumps(card.to_json(), allow_nan=False)
    assert len(card.comparisons) == (len(grid.variants) - 1) * len(card.metrics)
    for each in card.comparisons:
        consistent(each, card)
    for arm in card.arms:
        counts = arm.counts
        assert counts.ok + counts.errored + counts.pending == sum(cell.variant == arm.name for cell in grid.cells)
        for metric in arm.metrics:
            if metric.mean.interval is not None:
                assert metric.mean.interval.low <= metric.mean.interval.value <= metric.mean.interval.high
