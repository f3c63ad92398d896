"""The REST API for what is done with logged calls: opened in a lab, judged, taken into datasets; and saved views."""

from __future__ import annotations

import asyncio
from typing import Annotated

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from promptlab.dataset_rows import Expect, record
from promptlab.reopening import reopened
from providers.chat import Json
from providers.errors import InvalidRequest, NotFound
from tracking import rest
from tracking.evaluation_datasets import AUTHOR, EvaluationDatasets
from tracking.feedback import Feedback
from tracking.mlflow.plainly import plainly
from tracking.rest import Row, Sent
from tracking.runs import Run, Runs
from tracking.saved_views import SavedViews

QUERY_MOST = 64 << 10
RUNS_MOST = 1_000
Name = Annotated[str, Field(min_length=1, max_length=250)]


class Said(Sent):
    name: Name
    value: bool | int | float | Annotated[str, Field(max_length=10_000)] | None
    rationale: Annotated[str, Field(max_length=10_000)] | None = None


class Addition(Sent):
    dataset_id: str | None = None
    dataset: Name | None = None
    """The name of a new one."""
    run_ids: Annotated[list[str], Field(min_length=1, max_length=RUNS_MOST)]
    expect: Expect = "nothing"


class View(Sent):
    name: Name
    query: Json
    shared: bool = False


class NewView(View):
    page: Annotated[str, Field(min_length=1, max_length=50)]


async def exact(request: Request) -> Response:
    """`GET /api/runs/{id}/exact`."""
    rest.asked(request)
    run, body = await called(request, request.path_params["id"])
    return rest.answer(await asyncio.to_thread(reopened, run, body))


async def feedback(request: Request) -> Response:
    """`GET /api/runs/{id}/feedback`."""
    return rest.answer(await _feedback(request))


async def said(request: Request) -> Response:
    """`PUT /api/runs/{id}/feedback`."""
    body = await rest.read(request, Said)
    await _of(request).say(
        request.path_params["id"],
        body.name,
        body.value,
        body.rationale,
        rest.caller(request),
        key_id=rest.own_key(request),
    )
    return rest.answer(await _feedback(request))


async def added(request: Request) -> Response:
    """`POST /api/runs/dataset`."""
    body = await rest.read(request, Addition)
    if (body.dataset_id is None) == (body.dataset is None):
        raise InvalidRequest(
            "say dataset_id for a dataset that is there, or dataset to name a new one", param="dataset"
        )
    runs: Runs = request.app.state.runs
    key_id, records, left_out = rest.own_key(request), [], []
    for id in dict.fromkeys(body.run_ids):
        run = await runs.get(id, key_id=key_id)
        made = "there is no such run" if run is None else record(run, body.expect)
        if isinstance(made, str):
            left_out.append({"run_id": id, "why": made})
        else:
            records.append(made)
    if not records:
        raise InvalidRequest(f"none of the runs can be added: {left_out[0]['why']}", param="run_ids")
    datasets: EvaluationDatasets = request.app.state.evaluation_datasets
    with plainly():
        if body.dataset is not None:
            author = {AUTHOR: rest.caller(request).name}
            dataset_id: str = (await datasets.create(body.dataset, author, []))["dataset_id"]
        else:
            dataset_id = body.dataset_id or ""
        new, updated = await datasets.upsert(dataset_id, records)
    return rest.answer({"dataset_id": dataset_id, "added": new, "updated": updated, "left_out": left_out})


async def views(request: Request) -> Response:
    """`GET /api/views`."""
    page = rest.asked(request, "page").get("page")
    return rest.answer({"views": await _views(request).page(page, rest.caller(request))})


async def new_view(request: Request) -> Response:
    """`POST /api/views`."""
    body = await rest.read(request, NewView)
    _small(body.query)
    made = await _views(request).create(body.page, body.name, body.query, body.shared, rest.caller(request))
    return rest.answer(made, 201)


async def changed_view(request: Request) -> Response:
    """`PUT /api/views/{id}`."""
    body = await rest.read(request, View)
    _small(body.query)
    id, caller = request.path_params["id"], rest.caller(request)
    return rest.answer(await _views(request).change(id, body.name, body.query, body.shared, caller))


async def deleted_view(request: Request) -> Response:
    """`DELETE /api/views/{id}`."""
    await _views(request).delete(request.path_params["id"], rest.caller(request))
    return rest.nothing()


ROUTES: list[Row] = [
    ("/api/runs/dataset", added, ["POST"], "track"),
    ("/api/runs/{id}/exact", exact, ["GET"], "read"),
    ("/api/runs/{id}/feedback", feedback, ["GET"], "read"),
    ("/api/runs/{id}/feedback", said, ["PUT"], "track"),
    ("/api/views", views, ["GET"], "read"),
    ("/api/views", new_view, ["POST"], "track"),
    ("/api/views/{id}", changed_view, ["PUT"], "track"),
    ("/api/views/{id}", deleted_view, ["DELETE"], "track"),
]


async def called(request: Request, id: str) -> tuple[Run, bytes | None]:
    """A run that whoever asks may see, and the bytes of its request as far as they are kept."""
    runs: Runs = request.app.state.runs
    key_id = rest.own_key(request)
    run, payload = await runs.get(id, key_id=key_id), await runs.payload(id, key_id=key_id)
    if run is None or payload is None:
        raise NotFound(f"there is no run {id[:100]!r}")
    return run, payload.request


async def _feedback(request: Request) -> Json:
    id, caller = request.path_params["id"], rest.caller(request)
    return {"feedback": await _of(request).of(id, caller, key_id=rest.own_key(request))}


def _of(request: Request) -> Feedback:
    feedback: Feedback = request.app.state.feedback
    return feedback


def _views(request: Request) -> SavedViews:
    views: SavedViews = request.app.state.saved_views
    return views


def _small(query: Json) -> None:
    if len(orjson.dumps(query)) > QUERY_MOST:
        raise InvalidRequest(f"query has more than {QUERY_MOST} bytes", param="query")
