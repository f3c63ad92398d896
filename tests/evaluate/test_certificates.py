"""A judge is believed as far as it agrees with people, and only while it is the same judge."""

from __future__ import annotations

from typing import Any

import pytest

from evaluate.cells import Cell, DatasetRef, Grid, Metric, Score, Variant
from evaluate.certificates import agreed, certify, changed, digest_of, judges_of, paired, standing
from evaluate.reviews import ordered, reviewable
from evaluate.statistics.refusal import Refused

JUDGE = {
    "name": "helpful",
    "judge": True,
    "scorer": "criteria",
    "prompt": "criteria/1",
    "prompt_digest": "abc",
    "model": "openai/gpt-4o",
    "params": {"temperature": 0},
    "votes": 1,
}
CODE = {"name": "exact", "judge": False, "scorer": "exact"}
TABLE = [(True, True)] * 8 + [(True, False)] + [(False, True)] * 2 + [(False, False)] * 9
"""Twenty answers: what people say, and the judge. They agree on 17, and by chance would on 10."""


def cell(
    row: int, variant: str = "a", repeat: int = 0, *, value: Any = True, source: Any = "judge", **more: Any
) -> Cell:
    run = f"run-{variant}-{row}-{repeat}"
    scores = {"helpful": Score(name="helpful", value=value, source=source)}
    return Cell(
        **{
            "row": f"r{row}",
            "variant": variant,
            "repeat": repeat,
            "status": "ok",
            "run_id": run,
            "scores": scores,
            **more,
        }
    )


def grid(cells: list[Cell], variants: tuple[str, ...] = ("a", "b")) -> Grid:
    return Grid(
        id="e",
        name="e",
        dataset=DatasetRef(name="d", digest="0"),
        variants=tuple(Variant(name=name, endpoint="m") for name in variants),
        metrics=(Metric(name="helpful", kind="binary"),),
        primary="helpful",
        rows=len({each.row for each in cells}),
        cells=tuple(cells),
    )


def test_a_certificate_has_agreement_and_both_rates() -> None:
    found = certify([{"human": human, "judge": judge} for human, judge in TABLE])
    assert found["kappa"]["value"] == pytest.approx(0.7, abs=1e-9)
    assert found["agreement"]["value"] == pytest.approx(0.85)
    assert found["sensitivity"]["value"] == pytest.approx(8 / 9)
    assert found["specificity"]["value"] == pytest.approx(9 / 11)
    assert (found["sensitivity"]["n"], found["specificity"]["n"]) == (9, 11)
    assert found["kappa"]["low"] < 0.7 < found["kappa"]["high"] <= 1


def test_grades_are_weighted_by_how_far_they_are_apart() -> None:
    pairs = [{"human": float(grade), "judge": float(min(5, grade + 1))} for grade in (1, 2, 3, 4, 5) * 4]
    found = certify(pairs)
    assert found["kind"] == "graded"
    assert found["kappa"]["method"] == "Cohen's kappa, quadratic weights"
    assert found["sensitivity"] is None


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (TABLE[:9], "9 answers have both a label and a judge's verdict; at least 10 are needed"),
        ([(True, True)] * 12, "people let all 12 answers pass; label some of the other kind too"),
        ([(1.0, True)] * 12, "label as the judge does"),
    ],
)
def test_labels_that_show_nothing_give_no_certificate(pairs: list[tuple[Any, Any]], said: str) -> None:
    with pytest.raises(Refused, match=said.replace("?", ".")):
        certify([{"human": human, "judge": judge} for human, judge in pairs])


def test_a_certificate_expires_with_any_part_of_its_judge() -> None:
    identity = judges_of([JUDGE, CODE])["helpful"]
    held = {"metric": "helpful", "digest": digest_of(identity), "identity": identity, "id": "c-1"}
    (valid,) = standing([JUDGE, CODE], [held])
    assert (valid["state"], valid["certificate"]["id"]) == ("valid", "c-1")
    for part, value in (
        ("prompt_digest", "abd"),
        ("model", "openai/gpt-4.1"),
        ("params", {"temperature": 1}),
        ("votes", 3),
    ):
        (expired,) = standing([{**JUDGE, part: value}], [held])
        assert expired["state"] == "expired"
        assert expired["certificate"] is None
        assert expired["why"] == changed(identity, {**identity, part: value})
        assert f"{part} was {identity[part]!r} and is {value!r}" in expired["why"]
    (none,) = standing([JUDGE], [{**held, "metric": "other"}])
    assert none["state"] == "none"
    assert standing([CODE], [held]) == []


def test_an_older_certificate_of_the_same_judge_is_still_good() -> None:
    identity = judges_of([JUDGE])["helpful"]
    newest = {"metric": "helpful", "digest": "other", "identity": {**identity, "model": "x"}, "id": "c-2"}
    mine = {"metric": "helpful", "digest": digest_of(identity), "identity": identity, "id": "c-1"}
    assert standing([JUDGE], [newest, mine])[0]["certificate"]["id"] == "c-1"


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ([], None),
        ([True], True),
        ([True, False], None),
        ([True, False, False], False),
        ([None, "b"], "b"),
        ([1, True], None),
    ],
)
def test_of_several_labels_the_most_frequent_counts(values: list[Any], most: Any) -> None:
    assert agreed(values) == most


def test_only_answers_with_both_are_paired() -> None:
    cells = [
        cell(1),
        cell(2, value=None),
        cell(3, source="code"),
        cell(4),
        cell(5, run_id=None),
        cell(6, value=False),
    ]
    said = {f"run-a-{row}-0": [{"value": row != 6, "by": "ann"}] for row in (1, 2, 3, 6)}
    assert paired(cells, "helpful", said) == [{"human": True, "judge": True}, {"human": False, "judge": False}]


def test_every_row_comes_once_before_any_comes_twice() -> None:
    cells = [cell(row, variant, repeat) for row in range(30) for variant in ("a", "b") for repeat in (0, 1)]
    found = ordered(cells, ["a", "b"], seed=3)
    assert len(found) == len(cells)
    assert len({each.row for each in found[:30]}) == 30
    assert {each.repeat for each in found[:60]} == {0}
    assert sum(each.variant == "a" for each in found[:30]) == 15
    assert found == ordered(list(reversed(cells)), ["a", "b"], seed=3)
    assert found != ordered(cells, ["a", "b"], seed=4)


def test_what_people_are_asked_does_not_hang_on_what_the_judge_said() -> None:
    """Or the share of what it lets pass among what people let pass could not be known from it."""
    one = [cell(row, value=row % 7 == 0) for row in range(50)]
    other = [cell(row, value=row % 2 == 0) for row in range(50)]
    assert [each.row for each in ordered(one, ["a"], 0)] == [each.row for each in ordered(other, ["a"], 0)]


def test_only_answers_that_the_judge_could_judge_are_reviewed() -> None:
    cells = [cell(1), cell(2, value=None), cell(3, status="error"), cell(4, run_id=None)]
    assert [each.row for each in reviewable(grid(cells), "helpful")] == ["r1"]
    assert [each.row for each in reviewable(grid(cells), "tone")] == ["r1", "r2"]
