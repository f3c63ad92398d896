"""Searching logged models: which keys they have, and pages of those that pass a filter, with their metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from providers.errors import InvalidRequest
from tracking import order as orders
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import SECTIONS, TAG, Field, Fields
from tracking.grammar import And, Comparison, Not, Or, Source, Tree, parse
from tracking.logged_models import LoggedModel, read
from tracking.model_tables import logged_models
from tracking.run_tables import OF_A_MODEL, run_metrics
from tracking.search import Condition, compared

PAGE_MOST = 1_000
_m, _v = logged_models.c, run_metrics.c
_CREATED, _UPDATED = Field(_m.created_us, "time", required=True), Field(_m.updated_us, "time", required=True)
ATTRIBUTES: Mapping[str, Field] = {
    "model_id": Field(_m.id, required=True),
    "name": Field(_m.name, required=True),
    "model_type": Field(_m.model_type),
    "status": Field(_m.status, required=True),
    "source_run_id": Field(_m.source_run_id),
    "experiment_id": Field(_m.experiment_id, "number", required=True),
    "artifact_location": Field(_m.artifact_uri, required=True),
    "creation_timestamp": _CREATED,
    "creation_timestamp_ms": _CREATED,
    "creation_time": _CREATED,
    "last_updated_timestamp": _UPDATED,
    "last_updated_timestamp_ms": _UPDATED,
}
NEWEST = "attributes.creation_timestamp DESC"
"""The order of models that no other tells apart."""
_VALUE = Field(sa.case((_v.nan, sa.null()), else_=_v.value), "real")


@dataclass(frozen=True, slots=True)
class Dataset:
    """What metrics were measured on; of any digest where that is None."""

    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class OrderBy:
    """`metrics.x` by its last value, on one dataset where that is said; or an attribute."""

    field: str
    ascending: bool = True
    dataset: Dataset | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One value of a model's metric. None is NaN."""

    key: str
    value: float | None
    timestamp_ms: int
    step: int
    run_id: str
    dataset_name: str | None
    dataset_digest: str | None


Metrics = Mapping[str, Sequence[Metric]]
"""By the id of the model."""


