"""Reading the language in the middle: the pieces of a caller's request that more than one dialect has to take apart.

`where` is the place in the caller's request, as in `messages[2].tool_calls[0].function.arguments`: what is wrong there
is told with it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from providers.chat import Json
from providers.errors import InvalidRequest

Content = str | list[Json] | None
"""What the door has seen to be the content of a message."""


class Inline(NamedTuple):
    """Data that came with the request: its type, and its bytes in base64."""

    media_type: str
    data: str


def parts(content: Content) -> list[Json]:
    """A message's content as parts, whichever of the shapes it came in; empty text is no part."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def text(content: Content, where: str) -> str:
    """The content of a message that can only be text."""
    if isinstance(content, str):
        return content
    said = []
    for number, part in enumerate(content or []):
        if part["type"] != "text":
            raise InvalidRequest(
                f"{where}[{number}] is of type {part['type']!r}; only text can stand here", param=f"{where}[{number}]"
            )
        said.append(string(part, "text", f"{where}[{number}]"))
    return "".join(said)


def string(values: Mapping[str, Any], key: str, where: str) -> str:
    """A value that has to be there and has to be text."""
    value = values.get(key)
    if not isinstance(value, str):
        raise InvalidRequest(f"{where}.{key} must be a string, and is {value!r}", param=f"{where}.{key}")
    return value


def mapping(values: Mapping[str, Any], key: str, where: str) -> Json:
    """A value that has to be there and has to be an object."""
    value = values.get(key)
    if not isinstance(value, dict):
        raise InvalidRequest(f"{where}.{key} must be an object, and is {value!r}", param=f"{where}.{key}")
    return value


def inline(url: str, where: str) -> Inline | None:
    """What a `data:` URL holds, None for any other URL."""
    if not url.startswith("data:"):
        return None
    media_type, marker, data = url.removeprefix("data:").partition(";base64,")
    if not marker or not media_type or not data:
        raise InvalidRequest(
            f"{where} must be an address or data:<media type>;base64,<data>, and begins {url[:40]!r}", param=where
        )
    return Inline(media_type.partition(";")[0], data)


def image(part: Json, where: str) -> str:
    """The address of an image part, which OpenAI wraps in an object and some callers do not."""
    value = part.get("image_url")
    if isinstance(value, str):
        return value
    return string(mapping(part, "image_url", where), "url", f"{where}.image_url")


def decoded(data: str, where: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as exc:
        raise InvalidRequest(f"{where} is not base64: {exc}", param=where) from exc


def arguments(call: Json, where: str) -> Json:
    """What a tool was called with. OpenAI carries it as text, and no arguments are often the empty text."""
    where = f"{where}.function.arguments"
    said = (call.get("function") or {}).get("arguments")
    try:
        parsed = orjson.loads(said) if said else {}
    except (TypeError, ValueError) as exc:
        raise InvalidRequest(f"{where} must be a JSON object in a string, and is {said!r}", param=where) from exc
    if not isinstance(parsed, dict):
        raise InvalidRequest(f"{where} must be a JSON object in a string, and is {said!r}", param=where)
    return parsed


def called(call: Json, where: str) -> tuple[str, str]:
    """The id and the name of a tool call in a conversation, both of which its answer depends on."""
    return string(call, "id", where), string(mapping(call, "function", where), "name", f"{where}.function")


def stops(request: Json) -> list[str] | None:
    stop = request.get("stop")
    return [stop] if isinstance(stop, str) else stop


def renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    """The values that are set, under someone else's names."""
    return {theirs: values[ours] for ours, theirs in names.items() if values.get(ours) is not None}
