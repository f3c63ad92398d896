"""Scorers of what was retrieved, by trec_eval's definitions; MLflow's, which flatter short lists, by their own name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from evaluate.scorers.options import Entries, Entry, Means, Options
from evaluate.scorers.scorer import Need, Sample, Scorer, Unscored, by_code, expected
from evaluate.scorers.text import identity

NEEDS: frozenset[Need] = frozenset({"context", "expectations"})
Grades = Mapping[str, int]
"""How relevant each document is; a document that is not there is not relevant."""
Measure = Callable[[Sequence[str], Grades, int], float]


class RetrievalOptions(Options):
    k: int = Field(default=10, ge=1, le=1000, description="how many of the first documents count")
    against: str = Field(
        default="relevant_documents",
        description="the row's expectation: a list of the ids of relevant documents, or an object of ids and grades",
    )


class VariedOptions(RetrievalOptions):
    semantics: Literal["trec", "mlflow"] = Field(
        default="trec", description="trec_eval's, or MLflow's, which counts only as far as documents were retrieved"
    )


class WholeOptions(Options):
    against: str = Field(
        default="relevant_documents",
        description="the row's expectation: a list of the ids of relevant documents, or an object of ids and grades",
    )


def precision(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """Divided by k, however few were retrieved."""
    return _relevant(ranked[:k], grades) / k


def recall(ranked: Sequence[str], grades: Grades, k: int) -> float:
    return _relevant(ranked[:k], grades) / _all(grades)


def success(ranked: Sequence[str], grades: Grades, k: int) -> float:
    return float(_relevant(ranked[:k], grades) > 0)


def average_precision(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """Over all that was retrieved; a relevant document that was not retrieved counts as nothing."""
    found, total = 0, 0.0
    for at, id in enumerate(ranked, 1):
        if grades.get(id, 0) > 0:
            found += 1
            total += found / at
    return total / _all(grades)


def reciprocal_rank(ranked: Sequence[str], grades: Grades, k: int) -> float:
    return next((1 / at for at, id in enumerate(ranked, 1) if grades.get(id, 0) > 0), 0.0)


def ndcg(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """The ideal is that of all relevant documents, retrieved or not."""
    return _gain([grades.get(id, 0) for id in ranked[:k]]) / _gain(sorted(grades.values(), reverse=True)[:k])


def mlflow_precision(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """Divided by how many were retrieved, if that is less than k."""
    return _relevant(ranked[:k], grades) / min(k, len(ranked)) if ranked else 0.0


def mlflow_ndcg(ranked: Sequence[str], grades: Grades, k: int) -> float:
    """The ideal is cut where the list ends."""
    return ndcg(ranked, grades, min(k, len(ranked))) if ranked else 0.0


def _relevant(ranked: Sequence[str], grades: Grades) -> int:
    return sum(grades.get(id, 0) > 0 for id in ranked)


def _all(grades: Grades) -> int:
    return sum(grade > 0 for grade in grades.values())


def _gain(grades: Sequence[int]) -> float:
    return sum(max(0, grade) / math.log2(at + 1) for at, grade in enumerate(grades, 1))


def _scorer(options: Any, measure: Measure, k: int, called: str) -> Scorer:
    def judgement(sample: Sample) -> float:
        grades = _grades(expected(sample, options.against), options.against)
        if not _all(grades):
            raise Unscored("no document is relevant for this row, so there was nothing to retrieve")
        # A document that is retrieved twice, as chunks of it are, counts where it comes first.
        return measure(list(dict.fromkeys(each.id for each in sample.context or ())), grades, k)

    name = options.name or called
    score = by_code(name, NEEDS, judgement)
    return Scorer(name=name, kind="numeric", needs=NEEDS, score=score, identity=identity(options))


def _grades(value: Any, where: str) -> Grades:
    match value:
        case list():
            return {str(id): 1 for id in value}
        case dict() if all(type(grade) is int for grade in value.values()):
            return value
    raise Unscored(
        f"the row's {where!r} must be a list of ids, or an object of ids and whole grades, not {value!r:.100}"
    )


def _at_k(name: str, measure: Measure) -> Callable[[Any, Means], Scorer]:
    return lambda options, means: _scorer(options, measure, options.k, f"{name}@{options.k}")


def _varied(name: str, measures: Mapping[str, Measure]) -> Callable[[Any, Means], Scorer]:
    return lambda options, means: _scorer(options, measures[options.semantics], options.k, f"{name}@{options.k}")


def _whole(name: str, measure: Measure) -> Callable[[Any, Means], Scorer]:
    return lambda options, means: _scorer(options, measure, 0, name)


ENTRIES: Entries = {
    "precision_at_k": Entry(
        about="The share of the first k documents that is relevant.",
        options=VariedOptions,
        build=_varied("precision", {"trec": precision, "mlflow": mlflow_precision}),
    ),
    "recall_at_k": Entry(
        about="The share of the relevant documents that is among the first k.",
        options=RetrievalOptions,
        build=_at_k("recall", recall),
    ),
    "success_at_k": Entry(
        about="A relevant document is among the first k: 1, or 0.",
        options=RetrievalOptions,
        build=_at_k("success", success),
    ),
    "ndcg_at_k": Entry(
        about="Normalised discounted cumulative gain of the first k documents, by their grades.",
        options=VariedOptions,
        build=_varied("ndcg", {"trec": ndcg, "mlflow": mlflow_ndcg}),
    ),
    "average_precision": Entry(
        about="Average precision of the whole list; its mean over rows is MAP.",
        options=WholeOptions,
        build=_whole("average_precision", average_precision),
    ),
    "reciprocal_rank": Entry(
        about="One over the place of the first relevant document; its mean over rows is MRR.",
        options=WholeOptions,
        build=_whole("reciprocal_rank", reciprocal_rank),
    ),
}
