"""The request that a cell of a lab stands for: its column's messages, its row's and its thread's, filled in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from promptlab.calling import Question
from promptlab.lab_state import Column, Row, State
from promptlab.prompts import PARAM, render, variables
from promptlab.reopening import as_before
from providers.chat import Json
from providers.errors import InvalidRequest

FILE = "lab-file:"
"""Before the SHA-256 of a file that was uploaded to the lab, where a URL would stand."""
UNASKED = {"id", "name", "page", "mocks"}
"""What of a column makes no difference to what is asked."""

File = tuple[str, bytes]
"""Content type and bytes."""


def question(
    state: State,
    column: Column,
    row: Row,
    repeat: int,
    *,
    lab_id: str,
    version: int,
    original: Json | None,
    files: Mapping[str, File],
    takes: Collection[str],
    most: int,
) -> Question:
    """`original` is the request that the column is from, `takes` the variables of its prompt.

    InvalidRequest where there is nothing to ask, or a variable has no value.
    """
    thread = state.threads.get(f"{row.id}/{column.id}/{repeat}", [])
    values = {name: value for name, value in row.values.items() if value is not None}
    messages = [*_filled([*column.messages, *row.messages], values, row, most, render_=column.render), *thread]
    messages = _with_files(messages, files) if files else messages
    body: Json = {"model": column.endpoint, "messages": messages}
    if column.prompt is not None:
        _has(takes, values, row)
        body["model"] = column.prompt.reference
        body[PARAM] = {name: values[name] for name in takes}
    elif column.endpoint is None:
        raise InvalidRequest("the column names no endpoint", code="no_endpoint", param="endpoint")
    elif not messages:
        raise InvalidRequest("there is nothing to ask: the column and the row have no messages", code="nothing_asked")
    body |= column.params
    for name in ("tools", "tool_choice", "response_format"):
        if (said := getattr(column, name)) is not None:
            body[name] = said
    if column.stream:
        body["stream"] = True
    if original is not None:
        body = as_before(original, body)
    tags = {
        "lab": lab_id,
        "lab.row": row.id,
        "lab.column": column.id,
        "lab.repeat": str(repeat),
        "lab.version": str(version),
    }
    session = f"{lab_id}/{row.id}/{column.id}/{repeat}" if thread else None
    return Question(body=orjson.dumps(body), endpoint=column.endpoint, tags=tags, session=session)


def fingerprint(state: State, column: Column, row: Row, repeat: int) -> str:
    """The same for as long as the cell asks the same."""
    messages = [*column.messages, *row.messages]
    names = row.values if column.prompt is not None else variables(messages)
    asked = {
        "column": column.model_dump(mode="json", exclude=UNASKED),
        "values": {name: row.values.get(name) for name in sorted(names)},
        "messages": row.messages,
        "thread": state.threads.get(f"{row.id}/{column.id}/{repeat}", []),
    }
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def named_files(state: State) -> set[str]:
    """The hashes of all uploaded files that the lab's messages show."""
    places = [column.messages for column in state.columns] + [row.messages for row in state.rows]
    return {text.removeprefix(FILE) for text in _texts([*places, *state.threads.values()]) if text.startswith(FILE)}


def _filled(messages: list[Json], values: Mapping[str, Any], row: Row, most: int, *, render_: bool) -> list[Json]:
    if not render_:
        return messages
    wanted = variables(messages)
    _has(wanted, values, row)
    return render(messages, {name: values[name] for name in wanted}, most)


def _has(wanted: Collection[str], values: Mapping[str, Any], row: Row) -> None:
    if missing := sorted(name for name in wanted if name not in values):
        names = ", ".join(map(repr, missing))
        raise InvalidRequest(f"row {row.id!r} has no value for {names}", code="variable_missing", param=missing[0])


def _with_files(value: Any, files: Mapping[str, File]) -> Any:
    match value:
        case str() if value.startswith(FILE):
            kind, encoded = _encoded(value, files)
            return f"data:{kind};base64,{encoded}"
        case {"input_audio": {"data": str(data)} as sound} if data.startswith(FILE):
            # The one part that has its bytes without a URL around them.
            return {**value, "input_audio": {**sound, "data": _encoded(data, files)[1]}}
        case list():
            return [_with_files(each, files) for each in value]
        case dict():
            return {name: _with_files(each, files) for name, each in value.items()}
        case _:
            return value


def _encoded(name: str, files: Mapping[str, File]) -> tuple[str, str]:
    found = files.get(name.removeprefix(FILE))
    if found is None:
        raise InvalidRequest(f"{name!r} was not uploaded to this lab", code="no_such_file")
    return found[0], base64.b64encode(found[1]).decode()


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for each in value.values():
                yield from _texts(each)
