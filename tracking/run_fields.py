"""The keys of runs as MLflow's users know them: of those that people log, and of calls, in the same units and types."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from tracking.fields import METRICS, PARAMS, TAG, Field, Fields
from tracking.grammar import And, Comparison, Key, Not, Or, Source, Tree, parse
from tracking.run_tables import run_datasets, run_inputs, run_latest, run_params, runs
from tracking.search import Condition, compared
from tracking.tables import calls

Column = ColumnElement[Any]
_c, _r = calls.c, runs.c
ENDED = {"ok": "FINISHED", "client_cancelled": "KILLED", "interrupted": "KILLED"}
"""How MLflow calls the ends of calls; all others failed."""
NAME: Column = sa.func.coalesce(_c.endpoint, _c.requested_model, _c.kind, sa.literal("call"), type_=sa.String())
"""What a call is named by."""
TOLD: Mapping[str, Column] = {
    "mlflow.runName": NAME,
    "mlflow.user": _c.end_user,
    "mlflow.parentRunId": _c.parent_run_id,
    "mlflow.source.type": sa.literal("GATEWAY", sa.String),
    "key": _c.key_id,
    "session": _c.session,
    "gatelog.status": _c.status,
    "gatelog.error_code": _c.error_code,
    "gatelog.error_message": _c.error_message,
}
"""Tags that a call has without having been given them. One that it was given is what it says."""
_LARGEST = sys.float_info.max


class _Each(Mapping[str, Field]):
    """A field for whatever name is asked for: the known ones, and what is made of any other."""

    def __init__(self, make: Callable[[str], Field], known: Mapping[str, Field]) -> None:
        self._make, self._known = make, known

    def __getitem__(self, name: str) -> Field:
        return self._known.get(name) or self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, name: object) -> bool:
        return name in self._known


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two tables, as runs."""

    table: sa.Table
    fields: Fields


def sides(dialect: str) -> tuple[Side, Side]:
    """Runs that people log, and calls."""
    tag = TAG[dialect]
    told = {
        name: Field(sa.func.coalesce(tag(_c.tags, name), column, type_=sa.String())) for name, column in TOLD.items()
    }
    logged = Fields(
        {
            "metrics": _Each(lambda name: _metric(_r.id, name), {}),
            "params": _Each(lambda name: _param(_r.id, name), {}),
            "attributes": _attributes(_LOGGED),
        },
        _r.tags,
    )
    called = Fields(
        {
            "metrics": _Each(lambda name: _metric(_c.id, name), REAL),
            "params": _Each(lambda name: _param(_c.id, name), TEXT),
            "attributes": _attributes(_CALLED),
        },
        _c.tags,
        told,
    )
    return Side(runs, logged), Side(calls, called)


def condition(source: Source, side: Side, dialect: str) -> Condition:
    """What a filter means on one side."""
    tree = parse(source)
    return sa.true() if tree is None else _meaning(tree, source, side, dialect)


def _meaning(tree: Tree, source: Source, side: Side, dialect: str) -> Condition:
    match tree:
        case And(terms):
            return sa.and_(*(_meaning(term, source, side, dialect) for term in terms))
        case Or(terms):
            return sa.or_(*(_meaning(term, source, side, dialect) for term in terms))
        case Not(term):
            return sa.not_(_meaning(term, source, side, dialect))
        case Comparison(key) if key.section in ("datasets", "dataset"):
            # One of its datasets, so that `!=` finds a run which has another beside the one that is named.
            rows = [run_inputs.c.run_id == side.table.c.id, run_inputs.c.dataset_id == run_datasets.c.id]
            plain = replace(tree, key=Key(None, key.name, key.at))
            if tree.operator == "IS NULL":
                field = _DATASETS.find(plain.key, source, dialect)
                return ~sa.exists().where(*rows, field.column.is_not(None))
            return sa.exists().where(*rows, compared(plain, source, _DATASETS, dialect))
        case Comparison():
            return compared(tree, source, side.fields, dialect)


def _real(field: Field) -> Field:
    return Field(sa.cast(field.column, sa.Double) / float(field.scale), "real")


def _text(field: Field) -> Field:
    if field.type == "flag":
        return Field(sa.case((field.column, "True"), (sa.not_(field.column), "False")))
    return Field(field.column if field.type == "text" else sa.cast(field.column, sa.String))


REAL: Mapping[str, Field] = {name: _real(field) for name, field in METRICS.items()}
"""What was measured of a call."""
TEXT: Mapping[str, Field] = {name: _text(field) for name, field in PARAMS.items()}
"""The parameters of a call: to MLflow each is text."""


def _metric(id: Column, name: str) -> Field:
    value = run_latest.c.value
    # A page begins after a value that its token holds, and JSON has no infinity.
    finite = sa.case((value > _LARGEST, _LARGEST), (value < -_LARGEST, -_LARGEST), else_=value)
    select = sa.select(sa.type_coerce(finite, sa.Double)).where(run_latest.c.run_id == id, run_latest.c.key == name)
    return Field(select.correlate(id.table).scalar_subquery(), "real")


def _param(id: Column, name: str) -> Field:
    select = sa.select(run_params.c.value).where(run_params.c.run_id == id, run_params.c.key == name)
    return Field(select.correlate(id.table).scalar_subquery())


_LOGGED = {
    "run_id": Field(_r.id, required=True),
    "run_name": Field(_r.name),
    "status": Field(_r.status, required=True),
    "artifact_uri": Field(_r.artifact_uri),
    "user_id": Field(_r.user_id),
    "experiment_id": Field(sa.type_coerce(_r.experiment_id, sa.BigInteger), "number", required=True),
    "start_time": Field(_r.started_us, "time", required=True),
    "end_time": Field(_r.ended_us, "time"),
}
_CALLED = {
    "run_id": Field(_c.id, required=True),
    "run_name": Field(NAME),
    "status": Field(sa.case(ENDED, value=_c.status, else_="FAILED"), required=True),
    "artifact_uri": Field(
        sa.literal("mlflow-artifacts:/", sa.String)
        + sa.cast(_c.experiment_id, sa.String)
        + sa.literal("/", sa.String)
        + _c.id
        + sa.literal("/artifacts", sa.String)
    ),
    "user_id": Field(_c.end_user),
    "experiment_id": Field(sa.type_coerce(_c.experiment_id, sa.BigInteger), "number", required=True),
    "start_time": Field(_c.started_us, "time", required=True),
    "end_time": Field(_c.started_us + _c.duration_us, "time"),
}
_ALSO = {
    "run_name": ("run name", "Run name", "Run Name"),
    "run_id": ("run id", "Run id", "Run ID"),
    "start_time": ("created", "Created"),
}
"""Other names that MLflow knows attributes by."""


def _attributes(fields: Mapping[str, Field]) -> Mapping[str, Field]:
    return {**fields, **{other: fields[name] for name, others in _ALSO.items() for other in others}}


_DATASETS = Fields(
    {
        "metrics": {},
        "params": {},
        "attributes": {
            "name": Field(run_datasets.c.name),
            "digest": Field(run_datasets.c.digest),
            "context": Field(run_inputs.c.context),
        },
    },
    run_inputs.c.tags,
)
