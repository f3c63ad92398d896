"""Traces, spans and assessments added up: counts, sums, means and percentiles, by time and by what they are called.

Clients' traces and gateway calls are added up together, each from its own tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.call_traces import NAME, PREFIX, TOKENS
from tracking.database import Database
from tracking.fields import TAG
from tracking.search import Condition
from tracking.tables import calls
from tracking.trace_search import SPAN, SPAN_OF_CALL, Side, sides
from tracking.trace_tables import assessments, spans, traces

View = Literal["TRACES", "SPANS", "ASSESSMENTS"]
Aggregation = Literal["COUNT", "SUM", "AVG", "PERCENTILE", "MIN", "MAX"]
VIEWS: tuple[View, ...] = get_args(View)
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)
RESULTS_MOST = 1000
INTERVAL = "time_bucket"
MICROS = 1_000_000
_PARTS = 10_000
"""Of one percent: how exactly a percentile may be said."""
_SUMMED: frozenset[Aggregation] = frozenset({"SUM"})
Rule = tuple[frozenset[Aggregation], tuple[str, ...]]
_COUNTED: frozenset[Aggregation] = frozenset({"COUNT"})
_SPREAD: frozenset[Aggregation] = frozenset({"AVG", "MIN", "MAX", "PERCENTILE"})
_ADDED: frozenset[Aggregation] = _SPREAD | _SUMMED
_TOKENS: Rule = (_ADDED, ("trace_name",))
_COST: Rule = (_ADDED, ("span_model_name", "span_model_provider"))
_NAMES = ("span_name", "span_type", "span_status", "span_model_name", "span_model_provider")
_USED = ("input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_COSTS = ("input_cost", "output_cost", "total_cost")
METRICS: Mapping[View, Mapping[str, Rule]] = {
    "TRACES": {
        "trace_count": (_COUNTED, ("trace_name", "trace_status")),
        "session_count": (_COUNTED, ()),
        "latency": (_SPREAD, ("trace_name",)),
        **dict.fromkeys(_USED, _TOKENS),
    },
    "SPANS": {
        "span_count": (_COUNTED, _NAMES),
        "latency": (_SPREAD, ("span_name", "span_status")),
        **dict.fromkeys(_COSTS, _COST),
    },
    "ASSESSMENTS": {
        "assessment_count": (_COUNTED, ("assessment_name", "assessment_value")),
        "assessment_value": (_SPREAD, ("assessment_name",)),
    },
}
"""What can be asked of each: how it may be added up, and by what."""
_FILTER = re.compile(
    r"\s*(?P<of>trace|span|assessment)\.(?P<what>\w+)(?:\.(?P<key>[^=]*?))?\s*=\s*"
    r"(?:'(?P<one>[^']*)'|\"(?P<two>[^\"]*)\")\s*"
)
Column = ColumnElement[Any]
_c, _t, _a = calls.c, traces.c, assessments.c


@dataclass(frozen=True, slots=True)
class How:
    """One way to add up. `percentile` is from 0 to 100."""

    aggregation: Aggregation
    percentile: float | None = None

    @property
    def name(self) -> str:
        """As MLflow calls the value."""
        return self.aggregation if self.percentile is None else f"P{self.percentile}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    experiments: Sequence[int]
    view: View
    metric: str
    how: Sequence[How]
    dimensions: Sequence[str] = ()
    filters: Sequence[str] = ()
    interval_seconds: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None


class TraceMetrics:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name
        self._sides = sides(self._dialect)

    async def points(self, asked: Asked, size: int, start: int = 0, *, key_id: str | None = None) -> list[Json]:
        """In the order of time and of dimensions. `key_id` narrows calls to those of one key."""
        _check(asked)
        select = self._summed(asked, key_id).limit(size).offset(start)
        groups = _groups(asked)
        async with self._database.asking() as connection:
            rows = (await connection.execute(select)).all()
        return [point for row in rows if (point := _point(asked, groups, row)) is not None]

    def _summed(self, asked: Asked, key_id: str | None) -> sa.Select[Any]:
        each = [self._values(side, asked, key_id) for side in self._sides]
        points = sa.union_all(*each).subquery("points")
        groups = [points.c[name] for name in _groups(asked)]
        known = sa.select(*points.c).where(points.c.value.is_not(None), *(group.is_not(None) for group in groups))
        if any(how.percentile is not None for how in asked.how):
            place = sa.func.row_number().over(partition_by=groups or None, order_by=points.c.value)
            many = sa.func.count(points.c.value).over(partition_by=groups or None)
            known = known.add_columns(
                sa.type_coerce(place, sa.BigInteger).label("place"), sa.type_coerce(many, sa.BigInteger).label("many")
            )
        found = known.subquery("known")
        by = [found.c[group.name] for group in groups]
        return (
            sa.select(*by, *(_value(how, asked, found.c).label(how.name) for how in asked.how))
            .group_by(*by)
            .order_by(*by)
        )

    def _values(self, side: Side, asked: Asked, key_id: str | None) -> sa.Select[Any]:
        """One row for each thing that is added up."""
        of = _of(side, asked.view, TAG[self._dialect], self._dialect)
        columns = [of.values[asked.metric].label("value")]
        if asked.interval_seconds is not None:
            size = sa.literal(asked.interval_seconds * MICROS, sa.BigInteger)
            columns.append((sa.type_coerce(of.at, sa.BigInteger) // size).label(INTERVAL))
        columns += [sa.cast(of.names[name], sa.String).label(name) for name in asked.dimensions]
        where: list[Condition] = [side.experiment_id.in_(asked.experiments), *of.where]
        if asked.start_ms is not None:
            where.append(of.at >= sa.literal(asked.start_ms * 1000, sa.BigInteger))
        if asked.end_ms is not None:
            where.append(of.at < sa.literal((asked.end_ms + 1) * 1000, sa.BigInteger))
        if key_id is not None and side.table is calls:
            where.append(_c.key_id == key_id)
        where += [self._filter(side, of, asked.view, filter) for filter in asked.filters]
        return sa.select(*columns).select_from(of.rows).where(*where)

    def _filter(self, side: Side, of: _Of, view: View, filter: str) -> Condition:
        said = _FILTER.fullmatch(filter)
        if said is None:
            raise InvalidRequest(f"filter {filter!r:.200} cannot be read; write {FILTERS}", param="filters")
        value = said["one"] if said["one"] is not None else said["two"]
        tag = TAG[self._dialect]
        match said["of"], said["what"], (said["key"] or "").strip('`"'):
            case "trace", "status", "":
                return _STATUS[side.table.name] == value
            case "trace", "tag", key if key:
                return _NAMED[side.table.name](tag) == value if key == NAME else tag(side.fields.tags, key) == value
            case "trace", "metadata", key if key:
                return side.metadata(key) == value
            case "span", "name" | "type" | "status" as what, "":
                if view == "SPANS":
                    return of.names[f"span_{what}"] == value
                column, rows = side.span(what)
                return column == value if rows is None else sa.exists().where(rows, column == value)
            case "assessment", "name" | "type" as what, "":
                column, wanted = (_a.name, value) if what == "name" else (_a.kind, value.lower())
                if view == "ASSESSMENTS":
                    return column == wanted
                return sa.exists().where(_a.trace_id == side.id, _a.valid, column == wanted)
        raise InvalidRequest(f"filter {filter!r:.200} asks for what there is not; write {FILTERS}", param="filters")


FILTERS = (
    "trace.status, trace.tag.<key>, trace.metadata.<key>, span.name, span.type, span.status, assessment.name or "
    "assessment.type, = and a text in quotes"
)
_STATUS: Mapping[str, Column] = {"traces": _t.state, "calls": SPAN_OF_CALL["status"]}
_NAMED: Mapping[str, Any] = {"traces": lambda tag: tag(_t.tags, NAME), "calls": lambda tag: SPAN_OF_CALL["name"]}


@dataclass(frozen=True, slots=True)
class _Of:
    """What is added up on one side."""

    rows: Any
    at: Column
    """Microseconds."""
    values: Mapping[str, Column]
    """By metric."""
    names: Mapping[str, Column]
    """By dimension."""
    where: tuple[Condition, ...] = ()


def _of(side: Side, view: View, tag: Any, dialect: str) -> _Of:
    ours = side.table is calls
    table: Any = _c if ours else _t
    match view:
        case "TRACES":
            values = {
                "trace_count": _real(sa.literal(1)),
                "session_count": table.session,
                "latency": _real(table.duration_us) / 1000,
                **(_tokens_of_calls() if ours else {name: _token(tag, name, dialect) for name in _USED}),
            }
            names = {"trace_name": _NAMED[side.table.name](tag), "trace_status": _STATUS[side.table.name]}
            return _Of(side.table, table.started_us, values, names)
        case "SPANS" if ours:
            values = {
                "span_count": _real(sa.literal(1)),
                "latency": _real(_c.duration_us) / 1000,
                "input_cost": _nothing(),
                "output_cost": _nothing(),
                "total_cost": _real(_c.cost_nanos) / 1_000_000_000,
            }
            names = {
                **{f"span_{name}": SPAN_OF_CALL[name] for name in ("name", "type", "status")},
                "span_model_name": SPAN_OF_CALL["attributes.mlflow.llm.model"],
                "span_model_provider": SPAN_OF_CALL["attributes.mlflow.llm.provider"],
            }
            return _Of(side.table, _c.started_us, values, names)
        case "SPANS":
            s = spans.c
            values = {
                "span_count": _real(sa.literal(1)),
                "latency": _real(s.ended_ns - s.started_ns) / 1_000_000,
                **{name: s.cost[name].as_float() for name in _COSTS},
            }
            names = {
                **{f"span_{name}": SPAN[name] for name in ("name", "type", "status")},
                "span_model_name": tag(s.attributes, "mlflow.llm.model"),
                "span_model_provider": tag(s.attributes, "mlflow.llm.provider"),
            }
            at = sa.type_coerce(s.started_ns, sa.BigInteger) // 1000
            return _Of(spans.join(traces, _t.id == s.trace_id), at, values, names)
        case _:
            flag = sa.case((_a.text == "true", 1.0), (_a.text == "false", 0.0))
            values = {
                "assessment_count": _real(sa.literal(1)),
                "assessment_value": sa.func.coalesce(_a.number, flag, type_=sa.Double()),
            }
            names = {"assessment_name": _a.name, "assessment_value": _a.text}
            id = sa.func.substr(_a.trace_id, len(PREFIX) + 1) if ours else _a.trace_id
            is_ours = (_a.trace_id.startswith(PREFIX),) if ours else ()
            rows = assessments.join(side.table, table.id == id)
            return _Of(rows, table.started_us, values, names, (_a.valid, *is_ours))


def _tokens_of_calls() -> dict[str, Column]:
    return {
        "input_tokens": _real(_c.input_tokens),
        "output_tokens": _real(_c.output_tokens),
        "total_tokens": _real(_c.input_tokens + _c.output_tokens),
        "cache_read_input_tokens": _real(_c.cache_read_tokens),
        "cache_creation_input_tokens": _real(_c.cache_write_tokens),
    }


def _token(tag: Any, name: str, dialect: str) -> Column:
    """Of a text that a client wrote, which may be no JSON."""
    said = tag(_t.metadata, TOKENS)
    if dialect == "postgresql":
        return _real(sa.func.substring(said, rf'"{name}"\s*:\s*(\d{{1,15}})'))
    return _real(sa.case((sa.func.json_valid(said) == 1, sa.func.json_extract(said, f"$.{name}"))))


def _real(column: Column) -> Column:
    return sa.cast(column, sa.Double)


def _nothing() -> Column:
    return sa.cast(sa.null(), sa.Double)


def _groups(asked: Asked) -> list[str]:
    return [*([] if asked.interval_seconds is None else [INTERVAL]), *asked.dimensions]


def _value(how: How, asked: Asked, known: Any) -> Column:
    match how.aggregation:
        case "COUNT" if asked.metric == "session_count":
            return sa.func.count(known.value.distinct())
        case "COUNT":
            return sa.func.count(known.value)
        case "SUM":
            return sa.func.sum(known.value)
        case "AVG":
            return sa.func.avg(known.value)
        case "MIN":
            return sa.func.min(known.value)
        case "MAX":
            return sa.func.max(known.value)
        case "PERCENTILE":
            # Between the two values that it lies between, as numpy's quantile has it by default.
            assert how.percentile is not None, "it is checked"
            whole = sa.literal(100 * _PARTS, sa.BigInteger)
            at = sa.literal(round(how.percentile * _PARTS), sa.BigInteger) * (known.many - 1)
            below, part = at // whole, sa.cast(at % whole, sa.Double) / (100.0 * _PARTS)
            near = sa.case(
                (known.place - 1 == below, known.value * (1 - part)),
                (known.place - 1 == below + 1, known.value * part),
                else_=0.0,
            )
            return sa.func.sum(near)


def _point(asked: Asked, groups: Sequence[str], row: Any) -> Json | None:
    dimensions = dict(zip(groups, row, strict=False))
    if INTERVAL in dimensions:
        assert asked.interval_seconds is not None, "it is in groups"
        dimensions[INTERVAL] = datetime.fromtimestamp(
            int(dimensions[INTERVAL]) * asked.interval_seconds, UTC
        ).isoformat()
    said = zip((how.name for how in asked.how), row[len(groups) :], strict=True)
    values = {name: float(value) for name, value in said if value is not None}
    return {"metric_name": asked.metric, "dimensions": dimensions, "values": values} if values else None


def _check(asked: Asked) -> None:
    known = METRICS[asked.view]
    if asked.metric not in known:
        raise InvalidRequest(
            f"metric_name must be one of {', '.join(known)}, got {asked.metric!r:.100}", param="metric_name"
        )
    may, by = known[asked.metric]
    for how in asked.how:
        if how.aggregation not in may:
            raise InvalidRequest(
                f"{asked.metric} has no {how.aggregation}; there are {', '.join(sorted(may))}", param="aggregations"
            )
        if (how.percentile is not None) != (how.aggregation == "PERCENTILE"):
            raise InvalidRequest("PERCENTILE takes a percentile_value, and nothing else does", param="aggregations")
        if how.percentile is not None and not 0 <= how.percentile <= 100:
            raise InvalidRequest(f"percentile_value is {how.percentile}; say 0 to 100", param="aggregations")
    if not asked.how:
        raise InvalidRequest("aggregations says no way to add up", param="aggregations")
    for name in asked.dimensions:
        if name not in by:
            raise InvalidRequest(
                f"{asked.metric} is not added up by {name!r:.100}; by {', '.join(by) or 'nothing'}", param="dimensions"
            )
    if asked.interval_seconds is not None:
        if not 1 <= asked.interval_seconds <= 10**9:
            raise InvalidRequest("time_interval_seconds is a number from 1", param="time_interval_seconds")
        if asked.start_ms is None or asked.end_ms is None:
            raise InvalidRequest(
                "start_time_ms and end_time_ms are required if time_interval_seconds is set", param="start_time_ms"
            )
