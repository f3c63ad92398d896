"""Scorers of answers that are labels or numbers, with the figures that classifiers and regressors have as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from evaluate.scorers.answer import AgainstOptions, parsed, pointed, references, text_of
from evaluate.scorers.options import Entries, Entry, Means
from evaluate.scorers.scorer import Sample, Scorer, Unscored, by_code
from evaluate.scorers.structure import numbers
from evaluate.scorers.text import AGAINST, identity

NONE_OF_THEM = "(none of the labels)"
"""What an answer says that is no label: wrong, and counted by itself."""
Figures = dict[str, float | None]


class ClassificationOptions(AgainstOptions):
    labels: tuple[str, ...] = Field(min_length=2, description="all labels that there are")
    positive: str | None = Field(default=None, description="the label that is found or missed, where there are two")
    probability: str | None = Field(
        default=None,
        pattern=r"^(/[^/]*)+$",
        description="a JSON Pointer to the probability of the positive label in the answer, which must be JSON",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({label.casefold() for label in self.labels}) < len(self.labels):
            raise ValueError("labels must differ in more than their case")
        if self.positive is not None and (len(self.labels) != 2 or self.positive not in self.labels):
            raise ValueError(f"`positive` must be one of two labels, and these are {list(self.labels)}")
        if self.probability is not None and self.positive is None:
            raise ValueError("`probability` is that of a label; say which with `positive`")
        return self


class RegressionOptions(AgainstOptions):
    pass


def classification(options: ClassificationOptions, means: Means) -> Scorer:
    by_name = {label.casefold(): label for label in options.labels}

    def pair(sample: Sample) -> tuple[str, str]:
        (wanted, *more) = references(sample, options.against)
        if more or wanted.casefold() not in by_name:
            raise Unscored(f"the row's {options.against!r} must be one of {list(options.labels)}, not {wanted!r:.100}")
        try:
            said = text_of(sample, options).strip().strip("\"'`*.").casefold()
        except Unscored:
            said = ""
        return by_name[wanted.casefold()], by_name.get(said, NONE_OF_THEM)

    def judgement(sample: Sample) -> tuple[bool, str]:
        wanted, said = pair(sample)
        return wanted == said, f"{said} for {wanted}"

    def summarize(samples: Sequence[Sample]) -> Mapping[str, float | None]:
        pairs, chances = [], []
        for sample in samples:
            try:
                pairs.append(pair(sample))
            except Unscored:
                continue
            chances.append(_chance(sample, options.probability))
        return {f"{options.called}/{name}": figure for name, figure in of_labels(options, pairs, chances).items()}

    return Scorer(
        name=options.called,
        kind="binary",
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        summarize=summarize,
        identity=identity(options),
    )


def _chance(sample: Sample, pointer: str | None) -> float | None:
    if pointer is None:
        return None
    try:
        chance = pointed(parsed(sample.text, fenced=True), pointer)
    except Unscored:
        return None
    return float(chance) if isinstance(chance, int | float) and 0 <= chance <= 1 else None


def of_labels(
    options: ClassificationOptions, pairs: Sequence[tuple[str, str]], chances: Sequence[float | None]
) -> Figures:
    """By scikit-learn. What needs a probability is there only when every answer gave one."""
    from sklearn import metrics

    figures: Figures = {"example_count": float(len(pairs))}
    if not pairs:
        return figures
    true, said = [wanted for wanted, _ in pairs], [given for _, given in pairs]
    figures["none_of_the_labels"] = float(said.count(NONE_OF_THEM))
    figures["accuracy"] = float(metrics.accuracy_score(true, said))
    figures["matthews"] = float(metrics.matthews_corrcoef(true, said)) if len({*true, *said}) > 1 else None
    labels = list(options.labels)
    for average in ("macro", "micro", "weighted"):
        three = metrics.precision_recall_fscore_support(true, said, labels=labels, average=average, zero_division=0)
        figures |= {
            f"{name}_{average}": float(each) for name, each in zip(("precision", "recall", "f1"), three, strict=False)
        }
    columns = metrics.precision_recall_fscore_support(true, said, labels=labels, average=None, zero_division=0)
    for at, label in enumerate(labels):
        figures |= {
            f"{name}/{label}": float(column[at])
            for name, column in zip(("precision", "recall", "f1", "support"), columns, strict=True)
        }
    every = [*labels, NONE_OF_THEM]
    table = metrics.confusion_matrix(true, said, labels=every)
    figures |= {
        f"confusion/{wanted}/{given}": float(table[row][column])
        for row, wanted in enumerate(labels)
        for column, given in enumerate(every)
    }
    if options.positive is not None and (known := [chance for chance in chances if chance is not None]):
        figures |= _of_chances([each == options.positive for each in true], known)
    return figures


def _of_chances(true: Sequence[bool], chances: Sequence[float]) -> Figures:
    from sklearn import metrics

    if len(chances) < len(true) or len(set(true)) < 2:
        return {}
    return {
        "log_loss": float(metrics.log_loss(true, chances, labels=[False, True])),
        "brier": float(metrics.brier_score_loss(true, chances)),
        "roc_auc": float(metrics.roc_auc_score(true, chances)),
        "average_precision": float(metrics.average_precision_score(true, chances)),
    }


def regression(options: RegressionOptions, means: Means) -> Scorer:
    def pair(sample: Sample) -> tuple[float, float]:
        (wanted, *more) = references(sample, options.against)
        true = numbers(wanted)
        if more or len(true) != 1:
            raise Unscored(f"the row's {options.against!r} must be a number, not {wanted!r:.100}")
        said = numbers(text_of(sample, options))
        if len(said) != 1:
            raise Unscored(f"the answer holds {len(said) or 'no'} number{'s' * (len(said) > 1)}")
        return float(true[0]), float(said[0])

    def judgement(sample: Sample) -> tuple[float, str]:
        true, said = pair(sample)
        return abs(true - said), f"{said:g} for {true:g}"

    def summarize(samples: Sequence[Sample]) -> Mapping[str, float | None]:
        pairs = []
        for sample in samples:
            try:
                pairs.append(pair(sample))
            except Unscored:
                continue
        return {f"{options.called}/{name}": figure for name, figure in of_numbers(pairs).items()}

    return Scorer(
        name=options.called,
        kind="numeric",
        direction="lower",
        needs=AGAINST,
        score=by_code(options.called, AGAINST, judgement),
        summarize=summarize,
        identity=identity(options),
    )


def of_numbers(pairs: Sequence[tuple[float, float]]) -> Figures:
    """By scikit-learn and scipy. What two numbers cannot say is None: R squared and the correlations."""
    figures: Figures = {"example_count": float(len(pairs))}
    if not pairs:
        return figures
    from scipy import stats
    from sklearn import metrics

    true, said = [wanted for wanted, _ in pairs], [given for _, given in pairs]
    squared = float(metrics.mean_squared_error(true, said))
    figures |= {
        "mean_absolute_error": float(metrics.mean_absolute_error(true, said)),
        "mean_squared_error": squared,
        "root_mean_squared_error": math.sqrt(squared),
        "max_error": float(metrics.max_error(true, said)),
        "mean_absolute_percentage_error": float(metrics.mean_absolute_percentage_error(true, said))
        if all(true)
        else None,
        "sum_on_target": math.fsum(true),
        "mean_on_target": math.fsum(true) / len(true),
    }
    varied = len(set(true)) > 1
    figures["r2"] = float(metrics.r2_score(true, said)) if varied else None
    correlations: Mapping[str, Any] = {
        "pearson": stats.pearsonr,
        "spearman": stats.spearmanr,
        "kendall": stats.kendalltau,
    }
    for name, correlate in correlations.items():
        figures[name] = (
            float(correlate(true, said).statistic) if varied and len(set(said)) > 1 and len(pairs) > 2 else None
        )
    return figures


ENTRIES: Entries = {
    "classification": Entry(
        about="The answer is the right label; for the arm accuracy, precision, recall, F1, confusion and the rest.",
        options=ClassificationOptions,
        build=classification,
        packages=("sklearn",),
    ),
    "regression": Entry(
        about="How far the answer's number is from the right one; for the arm MAE, RMSE, R squared and the rest.",
        options=RegressionOptions,
        build=regression,
        packages=("scipy", "sklearn"),
    ),
}
