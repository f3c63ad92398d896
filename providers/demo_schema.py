"""An instance of a JSON Schema, the same one for the same chance: what the demo provider answers in a given shape.

It covers what structured output may use: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from providers.chat import Json
from providers.errors import InvalidRequest

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath")
FORMATS = {
    "date-time": "2025-01-15T09:30:00Z",
    "date": "2025-01-15",
    "time": "09:30:00Z",
    "duration": "PT15M",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "0190a5b4-7c3e-7d1a-9f00-3b6a2c4d5e6f",
    "uri": "https://example.com/",
}
DEEPEST = 12
"""A recursive schema is followed so far; beyond, what is optional is left out."""
TOO_DEEP = 60
"""A schema that demands more than this describes nothing finite."""


def instance(schema: Json, chance: Random) -> Any:
    return _any(schema, schema, chance, 0)


def _any(schema: Any, root: Json, chance: Random, depth: int) -> Any:
    if depth > TOO_DEEP:
        raise InvalidRequest("the schema demands an endless answer", param="response_format")
    if schema is True:
        return None
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return chance.choice(schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            rest = {key: value for key, value in schema.items() if key != several}
            branches = schema[several]
            # Beyond a depth the last branch, which by custom is the one that ends a recursion (null).
            branch = branches[-1] if depth > DEEPEST else chance.choice(branches)
            return _any(_merged([rest, _resolved(branch, root)]), root, chance, depth + 1)
    if "allOf" in schema:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return _any(_merged([rest, *(_resolved(part, root) for part in schema["allOf"])]), root, chance, depth + 1)
    match _kind(schema, chance, depth):
        case "object":
            return _object(schema, root, chance, depth)
        case "array":
            return _array(schema, root, chance, depth)
        case "string":
            return _string(schema, chance)
        case "integer":
            return _number(schema, chance, 1)
        case "number":
            return _number(schema, chance, None)
        case "boolean":
            return chance.random() < 0.5
        case _:
            return None


def _resolved(schema: Json, root: Json) -> Json:
    for _ in range(TOO_DEEP):
        if "$ref" not in schema:
            return schema
        found: Any = root
        for step in schema["$ref"].removeprefix("#").split("/")[1:]:
            found = found[step.replace("~1", "/").replace("~0", "~")]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    raise InvalidRequest("the schema refers to itself and to nothing else", param="response_format")


def _merged(schemas: list[Json]) -> Json:
    merged: Json = {}
    for schema in schemas:
        properties = {**merged.get("properties", {}), **schema.get("properties", {})}
        required = [*merged.get("required", []), *schema.get("required", [])]
        merged = {**merged, **schema}
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
    return merged


def _kind(schema: Json, chance: Random, depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" if depth > DEEPEST and "null" in kind else str(chance.choice(kind))
    if kind is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)


def _object(schema: Json, root: Json, chance: Random, depth: int) -> Json:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    made = {
        name: _any(part, root, chance, depth + 1)
        for name, part in properties.items()
        if name in required or depth <= DEEPEST
    }
    return {**made, **{name: chance.choice(WORDS) for name in required if name not in properties}}


def _array(schema: Json, root: Json, chance: Random, depth: int) -> list[Any]:
    least = schema.get("minItems", 0 if depth > DEEPEST else 1)
    most = schema.get("maxItems", max(least, 0 if depth > DEEPEST else 3))
    first = [_any(part, root, chance, depth + 1) for part in schema.get("prefixItems", [])]
    rest = [_any(schema.get("items", {}), root, chance, depth + 1) for _ in range(chance.randint(least, most))]
    return [*first, *rest[len(first) :]]


def _string(schema: Json, chance: Random) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    text = chance.choice(WORDS)
    while len(text) < schema.get("minLength", 0):
        text = f"{text} {chance.choice(WORDS)}"
    return text[: schema.get("maxLength", len(text))]


def _number(schema: Json, chance: Random, whole: int | None) -> float | int:
    step = schema.get("multipleOf", whole or 0.5)
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is None:
        least = 0 if most is None else most - 100 * step
    if most is None:
        most = least + 100 * step
    first = math.ceil(least / step) + ("exclusiveMinimum" in schema and math.ceil(least / step) * step <= least)
    last = math.floor(most / step) - ("exclusiveMaximum" in schema and math.floor(most / step) * step >= most)
    if first > last:
        return float(least + most) / 2
    value = float(chance.randint(first, last) * step)
    return int(value) if whole and value.is_integer() else value
