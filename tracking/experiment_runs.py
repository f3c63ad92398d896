"""Experiments and the runs that people log in them, as the page shows them: beside one another, and with their kin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa

from providers.chat import Json
from tracking.database import Database
from tracking.experiments import Experiments
from tracking.fields import TAG
from tracking.metric_history import MetricHistory
from tracking.rest import iso
from tracking.run_fields import ENDED, NAME
from tracking.run_search import RunSearch
from tracking.run_tables import run_latest, run_params, runs
from tracking.tables import calls

Kind = Literal["logged", "calls", "all"]
NAMES_MOST = 300
LOOKED_AT = 1_000
"""The newest runs of an experiment, whose parameters and metrics are named."""
KIN_MOST = 200
PARENT = "mlflow.parentRunId"
_r, _c = runs.c, calls.c


class ExperimentRuns:
    """To whom a `key_id` is given, calls by other keys are not there."""

    def __init__(self, database: Database, search: RunSearch, experiments: Experiments, history: MetricHistory) -> None:
        self._database, self._search, self._experiments, self._history = database, search, experiments, history
        self._tag = TAG[database.reader.dialect.name]

    async def experiments(
        self, text: str, view: str, size: int, token: str | None, *, key_id: str | None = None
    ) -> tuple[list[Json], str | None]:
        """Those whose name has this text; those changed last come first."""
        filter = f"name ILIKE '%{_literally(text)}%'" if text else ""
        found, next = await self._experiments.page(filter, [], size, token, view)
        ids = [int(each["experiment_id"]) for each in found]
        active = (_r.experiment_id.in_(ids), _r.lifecycle_stage == "active")
        logged = sa.select(_r.experiment_id, sa.func.count(), sa.func.max(_r.started_us)).where(*active)
        async with self._database.asking() as connection:
            counted = {row[0]: row for row in await connection.execute(logged.group_by(_r.experiment_id))}
            shown = []
            for id, each in zip(ids, found, strict=True):
                _, count, last = counted.get(id, (id, 0, None))
                # By an index that knows no keys: so callers are not told.
                newest = sa.select(sa.func.max(_c.started_us)).where(_c.experiment_id == id)
                called = None if key_id is not None else (await connection.execute(newest)).scalar()
                ends = {"last_run_at": _moment(last), "last_call_at": _moment(called)}
                shown.append({**_experiment(each), "runs": count, **ends})
        return shown, next

    async def experiment(self, id: int) -> Json:
        """With the names of its runs' parameters and metrics, those that most of them have first."""
        found = await self._experiments.get(id)
        newest = (
            sa.select(_r.id)
            .where(_r.experiment_id == id, _r.lifecycle_stage == "active")
            .order_by(_r.started_us.desc(), _r.id)
            .limit(LOOKED_AT)
            .scalar_subquery()
        )
        async with self._database.asking() as connection:
            known = {}
            for what, table in (("params", run_params), ("metrics", run_latest)):
                key, count = table.c.key, sa.func.count()
                of = sa.select(key).where(table.c.run_id.in_(newest)).group_by(key).order_by(count.desc(), key)
                known[what] = list((await connection.execute(of.limit(NAMES_MOST))).scalars())
        return {**_experiment(found), **known}

    async def runs(
        self,
        experiment: int,
        filter: str,
        order_by: Sequence[str],
        size: int,
        token: str | None,
        view: str,
        kind: Kind,
        *,
        key_id: str | None = None,
    ) -> tuple[list[Json], str | None]:
        only: Literal["logged", "calls"] | None = None if kind == "all" else kind
        found, next = await self._search.page(
            [experiment], filter, order_by, size, token, view, key_id=key_id, only=only
        )
        return [_run(each) for each in found], next

    async def run(self, id: str, *, key_id: str | None = None) -> Json:
        """One, whether it was logged or is a call, with the run that it is a part of and those that are its parts."""
        shown = _run(await self._search.get(id, key_id=key_id))
        parent = shown["parent_run_id"]
        above = [] if parent is None else await self._named([_r.id == parent], [_c.id == parent], key_id)
        below = await self._children(shown["id"], int(shown["experiment_id"]), key_id)
        return {**shown, "parent": above[0] if above else None, "children": below}

    async def metrics(self, ids: Sequence[str], key: str, points: int, *, key_id: str | None = None) -> list[Json]:
        """What was logged of one metric, by run: about so many points of each, spread evenly."""
        found = await self._history.sampled(ids, key, points, None, key_id=key_id)
        of: dict[str, dict[tuple[int, int], Any]] = {id: {} for id in ids}
        for each in found:
            # What is logged of several models at once is there several times.
            number = each["value"]
            of[each["run_id"]][each["step"], each["timestamp"]] = None if isinstance(number, str) else number
        return [
            {
                "id": id,
                "steps": [step for step, _ in points],
                "times_unix_ms": [time for _, time in points],
                "values": list(points.values()),
            }
            for id, points in of.items()
        ]

    async def _children(self, id: str, experiment: int, key_id: str | None) -> list[Json]:
        tagged = [_r.experiment_id == experiment, self._tag(_r.tags, PARENT) == id, _r.lifecycle_stage == "active"]
        return await self._named(tagged, [_c.parent_run_id == id], key_id)

    async def _named(
        self, logged: Sequence[sa.ColumnElement[bool]], called: Sequence[sa.ColumnElement[bool]], key_id: str | None
    ) -> list[Json]:
        mine = [] if key_id is None else [_c.key_id == key_id]
        ended = sa.case(ENDED, value=_c.status, else_="FAILED")
        asked = {
            "logged": sa.select(_r.id, _r.name, _r.status, _r.started_us).where(*logged),
            "call": sa.select(_c.id, NAME.label("name"), ended.label("status"), _c.started_us).where(*called, *mine),
        }
        kin: list[Json] = []
        async with self._database.asking() as connection:
            for kind, select in asked.items():
                rows = await connection.execute(select.order_by(sa.text("started_us"), sa.text("id")).limit(KIN_MOST))
                kin += [{**row, "kind": kind, "started_at": iso(row["started_us"])} for row in rows.mappings()]
        return [{name: each[name] for name in ("id", "kind", "name", "status", "started_at")} for each in kin]


