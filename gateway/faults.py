"""What is wrong with a configuration, said so that whoever reads it knows where to look and what to write there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_core import ErrorDetails

from gateway.catalogue import meant
from gateway.marked import Path
from gateway.setting_values import PATTERNS
from providers.chat import Json

SHOWN_MOST = 80
"""Characters of a value that a message repeats."""

_WANTED: Mapping[str, str] = {
    "model_type": "a mapping of settings",
    "model_attributes_type": "a mapping of settings",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
"""Where the value is of another shape altogether it is not repeated: it may be a secret that slipped a level."""
_RIGHT: Mapping[str, str] = {
    "byte_size": "it should be a number of bytes, as 33554432 or 32MiB",
    "byte_size_unit": "it should be a number of bytes, as 33554432 or 32MiB",
    "int_parsing": "it should be a whole number",
    "int_type": "it should be a whole number",
    "int_from_float": "it should be a whole number",
    "float_parsing": "it should be a number",
    "float_type": "it should be a number",
    "decimal_parsing": "it should be a number",
    "decimal_type": "it should be a number",
    "bool_parsing": "it should be true or false",
    "bool_type": "it should be true or false",
    "string_type": "it should be text; write it in quotes",
    "path_type": "it should be a path",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a configuration. It holds no secret."""

    where: str
    """The setting: `endpoints[0].targets[1].provider`. Empty for the whole file."""
    message: str
    line: int | None = None
    column: int | None = None

    def public(self) -> Json:
        return {"where": self.where, "message": self.message, "line": self.line, "column": self.column}


class InvalidConfigError(Exception):
    """A configuration that cannot be taken up, with everything that is wrong with it."""

    def __init__(self, path: File | None, faults: list[Fault]) -> None:
        self.path, self.faults = path, faults
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One a fault, in the form that editors make links of: `file:line:column: where: message`."""
        return [
            "".join(f"{part}:" for part in (self.path, fault.line, fault.column) if part is not None)
            + (" " if self.path or fault.line else "")
            + (f"{fault.where}: " if fault.where else "")
            + fault.message
            for fault in self.faults
        ]


def dotted(path: Path) -> str:
    """A place as people write it: `endpoints[0].targets[1].provider`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def sentence(error: ErrorDetails, model: type[BaseModel], origin: str | None) -> str:
    """One of pydantic's complaints about a model, as what was wrong and what would be right.

    `origin` is the reference that the value came from, if one did: the value itself may then be a secret.
    """
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _settings_at(model, path[:-1])
        return f"there is no such setting{meant(str(path[-1]), known)}; there are {', '.join(known)}"
    if kind == "missing":
        return f"{path[-1]!r} is missing here"
    if kind in _WANTED:
        return f"this should be {_WANTED[kind]}, not {_type(error['input'])}"
    if kind == "value_error":
        said = str(error["ctx"]["error"])
        return f"the value of {origin} cannot be used: {said}" if origin else said
    if kind == "string_pattern_mismatch":
        right = PATTERNS.get(error["ctx"]["pattern"], f"it should match {error['ctx']['pattern']}")
    else:
        right = _RIGHT.get(kind) or re.sub(r"^Input", "it", error["msg"])
    return f"{_shown(error['input'], model, path, origin)} cannot be used: {right}"


def _shown(value: Any, model: type[BaseModel], path: Path, origin: str | None) -> str:
    if origin:
        return f"the value of {origin}"
    if _leaf(model, path) is SecretStr:
        return "the value"
    text = repr(value)
    return text if len(text) <= SHOWN_MOST else text[: SHOWN_MOST - 3] + "..."


def _type(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "text"
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case _:
            return "a number"


def _settings_at(model: type[BaseModel], path: Path) -> list[str]:
    found = _leaf(model, path)
    return list(found.model_fields) if isinstance(found, type) and issubclass(found, BaseModel) else []


def _leaf(annotation: Any, path: Path) -> Any:
    """The type that a place in a model has, without None and annotations around it."""
    annotation = _bare(annotation)
    if not path:
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(path[0]))
        return _leaf(field.annotation, path[1:]) if field else None
    inner = [each for each in get_args(annotation) if each is not Ellipsis]
    return _leaf(inner[-1], path[1:]) if inner else None


def _bare(annotation: Any) -> Any:
    while True:
        inner = get_args(annotation)
        if hasattr(annotation, "__metadata__"):
            annotation = inner[0]
        elif type(None) in inner:
            annotation = next(each for each in inner if each is not type(None))
        else:
            return annotation
