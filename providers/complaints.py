"""What a provider that speaks OpenAI's language says was wrong, in the several shapes that its followers write it."""

from __future__ import annotations

from typing import Any

from providers.chat import Json
from providers.dialect import Complaint
from providers.errors import UpstreamError, from_status

STATUSES = {
    "invalid_request_error": 400,
    "invalid_request": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "insufficient_quota": 429,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "DeploymentNotFound": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "too_many_requests": 429,
    "tokens": 429,
    "requests": 429,
    "server_error": 500,
    "internal_error": 500,
    "overloaded_error": 503,
    "service_unavailable": 503,
}
"""What an error's type or code would have been as an HTTP status. OpenAI names a rate limit's type by what ran out."""
LONGEST = 2000
"""Characters of a body that is no error object and is quoted instead."""


def read(payload: object) -> Complaint:
    """From a body parsed as JSON, or the text of one that was none."""
    match payload:
        case [first, *_]:
            return read(first)
        case {"error": {} as error}:
            return _of(error)
        case {"error": str(message), **rest}:
            # xAI's `code` is then a sentence too, and says more than the message.
            code = rest.get("code")
            return Complaint(f"{code}: {message}" if isinstance(code, str) and code else message)
        case {"detail": [{"msg": str(message), **where}, *_]}:
            place = where.get("loc")
            field = ".".join(map(str, place)) if isinstance(place, list) else None
            return Complaint(f"{field}: {message}" if field else message, param=field)
        case {"detail": str(message)} | {"message": str(message)}:
            return _of({**payload, "message": message}) if isinstance(payload, dict) else Complaint(message)
        case {"message": {} as error}:
            return read(error)
        case _:
            return Complaint(str(payload)[:LONGEST])


def raised(payload: object) -> UpstreamError:
    """The error inside a 200, as the status that it would have been."""
    complaint = read(payload)
    return from_status(complaint.status or 500, complaint.message, code=complaint.code, param=complaint.param)


def complains(payload: Json) -> bool:
    """Whether what came with a 200 is an error all the same."""
    if payload.get("error") or payload.get("object") == "error":
        return True
    return "choices" not in payload and "data" not in payload and ("detail" in payload or "message" in payload)


def _of(error: Json) -> Complaint:
    code, type_, param = error.get("code"), error.get("type"), error.get("param")
    message = error.get("message")
    return Complaint(
        message if isinstance(message, str) and message else str(error)[:LONGEST],
        code=code if isinstance(code, str) and not code.isdigit() else None,
        param=param if isinstance(param, str) else None,
        status=_status(error.get("status_code"), error.get("status"), code, type_),
    )


def _status(*said: Any) -> int | None:
    for value in said:
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if type(number) is int and 400 <= number <= 599:
            return number
        if isinstance(value, str) and value in STATUSES:
            return STATUSES[value]
    return None
