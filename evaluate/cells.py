"""The grid of an evaluation: rows x variants x repeats, each cell one call with its scores, and its form as JSON."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Literal, Self, cast

import orjson

from providers.chat import Json

Value = float | bool | str | None
Status = Literal["ok", "error", "pending"]
Source = Literal["code", "judge", "human"]
Direction = Literal["higher", "lower"]
MetricKind = Literal["binary", "numeric", "latency", "cost"]
State = Literal["created", "running", "stopping", "stopped", "scoring", "finished", "failed"]

OVER: tuple[State, ...] = ("finished", "stopped", "failed")
"""The states in which nobody works at an evaluation any more."""
SCALARS = frozenset({str, int, float, bool, NoneType})
COST = "cost"
"""The metric that every cell has without a scorer: what its call cost, in dollars."""
LATENCY = "latency"
"""Likewise: how long its call took, in seconds. A cell that was answered from a cache has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a dataset as variants render it and scorers judge against it."""

    id: str
    inputs: Json
    """The variables of a prompt; `messages`, where a row brings a whole conversation."""
    expectations: Json = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    """The session, user or document that the row shares with others, which makes them dependent."""
    weight: float = 1.0
    """How many rows of the population it stands for: the inverse of the probability with which it was sampled."""
    split: str | None = None

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        return cls(**payload)

    def to_json(self) -> Json:
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one scorer said of one cell."""

    name: str
    value: Value
    """None is unscored: the scorer could not say. It is counted and shown, and is never zero."""
    rationale: str | None = None
    error: str | None = None
    judge_run_ids: tuple[str, ...] = ()
    cost_nanos: int | None = None
    """What the judge's calls cost; None where unknown, 0 for code."""
    source: Source = "code"

    def __post_init__(self) -> None:
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise ValueError(
                f"a score is a finite number, True, False, a word, or None for unscored, not {self.value!r}"
            )

    @property
    def number(self) -> float | None:
        """True is 1, False is 0; a word is no number."""
        return None if self.value is None or isinstance(self.value, str) else float(self.value)

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        return cls(**{**payload, "judge_run_ids": tuple(payload.get("judge_run_ids", ()))})

    def to_json(self) -> Json:
        return {**_plain(self), "judge_run_ids": list(self.judge_run_ids)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One row answered once by one variant."""

    row: str
    variant: str
    repeat: int = 0
    cluster: str | None = None
    weight: float = 1.0
    status: Status = "pending"
    error: str | None = None
    run_id: str | None = None
    output: Json | None = None
    """The message of the answer, as OpenAI's chat has it."""
    text: str = ""
    scores: Mapping[str, Score] = field(default_factory=dict)
    cost_nanos: int | None = None
    latency_us: int | None = None
    ttft_us: int | None = None
    cached: bool = False
    """Answered from a cache: its latency and cost are the cache's and say nothing of the variant."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    """The id that the provider returned, which may be a dated one."""
    slices: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int]:
        return self.row, self.variant, self.repeat

    def measure(self, metric: str) -> float | None:
        """The cell's number for a metric, None where it has none: pending, failed, unscored, cached, unpriced."""
        if self.status != "ok":
            return None
        if metric == COST:
            return None if self.cost_nanos is None or self.cached else self.cost_nanos / 1e9
        if metric == LATENCY:
            return None if self.latency_us is None or self.cached else self.latency_us / 1e6
        score = self.scores.get(metric)
        return None if score is None else score.number

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        scores = {name: Score.from_json(score) for name, score in payload.get("scores", {}).items()}
        return cls(**{**payload, "scores": scores})

    def to_json(self) -> Json:
        return {**_plain(self), "scores": {name: score.to_json() for name, score in self.scores.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One arm: what is asked, of which model, with which parameters."""

    name: str
    prompt: str | None = None
    """`prompts:/name/3`, a version of the registry."""
    messages: tuple[Json, ...] | None = None
    """Written out, with `{{ variable }}` for the row's inputs. With neither, the row's own `messages` are sent."""
    endpoint: str
    """The name of the model as the gateway knows it."""
    params: Mapping[str, Any] = field(default_factory=dict)
    baseline: bool = False

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        messages = payload.get("messages")
        return cls(**{**payload, "messages": None if messages is None else tuple(messages)})

    def to_json(self) -> Json:
        return {**_plain(self), "messages": None if self.messages is None else list(self.messages)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    name: str
    direction: Direction = "higher"
    kind: MetricKind = "numeric"

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        return cls(**payload)

    def to_json(self) -> Json:
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRef:
    """Which rows were asked: a version is its content."""

    id: str | None = None
    """The dataset in tracking; None for rows that were handed over and kept nowhere else."""
    name: str
    version: int | None = None
    digest: str
    split: str | None = None

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        return cls(**payload)

    def to_json(self) -> Json:
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a grid was expected to cost before it was started. None is unknown: a model without a price."""

    cells: int
    expected_nanos: int | None
    low_nanos: int | None
    high_nanos: int | None
    level: float = 0.95
    method: str
    """In words: what the figures were made from."""
    pilot_cells: int = 0
    judge_nanos: int | None = 0
    """Of the expected cost, what the judges' calls make."""
    seconds: float | None = None
    unpriced: tuple[str, ...] = ()
    by_variant: Mapping[str, int | None] = field(default_factory=dict)
    """The expected nano-dollars of each."""

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        return cls(**{**payload, "unpriced": tuple(payload.get("unpriced", ()))})

    def to_json(self) -> Json:
        return {**_plain(self), "unpriced": list(self.unpriced)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """An evaluation: everything that a comparison, a report and a gate are made from."""

    id: str
    name: str
    experiment_id: str | None = None
    run_id: str | None = None
    """The parent run; the cells' runs are its children."""
    state: State = "created"
    reason: str | None = None
    """Why it stopped or failed, in words."""
    dataset: DatasetRef
    variants: tuple[Variant, ...]
    metrics: tuple[Metric, ...] = ()
    primary: str
    scorers: tuple[Json, ...] = ()
    """As they were asked for, with the version of each: a changed scorer is another evaluation."""
    rows: int
    repeats: int = 1
    cells: tuple[Cell, ...] = ()
    forecast: Forecast | None = None
    budget_nanos: int | None = None
    spent_nanos: int = 0
    seed: int = 0
    created_us: int = 0
    finished_us: int | None = None
    previews: Mapping[str, str] = field(default_factory=dict)
    """The first words of each row, for lists of rows."""

    @property
    def baseline(self) -> Variant:
        """The variant that the others are held against: the one marked, or else the first."""
        return next((variant for variant in self.variants if variant.baseline), self.variants[0])

    @property
    def digest(self) -> str:
        """Changes whenever anything that a card shows changes."""
        return hashlib.sha256(orjson.dumps(self.to_json(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def metric(self, name: str) -> Metric:
        for metric in self.metrics:
            if metric.name == name:
                return metric
        known = ", ".join(metric.name for metric in self.metrics)
        raise KeyError(f"no metric {name!r} in this evaluation; it has {known}")

    def of(self, variant: str) -> Iterator[Cell]:
        return (cell for cell in self.cells if cell.variant == variant)

    @classmethod
    def from_json(cls, payload: Json) -> Self:
        forecast = payload.get("forecast")
        return cls(
            **{
                **payload,
                "dataset": DatasetRef.from_json(payload["dataset"]),
                "variants": tuple(Variant.from_json(variant) for variant in payload["variants"]),
                "metrics": tuple(Metric.from_json(metric) for metric in payload.get("metrics", ())),
                "scorers": tuple(payload.get("scorers", ())),
                "cells": tuple(Cell.from_json(cell) for cell in payload.get("cells", ())),
                "forecast": None if forecast is None else Forecast.from_json(forecast),
            }
        )

    def to_json(self) -> Json:
        return {
            **_plain(self),
            "dataset": self.dataset.to_json(),
            "variants": [variant.to_json() for variant in self.variants],
            "metrics": [metric.to_json() for metric in self.metrics],
            "scorers": list(self.scorers),
            "cells": [cell.to_json() for cell in self.cells],
            "forecast": None if self.forecast is None else self.forecast.to_json(),
        }


def _plain(shape: Any) -> Json:
    return {name: _copied(getattr(shape, name)) for name in shape.__dataclass_fields__}


def _copied(value: Any) -> Any:
    if type(value) in SCALARS:
        return value
    return dict(cast(Mapping[str, Any], value)) if isinstance(value, Mapping) else value
