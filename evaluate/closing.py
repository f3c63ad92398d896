"""Writes down what an evaluation came to: metrics of its parent run, its results as an artifact, and its state."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Mapping
from statistics import fmean

import orjson

from evaluate import grids, scoring
from evaluate.cells import Grid, Row
from providers.chat import Json
from providers.errors import GatewayError
from tracking.artifact_paths import located
from tracking.artifact_roots import ArtifactRoots
from tracking.artifacts import PIECE, Artifacts
from tracking.evaluations import LIVE, Evaluations
from tracking.logged_runs import LoggedRuns, Metric
from tracking.money import dollars
from tracking.trace_log import now_us

RESULTS = "evaluation.json"
SUMMARY_SECONDS = 300.0
ENDS: Mapping[str, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
"""How MLflow calls the ends of evaluations."""
NAME_MOST = 250
_UNFIT = re.compile(r"[^\w./ -]")

log = logging.getLogger("gatelog.evaluate")


class Closer:
    def __init__(self, store: Evaluations, logged: LoggedRuns, roots: ArtifactRoots, artifacts: Artifacts) -> None:
        self._store, self._logged, self._roots, self._artifacts = store, logged, roots, artifacts

    async def close(self, kept: Json, state: str, reason: str | None) -> None:
        """First what it came to and then its state: who sees that it is over finds all of it."""
        id, now = kept["id"], now_us()
        spent = await self._store.spent(id)
        grid = await grids.whole(self._store, {**kept, "state": state, "reason": reason, "spent_nanos": spent})
        figures = await asyncio.to_thread(_figures, grid)
        if state == "finished" and kept["spec"]["summaries"]:
            figures |= await self._summaries(kept, grid)
        figures |= {"cost_usd": float(dollars(spent)), "cells": float(len(grid.cells))}
        metrics = [
            Metric(key=_UNFIT.sub("_", name)[:NAME_MOST], value=value, timestamp_ms=now // 1000)
            for name, value in figures.items()
            if math.isfinite(value)
        ]
        tags = {"gatelog.state": state, **({"gatelog.reason": reason} if reason else {})}
        await self._logged.log(id, metrics, {}, tags)
        await self._put(id, await asyncio.to_thread(lambda: orjson.dumps(grid.to_json())))
        await self._logged.update(id, ENDS[state], now // 1000, None)
        await self._store.move(id, LIVE, state, reason, spent_nanos=spent, finished_us=now, owner=None, beat_us=None)

    async def _put(self, id: str, results: bytes) -> None:
        place = located(await self._roots.of_run(id), RESULTS)
        if place is None:
            log.warning("the artifacts of evaluation %s are not kept here, so its results are in the store alone", id)
            return
        await self._artifacts.put(place, _pieces(results))

    async def _summaries(self, kept: Json, grid: Grid) -> dict[str, float]:
        rows = {each["id"]: Row.from_json(each) for each in await self._store.rows(kept["id"])}
        samples = [
            scoring.sample_of(kept["id"], cell, rows[cell.row], None, None)
            for cell in grid.cells
            if cell.status == "ok"
        ]
        try:
            found = await scoring.summaries(kept["spec"]["scorers"], samples, SUMMARY_SECONDS)
        except (GatewayError, TimeoutError) as error:
            log.warning("evaluation %s: figures of whole arms could not be made: %s", kept["id"], error)
            return {}
        return {
            f"{name}/{variant}": value
            for variant, each in found.items()
            for name, value in each.items()
            if value is not None
        }


def _figures(grid: Grid) -> dict[str, float]:
    """Means of each metric of each variant, and how many cells have none."""
    found: dict[str, float] = {}
    for variant in grid.variants:
        cells = list(grid.of(variant.name))
        found[f"errors/{variant.name}"] = float(sum(cell.status == "error" for cell in cells))
        for metric in grid.metrics:
            values = [value for cell in cells if (value := cell.measure(metric.name)) is not None]
            if values:
                found[f"{metric.name}/{variant.name}"] = fmean(values)
            scored = sum(metric.name in cell.scores for cell in cells)
            if scored > len(values):
                found[f"{metric.name}_unscored/{variant.name}"] = float(scored - len(values))
    return found


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]
