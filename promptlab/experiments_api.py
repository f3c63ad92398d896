"""The REST API of experiments: what runs people log in them, side by side, over their steps, and with their kin."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from providers.errors import InvalidRequest
from tracking import rest
from tracking import run_names as names
from tracking.experiment_runs import ExperimentRuns, Kind
from tracking.mlflow.plainly import plainly
from tracking.rest import Row

KINDS = ("logged", "calls", "all")
VIEWS = {"active": "ACTIVE_ONLY", "deleted": "DELETED_ONLY"}
PAGE = 100
TOGETHER_MOST = 20
"""Runs whose metrics are drawn in one chart."""
POINTS, POINTS_MOST = 500, 2_500


async def experiments(request: Request) -> Response:
    """`GET /api/experiments`."""
    query = rest.asked(request, "query", "view", "page_size", "page_token")
    size = rest.whole("page_size", query.get("page_size", str(PAGE)), 1, rest.PAGE_MOST)
    with plainly():
        found, token = await _of(request).experiments(
            query.get("query", ""), _view(query), size, query.get("page_token"), key_id=rest.own_key(request)
        )
    return rest.answer({"experiments": found, "next_page_token": token})


async def experiment(request: Request) -> Response:
    """`GET /api/experiments/{id}`."""
    rest.asked(request)
    with plainly():
        return rest.answer(await _of(request).experiment(_id(request)))


async def runs(request: Request) -> Response:
    """`GET /api/experiments/{id}/runs`."""
    query = rest.asked(request, "filter", "order_by", "kind", "view", "page_size", "page_token")
    kind = query.get("kind", "logged")
    if kind not in KINDS:
        raise InvalidRequest(f"kind is {kind[:40]!r}; say {', '.join(KINDS)}", param="kind")
    size = rest.whole("page_size", query.get("page_size", str(PAGE)), 1, rest.PAGE_MOST)
    order_by = [query["order_by"]] if query.get("order_by") else []
    with plainly():
        found, token = await _of(request).runs(
            _id(request),
            query.get("filter", ""),
            order_by,
            size,
            query.get("page_token"),
            _view(query),
            cast(Kind, kind),
            key_id=rest.own_key(request),
        )
    return rest.answer({"runs": found, "next_page_token": token})


async def run(request: Request) -> Response:
    """`GET /api/logged-runs/{id}`."""
    rest.asked(request)
    with plainly():
        return rest.answer(await _of(request).run(request.path_params["id"], key_id=rest.own_key(request)))


async def metrics(request: Request) -> Response:
    """`GET /api/logged-runs/metrics?id=...&id=...&key=...`: the values of one metric, of several runs."""
    params = request.query_params
    ids = params.getlist("id")
    if unknown := set(params) - {"id", "key", "points"}:
        raise InvalidRequest(f"no query parameter {min(unknown)!r}; there are id, key, points", param=min(unknown))
    if not 1 <= len(set(ids)) <= TOGETHER_MOST or not params.get("key"):
        raise InvalidRequest(
            f"name 1 to {TOGETHER_MOST} runs, as id=...&id=..., and the metric, as key=...", param="id"
        )
    points = rest.whole("points", params.get("points", str(POINTS)), 2, POINTS_MOST)
    with plainly():
        found = await _of(request).metrics(
            [names.run_id(id) for id in dict.fromkeys(ids)], params["key"], points, key_id=rest.own_key(request)
        )
    return rest.answer({"key": params["key"], "runs": found})


ROUTES: list[Row] = [
    ("/api/experiments", experiments, ["GET"], "read"),
    ("/api/experiments/{id}", experiment, ["GET"], "read"),
    ("/api/experiments/{id}/runs", runs, ["GET"], "read"),
    ("/api/logged-runs/metrics", metrics, ["GET"], "read"),
    ("/api/logged-runs/{id}", run, ["GET"], "read"),
]


def _of(request: Request) -> ExperimentRuns:
    state = request.app.state
    return ExperimentRuns(state.database, state.run_search, state.experiments, state.metric_history)


def _id(request: Request) -> int:
    return names.experiment_id(request.path_params["id"])


def _view(query: dict[str, str]) -> str:
    view = query.get("view", "active")
    if view not in VIEWS:
        raise InvalidRequest(f"view is {view[:40]!r}; say {', '.join(VIEWS)}", param="view")
    return VIEWS[view]