class ModelSearch:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name

    async def page(
        self,
        experiment_ids: Sequence[int],
        filter: str,
        datasets: Sequence[Dataset],
        order_by: Sequence[OrderBy],
        size: int,
        token: str | None,
    ) -> tuple[list[LoggedModel], Metrics, str | None]:
        """Models of these experiments, newest first unless told otherwise.

        A comparison of a metric is true of a model that has such a value, measured on one of the datasets if there
        are any; without such a comparison, a model is found that has any metric of them.
        """
        if not size >= 1:
            raise InvalidRequest(f"max_results is {size}; say 1 to {PAGE_MOST}", param="max_results")
        size = min(size, PAGE_MOST)
        conditions: list[Condition] = [_m.deleted_us.is_(None), _m.experiment_id.in_(experiment_ids)]
        conditions += self._conditions(Source(filter), datasets)
        order = self._order(order_by)
        query = orders.fingerprint(list(experiment_ids), filter, repr(datasets), repr(order_by))
        if token is not None:
            conditions.append(order.after(orders.values(token, query, order)))
        select = sa.select(logged_models, *order.columns()).where(*conditions).order_by(*order.clauses())
        async with self._database.asking() as connection:
            rows = (await connection.execute(select.limit(size + 1))).mappings().all()
            models = [read(row) for row in rows[:size]]
            metrics = await _metrics(connection, [model.id for model in models])
        if len(rows) <= size:
            return models, metrics, None
        last = rows[size - 1]
        return models, metrics, orders.token(query, tuple(last[f"order_{n}"] for n in range(len(order.terms))))

    async def metrics(self, id: str) -> Sequence[Metric]:
        """Those of one model."""
        async with self._database.asking() as connection:
            return (await _metrics(connection, [id])).get(id, ())

    def _conditions(self, source: Source, datasets: Sequence[Dataset]) -> list[Condition]:
        tree = parse(source)
        on = [sa.or_(*map(_on, datasets))] if datasets else []
        conditions = []
        if tree is not None:
            conditions.append(self._condition(tree, source, on))
        if on and not (tree is not None and _mentions_metrics(tree)):
            conditions.append(sa.exists().where(OF_A_MODEL, _v.model_id == _m.id, *on))
        return conditions

    def _condition(self, tree: Tree, source: Source, on: list[Condition]) -> Condition:
        match tree:
            case And(terms):
                return sa.and_(*(self._condition(term, source, on) for term in terms))
            case Or(terms):
                return sa.or_(*(self._condition(term, source, on) for term in terms))
            case Not(term):
                return sa.not_(self._condition(term, source, on))
            case Comparison(key):
                name = key.name
                match SECTIONS.get(key.section or "attributes"):
                    case "metrics":
                        return self._measured(tree, source, on)
                    case "params":
                        params = {name: Field(TAG[self._dialect](_m.params, name))}
                        return compared(tree, source, _fields(params=params), self._dialect)
                return compared(tree, source, _fields(), self._dialect)

    def _measured(self, comparison: Comparison, source: Source, on: list[Condition]) -> Condition:
        """Unknown, as all comparisons are, of a model without this metric."""
        name = comparison.key.name
        all = sa.exists().where(OF_A_MODEL, _v.model_id == _m.id, _v.key == name, *on)
        if comparison.operator == "IS NULL":
            return sa.not_(all)
        passes = compared(comparison, source, _fields(metrics={name: _VALUE}), self._dialect)
        return sa.case((all.where(passes), sa.true()), (all, sa.false()))

    def _order(self, order_by: Sequence[OrderBy]) -> orders.Order:
        metrics: dict[str, Field] = {}
        texts = []
        for n, by in enumerate(order_by):
            section, _, name = by.field.rpartition("metrics.")
            direction = "ASC" if by.ascending else "DESC"
            if not section and name and name != by.field:
                metrics[f"m{n}"] = Field(_last(name, by.dataset), "real")
                texts.append(f"metrics.m{n} {direction}")
            elif by.field in ATTRIBUTES:
                texts.append(f"attributes.{by.field} {direction}")
            else:
                known = f"metrics.<name>, {', '.join(sorted(ATTRIBUTES))}"
                raise InvalidRequest(f"Invalid order by field name: {by.field}; there are {known}", param="order_by")
        return orders.order([*texts, NEWEST], _fields(metrics=metrics), self._dialect, "model_id")


def _fields(*, metrics: Mapping[str, Field] | None = None, params: Mapping[str, Field] | None = None) -> Fields:
    return Fields({"metrics": metrics or {}, "params": params or {}, "attributes": ATTRIBUTES}, _m.tags)


def _on(dataset: Dataset) -> Condition:
    named = _v.dataset_name == dataset.name
    return named if dataset.digest is None else sa.and_(named, _v.dataset_digest == dataset.digest)


def _last(name: str, dataset: Dataset | None) -> ColumnElement[Any]:
    """The value of a metric that was measured last."""
    on = [] if dataset is None else [_on(dataset)]
    return (
        sa.select(_VALUE.column)
        .where(OF_A_MODEL, _v.model_id == _m.id, _v.key == name, *on)
        .order_by(_v.timestamp_ms.desc(), _v.step.desc(), _v.run_id)
        .limit(1)
        .correlate(logged_models)
        .scalar_subquery()
    )


def _mentions_metrics(tree: Tree) -> bool:
    match tree:
        case Comparison(key):
            return SECTIONS.get(key.section or "attributes") == "metrics"
        case Not(term):
            return _mentions_metrics(term)
        case And(terms) | Or(terms):
            return any(map(_mentions_metrics, terms))


async def _metrics(connection: AsyncConnection, ids: Sequence[str]) -> Metrics:
    if not ids:
        return {}
    query = sa.select(run_metrics).where(OF_A_MODEL, _v.model_id.in_(ids))
    query = query.order_by(_v.key, _v.step, _v.timestamp_ms, _v.run_id)
    found: dict[str, list[Metric]] = {}
    for row in await connection.execute(query):
        value = None if row.nan else row.value
        metric = Metric(row.key, value, row.timestamp_ms, row.step, row.run_id, row.dataset_name, row.dataset_digest)
        found.setdefault(row.model_id, []).append(metric)
    return found
