"""The REST API for finding runs on the page: facets, help with the grammar, a live tail, and comparing a few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.keys import Keys
from providers.chat import Json
from providers.errors import InvalidRequest, NotFound, RateLimited
from tracking import rest, run_help
from tracking.database import Database
from tracking.live_tail import LiveTail, mark, marked
from tracking.rest import Row
from tracking.run_facets import BUCKETS, BUCKETS_MOST, RunFacets
from tracking.runs import Runs
from tracking.search import NARROWING

TAILS_MOST = 50
"""In one process: each asks the store twice a second."""
TAIL_SECONDS = 0.5
COMPARED_MOST = 10


async def facets(request: Request) -> Response:
    """`GET /api/runs/facets`."""
    query = rest.asked(request, "filter", "buckets", *NARROWING)
    buckets = rest.whole("buckets", query.get("buckets", str(BUCKETS)), 1, BUCKETS_MOST)
    database: Database = request.app.state.database
    found = await RunFacets(database).count(
        query.get("filter", ""), _narrow(query), buckets, key_id=rest.own_key(request)
    )
    names = await key_names(request)
    for each in found["facets"]["key"]:
        each["name"] = names.get(each["value"])
    return rest.answer(found)


async def fields(request: Request) -> Response:
    """`GET /api/runs/fields`."""
    rest.asked(request)
    directory = request.app.state.directory
    values = {
        "params.endpoint": [endpoint.name for endpoint in directory.endpoints()],
        "params.provider": sorted(directory.providers()),
    }
    database: Database = request.app.state.database
    tags = await run_help.tag_names(database, key_id=rest.own_key(request))
    return rest.answer({"fields": run_help.fields(values), "keywords": run_help.KEYWORDS, "tags": tags})


async def checked(request: Request) -> Response:
    """`GET /api/runs/check`."""
    query = rest.asked(request, "filter", "order_by")
    order_by = [query["order_by"]] if "order_by" in query else []
    return rest.answer(run_help.check(_runs(request), query.get("filter", ""), order_by))


async def tailed(request: Request) -> Response:
    """`GET /api/runs/tail`: server-sent events."""
    query = rest.asked(request, "filter", *NARROWING)
    state = request.app.state
    since_ms = marked(request.headers.get("last-event-id"))
    tail = LiveTail(
        state.database,
        _runs(request),
        query.get("filter", ""),
        _narrow(query),
        key_id=rest.own_key(request),
        since_ms=since_ms,
    )
    if state.tails >= TAILS_MOST:
        raise RateLimited(f"{TAILS_MOST} live tails are open already; close one", retry_after=5)
    return rest.stream(_told(state, tail))


async def compared(request: Request) -> Response:
    """`GET /api/runs/compare?id=...&id=...`."""
    ids = request.query_params.getlist("id")
    if set(request.query_params) != {"id"} or not 2 <= len(ids) <= COMPARED_MOST or len(set(ids)) < len(ids):
        raise InvalidRequest(f"name 2 to {COMPARED_MOST} different runs, as id=...&id=...", param="id")
    key_id = rest.own_key(request)
    runs: list[Json] = []
    for id in ids:
        run = await _runs(request).get(id, key_id=key_id)
        if run is None:
            raise NotFound(f"there is no run {id!r}", param="id")
        runs.append(run)
    return rest.answer(await asyncio.to_thread(comparison, runs))


ROUTES: list[Row] = [
    ("/api/runs/facets", facets, ["GET"], "read"),
    ("/api/runs/fields", fields, ["GET"], "read"),
    ("/api/runs/check", checked, ["GET"], "read"),
    ("/api/runs/tail", tailed, ["GET"], "read"),
    ("/api/runs/compare", compared, ["GET"], "read"),
]
"""To be tried before `/api/runs/{id}`."""


def comparison(runs: list[Json]) -> Json:
    """Runs, and the paths within them that say the same in all and that do not."""
    flat = [dict(_flat("", {name: each for name, each in run.items() if name != "id"})) for run in runs]
    paths = sorted({path for one in flat for path in one})
    # A path that leads to more in another run is told by what it leads to.
    same = [path for path in paths if all(path in one and one[path] == flat[0].get(path) for one in flat)]
    return {"runs": runs, "same": same, "different": sorted(set(paths) - set(same))}


async def key_names(request: Request) -> dict[str, str]:
    """Names of the keys that whoever asks may know of: a caller knows its own alone."""
    caller = rest.caller(request)
    if caller.role == "caller":
        return {caller.key_id: caller.name} if caller.key_id is not None else {}
    keys: Keys = request.app.state.keys
    return {record.id: record.name for record in await keys.all()} | {"admin": "admin"}


async def _told(state: Any, tail: LiveTail) -> AsyncIterator[bytes]:
    state.tails += 1
    quiet = 0.0
    try:
        yield rest.BEAT  # so that a client knows at once that it is connected
        while True:
            runs, skipped = await tail.more()
            for run in runs:
                yield rest.event("run", run, mark(run))
            if skipped:
                yield rest.event("skipped", {"runs": skipped})
            quiet = 0.0 if runs else quiet + TAIL_SECONDS
            if quiet >= rest.BEAT_SECONDS:
                yield rest.BEAT
                quiet = 0.0
            if await rest.until(state.stopping, TAIL_SECONDS):
                return
    finally:
        state.tails -= 1


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict() if value:
            for name, each in value.items():
                yield from _flat(f"{path}.{name}" if path else name, each)
        case list() if value and any(isinstance(each, dict) for each in value):
            for at, each in enumerate(value):
                yield from _flat(f"{path}[{at}]", each)
        case _:
            yield path, value


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


def _narrow(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in NARROWING if name in query}
