"""Entries of scorers as they are kept: with the headers of services sealed, which are secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from providers.chat import Json

SEALED = "sealed_headers"


def sealed(entries: Sequence[Any], seal: Callable[[str], str]) -> list[Any]:
    """Entries that can be kept where others may read."""
    found: list[Any] = []
    for entry in entries:
        match entry:
            case {"scorer": "http", "headers": headers}:
                rest = {name: value for name, value in entry.items() if name != "headers"}
                found.append({**rest, SEALED: seal(orjson.dumps(headers).decode())})
            case _:
                found.append(entry)
    return found


def opened(entries: Sequence[Any], open: Callable[[str], str]) -> list[Any]:
    """The same as they were."""
    found: list[Any] = []
    for entry in entries:
        match entry:
            case {"scorer": "http", "sealed_headers": str() as token}:
                found.append({**_bare(entry), "headers": orjson.loads(open(token))})
            case _:
                found.append(entry)
    return found


def bare(entries: Sequence[Any]) -> list[Any]:
    """Without headers, for those who ask no service."""
    return [_bare(entry) if isinstance(entry, dict) else entry for entry in entries]


def brings_code(entries: Sequence[Any]) -> bool:
    """Whether somebody's own code would be run."""
    return any(isinstance(entry, dict) and entry.get("scorer") == "python" for entry in entries)


def _bare(entry: Json) -> Json:
    return {name: value for name, value in entry.items() if name != SEALED}
