"""One whole answer out of the bytes of a stream as a caller was sent it, perhaps cut: read when the call is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from providers import sse
from providers.chat import Json, Kind

OBJECTS = {"chat": "chat.completion", "completions": "text_completion"}
ADDED_UP = frozenset(
    {"content", "reasoning_content", "reasoning", "refusal", "text", "arguments", "data", "transcript"}
)
"""Strings that come in pieces. Any other key that comes again is said anew: the last one stands."""
NUMBERED = frozenset({"tool_calls"})
"""Lists whose items come in pieces, told apart by `index`."""


def assemble(stream: bytes, kind: Kind) -> Json:
    """In the shape of a plain answer. What a cut stream did not say is left out or None; an error that it told is kept.

    Embeddings are never streamed.
    """
    whole: Json = {"object": OBJECTS[kind]}
    choices: dict[int, Json] = {}
    for chunk in _payloads(stream):
        for key, value in chunk.items():
            if key == "choices":
                for choice in value or []:
                    _add_choice(choices, choice)
            elif key != "object" and (value is not None or key not in whole):
                whole[key] = value
    whole["choices"] = [_finished(choices[index], index, kind) for index in sorted(choices)]
    return whole


def _payloads(stream: bytes) -> list[Json]:
    """Parsed in one go, because a parser is called thousands of times faster than it is asked."""
    pieces = [line[5:] for line in stream.splitlines() if line.startswith(b"data:") and not line.endswith(b"[DONE]")]
    try:
        payloads: list[Any] = orjson.loads(b"[" + b",".join(pieces) + b"]")
    except orjson.JSONDecodeError:
        payloads = list(_one_by_one(stream))
    return [payload for payload in payloads if type(payload) is dict]


def _one_by_one(stream: bytes) -> Iterator[Any]:
    """For a stream with a piece of an event at its cut, or with events of several lines."""
    frames = sse.Frames()
    for frame in (*frames.feed(stream), *frames.close()):
        try:
            yield orjson.loads(frame.data)
        except orjson.JSONDecodeError:
            continue


class _Pieces(list[str]):
    """A string that is still coming: joined once, at the end."""


def _add_choice(choices: dict[int, Json], choice: Json) -> None:
    index = choice.get("index") or 0
    whole = choices.setdefault(index, {})
    for key, value in choice.items():
        if key in {"delta", "logprobs"}:
            if value:
                _add(whole.setdefault(key, {}), value)
        elif key == "text":
            whole.setdefault(key, _Pieces()).append(value or "")
        elif value is not None or key not in whole:
            whole[key] = value


def _add(whole: Json, piece: Json) -> None:
    """Fold one delta in."""
    for key, value in piece.items():
        before = whole.get(key)
        if value is None:
            whole.setdefault(key, None)
        elif key in NUMBERED and isinstance(value, list):
            _add_numbered(whole, key, value)
        elif isinstance(value, str) and key in ADDED_UP:
            if not isinstance(before, _Pieces):
                before = whole[key] = _Pieces()
            before.append(value)
        elif isinstance(value, list):
            if type(before) is not list:
                before = whole[key] = []
            before += value
        elif isinstance(value, dict):
            if not isinstance(before, dict):
                before = whole[key] = {}
            _add(before, value)
        else:
            whole[key] = value


def _add_numbered(whole: Json, key: str, items: list[Json]) -> None:
    if not isinstance(whole.get(key), list):
        whole[key] = []
    known: list[Json] = whole[key]
    for item in items:
        _add(_numbered(known, item), item)


def _numbered(known: list[Json], item: Json) -> Json:
    """The one that this is a piece of. Where there is no number, an id begins a new one and its absence goes on."""
    number = item.get("index")
    for one in reversed(known):
        if (one.get("index") == number) if number is not None else (item.get("id") in {None, one.get("id")}):
            return one
    known.append({})
    return known[-1]


def _finished(choice: Json, index: int, kind: Kind) -> Json:
    whole: Json = {"index": index, "finish_reason": None, **_settled(choice)}
    if kind == "chat":
        said = whole.pop("delta", {})
        whole["message"] = {"role": "assistant", "content": None, **said}
        for call in whole["message"].get("tool_calls") or []:
            call.pop("index", None)
    return whole


def _settled(value: Any) -> Any:
    match value:
        case _Pieces():
            return "".join(value)
        case dict():
            return {key: _settled(item) for key, item in value.items()}
        case list():
            return [_settled(item) for item in value]
        case _:
            return value
