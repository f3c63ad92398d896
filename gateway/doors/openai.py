"""The door for callers that speak OpenAI: their bytes to a request, and a refusal back to bytes."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import ValidationError

from providers import errors
from providers.chat import REQUESTS, Json, Kind
from providers.errors import GatewayError, InvalidRequest

BRANCHES = frozenset({"str", "int", "float", "bool"})
"""With `list[...]`, what Pydantic adds to a path for the branch of a union that it tried. Callers never wrote that."""


def read(kind: Kind, body: bytes) -> Json:
    """The request as it was sent, unknown keys and all. What the gateway relies on has been checked."""
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(
            f"the body is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}", code="invalid_json"
        ) from exc
    return check(kind, sent)


def check(kind: Kind, sent: Any) -> Json:
    """A body that has been read already, or that the gateway made itself."""
    try:
        request: Json = REQUESTS[kind].validate_python(sent)
    except ValidationError as exc:
        raise _invalid(exc) from exc
    return request


def _invalid(exc: ValidationError) -> InvalidRequest:
    """The first fault, in a sentence that names the field as the caller wrote it."""
    found = exc.errors(include_url=False)
    first: Any = found[0]
    where = _path(first["loc"])
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    if first["type"] == "missing":
        return InvalidRequest(f"{where} is required{more}", param=where)
    if not where:
        return InvalidRequest(f"the body must be a JSON object, not {type(first['input']).__name__}{more}")
    return InvalidRequest(f"{where}: {first['msg']}, got {_shown(first['input'])}{more}", param=where)


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.replace("_", "").isalnum() and step not in BRANCHES:
            path += f".{step}" if path else step
    return path


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


def refusal(error: GatewayError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of the answer to a call that failed before its first byte."""
    body = orjson.dumps(errors.body(error))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-should-retry", b"true" if should_retry(error) else b"false"),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(min(error.retry_after, errors.RETRY_AFTER_MOST)))))
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="gatelog"'))
    return error.status, headers, body


def should_retry(error: GatewayError) -> bool:
    """Whether the same call, made again later, may succeed. OpenAI's clients obey this over their own judgement."""
    if error.type == "insufficient_quota":
        return False
    return error.status in {429, 503} or (error.status in {502, 504} and getattr(error, "retryable", False))


def said(error: GatewayError) -> bytes:
    """The same, as an event in a stream that has already begun."""
    return b"data: " + orjson.dumps(errors.body(error)) + b"\n\n"
