"""An evaluation as people ask for it: one model for the file of `gatelog eval run` and for the body of the REST API."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evaluate.cells import COST, LATENCY, Direction, Metric, MetricKind, Variant
from evaluate.datasets import Mapped
from providers.chat import Json

Name = Annotated[str, Field(min_length=1, max_length=200)]
CELLS_MOST = 200_000
REFERENCE = re.compile(r"prompts:/(?P<name>[^/@\x00-\x1f]+)(?:/(?P<version>\d{1,9})|@(?P<alias>[\w-]+))")


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VariantSpec(Part):
    """One arm."""

    name: Name
    endpoint: Annotated[Name, Field(description="The model as the gateway knows it: an endpoint, or provider/model.")]
    prompt: Annotated[
        str | None, Field(description="A version of the registry's prompts: prompts:/name/3 or prompts:/name@alias.")
    ] = None
    messages: Annotated[
        list[Json] | str | None,
        Field(description="Or written out, with {{ variable }} for the row's inputs. A text is one message of a user."),
    ] = None
    params: Annotated[Json, Field(description="Of the call: temperature, max_tokens, tools, ...")] = {}
    baseline: Annotated[
        bool, Field(description="The variant that the others are held against. Default: the first.")
    ] = False

    @field_validator("prompt")
    @classmethod
    def _is_a_reference(cls, prompt: str | None) -> str | None:
        if prompt is not None and REFERENCE.fullmatch(prompt) is None:
            raise ValueError(f"{prompt!r:.200} names no prompt; write prompts:/name/3 or prompts:/name@alias")
        return prompt

    @field_validator("params")
    @classmethod
    def _asks_once(cls, params: Json) -> Json:
        for name in ("model", "messages", "stream", "stream_options"):
            if name in params:
                raise ValueError(f"{name!r} is no parameter here: say `endpoint`, `messages`, or `stream` of the whole")
        return params

    @model_validator(mode="after")
    def _says_one_thing(self) -> VariantSpec:
        if self.prompt is not None and self.messages is not None:
            raise ValueError("say `prompt` or `messages`, not both")
        return self

    def variant(self) -> Variant:
        messages = self.messages
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return Variant(
            name=self.name,
            prompt=self.prompt,
            messages=None if messages is None else tuple(messages),
            endpoint=self.endpoint,
            params=self.params,
            baseline=self.baseline,
        )


class DatasetSpec(Part):
    """Which rows: a dataset of the gateway, or (in a file of `gatelog eval run`) a file beside it."""

    name: Annotated[Name | None, Field(description="The dataset's name, or its id.")] = None
    version: Annotated[int | None, Field(ge=1, description="Default: what it holds now.")] = None
    split: Annotated[Name | None, Field(description="Only rows of this split.")] = None
    file: Annotated[str | None, Field(description="CSV, JSON lines, Parquet, ...; only on the command line.")] = None
    format: Annotated[str | None, Field(description="Of the file, where its ending does not tell.")] = None
    mapping: Annotated[Mapped | None, Field(description="Which column of the file is what.")] = None
    splits: Annotated[dict[str, float] | None, Field(description="Shares to deal the file's rows out to.")] = None
    scrub: Annotated[bool, Field(description="Take what identifies people out of the file's rows.")] = False

    @model_validator(mode="after")
    def _names_something(self) -> DatasetSpec:
        if self.name is None and self.file is None:
            raise ValueError("say the `name` of a dataset, or a `file`")
        return self


class MetricSpec(Part):
    """How to read a score that no scorer of ours explains."""

    name: Name
    direction: Direction = "higher"
    kind: MetricKind = "numeric"

    def metric(self) -> Metric:
        return Metric(name=self.name, direction=self.direction, kind=self.kind)


class CompareSpec(Part):
    """How the verdict is reached; decided before anybody looks."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    margin: Annotated[
        float | None, Field(gt=0, description="How much worse is still not worse, in units of the primary metric.")
    ] = None


class EvaluationSpec(Part):
    """Rows x variants x repeats, how answers are scored, and which score decides."""

    name: Name
    experiment: Annotated[Name, Field(description="The experiment that it is logged to.")] = "Evaluations"
    dataset: DatasetSpec | None = None
    rows: Annotated[list[Json] | None, Field(description="Rows written out, in place of a dataset.")] = None
    variants: Annotated[list[VariantSpec], Field(min_length=1, max_length=50)]
    scorers: Annotated[list[str | Json], Field(max_length=100, description="A scorer's name, or an object.")] = []
    metrics: Annotated[list[MetricSpec], Field(description="Of scores that are sent by POST .../scores.")] = []
    primary: Annotated[Name | None, Field(description="The metric that decides. Default: the first scorer's.")] = None
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    seed: int = 0
    budget_usd: Annotated[float | None, Field(gt=0, le=1e9, description="In dollars; never exceeded.")] = None
    concurrency: Annotated[int, Field(ge=1, le=256, description="Calls under way at once, at most.")] = 16
    stream: Annotated[bool, Field(description="Stream the answers, which alone tells the time to the first token.")] = (
        False
    )
    pilot: Annotated[bool, Field(description="Forecast the cost from the first cells before the rest begins.")] = True
    compare: CompareSpec = CompareSpec()
    tags: dict[str, str] = {}
    start: Annotated[bool, Field(description="False: only forecast; POST .../start begins.")] = True
    report: Annotated[str | None, Field(description="Where `gatelog eval run` writes its report.")] = None

    @field_validator("variants")
    @classmethod
    def _names_differ(cls, variants: list[VariantSpec]) -> list[VariantSpec]:
        names = [variant.name for variant in variants]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"two variants are named {twice!r}")
        if sum(variant.baseline for variant in variants) > 1:
            raise ValueError("more than one variant is the baseline")
        return variants

    @field_validator("tags")
    @classmethod
    def _fits(cls, tags: dict[str, str]) -> dict[str, str]:
        for name, value in tags.items():
            if not 0 < len(name) <= 250 or len(value) > 5000 or "\x00" in name + value:
                raise ValueError(f"tag {name[:50]!r} takes 1 to 250 characters, its value at most 5000, and no NUL")
        return tags

    @model_validator(mode="after")
    def _has_rows(self) -> EvaluationSpec:
        if (self.dataset is None) == (self.rows is None):
            raise ValueError("say `dataset` or `rows`, one of them")
        return self

    def wanted(self, metrics: list[Metric]) -> tuple[str, list[Metric]]:
        """The primary metric, and all: of scorers, those that are announced, cost and latency. Raises ValueError."""
        found = {metric.name: metric for metric in (*metrics, *(each.metric() for each in self.metrics))}
        primary = self.primary or next(iter(found), COST)
        found.setdefault(COST, Metric(name=COST, direction="lower", kind="cost"))
        found.setdefault(LATENCY, Metric(name=LATENCY, direction="lower", kind="latency"))
        if primary not in found:
            raise ValueError(f"primary: no metric {primary!r}; there are {', '.join(found)}")
        return primary, list(found.values())


def schema() -> dict[str, Any]:
    """JSON Schema of an evaluation, for editors."""
    return EvaluationSpec.model_json_schema()
