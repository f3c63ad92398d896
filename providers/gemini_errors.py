"""What Gemini says when it refuses. https://ai.google.dev/gemini-api/docs/troubleshooting"""

from __future__ import annotations

import re

from providers.dialect import Complaint
from providers.errors import RETRY_AFTER_MOST

SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def complaint(payload: object) -> Complaint:
    """Of an error's body, which Google sometimes wraps in a list."""
    match payload:
        case [first, *_]:
            return complaint(first)
        case {"error": {"message": str(message)} as error}:
            status = 401 if _bad_key(error.get("details")) else error.get("code")
            code = error.get("status")
            return Complaint(
                message,
                code=code if isinstance(code, str) else None,
                status=status if type(status) is int and 400 <= status <= 599 else None,
                retry_after=_retry_after(error.get("details")),
            )
        case _:
            return Complaint(str(payload)[:500])


def _bad_key(details: object) -> bool:
    """Google answers 400 to a key that it does not know."""
    return isinstance(details, list) and any(
        isinstance(detail, dict) and detail.get("reason") == "API_KEY_INVALID" for detail in details
    )


def _retry_after(details: object) -> float | None:
    for detail in details if isinstance(details, list) else []:
        match detail:
            case {"retryDelay": str(delay)} if found := SECONDS.fullmatch(delay):
                return min(float(found[1]), RETRY_AFTER_MOST)
    return None
