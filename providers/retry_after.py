"""How long a provider asks us to wait, in any of the forms that they say it in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from providers.errors import RETRY_AFTER_MOST

DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
"""OpenAI's and Groq's `1m12.5s`, `6h0m0s`, `20ms`."""
UNITS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
LIMITS = (b"requests", b"tokens", b"input-tokens", b"output-tokens")
"""What providers limit the rate of. https://platform.openai.com/docs/guides/rate-limits and
https://docs.anthropic.com/en/api/rate-limits#response-headers"""
EPOCH_LEAST = 1_500_000_000.0
"""A larger number is no wait but a moment, in seconds since 1970: this one was in 2017."""


def wait(headers: Mapping[bytes, bytes], now: datetime) -> float | None:
    """Seconds from 0 to an hour; None when nothing that can be understood was said."""
    if (text := headers.get(b"retry-after-ms")) is not None and (found := _number(text.decode("latin-1"))) is not None:
        return _bounded(found / 1000)
    if (text := headers.get(b"retry-after")) is not None and (
        found := _moment(text.decode("latin-1"), now)
    ) is not None:
        return _bounded(found)
    return _until_reset(headers, now)


def _until_reset(headers: Mapping[bytes, bytes], now: datetime) -> float | None:
    exhausted: list[float] = []
    others: list[float] = []
    for vendor in (b"x-ratelimit", b"anthropic-ratelimit"):
        for limit in LIMITS:
            reset, remaining = (
                (b"%b-reset-%b" % (vendor, limit), b"%b-remaining-%b" % (vendor, limit))
                if vendor == b"x-ratelimit"
                else (b"%b-%b-reset" % (vendor, limit), b"%b-%b-remaining" % (vendor, limit))
            )
            if (text := headers.get(reset)) is None or (found := _moment(text.decode("latin-1"), now)) is None:
                continue
            (exhausted if headers.get(remaining) == b"0" else others).append(found)
    if exhausted:
        return _bounded(max(exhausted))
    return _bounded(min(others)) if others else None


def _moment(text: str, now: datetime) -> float | None:
    """Seconds from now, of a number, a duration, or a date in HTTP's or ISO's form."""
    text = text.strip()
    if (number := _number(text)) is not None:
        return number - now.timestamp() if number >= EPOCH_LEAST and number < 1e10 else number
    if text and (match := DURATION.fullmatch(text)):
        return sum(float(part) * unit for part, unit in zip(match.groups(), UNITS, strict=True) if part)
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = read(text)
        except ValueError:
            continue
        return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), RETRY_AFTER_MOST)
