"""A ranking from who beat whom: Bradley-Terry strengths, with intervals over prompts."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import choix
import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from evaluate.statistics.numbers import Floats, Indices, groups
from evaluate.statistics.refusal import Refused

ELO_MEAN = 1000.0
ELO_SCALE = 400 / math.log(10)
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One comparison; the same prompt may be voted on many times, and its votes depend on each other."""

    prompt: Hashable
    first: str
    second: str
    outcome: float
    """1 the first won, 0 the second, 0.5 a tie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    name: str
    theta: float
    low: float
    high: float

    @property
    def elo(self) -> float:
        return ELO_MEAN + ELO_SCALE * self.theta


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    strengths: tuple[Strength, ...]
    """The strongest first; they add up to 0."""
    votes: int
    prompts: int
    level: float
    lost: int
    """Resamples that left the arms unconnected and so have no ranking."""


def rank(votes: Sequence[Vote], *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0) -> Ranking:
    """Intervals resample whole prompts (Chiang et al. 2024, arXiv:2403.04132), for votes on one prompt are not
    independent."""
    names = sorted({name for vote in votes for name in (vote.first, vote.second)})
    wins, prompts = _wins_by_prompt(votes, names)
    theta = strengths(wins.sum(axis=0))
    rng = np.random.default_rng(seed)
    drawn: list[Floats] = []
    for _ in range(resamples):
        resample = wins[rng.integers(0, prompts, prompts)].sum(axis=0)
        if connected(resample):
            drawn.append(strengths(resample))
    lost = resamples - len(drawn)
    if lost > resamples * (1 - level) / 2:
        raise Refused(
            f"{lost} of {resamples} resamples leave some arm without a win or a loss, where it has no strength; "
            f"{prompts} prompts are too few for intervals"
        )
    low, high = np.quantile(np.array(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    found = [
        Strength(name=name, theta=float(theta[at]), low=float(low[at]), high=float(high[at]))
        for at, name in enumerate(names)
    ]
    return Ranking(
        strengths=tuple(sorted(found, key=lambda each: -each.theta)),
        votes=len(votes),
        prompts=prompts,
        level=level,
        lost=lost,
    )


def strengths(wins: Floats) -> Floats:
    """`wins[i, j]`: how often i beat j, a tie half a win each. The maximum of the likelihood, around 0."""
    if not connected(wins):
        raise Refused(
            "the arms cannot be ranked: some of them never lost to, or never won against, the rest, "
            "so that their strength would be infinite; more votes between them are needed"
        )
    theta = choix.ilsr_pairwise_dense(np.asarray(wins, dtype=np.float64), max_iter=1000, tol=1e-12)
    return np.asarray(theta - theta.mean(), dtype=np.float64)


def standard_errors(wins: Floats, reference: int = 0) -> Floats:
    """Of the strengths relative to one arm, as if all votes were independent: what a logistic regression reports."""
    theta = strengths(wins)
    games = wins + wins.T
    chance = expit(theta[:, np.newaxis] - theta)
    weight = games * chance * (1 - chance)
    information = np.delete(np.delete(np.diag(weight.sum(axis=1)) - weight, reference, 0), reference, 1)
    return np.insert(np.sqrt(np.diag(np.linalg.inv(information))), reference, 0.0)


def connected(wins: Floats) -> bool:
    """Whether there is a chain of wins from every arm to every other: else the likelihood has no maximum (Ford
    1957)."""
    count, _ = connected_components(np.asarray(wins) > 0, directed=True, connection="strong")
    return bool(count == 1)


def beats(theta: float, other: float) -> float:
    """The chance that one arm beats another."""
    return 1 / (1 + math.exp(other - theta))


def elo(theta: float) -> float:
    return ELO_MEAN + ELO_SCALE * theta


def _wins_by_prompt(votes: Sequence[Vote], names: Sequence[str]) -> tuple[Floats, int]:
    if len(names) < 2:
        raise Refused("a ranking needs votes between at least 2 arms")
    place = {name: at for at, name in enumerate(names)}
    group: Indices = groups([("prompt", vote.prompt) for vote in votes], len(votes))
    prompts = int(group.max()) + 1
    wins = np.zeros((prompts, len(names), len(names)))
    for vote, prompt in zip(votes, group, strict=True):
        if vote.first == vote.second:
            raise ValueError(f"{vote.first!r} was held against itself")
        if not 0 <= vote.outcome <= 1:
            raise ValueError(f"an outcome is 1, 0.5 or 0, not {vote.outcome!r}")
        first, second = place[vote.first], place[vote.second]
        wins[prompt, first, second] += vote.outcome
        wins[prompt, second, first] += 1 - vote.outcome
    return wins, prompts
