"""Pairs judged in both orders: what a judge says of the answers, and what only of their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from evaluate.statistics import paired_share, proportion
from evaluate.statistics.interval import Interval, PValue
from evaluate.statistics.mcnemar import Table
from evaluate.statistics.refusal import Refused

Winner = Literal["first", "second", "tie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swaps:
    outcomes: tuple[float, ...]
    """For the candidate, of each pair: 1 or 0 where both orders agree, else a half."""
    flips: Interval
    """The share of pairs whose winner changes with the order."""
    first_wins: Interval
    """The share of decided judgements won by whoever came first."""
    position: PValue
    """Whether one place is favoured."""


def analyse(judged: Sequence[tuple[Winner, Winner]], level: float = 0.95) -> Swaps:
    """Of each pair who won with the candidate first, and who with the candidate second (Zheng et al. 2023,
    arXiv:2306.05685).

    The test of the position counts pairs, not judgements: the two of a pair are not independent. Only pairs that lean
    to a place tell of it, and without a bias they lean to either place as often.
    """
    if not judged:
        raise Refused("no pairs were judged in both orders")
    places = [winner for pair in judged for winner in pair if winner != "tie"]
    leans = [sum((winner == "first") - (winner == "second") for winner in pair) for pair in judged]
    to_first, leaning = sum(lean > 0 for lean in leans), sum(lean != 0 for lean in leans)
    p = float(stats.binomtest(to_first, leaning, 0.5).pvalue) if leaning else 1.0
    if not places:
        raise Refused("every judgement was a tie: no place was favoured, and no answer")
    return Swaps(
        outcomes=tuple(_outcome(*pair) for pair in judged),
        flips=proportion.wilson(sum(_flipped(*pair) for pair in judged), len(judged), level),
        first_wins=_first_wins(leans, places.count("first"), len(places), level),
        position=PValue(test="binomial, pairs that lean to a place", value=p, statistic=float(to_first), n=leaning),
    )


def _first_wins(leans: Sequence[int], first: int, decided: int, level: float) -> Interval:
    """The two judgements of a pair are not independent: a pair won in both orders gives either place one. So pairs
    that lean to the one place are held against those that lean to the other."""
    if decided < 2 * len(leans):
        # With ties the pairs decide unlike many judgements, which the interval of independent ones is wide enough for.
        return proportion.wilson(first, decided, level)
    to_first, to_second = (sum(lean == side for lean in leans) for side in (2, -2))
    same = len(leans) - to_first - to_second
    found = paired_share.tango(Table(both=same, first=to_first, second=to_second, neither=0), level)
    value, low, high = ((1 + each) / 2 for each in (found.value, found.low, found.high))
    return Interval(value=value, low=low, high=high, level=level, method="tango, of pairs", n=len(leans))


def _outcome(as_first: Winner, as_second: Winner) -> float:
    if (as_first, as_second) == ("first", "second"):
        return 1.0
    return 0.0 if (as_first, as_second) == ("second", "first") else 0.5


def _flipped(as_first: Winner, as_second: Winner) -> bool:
    return _outcome(as_first, as_second) == 0.5 and (as_first, as_second) != ("tie", "tie")
