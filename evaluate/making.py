"""Makes an evaluation out of what was asked for: its cells, its parent run, and what it will cost."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluate import datasets, forecast, process
from evaluate.cells import DatasetRef, Forecast, Metric, Row, Variant
from evaluate.datasets import Mapped
from evaluate.forecast import Expectation
from evaluate.requests import Arm, Template
from evaluate.scorers import kept as kept_scorers
from evaluate.spec import CELLS_MOST, EvaluationSpec
from evaluate.terms import Gateway, Terms
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.dataset_versions import DatasetVersions
from tracking.evaluation_datasets import EvaluationDatasets
from tracking.evaluations import Evaluations
from tracking.logged_runs import Dataset, LoggedRuns
from tracking.money import NANO_DIGITS

SAMPLED = 50
"""Rows whose tokens are counted for a forecast, of each variant."""
LOGGED = 500
"""Of an endpoint's latest answers, those whose lengths are looked at."""
DESCRIBE_SECONDS = 60.0
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """The rows of an evaluation and where they are from."""

    rows: Sequence[Row]
    dataset: DatasetRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be made of what was asked for, and what that will cost; nothing of it is kept."""

    variants: Sequence[Variant]
    templates: dict[str, Template]
    asked: Asked
    cells: int
    described: Json
    primary: str
    metrics: Sequence[Metric]
    forecast: Forecast


class Maker:
    def __init__(
        self,
        store: Evaluations,
        versions: DatasetVersions,
        records: EvaluationDatasets,
        logged: LoggedRuns,
        gateway: Gateway,
    ) -> None:
        self._store, self._versions, self._records = store, versions, records
        self._logged, self._gateway = logged, gateway

    async def plan(self, spec: EvaluationSpec) -> Plan:
        """InvalidRequest says what cannot be."""
        variants, templates = await self._arms(spec)
        asked = await self._rows(spec)
        arms = [Arm(each, templates.get(each.name), stream=spec.stream) for each in variants]
        cells = len(asked.rows) * len(arms) * spec.repeats
        if cells > CELLS_MOST:
            raise InvalidRequest(f"this makes {cells} cells; at most {CELLS_MOST} are taken", param="rows")
        await asyncio.to_thread(_try, arms, asked.rows)
        terms = {arm.variant.name: self._gateway.terms("chat", arm.variant.endpoint) for arm in arms}
        if spec.budget_usd is not None:
            _check_budget(arms, terms)
        described = await self._described(spec)
        try:
            primary, metrics = spec.wanted([Metric.from_json(each) for each in described["metrics"]])
        except ValueError as exc:
            raise InvalidRequest(str(exc), param="primary") from exc
        expected = await self._forecast(spec, arms, asked.rows, terms, judged=described["judged"])
        return Plan(
            variants=variants,
            templates=templates,
            asked=asked,
            cells=cells,
            described=described,
            primary=primary,
            metrics=metrics,
            forecast=expected,
        )

    async def make(self, spec: EvaluationSpec, key_id: str | None, user: str | None, origin: str | None = None) -> str:
        """The id of the new evaluation, which is in the state `created`. InvalidRequest says what cannot be.

        `origin` is where the links of its reports lead.
        """
        plan = await self.plan(spec)
        asked, described = plan.asked, plan.described
        experiment_id = await self._store.experiment(spec.experiment)
        id = await self._run(spec, experiment_id, plan.variants, asked, plan.primary, user)
        kept: Json = {
            "dataset": asked.dataset.to_json(),
            "variants": [each.to_json() for each in plan.variants],
            "templates": {name: each.to_json() for name, each in plan.templates.items()},
            "scorers": kept_scorers.sealed(spec.scorers, self._gateway.seal),
            "identities": described["identities"],
            "metrics": [each.to_json() for each in plan.metrics],
            "primary": plan.primary,
            **{name: described[name] for name in ("rival", "judged", "summaries")},
            **spec.model_dump(include={"repeats", "seed", "concurrency", "stream", "pilot", "tags", "experiment"}),
            "compare": spec.compare.model_dump(),
            "origin": origin,
        }
        await self._store.create(
            {
                "id": id,
                "name": spec.name,
                "experiment_id": experiment_id,
                "state": "created",
                "spec": kept,
                "dataset_id": asked.dataset.id,
                "rows": len(asked.rows),
                "cells": plan.cells,
                "forecast": plan.forecast.to_json(),
                "budget_nanos": None if spec.budget_usd is None else math.floor(spec.budget_usd * 10**NANO_DIGITS),
                "key_id": key_id,
            },
            await asyncio.to_thread(lambda: [row.to_json() for row in asked.rows]),
            await asyncio.to_thread(lambda: list(_cells(asked.rows, plan.variants, spec.repeats))),
        )
        return id

    async def _arms(self, spec: EvaluationSpec) -> tuple[list[Variant], dict[str, Template]]:
        """With each prompt pinned to its version: an alias may be moved while the grid is filling."""
        variants = [each.variant() for each in spec.variants]
        templates: dict[str, Template] = {}
        for at, variant in enumerate(variants):
            if variant.prompt is not None:
                template = templates[variant.name] = await self._gateway.template(variant.prompt)
                variants[at] = replace(variant, prompt=template.reference)
        if not any(each.baseline for each in variants):
            variants[0] = replace(variants[0], baseline=True)
        return variants, templates

    async def _rows(self, spec: EvaluationSpec) -> Asked:
        if spec.rows is not None:
            numbered = [(f"rows[{n}]", row) for n, row in enumerate(spec.rows)]
            rows, report = await asyncio.to_thread(datasets.rows_of, numbered, Mapped())
            if report.refused:
                first = report.refused[0]
                raise InvalidRequest(f"{first.where}: {first.problem}", param="rows")
            ref = DatasetRef(name=spec.name, digest=datasets.digest(rows))
        else:
            assert spec.dataset is not None, "the model sees to it"
            if spec.dataset.name is None:
                raise InvalidRequest("a file of rows is for `gatelog eval run`, which uploads it", param="dataset.file")
            rows, ref = await self.version(spec.dataset.name, spec.dataset.version)
            if (split := spec.dataset.split) is not None:
                there = datasets.splits_in(rows)
                rows = [row for row in rows if row.split == split]
                ref = replace(ref, split=split)
                if not rows:
                    known = ", ".join(there) or "none"
                    raise InvalidRequest(f"no row is of the split {split!r}; there are {known}", param="dataset.split")
        if not rows:
            raise InvalidRequest("there are no rows to ask", param="rows" if spec.rows is not None else "dataset")
        return Asked(rows, ref)

    async def version(self, name: str, version: int | None) -> tuple[list[Row], DatasetRef]:
        """The rows of a version; without one, of what the dataset holds now, which is made a version."""
        found = await self._versions.find(name)
        if version is None:
            rows = await self.current(found["id"])
            kept = await keep(self._versions, found["id"], rows, None, None)
        else:
            kept = await self._versions.get(found["id"], version)
            rows = [Row.from_json(row) for row in await self._versions.rows(found["id"], version)]
        ref = DatasetRef(id=found["id"], name=found["name"], version=kept.version, digest=kept.digest)
        return rows, ref

    async def current(self, dataset_id: str) -> list[Row]:
        """What a dataset holds now, whoever wrote it."""
        rows: list[Row] = []
        after: str | None = None
        while True:
            records, after = await self._records.records(dataset_id, PAGE, after)
            rows += [datasets.from_record(record) for record in records]
            if after is None:
                return rows

    async def _described(self, spec: EvaluationSpec) -> Json:
        if not spec.scorers:
            return {"metrics": [], "identities": [], "rival": False, "judged": False, "summaries": False}
        try:
            found: Json = await process.asked("describe", {"scorers": spec.scorers}, "ready", DESCRIBE_SECONDS)
        except InvalidRequest as error:
            error.param = "scorers"
            raise
        return found

    async def _run(
        self,
        spec: EvaluationSpec,
        experiment_id: int,
        variants: Sequence[Variant],
        asked: Asked,
        primary: str,
        user: str | None,
    ) -> str:
        """The parent run, with what the evaluation is made of as parameters, and its dataset as an input."""
        tags = {**spec.tags, "gatelog.kind": "evaluation", "gatelog.primary": primary}
        id = await self._logged.create(experiment_id, spec.name, user, None, tags)
        ref = asked.dataset
        params = {
            "dataset": f"{ref.name}@{ref.version or ref.digest[:8]}",
            "rows": str(len(asked.rows)),
            "repeats": str(spec.repeats),
            "seed": str(spec.seed),
            **{f"variant.{n}": f"{each.name}: {each.prompt or 'messages'} at {each.endpoint}"[:500]
               for n, each in enumerate(variants)},
        }  # fmt: skip
        await self._logged.log(id, (), params, {})
        source = f'{{"uri": "gatelog:/datasets/{ref.id or ref.digest}"}}'
        used = Dataset(
            name=ref.name[:500],
            digest=ref.digest[:32],
            source_type="gatelog",
            source=source,
            schema=None,
            profile=f'{{"num_rows": {len(asked.rows)}}}',
            tags=[{"key": "mlflow.data.context", "value": "evaluation"}],
        )
        await self._logged.log_inputs(id, [used], ())
        return id

    async def _forecast(
        self, spec: EvaluationSpec, arms: Sequence[Arm], rows: Sequence[Row], terms: dict[str, Terms], *, judged: bool
    ) -> Forecast:
        sample = sorted(rows, key=lambda row: hashlib.sha256(f"{spec.seed}:{row.id}".encode()).digest())[:SAMPLED]
        known: list[Expectation] = []
        for arm in arms:
            lengths = await self._store.lengths(arm.variant.endpoint, LOGGED)
            of = terms[arm.variant.name]
            known.append(await asyncio.to_thread(_expected, arm, of, sample, len(rows) * spec.repeats, lengths))
        return forecast.by_tokens(known, judged)


async def keep(
    versions: DatasetVersions, dataset_id: str, rows: Sequence[Row], source: Json | None, author: str | None
) -> Any:
    """The version of a dataset that holds these rows."""
    digest = await asyncio.to_thread(datasets.digest, rows)
    plain = [row.to_json() for row in rows]
    return await versions.keep(dataset_id, digest, plain, datasets.splits_in(rows), source, author)


def order_of(seed: int, n: int) -> bytes:
    """Cells are made in an order of chance, so that the first of them are a sample of all."""
    return hashlib.sha256(f"{seed}:{n}".encode()).digest()


def _cells(rows: Sequence[Row], variants: Sequence[Variant], repeats: int) -> Any:
    n = 0
    for row in rows:
        for variant in variants:
            for repeat in range(repeats):
                yield {"n": n, "row_id": row.id, "variant": variant.name, "repeat": repeat}
                n += 1


def _try(arms: Sequence[Arm], rows: Sequence[Row]) -> None:
    for arm in arms:
        for row in rows:
            arm.question(row)
            arm.messages(row)


def _check_budget(arms: Sequence[Arm], terms: dict[str, Terms]) -> None:
    """A budget can only be kept where a call cannot cost just anything."""
    for arm in arms:
        name = arm.variant.name
        if not terms[name].priced:
            raise InvalidRequest(
                f"variant {name!r}: {arm.variant.endpoint!r} has no price, so no budget can be kept; give its target a "
                "price in the configuration, or leave budget_usd out",
                param="budget_usd",
            )
        if terms[name].most(terms[name].input({"messages": []}), arm.output_most) is None:
            raise InvalidRequest(
                f"variant {name!r}: nothing limits how long an answer may be, so no budget can be kept; give it "
                "params.max_tokens, such as 1024, or leave budget_usd out",
                param="budget_usd",
            )


def _expected(arm: Arm, terms: Terms, sample: Sequence[Row], cells: int, lengths: Sequence[int]) -> Expectation:
    counts = [terms.input({**arm.variant.params, "messages": arm.messages(row)}) for row in sample]
    empty = terms.cost(0, 0)
    if not terms.priced or empty is None:
        return Expectation(variant=arm.variant.name, cells=cells, inputs=None, outputs=(), most=None, exact=True)
    inputs = [cost for count in counts if (cost := terms.cost(count.tokens, 0)) is not None]
    outputs = [cost - empty for length in lengths if (cost := terms.cost(0, length)) is not None]
    free = terms.cost(1_000_000, 1_000_000) == 0
    longest = 0 if free else arm.output_most
    most = None if longest is None else (terms.cost(0, longest) or 0) - empty
    return Expectation(
        variant=arm.variant.name,
        cells=cells,
        inputs=inputs,
        outputs=outputs,
        most=most,
        exact=all(count.exact for count in counts),
    )
