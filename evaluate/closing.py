"""Writes down what an evaluation came to: metrics of its parent run, its results as an artifact, and its state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import orjson

from evaluate import figures, grids, scoring
from evaluate.attachments import Attachments
from evaluate.cells import Grid, Row
from evaluate.reports import RESULTS, Reports
from evaluate.scorers.kept import bare
from providers.chat import Json
from providers.errors import GatewayError
from tracking.evaluations import LIVE, Evaluations
from tracking.logged_runs import LoggedRuns
from tracking.money import dollars
from tracking.trace_log import now_us

SUMMARY_SECONDS = 300.0
ENDS: Mapping[str, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
"""How MLflow calls the ends of evaluations."""

log = logging.getLogger("gatelog.evaluate")


class Closer:
    def __init__(self, store: Evaluations, logged: LoggedRuns, attachments: Attachments, reports: Reports) -> None:
        self._store, self._logged, self._attachments, self._reports = store, logged, attachments, reports

    async def close(self, kept: Json, state: str, reason: str | None) -> None:
        """First what it came to and then its state: who sees that it is over finds all of it."""
        id, now = kept["id"], now_us()
        spent = await self._store.spent(id)
        grid = await grids.whole(self._store, {**kept, "state": state, "reason": reason, "spent_nanos": spent})
        found = await asyncio.to_thread(figures.of_grid, grid)
        if state == "finished" and kept["spec"]["summaries"]:
            found |= await self._summaries(kept, grid)
        found |= {"cost_usd": float(dollars(spent)), "cells": float(len(grid.cells))}
        tags = {"gatelog.state": state, **({"gatelog.reason": reason} if reason else {})}
        await self._logged.log(id, figures.logged(found, now), {}, tags)
        await self._attachments.put(id, RESULTS, await asyncio.to_thread(lambda: orjson.dumps(grid.to_json())))
        await self._logged.update(id, ENDS[state], now // 1000, None)
        await self._store.move(id, LIVE, state, reason, spent_nanos=spent, finished_us=now, owner=None, beat_us=None)
        self._reports.soon(id)

    async def _summaries(self, kept: Json, grid: Grid) -> dict[str, float]:
        rows = {each["id"]: Row.from_json(each) for each in await self._store.rows(kept["id"])}
        samples = [
            scoring.sample_of(kept["id"], cell, rows[cell.row], None, None)
            for cell in grid.cells
            if cell.status == "ok"
        ]
        try:
            found = await scoring.summaries(bare(kept["spec"]["scorers"]), samples, SUMMARY_SECONDS)
        except (GatewayError, TimeoutError) as error:
            log.warning("evaluation %s: figures of whole arms could not be made: %s", kept["id"], error)
            return {}
        return {
            f"{name}/{variant}": value
            for variant, each in found.items()
            for name, value in each.items()
            if value is not None
        }
