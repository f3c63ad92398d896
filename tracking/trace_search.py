"""Searching traces: which keys a client's trace and a gateway call have as traces, and what a filter means for each.

The two are kept in tables of their own, so a filter is compiled and an order made once for either, of the same keys in
the same units; that is what lets the pages of both be one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from tracking.call_traces import COST, NAME, PREFIX, SESSION, SOURCE_RUN, SPAN_TYPES, TOKENS, USER
from tracking.fields import ATTRIBUTES, METRICS, PARAMS, TAG, Field, Fields, Type
from tracking.grammar import And, Comparison, Key, Not, Or, Source, Tree, Value, parse
from tracking.search import Condition, as_words, compared, phrases
from tracking.tables import calls
from tracking.trace_tables import assessments, spans, trace_prompts, trace_runs, traces

TIE = "request_id"
_NOTHING: ColumnElement[Any] = sa.cast(sa.null(), sa.String)
_c, _t = calls.c, traces.c
_ID = sa.literal(PREFIX, sa.String).concat(_c.id)
_CALLED = sa.func.coalesce(_c.endpoint, _c.kind, sa.literal("call", sa.String), type_=sa.String())
_STATE = sa.case((_c.status == "ok", "OK"), else_="ERROR")
_SPAN_TYPE = sa.case(SPAN_TYPES, value=_c.kind, else_="LLM")
Column = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two tables, as traces."""

    table: sa.Table
    id: Column
    """The trace's id."""
    experiment_id: Column
    fields: Fields
    metadata: Callable[[str], Column]
    span: Callable[[str], tuple[Column, Condition | None]]
    """The column of a span's key, and how its row belongs to the trace where it is another table's."""
    runs: tuple[Column, ...]
    """Columns that name runs it belongs to, beside those that it was linked to."""
    prompt: Column
    """The prompt that it was made by, as `name/version`, beside those that it was linked to."""


def sides(dialect: str) -> tuple[Side, Side]:
    """Clients' traces, and calls."""
    tag = TAG[dialect]

    def span_of_client(name: str) -> tuple[Column, Condition | None]:
        ours = spans.c.trace_id == _t.id
        if name.startswith("attributes."):
            return tag(spans.c.attributes, name.removeprefix("attributes.")), ours
        return SPAN[name], ours

    client = Side(
        traces,
        _t.id,
        _t.experiment_id,
        _fields(_of_client(tag), _t.tags, {}),
        lambda name: tag(_t.metadata, name),
        span_of_client,
        (tag(_t.metadata, SOURCE_RUN),),
        _NOTHING,
    )
    called = Side(
        calls,
        _ID,
        _c.experiment_id,
        _fields(_of_call(), _c.tags, {NAME: Field(_CALLED, required=True)}),
        lambda name: _METADATA.get(name, _NOTHING),
        lambda name: (SPAN_OF_CALL.get(name, _NOTHING), None),
        (_c.id, _c.parent_run_id),
        _c.prompt_name.concat("/").concat(sa.cast(_c.prompt_version, sa.String)),
    )
    return client, called


def condition(source: Source, side: Side, dialect: str) -> Condition:
    """What a filter means on one side."""
    tree = parse(source)
    return sa.true() if tree is None else _Meaning(source, side, dialect).of(tree)


