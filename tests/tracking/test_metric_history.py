"""Every value that a metric had, each once for each model that it is of."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import tracking
from tracking.database import Database, open_store
from tracking.logged_runs import LoggedRuns, Metric
from tracking.metric_history import MetricHistory
from tracking.run_tables import run_metrics

pytestmark = pytest.mark.anyio
MODELS = (None, "m-a", "m-b")


def value(number: float, model_id: str | None, step: int = 0) -> Metric:
    return Metric(key="loss", value=number, timestamp_ms=7, step=step, model_id=model_id)


async def logged(database: Database, metrics: list[Metric]) -> str:
    await database.migrate()
    runs = LoggedRuns(database)
    id = await runs.create(0, None, None, None, {})
    for _ in range(2):  # what is sent once more is kept once
        await runs.log(id, metrics, {}, {})
    return id


async def test_the_same_value_of_two_models_is_kept_for_both(store: str) -> None:
    metrics = [value(number, model, step) for step in range(3) for number in (0.5, math.nan) for model in MODELS]
    database = open_store(store)
    id = await logged(database, metrics)
    history, found = MetricHistory(database), list[Any]()
    token = None
    while True:
        page, token = await history.page(id, "loss", 4, token)
        found += page
        if token is None:
            break
    await database.close()
    assert len(found) == len(metrics)
    kept = {(each["step"], str(each["value"]).lower(), each.get("model_id")) for each in found}
    assert kept == {(each.step, str(each.value), each.model_id) for each in metrics}


async def test_metrics_that_were_logged_before_models_told_them_apart_are_still_there(empty_store: str) -> None:
    database = open_store(empty_store)
    async with database.writing() as connection:
        await connection.run_sync(lambda sync: upgrade(sync, "0010"))
        logged = "INSERT INTO run_metrics (run_id, key, step, timestamp_ms, value, nan, model_id) "
        for n, model in enumerate(("NULL", "'m-a'")):
            await connection.execute(sa.text(f"{logged} VALUES ('r', 'loss', {n}, 7, 0.5, FALSE, {model})"))
    await database.migrate()
    async with database.reading() as connection:
        rows = (await connection.execute(sa.select(run_metrics.c.step, run_metrics.c.model_id))).all()
    await database.close()
    assert sorted(map(tuple, rows)) == [(0, ""), (1, "m-a")]


def upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(tracking.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
