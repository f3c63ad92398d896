"""Times as callers write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from providers.errors import InvalidRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 10_000_000_000
"""Seconds: the year 2286, beyond which no call begins."""


def seconds_of(name: str, text: str, *, up: bool) -> int:
    """Seconds, of milliseconds since 1970 or of ISO 8601 (UTC unless it says otherwise)."""
    if re.fullmatch(r"\d{1,18}", text, re.ASCII):
        seconds = -(-int(text) // 1000) if up else int(text) // 1000
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            wanted = "milliseconds since 1970, or ISO 8601 like 2026-01-31 or 2026-01-31T12:00:00Z"
            raise InvalidRequest(f"{name} is {text[:40]!r}; say {wanted}", param=name) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        whole, rest = divmod(moment - _EPOCH, timedelta(seconds=1))
        seconds = whole + (1 if up and rest else 0)
    if not 0 <= seconds <= _LAST:
        raise InvalidRequest(f"{name} is {text!r}, when no call began", param=name)
    return seconds