def _literally(text: str) -> str:
    """As a text of the grammar, in which a pattern means nothing but itself."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return text.replace("'", "''")


def _experiment(told: Json) -> Json:
    tags = {tag["key"]: tag["value"] for tag in told.get("tags", [])}
    return {
        "id": told["experiment_id"],
        "name": told["name"],
        "lifecycle_stage": told["lifecycle_stage"],
        "description": tags.get("mlflow.note.content"),
        "tags": tags,
        "created_at": iso(told["creation_time"] * 1000),
        "updated_at": iso(told["last_update_time"] * 1000),
    }


def _run(found: Json) -> Json:
    """MLflow's words for a run, by name where it has lists."""
    info, data = found["info"], found["data"]
    tags = {tag["key"]: tag["value"] for tag in data.get("tags", [])}
    started, ended = info["start_time"], info.get("end_time")
    return {
        "id": info["run_id"],
        "kind": "call" if tags.get("mlflow.source.type") == "GATEWAY" else "logged",
        "name": info.get("run_name"),
        "status": info["status"],
        "experiment_id": info["experiment_id"],
        "lifecycle_stage": info["lifecycle_stage"],
        "started_unix_ms": started,
        "ended_unix_ms": ended,
        "duration_ms": None if ended is None else ended - started,
        "user": info.get("user_id"),
        "parent_run_id": tags.get(PARENT),
        "params": {each["key"]: each["value"] for each in data.get("params", [])},
        "metrics": {each["key"]: each["value"] for each in data.get("metrics", [])},
        "tags": tags,
        "datasets": [
            {"name": each["dataset"].get("name"), "digest": each["dataset"].get("digest")}
            for each in found["inputs"].get("dataset_inputs", [])
        ],
    }


def _moment(us: int | None) -> str | None:
    return None if us is None else iso(us)
