"""What a judge that compared answers in both orders preferred: wins and ties, its bias to a place and to length, a
ranking."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from evaluate.card import Figure, Preference, Ranked, Ranking
from evaluate.cells import Cell, Grid
from evaluate.columns import Columns
from evaluate.scorers.pairwise import ORDERS
from evaluate.statistics import bradley_terry, length, swaps
from evaluate.statistics.bradley_terry import Vote
from evaluate.statistics.refusal import Refused
from evaluate.statistics.swaps import Winner

SCORER = "pairwise"
AHEAD: Mapping[str, Winner] = {"candidate": "first", "baseline": "second", "tie": "tie"}
BEHIND: Mapping[str, Winner] = {"candidate": "second", "baseline": "first", "tie": "tie"}
"""Who won by place: with the candidate in front, and behind."""


def of_grid(
    grid: Grid, columns: Columns, candidates: Sequence[str], baseline: str, level: float
) -> tuple[tuple[Preference, ...], tuple[Ranking, ...]]:
    """A ranking where there is more to rank than two."""
    # Labels that people put in a judge's place may be anything; only outcomes make a preference.
    names = [
        name
        for name in metrics(grid)
        if all(0 <= value <= 1 for arm in candidates for tries in columns.tries(arm, name).values() for value in tries)
    ]
    found = tuple(preference(columns, name, candidate, baseline, level) for name in names for candidate in candidates)
    if len(candidates) < 2:
        return found, ()
    return found, tuple(ranking(columns, name, candidates, baseline, level, grid.seed) for name in names)


def metrics(grid: Grid) -> tuple[str, ...]:
    """Names of the scores that say which of two answers is better."""
    return tuple(str(each["name"]) for each in grid.scorers if each.get("scorer") == SCORER)


def preference(columns: Columns, metric: str, candidate: str, baseline: str, level: float) -> Preference:
    scores = [value for tries in columns.tries(candidate, metric).values() for value in tries]
    judged = list(_judged(columns, metric, candidate))
    position = flips = first_wins = None
    try:
        found = swaps.analyse(judged, level)
        position, flips, first_wins = found.position, Figure(interval=found.flips), Figure(interval=found.first_wins)
    except Refused as refusal:
        flips = first_wins = Figure(refused=str(refusal))
    slope = slope_p = None
    outcomes, lengths, groups = _lengths(columns, metric, candidate, baseline)
    try:
        controlled = length.control(outcomes, lengths, clusters=groups, level=level)
        equal, slope, slope_p = Figure(interval=controlled.win_rate), controlled.slope, controlled.p.value
    except Refused as refusal:
        equal = Figure(refused=str(refusal))
    return Preference(
        metric=metric,
        candidate=candidate,
        baseline=baseline,
        wins=sum(value > 0.5 for value in scores),
        ties=sum(value == 0.5 for value in scores),
        losses=sum(value < 0.5 for value in scores),
        judged=len(judged),
        flips=flips,
        first_wins=first_wins,
        position=position,
        at_equal_length=equal,
        length_slope=slope,
        length_p=slope_p,
    )


def ranking(
    columns: Columns, metric: str, candidates: Sequence[str], baseline: str, level: float, seed: int
) -> Ranking:
    """By Bradley and Terry; rows of one cluster are resampled together."""
    votes = [
        Vote(prompt=_group(columns, row), first=candidate, second=baseline, outcome=value)
        for candidate in candidates
        for row, value in columns.means(candidate, metric).items()
    ]
    try:
        found = bradley_terry.rank(votes, level=level, seed=seed)
    except Refused as refusal:
        return Ranking(metric=metric, level=level, prompts=len(columns.rows), arms=(), refused=str(refusal))
    return Ranking(
        metric=metric,
        level=level,
        prompts=found.prompts,
        arms=tuple(
            Ranked(
                arm=each.name,
                elo=each.elo,
                low=bradley_terry.elo(each.low),
                high=bradley_terry.elo(each.high),
                theta=each.theta,
            )
            for each in found.strengths
        ),
        refused=None,
    )


def _judged(columns: Columns, metric: str, candidate: str) -> Iterator[tuple[Winner, Winner]]:
    """Pairs that were put to the judge, by place; answers that are alike were not."""
    for cell in columns.of_arm(candidate):
        score = cell.scores.get(metric)
        if cell.status == "ok" and score is not None and score.value is not None:
            said = ORDERS.match(score.rationale or "")
            if said is not None:
                yield AHEAD[said[1]], BEHIND[said[2]]


def _lengths(
    columns: Columns, metric: str, candidate: str, baseline: str
) -> tuple[list[float], list[float], list[tuple[str, str]]]:
    outcomes, lengths, groups = [], [], []
    for row, cells in columns.cells[candidate].items():
        others: dict[int, Cell] = {cell.repeat: cell for cell in columns.cells[baseline].get(row, ())}
        for cell in cells:
            value, other = cell.measure(metric), others.get(cell.repeat)
            if value is not None and other is not None and cell.text and other.text:
                outcomes.append(value)
                lengths.append(math.log(len(cell.text) / len(other.text)))
                groups.append(_group(columns, row))
    return outcomes, lengths, groups


def _group(columns: Columns, row: str) -> tuple[str, str]:
    cluster = columns.cluster_of[row]
    return ("row", row) if cluster is None else ("cluster", cluster)
