"""Spans in the JSON of OTLP, which is how they are kept and how MLflow's clients read them: made, and read."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from providers.chat import Json
from tracking.rows import NUL, REPLACEMENT

INPUTS, OUTPUTS, TYPE = "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType"
USAGE, COST = "mlflow.chat.tokenUsage", "mlflow.llm.cost"
STATUSES = {"STATUS_CODE_OK": "OK", "STATUS_CODE_ERROR": "ERROR"}
COUNTS = ("input_tokens", "output_tokens")
_SEMCONV = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
}
"""What OpenTelemetry's own instrumentations call them."""


@dataclass(frozen=True, slots=True)
class Span:
    """One span, with what of it is looked at here. `body` is all of it."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    type: str
    status: str
    """OK, ERROR or UNSET."""
    started_ns: int
    ended_ns: int | None
    attributes: Mapping[str, Any]
    body: Json

    @property
    def usage(self) -> dict[str, float] | None:
        """Tokens, when it says any."""
        if (said := numbers(self.attributes.get(USAGE))) is not None:
            return said
        found = {
            count: self.attributes[name]
            for count, names in _SEMCONV.items()
            for name in names
            if type(self.attributes.get(name)) is int
        }
        return {**found, "total_tokens": sum(found.values())} if found else None

    @property
    def cost(self) -> dict[str, float] | None:
        """US dollars, when it says any."""
        return numbers(self.attributes.get(COST))


def read(body: Json) -> Span:
    """A span as it was sent, in the names of `opentelemetry.proto.trace.v1.Span`."""
    attributes = {each["key"]: value(each.get("value", {})) for each in body.get("attributes", ())}
    kind = attributes.get(TYPE)
    return Span(
        trace_id=_hex(body["trace_id"]),
        span_id=_hex(body["span_id"]),
        parent_id=_hex(body["parent_span_id"]) if body.get("parent_span_id") else None,
        name=body.get("name", ""),
        type=kind if isinstance(kind, str) and kind else "UNKNOWN",
        status=STATUSES.get(body.get("status", {}).get("code", ""), "UNSET"),
        started_ns=body.get("start_time_unix_nano", 0),
        ended_ns=body.get("end_time_unix_nano") or None,
        attributes=attributes,
        body=body,
    )


def made(
    trace_id: str,
    span_id: str,
    name: str,
    times: tuple[int, int],
    attributes: Mapping[str, Any],
    *,
    parent: str | None = None,
    failed: str | None = None,
) -> Json:
    """A span of our own. `failed` is what went wrong, when something did."""
    started, ended = times
    return {
        "trace_id": _base64(trace_id),
        "span_id": _base64(span_id),
        **({"parent_span_id": _base64(parent)} if parent else {}),
        "name": name,
        "kind": "SPAN_KIND_INTERNAL",
        "start_time_unix_nano": started,
        "end_time_unix_nano": ended,
        "attributes": [{"key": key, "value": wrapped(each)} for key, each in attributes.items() if each is not None],
        "status": {"code": "STATUS_CODE_OK"} if failed is None else {"code": "STATUS_CODE_ERROR", "message": failed},
    }


def beneath(body: Json, trace_id: str, parent: str | None) -> Json:
    """A span of ours as a step of another trace. Without a parent it stays below its own."""
    moved = {**body, "trace_id": _base64(trace_id)}
    return {**moved, "parent_span_id": _base64(parent)} if parent else moved


def value(wrapped: Json) -> Any:
    """What an AnyValue holds."""
    for kind, held in wrapped.items():
        match kind:
            case "array_value":
                return [value(each) for each in held.get("values", ())]
            case "kvlist_value":
                return {each["key"]: value(each.get("value", {})) for each in held.get("values", ())}
            case "double_value" if isinstance(held, str):
                return float(held)
            case _:
                return held
    return None


def wrapped(value: Any) -> Json:
    """An AnyValue of what is JSON."""
    match value:
        case None:
            return {}
        case bool():
            return {"bool_value": value}
        case str():
            return {"string_value": value}
        case int() if -(2**63) <= value < 2**63:
            return {"int_value": value}
        case int() | float():
            return {"double_value": float(value)}
        case list():
            return {"array_value": {"values": [wrapped(each) for each in value]}}
        case dict():
            return {"kvlist_value": {"values": [{"key": key, "value": wrapped(each)} for key, each in value.items()]}}
        case _:
            return {"string_value": str(value)}


def text(value: Any) -> str:
    """A value as a search compares it, and as MLflow shows it in a preview: itself, or its JSON."""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def searched(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Attributes as texts. PostgreSQL keeps no NUL in text, so one becomes the character that says what it was."""
    return {key.replace(NUL, REPLACEMENT): text(each).replace(NUL, REPLACEMENT) for key, each in attributes.items()}


def numbers(said: Any) -> dict[str, float] | None:
    """An object of finite numbers, perhaps written as JSON in a string; None for anything else."""
    if isinstance(said, str):
        try:
            said = orjson.loads(said)
        except orjson.JSONDecodeError:
            return None
    if not isinstance(said, dict):
        return None
    found = {name: number for name, number in said.items() if type(number) in (int, float) and math.isfinite(number)}
    return found or None


Said = tuple[str, str | None, Mapping[str, float] | None]
"""A span's id, its parent's, and what it says was used."""


def total(spans: Sequence[Said]) -> dict[str, float] | None:
    """What a trace used. A span that says it speaks for all below it, so those are not counted again."""
    below: dict[str | None, list[Said]] = {}
    known = {id for id, _, _ in spans}
    for span in spans:
        below.setdefault(span[1] if span[1] in known else None, []).append(span)
    sums: dict[str, float] = {}
    left = list(below.get(None, ()))
    while left:
        id, _, said = left.pop()
        if said is None:
            left += below.pop(id, ())
            continue
        for name, number in said.items():
            sums[name] = sums.get(name, 0) + number
    return sums or None


def _hex(encoded: str) -> str:
    return base64.b64decode(encoded).hex()


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()
