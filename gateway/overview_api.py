"""`GET /api/overview`: what a window of time came to, beside the one before, over time, and what it went on."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.run_finding_api import key_names
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking import rest
from tracking.moments import seconds_of
from tracking.rest import Row
from tracking.usage import DAY, HOUR
from tracking.usage_report import BUCKETS, Question, UsageReports, today

TOP = 10
BY = ("endpoint", "model", "provider", "key", "prompt")
FINEST = ((3 * HOUR, "minute"), (7 * DAY, "hour"))
"""Windows no longer than these are shown in buckets of this size, where it is still kept; others by day."""


async def overview(request: Request) -> Response:
    """`GET /api/overview`."""
    query = rest.asked(request, "since", "until", "bucket")
    since, until = _window(query)
    reports: UsageReports = request.app.state.usage_reports
    bucket = query.get("bucket")
    if bucket is None:
        kept = await reports.buckets(since)
        bucket = next((name for most, name in FINEST if until - since <= most and name in kept), "day")
    elif bucket not in BUCKETS:
        raise InvalidRequest(f"bucket is {bucket!r}; say {', '.join(BUCKETS)}", param="bucket")
    key_id = rest.own_key(request)

    async def report(since: int, until: int, **more: Any) -> Json:
        return await reports.report(Question(since=since, until=until, **more), key_id=key_id)

    now = await report(since, until, bucket=bucket)
    before = await report(since - (until - since), since)
    by = {name: (await report(since, until, group_by=(name,)))["usage"] for name in BY}
    return rest.answer(
        {
            "since": now["since"],
            "until": now["until"],
            "bucket": bucket,
            "total": now["total"],
            "before": before["total"],
            "series": now["usage"],
            # Calls without a prompt are no prompt's.
            "by": {name: [row for row in rows if name != "prompt" or row[name]][:TOP] for name, rows in by.items()},
            "keys": await key_names(request),
            "relative_error": now["relative_error"],
        }
    )


ROUTES: list[Row] = [("/api/overview", overview, ["GET"], "read")]


def _window(query: dict[str, str]) -> tuple[int, int]:
    since, until = today()
    if "until" in query:
        until = seconds_of("until", query["until"], up=True)
        since = until - DAY
    if "since" in query:
        since = seconds_of("since", query["since"], up=False)
    if since >= until:
        raise InvalidRequest("since is not before until", param="since")
    return since, until
