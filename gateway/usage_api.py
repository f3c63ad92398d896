"""`GET /api/usage`: what calls came to, from the totals that the recorder keeps."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway.policy import Endpoint, Policy
from gateway.runs_api import answer, own_key
from providers.errors import InvalidRequest
from tracking.moments import seconds_of
from tracking.usage_report import BUCKETS, DIMENSIONS, Question, UsageReports, today

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
        until = seconds_of("until", query["until"], up=True)
        since = until - 86_400
    if "since" in query:
        since = seconds_of("since", query["since"], up=False)
    names = [name.strip() for text in query.getlist("group_by") for name in text.split(",")]
    if len(set(names)) < len(names):
        raise InvalidRequest("group_by names something twice", param="group_by")
    only = {name: query.getlist(name) for name in query if name not in _OWN}
    if any("\x00" in value for values in only.values() for value in values):
        raise InvalidRequest("a value holds the character NUL, which no stored text can hold")
    return Question(since=since, until=until, bucket=bucket, group_by=tuple(names), only=only)
