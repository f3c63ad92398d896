"""Brings the evaluation datasets of another MLflow, and the scorers that are registered for its experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from tracking.database import Database
from tracking.evaluation_datasets import EvaluationDatasets
from tracking.moving.theirs import Json, Theirs
from tracking.scorers import Scorers
from tracking.trace_tables import evaluation_datasets, scorer_versions, scorers

Count = Callable[[str, bool, bool], None]
PARTS = ("outputs", "expectations", "tags", "source")
PAGE = 1_000


async def bring_dataset(
    database: Database, theirs: Theirs, dataset: Json, ours: Mapping[str, int], count: Count
) -> None:
    """`ours` are our experiments by the ids of theirs. It is known by its name; what is asked in it, by its inputs."""
    datasets = EvaluationDatasets(database)
    d = evaluation_datasets.c
    async with database.asking() as connection:
        found = await connection.execute(
            sa.select(d.id).where(d.name == dataset["name"]).order_by(d.created_us).limit(1)
        )
        id = found.scalar_one_or_none()
    there = id is not None
    if id is None:
        id = str((await datasets.create(dataset["name"], dataset["tags"], []))["dataset_id"])
    linked = {ours[each] for each in dataset["experiment_ids"] if each in ours}
    missing = sorted(linked - set(await datasets.experiments(id)))
    if missing:
        await datasets.link(id, missing)
    known = await _known(datasets, id)
    brought = 0
    async for records in theirs.dataset_records(dataset["dataset_id"]):
        fresh = [record for each in records if known.get(_key(each)) != (record := _record(each))]
        if fresh:
            await datasets.upsert(id, fresh)
            brought += len(fresh)
    count("evaluation datasets", there, bool(missing or brought))


async def bring_scorer(database: Database, scorer: Json, experiment_id: int, count: Count) -> None:
    """Versions keep their order: those after the ones that are here are added. Nothing of them is run."""
    s, v = scorers.c, scorer_versions.c
    held = sa.select(sa.func.count()).select_from(scorers.join(scorer_versions, v.scorer_id == s.id))
    async with database.asking() as connection:
        mine = held.where(s.experiment_id == experiment_id, s.name == scorer["name"])
        many = (await connection.execute(mine)).scalar_one()
    kept = Scorers(database)
    for serialized in scorer["versions"][many:]:
        await kept.register(experiment_id, scorer["name"], serialized)
    count("scorers", many > 0, len(scorer["versions"]) > many)


async def _known(datasets: EvaluationDatasets, id: str) -> dict[bytes, Json]:
    found: dict[bytes, Json] = {}
    after: str | None = None
    while True:
        records, after = await datasets.records(id, PAGE, after)
        found |= {_key(each): _record(each) for each in records}
        if after is None:
            return found


def _key(record: Json) -> bytes:
    return orjson.dumps(record["inputs"], option=orjson.OPT_SORT_KEYS)


def _record(record: Json) -> dict[str, Any]:
    """Without what each store makes of its own."""
    said = {name: record[name] for name in PARTS if record.get(name) is not None}
    return {"inputs": record["inputs"], **said}
