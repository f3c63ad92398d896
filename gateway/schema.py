"""The JSON Schema of the config file, by which editors complete and check it."""

from __future__ import annotations

from typing import Any

from gateway.settings import Settings
from providers.chat import Json

REFERENCE: Json = {"type": "string", "pattern": r"\$", "description": "A reference: $NAME or ${NAME:-default}."}


def schema() -> Json:
    made = _with_references(Settings.model_json_schema())
    assert isinstance(made, dict)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Gatelog configuration"}


def _with_references(node: Any) -> Any:
    """The same schema, in which a number, a boolean or a choice may also be a reference to the environment."""
    if isinstance(node, list):
        return [_with_references(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("integer", "number", "boolean") or isinstance(node.get("enum"), list):
        about = {key: node[key] for key in ("title", "description", "default") if key in node}
        return {"anyOf": [{key: value for key, value in node.items() if key not in about}, REFERENCE], **about}
    if "$ref" in node and isinstance(node.get("default"), dict):
        node = {key: value for key, value in node.items() if key != "default"}
    return {key: _with_references(value) for key, value in node.items()}
