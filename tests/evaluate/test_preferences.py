"""A judge that compared answers in both orders: who won, what of that is place or length, and who ranks where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evaluate.card import Card
from evaluate.cards import compare
from evaluate.cells import Cell, Grid, Metric, Score
from evaluate.report import html, markdown
from tests.evaluate.grids import changed, grid

PREFERRED = Metric(name="preferred")
Judged = Callable[[int, str], tuple[str, str]]
"""Of a row and a candidate who won with the candidate in front, and who with it behind."""


def preferences(judged: Judged, *, arms: tuple[str, ...] = ("old", "new"), rows: int = 120) -> Grid:
    def said(cell: Cell) -> Cell:
        if cell.variant == arms[0]:
            score = Score(name="preferred", value=0.5, rationale="it is the baseline itself", source="judge")
        else:
            one, other = judged(int(cell.row[4:]), cell.variant)
            value = {("candidate", "candidate"): 1.0, ("baseline", "baseline"): 0.0}.get((one, other), 0.5)
            told = f"candidate first: {one}; baseline first: {other}\nbecause\nbecause"
            score = Score(name="preferred", value=value, rationale=told, source="judge", cost_nanos=0)
        return replace(cell, scores={"preferred": score})

    made = changed(grid(dict.fromkeys(arms, lambda *_: 0.5), rows=rows, metric=PREFERRED), said)
    return replace(made, scorers=({"name": "preferred", "scorer": "pairwise", "judge": True},))


def mostly(chances: dict[str, float]) -> Judged:
    drawn = np.random.default_rng(1).random((1000, len(chances)))
    place = {name: at for at, name in enumerate(chances)}
    return lambda row, arm: ("candidate",) * 2 if drawn[row, place[arm]] < chances[arm] else ("baseline",) * 2


def card(judged: Judged, **how: object) -> Card:
    return compare(preferences(judged, **how))  # type: ignore[arg-type]  # what `preferences` takes


def test_a_candidate_that_wins_most_pairs_is_better() -> None:
    found = card(mostly({"new": 0.75}))
    assert found.comparison("new").verdict.word == "better"
    preference = found.preferences[0]
    assert preference.wins + preference.losses == 120
    assert preference.ties == 0
    assert preference.judged == 120
    assert preference.flips.interval is not None
    assert preference.flips.interval.value == 0


def test_a_judge_that_takes_whoever_comes_first_decides_nothing_and_is_found_out() -> None:
    found = card(lambda row, arm: ("candidate", "baseline"))
    preference = found.preferences[0]
    assert (preference.wins, preference.ties, preference.losses) == (0, 120, 0)
    assert preference.flips.interval is not None
    assert preference.flips.interval.value == 1
    assert preference.first_wins.interval is not None
    assert preference.first_wins.interval.value == 1
    assert preference.position is not None
    assert preference.position.value < 1e-9
    assert found.comparison("new").verdict.word == "inconclusive"


def test_a_preference_for_length_alone_is_none_at_equal_length() -> None:
    rng = np.random.default_rng(5)
    longer = rng.normal(0.4, 0.6, 400)
    wins = rng.random(400) < 1 / (1 + np.exp(-4 * longer))
    made = preferences(lambda row, arm: ("candidate",) * 2 if wins[row] else ("baseline",) * 2, rows=400)
    lengths = 100 * np.exp(longer)

    def written(cell: Cell) -> Cell:
        return replace(cell, text="x" * round(lengths[int(cell.row[4:])] if cell.variant == "new" else 100))

    made = changed(made, written)
    preference = compare(made).preferences[0]
    assert preference.wins > 1.5 * preference.losses
    assert preference.at_equal_length.interval is not None
    assert preference.at_equal_length.interval.low < 0.5 < preference.at_equal_length.interval.high
    assert preference.length_slope is not None
    assert preference.length_slope > 0
    assert preference.length_p is not None
    assert preference.length_p < 1e-6


def test_answers_of_one_length_say_nothing_of_length() -> None:
    made = changed(preferences(mostly({"new": 0.75})), lambda cell: replace(cell, text="twelve chars"))
    assert "differ by the same" in (compare(made).preferences[0].at_equal_length.refused or "")


def test_three_arms_are_ranked_with_intervals() -> None:
    found = card(mostly({"good": 0.8, "poor": 0.25}), arms=("old", "good", "poor"))
    ranking = found.rankings[0]
    assert [each.arm for each in ranking.arms] == ["good", "old", "poor"]
    assert sum(each.elo for each in ranking.arms) == pytest.approx(3000)
    assert all(each.low < each.elo < each.high for each in ranking.arms)
    assert ranking.arms[0].low > ranking.arms[2].high


def test_an_arm_that_never_lost_has_no_rank_but_a_reason() -> None:
    found = card(mostly({"good": 1.1, "poor": 0.25}), arms=("old", "good", "poor"))
    assert found.rankings[0].arms == ()
    assert "infinite" in (found.rankings[0].refused or "")
    assert found.comparison("good").verdict.word == "better"


def test_while_pairs_are_still_judged_the_preference_may_be_watched() -> None:
    made = changed(
        preferences(mostly({"new": 0.9})),
        lambda cell: replace(cell, status="pending", scores={}) if int(cell.row[4:]) >= 90 else cell,
    )
    found = compare(made).comparison("new")
    assert found.verdict.early
    assert found.verdict.word == "better"


def test_other_metrics_have_no_preferences() -> None:
    found = compare(grid({"old": lambda *_: True, "new": lambda *_: False}))
    assert found.preferences == ()
    assert found.rankings == ()


def test_a_report_draws_who_was_preferred_and_who_ranks_where() -> None:
    found = card(mostly({"good": 0.8, "poor": 0.25}), arms=("old", "good", "poor"))
    wins, losses = found.preferences[0].wins, found.preferences[0].losses
    page, text = html(found), markdown(found)
    assert f'aria-label="Of 120: {losses} lost, 0 ties, {wins} won"' in page
    strongest = found.rankings[0].arms[0]
    assert f"preferred, strengths: good {strongest.elo:,.0f}; old" in page
    assert f"{strongest.low:,.0f} to {strongest.high:,.0f}" in page
    for said in ("## Preferences", "## Ranking", "against old", f"| {wins} |", "at equal length"):
        assert said in text, said
    assert page.index("Preferences") < page.index("Latency")


def test_a_ranking_that_there_cannot_be_says_why_in_the_report() -> None:
    found = card(mostly({"good": 1.1, "poor": 0.25}), arms=("old", "good", "poor"))
    assert "There is no ranking: the arms cannot be ranked" in html(found)
    assert "not ranked" in markdown(found)


def test_without_a_judge_that_compares_a_report_has_no_preferences() -> None:
    found = replace(card(mostly({"new": 0.75})), preferences=(), rankings=())
    assert "Preferences" not in html(found)
    assert "Ranking" not in markdown(found)
