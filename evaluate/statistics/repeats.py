"""Repeats of one row: tries of the same question, whose spread is another than that between questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.statistics.numbers import Floats, Numbers, floats
from evaluate.statistics.refusal import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where the variance of scores is from."""

    within: float
    """E[sigma^2]: between tries of the same question. More repeats make it count less."""
    between: float
    """Var(x): between questions, with what the tries add taken out. Only more questions make it count less."""
    repeats: float
    """Tries for each question; the harmonic mean where they differ."""


def question_means(scores: Sequence[Numbers]) -> Floats:
    """One number for each question: what every interval and test is made from."""
    return np.array([floats(tries, what="tries").mean() for tries in scores], dtype=np.float64)


def spread(scores: Sequence[Numbers]) -> Spread:
    """Var(question means) = between + within / repeats. `between` below 0 is noise around 0 and is said as it is."""
    if len(scores) < 2:
        raise Refused(f"{len(scores)} questions; at least 2 are needed to tell questions from tries")
    if min(len(tries) for tries in scores) < 2:
        raise Refused("a question was tried once; each needs at least 2 tries to see how tries differ")
    sizes = np.array([len(tries) for tries in scores])
    variances, means = np.empty(sizes.size), np.empty(sizes.size)
    for size in np.unique(sizes):
        at = np.flatnonzero(sizes == size)
        tried = np.array([scores[int(each)] for each in at], dtype=np.float64)
        variances[at], means[at] = tried.var(axis=1, ddof=1), tried.mean(axis=1)
    # The variance that tries add to a question's mean is averaged over questions, so that unequal numbers of tries are
    # right too.
    added = float((variances / sizes).mean())
    return Spread(
        within=float(variances.mean()),
        between=float(means.var(ddof=1)) - added,
        repeats=float(sizes.size / (1 / sizes).sum()),
    )


def pass_at(tries: int, successes: int, k: int) -> float:
    """The chance that at least one of k tries succeeds, without bias (Chen et al. 2021, arXiv:2107.03374)."""
    _checked(tries, successes, k)
    return 1 - math.comb(tries - successes, k) / math.comb(tries, k)


def pass_all(tries: int, successes: int, k: int) -> float:
    """The chance that all of k tries succeed: pass^k (Yao et al. 2024, arXiv:2406.12045)."""
    _checked(tries, successes, k)
    return math.comb(successes, k) / math.comb(tries, k)


def _checked(tries: int, successes: int, k: int) -> None:
    if not 0 <= successes <= tries:
        raise ValueError(f"of {tries} tries {successes} cannot have succeeded")
    if not 1 <= k <= tries:
        raise Refused(f"k = {k} of {tries} tries; k lies between 1 and the number of tries")
