"""`GET /api/usage`: what calls came to, from the totals that the recorder keeps."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from gateway.policy import Endpoint, Policy
from gateway.runs_api import answer, own_key
from providers.errors import InvalidRequest
from tracking.usage_report import BUCKETS, DIMENSIONS, Question, UsageReports, today

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 10_000_000_000
"""Seconds: the year 2286, beyond which no call begins."""
_OWN = ("since", "until", "bucket", "group_by")


async def reported(request: Request) -> Response:
    """`GET /api/usage`."""
    reports: UsageReports = request.app.state.usage_reports
    return answer(await reports.report(_question(request), key_id=own_key(request)))


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [("/api/usage", reported, ["GET"], "read")]


def _question(request: Request) -> Question:
    query = request.query_params
    for name in query:
        if name not in _OWN and name not in DIMENSIONS and name != "user" and not name.startswith("tags."):
            known = ", ".join((*_OWN, *DIMENSIONS, "user", "tags.NAME"))
            raise InvalidRequest(f"no query parameter {name!r}; there are {known}", param=name)
        if name in ("since", "until", "bucket") and len(query.getlist(name)) > 1:
            raise InvalidRequest(f"{name} is given more than once", param=name)
    bucket = query.get("bucket")
    if bucket is not None and bucket not in BUCKETS:
        raise InvalidRequest(f"bucket is {bucket!r}; say {', '.join(BUCKETS)}", param="bucket")
    since, until = today()
    if "until" in query:
        until = _time("until", query["until"], up=True)
        since = until - 86_400
    if "since" in query:
        since = _time("since", query["since"], up=False)
    names = [name.strip() for text in query.getlist("group_by") for name in text.split(",")]
    if len(set(names)) < len(names):
        raise InvalidRequest("group_by names something twice", param="group_by")
    only = {name: query.getlist(name) for name in query if name not in _OWN}
    if any("\x00" in value for values in only.values() for value in values):
        raise InvalidRequest("a value holds the character NUL, which no stored text can hold")
    return Question(since=since, until=until, bucket=bucket, group_by=tuple(names), only=only)


def _time(name: str, text: str, *, up: bool) -> int:
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
