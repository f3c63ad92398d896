"""Scorers that people register for an experiment, in versions. They are kept here, and run by who asks for them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from providers.chat import Json
from tracking.database import Database
from tracking.mlflow.errors import MlflowError, missing
from tracking.tables import experiments
from tracking.trace_log import now_us
from tracking.trace_tables import online_scorings, scorer_versions, scorers

_s, _v, _o = scorers.c, scorer_versions.c, online_scorings.c
_COLUMNS = (_s.experiment_id, _s.name, _s.id, _v.version, _v.serialized, _v.created_us)
_ALL = scorers.join(scorer_versions, _v.scorer_id == _s.id)


class Scorers:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = postgresql.insert if database.postgres else sqlite.insert

    async def register(self, experiment_id: int, name: str, serialized: str) -> Json:
        """The next version of a scorer, or the first."""
        async with self._database.changing() as connection:
            known = await connection.execute(sa.select(experiments.c.id).where(experiments.c.id == experiment_id))
            if known.first() is None:
                raise missing(f"No Experiment with id={experiment_id} exists")
            new = {"id": str(uuid.uuid4()), "experiment_id": experiment_id, "name": name}
            await connection.execute(self._insert(scorers).values(new).on_conflict_do_nothing())
            which = sa.select(_s.id).where(_s.experiment_id == experiment_id, _s.name == name).with_for_update()
            id = (await connection.execute(which)).scalar_one()
            last = (await connection.execute(sa.select(sa.func.max(_v.version)).where(_v.scorer_id == id))).scalar_one()
            row = {"scorer_id": id, "version": (last or 0) + 1, "serialized": serialized, "created_us": now_us()}
            await connection.execute(scorer_versions.insert().values(row))
        return {
            "version": row["version"],
            "scorer_id": id,
            "experiment_id": str(experiment_id),
            "name": name,
            "serialized_scorer": serialized,
            "creation_time": row["created_us"] // 1000,
        }

    async def latest(self, experiment_ids: Sequence[int]) -> list[Json]:
        """The last version of each."""
        newer = sa.select(sa.func.max(_v.version)).where(_v.scorer_id == _s.id).correlate(scorers).scalar_subquery()
        select = sa.select(*_COLUMNS).select_from(_ALL)
        select = select.where(_s.experiment_id.in_(experiment_ids), _v.version == newer)
        async with self._database.asking() as connection:
            rows = await connection.execute(select.order_by(_s.experiment_id, _s.name))
            return [_shown(row) for row in rows.mappings()]

    async def versions(self, experiment_id: int, name: str) -> list[Json]:
        """All of one, the first first."""
        async with self._database.asking() as connection:
            rows = await connection.execute(_of(experiment_id, name).order_by(_v.version))
            found = [_shown(row) for row in rows.mappings()]
        if not found:
            raise _unknown(experiment_id, name)
        return found

    async def get(self, experiment_id: int, name: str, version: int | None) -> Json:
        """One version, or the last."""
        select = _of(experiment_id, name).order_by(_v.version.desc()).limit(1)
        async with self._database.asking() as connection:
            found = await connection.execute(select if version is None else select.where(_v.version == version))
            row = found.mappings().one_or_none()
        if row is None:
            raise _unknown(experiment_id, name, version)
        return _shown(row)

    async def delete(self, experiment_id: int, name: str, version: int | None) -> None:
        """One version, or all."""
        async with self._database.changing() as connection:
            which = sa.select(_s.id).where(_s.experiment_id == experiment_id, _s.name == name).with_for_update()
            id = (await connection.execute(which)).scalar_one_or_none()
            if id is None:
                raise _unknown(experiment_id, name)
            gone = scorer_versions.delete().where(_v.scorer_id == id)
            done = await connection.execute(gone if version is None else gone.where(_v.version == version))
            if not done.rowcount:
                raise _unknown(experiment_id, name, version)
            left = await connection.execute(sa.select(_v.version).where(_v.scorer_id == id).limit(1))
            if left.first() is None:
                await connection.execute(online_scorings.delete().where(_o.scorer_id == id))
                await connection.execute(scorers.delete().where(_s.id == id))

    async def schedule(self, experiment_id: int, name: str, sample_rate: float, filter: str | None) -> Json:
        """Say how much of its experiment's traces a scorer is to look at."""
        async with self._database.changing() as connection:
            which = sa.select(_s.id).where(_s.experiment_id == experiment_id, _s.name == name)
            scorer = (await connection.execute(which)).scalar_one_or_none()
            if scorer is None:
                raise _unknown(experiment_id, name)
            row = {"id": str(uuid.uuid4()), "scorer_id": scorer, "sample_rate": sample_rate, "filter": filter}
            new = self._insert(online_scorings).values(row)
            changed = {"sample_rate": sample_rate, "filter": filter}
            await connection.execute(new.on_conflict_do_update(index_elements=["scorer_id"], set_=changed))
            found = await connection.execute(_scheduled([scorer]))
            return _config(found.mappings().one())

    async def schedules(self, scorer_ids: Sequence[str]) -> list[Json]:
        """Of those of these scorers that have one."""
        async with self._database.asking() as connection:
            rows = await connection.execute(_scheduled(scorer_ids))
            return [_config(row) for row in rows.mappings()]


def _of(experiment_id: int, name: str) -> sa.Select[Any]:
    return sa.select(*_COLUMNS).select_from(_ALL).where(_s.experiment_id == experiment_id, _s.name == name)


def _scheduled(scorer_ids: Sequence[str]) -> sa.Select[Any]:
    joined = online_scorings.join(scorers, _s.id == _o.scorer_id)
    select = sa.select(online_scorings, _s.experiment_id).select_from(joined)
    return select.where(_o.scorer_id.in_(scorer_ids)).order_by(_o.id)


def _shown(row: sa.RowMapping) -> Json:
    """MLflow's Scorer, in which the experiment's id is a number."""
    return {
        "experiment_id": row["experiment_id"],
        "scorer_name": row["name"],
        "scorer_version": row["version"],
        "serialized_scorer": row["serialized"],
        "creation_time": row["created_us"] // 1000,
        "scorer_id": row["id"],
    }


def _config(row: sa.RowMapping) -> Json:
    return {
        "online_scoring_config_id": row["id"],
        "scorer_id": row["scorer_id"],
        "sample_rate": row["sample_rate"],
        "filter_string": row["filter"],
        "experiment_id": str(row["experiment_id"]),
    }


def _unknown(experiment_id: int, name: str, version: int | None = None) -> MlflowError:
    which = f"'{name[:100]}'" if version is None else f"'{name[:100]}' and version {version}"
    return missing(f"Scorer with name {which} not found for experiment {experiment_id}.")
