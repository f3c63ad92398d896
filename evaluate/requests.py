"""What a variant asks of a row: the body and the headers of one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from evaluate.cells import Row, Variant
from promptlab.prompts import PARAM, render, variables
from providers.chat import Json
from providers.errors import InvalidRequest

RENDERED_MOST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The version of the registry's prompt that a variant names, as it was when the evaluation was made."""

    reference: str
    """By its number: an alias may move while a grid is filling."""
    messages: tuple[Json, ...]
    parameters: Mapping[str, Any]

    @classmethod
    def from_json(cls, payload: Json) -> Template:
        return cls(**{**payload, "messages": tuple(payload["messages"])})

    def to_json(self) -> Json:
        return {
            "reference": self.reference,
            "messages": list(self.messages),
            "parameters": dict(self.parameters),
        }


@dataclass(frozen=True, slots=True)
class Question:
    """A call, ready to be made."""

    body: bytes
    headers: Mapping[str, str]


class Arm:
    """A variant with all that it takes to ask it."""

    __slots__ = ("_names", "_stream", "template", "variant")

    def __init__(self, variant: Variant, template: Template | None, *, stream: bool = False) -> None:
        self.variant, self.template, self._stream = variant, template, stream
        said = template.messages if template is not None else variant.messages or ()
        self._names = variables(list(said))

    @property
    def output_most(self) -> int | None:
        """How many tokens an answer may have at most; None where nothing says so."""
        asked = {**(self.template.parameters if self.template is not None else {}), **self.variant.params}
        most = asked.get("max_completion_tokens") or asked.get("max_tokens")
        many = asked.get("n") or 1
        return most * many if type(most) is int and type(many) is int else None

    def question(self, row: Row) -> Question:
        """Raises InvalidRequest where the row lacks a variable."""
        request: Json = {**self.variant.params}
        if self._stream:
            request |= {"stream": True, "stream_options": {"include_usage": True}}
        headers: dict[str, str] = {}
        if self.template is not None:
            request |= {"model": self.template.reference, PARAM: self._values(row)}
            headers["x-gatelog-endpoint"] = self.variant.endpoint
            if own := _own(row):
                request["messages"] = own
        else:
            request |= {"model": self.variant.endpoint, "messages": self.messages(row)}
        return Question(orjson.dumps(request), headers)

    def messages(self, row: Row) -> list[Json]:
        """What the model is sent: filled in, and after it the conversation that the row brings."""
        said: Sequence[Json] = self.template.messages if self.template is not None else self.variant.messages or ()
        filled = render(said, self._values(row), RENDERED_MOST) if said else []
        found = [*filled, *_own(row)]
        if not found:
            raise InvalidRequest(
                f"variant {self.variant.name!r} has no messages and no prompt, and row {row.id} brings no `messages`: "
                "give the variant messages such as [{role: user, content: '{{ question }}'}]",
                param="variants",
            )
        return found

    def _values(self, row: Row) -> dict[str, str]:
        values: dict[str, str] = {}
        for name in self._names:
            try:
                values[name] = _text(_found(row.inputs, name))
            except KeyError:
                there = ", ".join(sorted(row.inputs))[:300]
                raise InvalidRequest(
                    f"variant {self.variant.name!r} takes {name!r}, which row {row.id} does not have; it has {there}",
                    param="variants",
                    code="prompt_variable_missing",
                ) from None
        return values


def _own(row: Row) -> list[Json]:
    messages = row.inputs.get("messages")
    return messages if isinstance(messages, list) else []


def _found(inputs: Json, name: str) -> Any:
    """A name with dots is a path, unless an input is named so."""
    if name in inputs:
        return inputs[name]
    value: Any = inputs
    for step in name.split("."):
        if not isinstance(value, dict):
            raise KeyError(name)
        value = value[step]
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
