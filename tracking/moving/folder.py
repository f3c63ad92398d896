"""The folder that a store is exported to: which tables are in it, and how a row is one line of JSON.

manifest.json      what this is, and how many lines each file has; written last, so a folder without one is not whole
calls.jsonl        each call with what was said in it
<table>.jsonl      the rows of each other table, as they are
artifacts/         the files of runs and models
"""

from __future__ import annotations

import base64
import binascii
import importlib
import math
import pkgutil
from typing import Any

import orjson
import sqlalchemy as sa

import tracking
from tracking.tables import calls, metadata

FORMAT, VERSION = "gatelog-export", 1
MANIFEST, ARTIFACTS = "manifest.json", "artifacts"
NOT_EXPORTED = {
    "keys": "a key is for one gateway",
    "sessions": "a session is with one gateway",
    "login_tokens": "as sessions",
    "idempotency": "it is of the moment",
    "meta": "it is about the store itself",
    "config_revisions": "a configuration is for one gateway",
    "webhooks": "their secrets are sealed by a key that one gateway has",
    "webhook_deliveries": "as webhooks",
    "registry_revision": "it is about the store itself",
    "alias_moves": "who moved an alias here is no matter elsewhere",
    "usage_groups": "usage is counted anew",
    "usage": "usage is counted anew",
    "usage_waiting": "usage is counted anew",
    "texts": "words are indexed anew",
    "texts_waiting": "words are indexed anew",
    "call_tags": "tags are indexed anew",
    "payload_blocks": "what was said stands with each call",
}
"""Tables that are left out, and why."""
SAID = "said"
"""What was said in a call, beside its columns."""

Line = dict[str, Any]


class FolderError(Exception):
    """A folder that cannot be written to, or is no export."""


def tables() -> list[sa.Table]:
    """All but calls, each after those that it refers to."""
    for module in pkgutil.iter_modules(tracking.__path__):
        if module.name.endswith("_tables"):  # which add theirs to the same metadata
            importlib.import_module(f"tracking.{module.name}")
    return [each for each in metadata.sorted_tables if each.name not in NOT_EXPORTED and each is not calls]


def line(row: sa.RowMapping) -> Line:
    return {str(name): _plain(value) for name, value in row.items()}


def dumped(line: Line) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def row(table: sa.Table, line: Line) -> Line:
    """Of a line, what the table's columns hold. A column that the line lacks is left to the table's default."""
    return {column.name: _of(column, line[column.name]) for column in table.c if column.name in line}


def text(body: bytes | None) -> Any:
    """Bytes as a text where they are one."""
    if body is None:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def body(text: Any) -> bytes:
    """What `text` was made of; nothing, of nothing."""
    match text:
        case None:
            return b""
        case str():
            return text.encode()
        case {"base64": str(digits)}:
            try:
                return base64.b64decode(digits, validate=True)
            except binascii.Error as exc:
                raise FolderError(f"{digits[:40]!r} is no base64") from exc
        case _:
            raise FolderError(f"{str(text)[:40]!r} is no body")


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return {"base64": base64.b64encode(value).decode()}
        case float() if not math.isfinite(value):
            return {"float": repr(value)}  # JSON has none
        case _:
            return value


def _of(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, sa.LargeBinary):
        return body(value)
    if isinstance(column.type, sa.Float) and isinstance(value, dict):
        return float(value["float"])
    return value
