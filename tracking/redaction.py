"""What may be kept of a call when nothing that was said may be: its structure, with every text replaced by its length.

It is a list of what stays, not of what goes: a text at a place that nobody has named here is replaced, so what a
provider adds tomorrow is not kept by oversight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from providers import sse
from providers.chat import Json
from providers.errors import Garbled

DEEPEST = 200
"""Levels of nesting; what is below is replaced whole."""


def redact(body: Json) -> Json:
    """A request or an answer, whole or one event of a stream, without its texts. The original is not changed."""
    redacted: Json = _mapping(body, None, 0)
    return redacted


def redact_json(body: bytes) -> bytes:
    """The bytes of a request or an answer. What cannot be read as JSON is replaced whole."""
    try:
        return orjson.dumps(_value(orjson.loads(body), None, None, 0))
    except orjson.JSONDecodeError:
        return orjson.dumps(_gone(len(body), "byte"))


def redact_sse(body: bytes) -> bytes:
    """A stream, event by event. Comments and the names of events go; of a cut event the length stays."""
    frames = sse.Frames()
    try:
        found = [*frames.feed(body), *frames.close()]
    except Garbled:
        return b"data: " + orjson.dumps(_gone(len(body), "byte")) + b"\n\n"
    return b"".join(
        sse.DONE if frame.data == b"[DONE]" else b"data: " + redact_json(frame.data) + b"\n\n" for frame in found
    )


KEPT: Mapping[str | None, frozenset[str]] = {
    None: frozenset(
        {
            "model",
            "object",
            "id",
            "service_tier",
            "system_fingerprint",
            "encoding_format",
            "reasoning_effort",
            "verbosity",
            "tool_choice",
            "function_call",
            "modalities",
            "provider",
        }
    ),
    "messages": frozenset({"role", "tool_call_id"}),
    "message": frozenset({"role"}),
    "delta": frozenset({"role"}),
    "content": frozenset({"type"}),
    "tool_calls": frozenset({"id", "type"}),
    "function": frozenset({"name"}),
    "functions": frozenset({"name"}),
    "tools": frozenset({"type"}),
    "tool_choice": frozenset({"type"}),
    "response_format": frozenset({"type"}),
    "json_schema": frozenset({"name"}),
    "image_url": frozenset({"detail"}),
    "input_audio": frozenset({"format"}),
    "audio": frozenset({"format", "voice"}),
    "choices": frozenset({"finish_reason", "native_finish_reason"}),
    "data": frozenset({"object"}),
    "error": frozenset({"type", "code", "param"}),
    "reasoning": frozenset({"effort"}),
}
"""By the key whose object (or list of objects) it is in, the keys whose texts are words of the protocol. None is
the whole itself."""

_WORD = re.compile(r"[A-Za-z0-9_.:/@-]{1,128}")
"""What words of the protocol look like; anything else at their place is somebody's text."""
_NUMBERS = frozenset({"prompt", "input", "bytes", "embedding", "tokens", "token_ids", "prompt_token_ids"})
"""Lists of numbers under these keys spell a text, or give it away."""
_TEXT_KEYS = frozenset({"top_logprobs", "logit_bias"})
"""The keys of objects under these are themselves tokens of a text."""
_SCHEMA_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_SCHEMAS = frozenset({"parameters", "schema"})
_FREE = frozenset({"metadata", "arguments"})
"""Objects whose keys callers or models make up: nothing in them is a word of the protocol."""


def _value(value: Any, key: str | None, parent: str | None, depth: int) -> Any:
    if depth > DEEPEST:
        return "[redacted: nested too deep]"
    match value:
        case str():
            return value if _kept(value, key, parent) else _gone(len(value), "character")
        case dict():
            return _mapping(value, key, depth)
        case list():
            if key in _NUMBERS and value and all(isinstance(item, int | float) for item in value):
                return _gone(len(value), "number")
            return [_value(item, key, parent, depth + 1) for item in value]
        case _:
            return value


def _mapping(value: Json, key: str | None, depth: int) -> Any:
    if key in _SCHEMAS:
        return _schema(value, depth)
    if key in _FREE:
        return _gone(len(value), "entry", "entries")
    if key in _TEXT_KEYS and not value.keys() <= _LOGPROB:
        return _gone(len(value), "token")
    return {name: _value(item, name, key, depth + 1) for name, item in value.items()}


_LOGPROB = frozenset({"token", "bytes", "logprob"})


def _kept(text: str, key: str | None, parent: str | None) -> bool:
    return key in KEPT.get(parent, ()) and _WORD.fullmatch(text) is not None


def _schema(value: Any, depth: int) -> Any:
    """A JSON Schema: its keys name parameters and stay, its descriptions, examples and choices go."""
    if depth > DEEPEST:
        return "[redacted: nested too deep]"
    match value:
        case dict():
            return {
                name: item
                if name == "type" and isinstance(item, str) and item in _SCHEMA_TYPES
                else _schema(item, depth + 1)
                for name, item in value.items()
            }
        case list():
            return [_schema(item, depth + 1) for item in value]
        case str():
            return _gone(len(value), "character")
        case _:
            return value


def _gone(count: int, noun: str, nouns: str | None = None) -> str:
    return f"[redacted: {count} {noun if count == 1 else nouns or noun + 's'}]"
