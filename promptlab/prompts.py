"""Filling a prompt: `{{name}}` becomes the value of that variable, and nothing in it is ever run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from providers.chat import Json
from providers.errors import InvalidRequest

VARIABLE = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*)\s*\}\}")
"""As MLflow's clients find them. What else stands in braces is text."""
JINJA = re.compile(r"\{%.*?%\}", re.DOTALL)
PARAM = "prompt_variables"


def variables(messages: Sequence[Json]) -> frozenset[str]:
    """The names of all that can be filled in."""
    return frozenset(name for text in _texts(list(messages)) for name in VARIABLE.findall(text))


def render(messages: Sequence[Json], values: Any, most: int) -> list[Json]:
    """The messages with each variable's value in its places. A value is text, whatever stands in it.

    InvalidRequest for variables that are missing, for values that nothing is there for, and for more than `most`
    characters.
    """
    said = _checked(messages, values)
    size = 0

    def fill(text: str) -> str:
        nonlocal size
        pieces = VARIABLE.split(text)
        pieces[1::2] = [said[name] for name in pieces[1::2]]
        size += sum(map(len, pieces))
        if size > most:
            raise InvalidRequest(f"the prompt, filled in, has more than {most} characters", param=PARAM)
        return "".join(pieces)

    return [_mapped(message, fill) for message in messages]


def _checked(messages: Sequence[Json], values: Any) -> Mapping[str, str]:
    if not isinstance(values, dict):
        raise InvalidRequest(f"{PARAM} must be an object of names and values, not {values!r:.100}", param=PARAM)
    for text in _texts(list(messages)):
        if JINJA.search(text):
            raise InvalidRequest(
                "this prompt is a Jinja2 template, which would be code to run; the gateway fills in {{name}} alone",
                code="prompt_is_code",
                param="model",
            )
    wanted = variables(messages)
    if missing := sorted(wanted - values.keys()):
        raise InvalidRequest(
            f"{PARAM} lacks {', '.join(map(repr, missing))}; the prompt takes {_list(wanted)}",
            code="prompt_variable_missing",
            param=PARAM,
        )
    if unknown := sorted(values.keys() - wanted):
        raise InvalidRequest(
            f"the prompt has no variable {', '.join(map(repr, unknown))[:500]}; it takes {_list(wanted)}",
            code="prompt_variable_unknown",
            param=PARAM,
        )
    return {name: _text(name, value) for name, value in values.items()}


def _text(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | int() | float():
            return orjson.dumps(value).decode()
        case _:
            raise InvalidRequest(
                f"{PARAM}.{name} is {value!r:.100}; give a string, a number, true or false", param=f"{PARAM}.{name}"
            )


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)


def _mapped(value: Any, fill: Callable[[str], str]) -> Any:
    match value:
        case str():
            return fill(value)
        case list():
            return [_mapped(item, fill) for item in value]
        case dict():
            return {name: _mapped(item, fill) for name, item in value.items()}
        case _:
            return value