class _Meaning:
    def __init__(self, source: Source, side: Side, dialect: str) -> None:
        self._source, self._side, self._dialect = source, side, dialect

    def of(self, tree: Tree) -> Condition:
        match tree:
            case And(terms):
                return sa.and_(*map(self.of, terms))
            case Or(terms):
                return sa.or_(*map(self.of, terms))
            case Not(term):
                return sa.not_(self.of(term))
            case Comparison():
                return self._comparison(tree)

    def _comparison(self, comparison: Comparison) -> Condition:
        key = comparison.key
        section = SECTIONS.get(key.section or "attributes", key.section)
        if section in ("feedback", "expectation"):
            return self._assessed(section, comparison)
        if section == "span":
            return self._span(comparison)
        if section == "metadata":
            return self._on(self._side.metadata(key.name), comparison)
        if section == "attributes" and key.name in ("run_id", "run"):
            return self._run(comparison)
        if section == "attributes" and key.name == "text":
            return self._text(comparison)
        if section == "attributes" and key.name == "prompt":
            return self._prompt(comparison)
        plain = replace(comparison, key=Key(section if section != "attributes" else None, key.name, key.at))
        return compared(plain, self._source, self._side.fields, self._dialect)

    def _on(self, column: Column, comparison: Comparison, type: Type = "text") -> Condition:
        """The comparison, of what is in this column."""
        fields = Fields({"attributes": {"it": Field(column, type)}}, column)
        key = Key(None, "it", comparison.key.at)
        return compared(replace(comparison, key=key), self._source, fields, self._dialect)

    def _among(self, column: Column, rows: Condition, comparison: Comparison, type: Type = "text") -> Condition:
        """Whether the comparison holds of any of these rows; IS NULL, whether there are none."""
        if comparison.operator == "IS NULL":
            return ~sa.exists().where(rows, column.is_not(None))
        return sa.exists().where(rows, self._on(column, comparison, type))

    def _assessed(self, kind: str, comparison: Comparison) -> Condition:
        a = assessments.c
        rows = sa.and_(a.trace_id == self._side.id, a.kind == kind, a.name == comparison.key.name, a.valid)
        if any(isinstance(each.value, Decimal) for each in comparison.values):
            return self._among(a.number, rows, comparison, "real")
        return self._among(a.text, rows, comparison)

    def _span(self, comparison: Comparison) -> Condition:
        name = comparison.key.name
        if name not in SPAN and not name.startswith("attributes."):
            known = ", ".join(f"span.{each}" for each in (*SPAN, "attributes.<name>"))
            raise self._source.fault(comparison.key.at, f"{name!r} is not among the keys of a span; there are {known}")
        column, rows = self._side.span(name)
        return self._on(column, comparison) if rows is None else self._among(column, rows, comparison)

    def _run(self, comparison: Comparison) -> Condition:
        linked = self._among(trace_runs.c.run_id, trace_runs.c.trace_id == self._side.id, comparison)
        named = [self._on(column, comparison) for column in self._side.runs]
        return sa.and_(linked, *named) if comparison.operator == "IS NULL" else sa.or_(linked, *named)

    def _text(self, comparison: Comparison) -> Condition:
        """Of a call, by the index of words, which has whole ones only; of a client's trace, by what its spans hold."""
        value = comparison.values[0] if comparison.values else None
        if self._side.table is traces:
            rows = spans.c.trace_id == _t.id
            if value is None or comparison.operator != "=":
                return self._among(SPAN["content"], rows, comparison)
            likes = [Value(f"%{phrase}%", value.at) for phrase in phrases(self._source, comparison.key, value)]
            each = [replace(comparison, operator="ILIKE", values=(like,)) for like in likes]
            return sa.and_(*(self._among(SPAN["content"], rows, one) for one in each))
        asked = replace(as_words(comparison), key=Key(None, "text", comparison.key.at))
        return compared(asked, self._source, self._side.fields, self._dialect)

    def _prompt(self, comparison: Comparison) -> Condition:
        p = trace_prompts.c
        linked = self._among(p.name.concat("/").concat(p.version), p.trace_id == self._side.id, comparison)
        named = self._on(self._side.prompt, comparison)
        return sa.and_(linked, named) if comparison.operator == "IS NULL" else sa.or_(linked, named)


