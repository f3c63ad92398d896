"""The REST API that reads runs: lists, one in detail, what was said in it, and exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.keys import Caller
from gateway.policy import Endpoint, Policy
from providers.errors import Forbidden, InvalidRequest, NotFound
from tracking.exports import FORMATS, ready, written
from tracking.runs import PAGE, Runs
from tracking.search import NARROWING

BODY_TYPES = {"json": "application/json", "sse": "text/event-stream"}
PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Of every answer here: what was said in a call is nobody's to keep or to take for a page."""
_SEARCH = frozenset({"filter", "order_by", *NARROWING})


async def listed(request: Request) -> Response:
    """`GET /api/runs`: a page of runs."""
    query = _query(request, _SEARCH | {"page_size", "page_token"})
    page = await _runs(request).page(
        query.get("filter", ""),
        _order(request),
        _whole("page_size", query.get("page_size", str(PAGE))),
        query.get("page_token"),
        key_id=own_key(request),
        narrow=_narrow(query),
    )
    return answer({"runs": page.runs, "next_page_token": page.next_page_token})


async def exported(request: Request) -> Response:
    """`GET /api/runs/export`: every run that passes; in detail, one JSON object a line, or as CSV or Parquet."""
    query = _query(request, _SEARCH | {"raw", "format"})
    format = query.get("format", "jsonl")
    if format not in FORMATS:
        raise InvalidRequest(f"format is {format!r}; say {', '.join(FORMATS)}", param="format")
    runs, filter, order_by, narrow = _runs(request), query.get("filter", ""), _order(request), _narrow(query)
    raw, key_id = _flag("raw", query.get("raw", "false")), own_key(request)
    ready(format)
    runs.check(filter, order_by, narrow)  # once the first line has gone, nothing can be a 400
    found = runs.export(filter, order_by, key_id=key_id, narrow=narrow, raw=raw)
    headers = {**PRIVATE, "content-disposition": f'attachment; filename="runs.{format}"'}
    return StreamingResponse(written(format, found), media_type=FORMATS[format], headers=headers)


async def shown(request: Request) -> Response:
    """`GET /api/runs/{id}`: one run with its attempts, its request and its response."""
    query = _query(request, frozenset({"raw"}))
    id = request.path_params["id"]
    raw = _flag("raw", query.get("raw", "false"))
    run = await _runs(request).get(id, key_id=own_key(request), raw=raw)
    if run is None:
        raise _unknown(id)
    return answer(run)


async def request_body(request: Request) -> Response:
    """`GET /api/runs/{id}/request`: the bytes that the caller sent."""
    id = request.path_params["id"]
    said = await _runs(request).payload(id, key_id=own_key(request))
    if said is None:
        raise _unknown(id)
    return _bytes(said.request, "json", f"the request of run {id!r}")


async def response_body(request: Request) -> Response:
    """`GET /api/runs/{id}/response`: the bytes that the caller was sent."""
    id = request.path_params["id"]
    said = await _runs(request).payload(id, key_id=own_key(request))
    if said is None:
        raise _unknown(id)
    return _bytes(said.response, said.response_type, f"the response of run {id!r}")


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/api/runs", listed, ["GET"], "read"),
    ("/api/runs/export", exported, ["GET"], "read"),
    ("/api/runs/{id}", shown, ["GET"], "read"),
    ("/api/runs/{id}/request", request_body, ["GET"], "read"),
    ("/api/runs/{id}/response", response_body, ["GET"], "read"),
]
"""(path, endpoint, methods, policy), in the order in which paths are tried."""


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


def own_key(request: Request) -> str | None:
    """The key whose runs alone the caller may see; None for those who may see all."""
    caller: Caller = request.scope["caller"]
    if caller.role != "caller":
        return None
    if caller.key_id is None:
        raise Forbidden("a caller without a key has no runs of its own to read")
    return caller.key_id


def _query(request: Request, known: frozenset[str]) -> Mapping[str, str]:
    """The query, each name at most once (but `order_by`, of which there may be several)."""
    for name in request.query_params:
        if name not in known:
            raise InvalidRequest(f"no query parameter {name!r}; there are {', '.join(sorted(known))}", param=name)
        if name != "order_by" and len(request.query_params.getlist(name)) > 1:
            raise InvalidRequest(f"{name} is given more than once", param=name)
    return request.query_params


def _order(request: Request) -> list[str]:
    return request.query_params.getlist("order_by")


def _narrow(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in NARROWING if name in query}


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidRequest(f"{name} is {text!r}; say a whole number", param=name)
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name} is {text!r}; say true or false", param=name)
    return text == "true"


def _unknown(id: str) -> NotFound:
    return NotFound(f"there is no run {id!r}")


def answer(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers=PRIVATE)


def _bytes(body: bytes | None, type: str | None, what: str) -> Response:
    if body is None:
        raise NotFound(f"{what} is not kept: log_payloads is none for its endpoint, it was deleted, or there was none")
    return Response(body, media_type=BODY_TYPES.get(type or "", "application/octet-stream"), headers=PRIVATE)
