"""The keys of call runs: which column each is, in which unit, and of which type."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from providers.errors import InvalidRequest
from tracking.grammar import Key, Source
from tracking.tables import calls, experiments

Type = Literal["text", "number", "real", "flag", "time", "words"]


@dataclass(frozen=True, slots=True)
class Field:
    """What a key stands for.

    A number is kept as an integer, `scale` of them to one of the key's own unit, and a real as a float. A time is kept
    in microseconds and compared in whole milliseconds, which is what the API shows.
    """

    column: ColumnElement[Any]
    type: Type = "text"
    scale: int = 1
    required: bool = False
    """Every run has it."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The keys of one kind of thing, by section; `tags` is the column of its tags, whose keys nobody lists."""

    sections: Mapping[str, Mapping[str, Field]]
    tags: ColumnElement[Any]
    particular: Mapping[str, Field] = field(default_factory=dict)
    """Tags that are not looked for among the others."""

    def find(self, key: Key, source: Source, dialect: str) -> Field:
        """The field that a key means, or a 400 that says which there are."""
        section = SECTIONS.get(key.section or "attributes")
        if section is None:
            known = "metrics., params., tags. and attributes."
            raise source.fault(key.at, f"{key.section!r} is no section; keys begin with {known}{self._elsewhere(key)}")
        if section == "tags":
            return self.particular.get(key.name) or Field(TAG[dialect](self.tags, key.name))
        field = self.sections[section].get(key.name)
        if field is None:
            raise self._unknown(section, key, source)
        return field

    def _unknown(self, section: str, key: Key, source: Source) -> InvalidRequest:
        names = self.sections[section]
        near = difflib.get_close_matches(key.name.lower(), names, n=3, cutoff=0.6)
        hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(sorted(names))}"
        return source.fault(key.at, f"{key.name!r} is not among the {section}{self._elsewhere(key) or hint}")

    def _elsewhere(self, key: Key) -> str:
        """Where a name belongs that was looked for in the wrong section."""
        homes = [f"{section}.{key.name}" for section, names in self.sections.items() if key.name in names]
        return f"; did you mean {' or '.join(homes)}?" if homes else ""


SECTIONS = {
    "metrics": "metrics",
    "metric": "metrics",
    "params": "params",
    "param": "params",
    "parameters": "params",
    "parameter": "params",
    "tags": "tags",
    "tag": "tags",
    "attributes": "attributes",
    "attribute": "attributes",
    "attr": "attributes",
    "run": "attributes",
}
"""Every word that MLflow takes for a section, and the one that it means."""


def _tag_of_sqlite(tags: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    # Not json_extract: its paths cannot hold every name, and this compares the name as what it is, a value.
    each = sa.func.json_each(tags).table_valued("key", "value")
    value = sa.select(sa.type_coerce(each.c.value, sa.String)).where(each.c.key == sa.literal(name, sa.String))
    return value.scalar_subquery()


def _tag_of_postgresql(tags: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return sa.func.jsonb_extract_path_text(tags, sa.literal(name, sa.String), type_=sa.String())


TAG = {"sqlite": _tag_of_sqlite, "postgresql": _tag_of_postgresql}


def _number(column: ColumnElement[Any], scale: int = 1) -> Field:
    # A caller may compare with any number, and 5000000000 cannot be bound as the INTEGER that some of them are.
    return Field(sa.type_coerce(column, sa.BigInteger), "number", scale)


_c = calls.c
_EXPERIMENT = (
    sa.select(experiments.c.name).where(experiments.c.id == _c.experiment_id).correlate(calls).scalar_subquery()
)

METRICS: dict[str, Field] = {
    "cost_usd": _number(_c.cost_nanos, 1_000_000_000),
    "cost_nanos": _number(_c.cost_nanos),
    "latency_ms": _number(_c.duration_us, 1_000),
    "duration_ms": _number(_c.duration_us, 1_000),
    "ttft_ms": _number(_c.ttft_us, 1_000),
    "upstream_ms": _number(_c.upstream_us, 1_000),
    "overhead_ms": _number(_c.duration_us - _c.upstream_us, 1_000),
    "prompt_tokens": _number(_c.input_tokens),
    "input_tokens": _number(_c.input_tokens),
    "completion_tokens": _number(_c.output_tokens),
    "output_tokens": _number(_c.output_tokens),
    "total_tokens": _number(_c.input_tokens + _c.output_tokens),
    "cached_tokens": _number(_c.cache_read_tokens),
    "cache_read_tokens": _number(_c.cache_read_tokens),
    "cache_write_tokens": _number(_c.cache_write_tokens),
    "cache_write_1h_tokens": _number(_c.cache_write_1h_tokens),
    "reasoning_tokens": _number(_c.reasoning_tokens),
    "input_audio_tokens": _number(_c.input_audio_tokens),
    "output_audio_tokens": _number(_c.output_audio_tokens),
    "searches": _number(_c.searches),
    "attempts": _number(_c.attempts),
    "request_bytes": _number(_c.request_bytes),
    "response_bytes": _number(_c.response_bytes),
}

PARAMS: dict[str, Field] = {
    "model": Field(_c.model),
    "provider": Field(_c.provider),
    "endpoint": Field(_c.endpoint),
    "requested_model": Field(_c.requested_model),
    "response_model": Field(_c.response_model),
    "kind": Field(_c.kind),
    "stream": Field(_c.stream, "flag"),
    "credential": Field(_c.credential),
    "finish_reason": Field(_c.finish_reason),
    "native_finish_reason": Field(_c.native_finish_reason),
    "max_output": _number(_c.max_output),
    "usage_basis": Field(_c.usage_basis, required=True),
    "log_payloads": Field(_c.log_payloads),
    "prompt_name": Field(_c.prompt_name),
    "prompt_version": _number(_c.prompt_version),
    "registered_model": Field(_c.registered_model),
    "registered_version": _number(_c.registered_version),
}

ATTRIBUTES: dict[str, Field] = {
    "run_id": Field(_c.id, required=True),
    "status": Field(_c.status, required=True),
    "text": Field(_c.id, "words"),
    "start_time": Field(_c.started_us, "time", required=True),
    "end_time": Field(_c.started_us + _c.duration_us, "time"),
    "experiment": Field(_EXPERIMENT),
    "experiment_id": _number(_c.experiment_id),
    "parent_run_id": Field(_c.parent_run_id),
    "key": Field(_c.key_id),
    "key_id": Field(_c.key_id),
    "user": Field(_c.end_user),
    "user_id": Field(_c.end_user),
    "session": Field(_c.session),
    "error_code": Field(_c.error_code),
    "error_message": Field(_c.error_message),
    "http_status": _number(_c.http_status),
    "config_revision": Field(_c.config_revision),
    "idempotency_key": Field(_c.idempotency_key),
    "trace_id": Field(_c.trace_id),
    "parent_span_id": Field(_c.parent_span_id),
    "upstream_request_id": Field(_c.upstream_request_id),
    "usage_suspect": Field(_c.usage_suspect, "flag", required=True),
    "response_truncated": Field(_c.response_truncated, "flag"),
}

CALLS = Fields({"metrics": METRICS, "params": PARAMS, "attributes": ATTRIBUTES}, _c.tags)
