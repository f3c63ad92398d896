"""The grid and its cells keep what they are told, also through JSON, and refuse what is no number."""

import dataclasses
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.cells import COST, LATENCY, Cell, DatasetRef, Forecast, Grid, Metric, Row, Score, Variant

SCORES = st.builds(
    Score,
    name=st.text(min_size=1),
    value=st.one_of(st.none(), st.booleans(), st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    rationale=st.none() | st.text(),
    judge_run_ids=st.lists(st.text()).map(tuple),
    source=st.sampled_from(["code", "judge", "human"]),
)
CELLS = st.builds(
    Cell,
    row=st.text(),
    variant=st.sampled_from(["a", "b"]),
    repeat=st.integers(0, 9),
    status=st.sampled_from(["ok", "error", "pending"]),
    output=st.none() | st.just({"role": "assistant", "content": [{"type": "text", "text": "x"}]}),
    scores=st.dictionaries(st.text(), SCORES, max_size=3),
    cost_nanos=st.none() | st.integers(0, 2**53),
)


def grid(*cells: Cell) -> Grid:
    return Grid(
        id="e-1",
        name="capitals",
        dataset=DatasetRef(name="capitals", version=2, digest="d"),
        variants=(
            Variant(name="a", endpoint="m", messages=({"role": "user", "content": "{{ q }}"},)),
            Variant(name="b", endpoint="m", prompt="prompts:/ask/3", params={"temperature": 0}, baseline=True),
        ),
        metrics=(Metric(name="exact", kind="binary"), Metric(name=COST, direction="lower", kind="cost")),
        primary="exact",
        rows=1,
        cells=cells,
        forecast=Forecast(cells=2, expected_nanos=5, low_nanos=None, high_nanos=9, method="m", unpriced=("x",)),
        scorers=({"name": "exact"},),
    )


@given(st.lists(CELLS, max_size=4))
def test_a_grid_comes_back_from_its_json_as_it_was(cells: list[Cell]) -> None:
    before = grid(*cells)
    after = Grid.from_json(orjson.loads(orjson.dumps(before.to_json())))
    assert after == before
    assert after.digest == before.digest


def test_a_row_comes_back_from_its_json_as_it_was() -> None:
    row = Row(id="r", inputs={"q": 1}, expectations={"expected": "x"}, tags={"lang": "da"}, cluster="s", weight=2.5)
    assert Row.from_json(orjson.loads(orjson.dumps(row.to_json()))) == row


def test_another_score_is_another_digest() -> None:
    cell = Cell(row="r", variant="a", status="ok", scores={"exact": Score(name="exact", value=True)})
    changed = dataclasses.replace(cell, scores={"exact": Score(name="exact", value=False)})
    assert grid(cell).digest != grid(changed).digest


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="None for unscored"):
        Score(name="x", value=value)


def test_what_a_cell_lacks_is_none_and_never_zero() -> None:
    cell = Cell(row="r", variant="a", status="ok", cost_nanos=2_000_000_000, latency_us=1_500_000)
    assert (cell.measure(COST), cell.measure(LATENCY), cell.measure("exact")) == (2.0, 1.5, None)
    cached = dataclasses.replace(cell, cached=True)
    assert (cached.measure(COST), cached.measure(LATENCY)) == (None, None)
    failed = dataclasses.replace(cell, status="error", scores={"exact": Score(name="exact", value=True)})
    assert failed.measure("exact") is None


def test_the_baseline_is_the_one_marked() -> None:
    assert grid().baseline.name == "b"
    assert grid().metric("exact").kind == "binary"
    with pytest.raises(KeyError, match="it has exact, cost"):
        grid().metric("exakt")