SECTIONS: Mapping[str, str] = {
    "attributes": "attributes",
    "attribute": "attributes",
    "attr": "attributes",
    "trace": "attributes",
    "metadata": "metadata",
    "request_metadata": "metadata",
    "trace_metadata": "metadata",
    "span": "span",
    "feedback": "feedback",
    "expectation": "expectation",
}
"""Sections of traces; those of runs that are not here mean what they mean there."""
SPAN: Mapping[str, Column] = {
    "name": spans.c.name,
    "type": spans.c.type,
    "status": spans.c.status,
    "content": sa.cast(spans.c.attributes, sa.Text),
}
SPAN_OF_CALL: Mapping[str, Column] = {
    "name": _CALLED,
    "type": _SPAN_TYPE,
    "status": _STATE,
    "attributes.mlflow.llm.model": sa.func.coalesce(_c.response_model, _c.model, type_=sa.String()),
    "attributes.mlflow.llm.provider": _c.provider,
}
"""Of the root span, which is the call itself."""
_METADATA: Mapping[str, Column] = {
    SESSION: _c.session,
    USER: _c.end_user,
    SOURCE_RUN: _c.parent_run_id,
    "gatelog.run_id": _c.id,
    "gatelog.endpoint": _c.endpoint,
    "gatelog.provider": _c.provider,
    "gatelog.model": _c.model,
    "gatelog.status": _c.status,
    "gatelog.key_id": _c.key_id,
    "gatelog.caller_trace_id": sa.literal(PREFIX, sa.String).concat(_c.trace_id),
    "gatelog.caller_span_id": _c.parent_span_id,
    TOKENS: _NOTHING,
    COST: _NOTHING,
}
_TIMES = ("timestamp", "timestamp_ms", "start_time", "request_time")
_DURATIONS = ("execution_time", "execution_time_ms", "execution_duration")


def _fields(attributes: dict[str, Field], tags: Column, particular: Mapping[str, Field]) -> Fields:
    metrics, params = METRICS, {name: replace(field, required=False) for name, field in PARAMS.items()}
    if tags is _t.tags:
        took = Field(_t.duration_us, "number", 1_000)
        metrics = {**_unknown(METRICS), "latency_ms": took, "duration_ms": took}
        params = _unknown(PARAMS)
    return Fields({"metrics": metrics, "params": params, "attributes": attributes}, tags, particular)


def _unknown(fields: Mapping[str, Field]) -> dict[str, Field]:
    """The same keys, of things that have none of them."""
    types: dict[str, Any] = {"text": sa.String(), "flag": sa.Boolean(), "real": sa.Double()}
    return {
        name: replace(field, column=sa.cast(sa.null(), types.get(field.type, sa.BigInteger())), required=False)
        for name, field in fields.items()
    }


def _shared(table: Any, id: Column, state: Column, name: Column, experiment_id: Column) -> dict[str, Field]:
    return {
        TIE: Field(id, required=True),
        "trace_id": Field(id, required=True),
        **dict.fromkeys(_TIMES, Field(table.started_us, "time", required=True)),
        **dict.fromkeys(_DURATIONS, Field(table.duration_us, "number", 1_000)),
        **dict.fromkeys(("end_time", "end_time_ms"), Field(table.started_us + table.duration_us, "time")),
        **dict.fromkeys(("status", "state"), Field(state)),
        "name": Field(name),
        "experiment_id": Field(experiment_id, "number"),
        "session": Field(table.session),
    }


def _of_client(tag: Callable[[Column, str], Column]) -> dict[str, Field]:
    return {
        **_unknown(ATTRIBUTES),
        **_shared(_t, _t.id, _t.state, tag(_t.tags, NAME), _t.experiment_id),
        "client_request_id": Field(_t.client_request_id),
        "user": Field(tag(_t.metadata, USER)),
    }


def _of_call() -> dict[str, Field]:
    # Both sides must agree on what may be missing, or their orders would differ.
    return {
        **{name: replace(field, required=False) for name, field in ATTRIBUTES.items()},
        **_shared(_c, _ID, _STATE, _CALLED, _c.experiment_id),
        "client_request_id": Field(_c.idempotency_key),
    }
