"""The REST API of evaluations: made, started, stopped, followed, read, scored from outside, and summed up in a card."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from evaluate import finding, grids, scoring
from evaluate.cells import OVER, Score, Source
from evaluate.evaluating import Evaluating
from evaluate.making import Maker
from evaluate.reports import Reports, made
from evaluate.spec import EvaluationSpec, MetricSpec
from gateway import scorer_code
from gateway.bodies import no_token, number_of, parsed, place_of, size_of
from gateway.keys import Caller
from gateway.policy import Endpoint, Policy
from providers.chat import Json
from providers.errors import Conflict, InvalidRequest
from tracking import rest
from tracking.assessments import Assessments
from tracking.evaluations import Evaluations
from tracking.trace_log import now_us

BODY_MOST = 64 << 20
PAGE, PAGE_MOST = 50, 1000
LOOK_SECONDS = 0.5
"""Between looks at how far an evaluation is, for those who follow it."""
REPORTS = {"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8"}
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""Of the page around a report, which has a stricter one in itself: that knows its style sheet by its hash."""
CELL_FILTERS = ("variant", "row", "status")
SCORE_FILTERS = ("metric", "score", "change")


class Given(BaseModel):
    """What somebody else's scorer says of a cell."""

    model_config = ConfigDict(extra="forbid")
    row: str
    variant: str
    repeat: int = 0
    name: Annotated[str, Field(min_length=1, max_length=250)]
    value: bool | Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=10_000)] | None
    rationale: Annotated[str, Field(max_length=10_000)] | None = None
    error: Annotated[str, Field(max_length=1_000)] | None = None
    source: Source = "code"
    cost_nanos: Annotated[int, Field(ge=0)] | None = None
    judge_run_ids: list[str] = []


class Scores(BaseModel):
    model_config = ConfigDict(extra="forbid")
    scores: Annotated[list[Given], Field(max_length=100_000)]
    metrics: list[MetricSpec] = []
    """How to read scores that the evaluation does not know yet."""
    identities: list[Json] = []
    """What decides what these scorers say: kept with the evaluation's own."""


async def created(request: Request) -> Response:
    """`POST /api/evaluations`"""
    spec = await parsed(request, EvaluationSpec, BODY_MOST)
    not_of_files(spec)
    scorer_code.admit(request, spec.scorers)
    caller: Caller = request.scope["caller"]
    maker: Maker = request.app.state.evaluation_maker
    id = await maker.make(spec, caller.key_id, caller.name, _origin(request))
    if spec.start:
        await _evaluating(request).start(id)
    return rest.answer(await _head(request, id), 201)


async def listed(request: Request) -> Response:
    """`GET /api/evaluations`: the newest first."""
    rest.asked(request, "page_size", "page_token")
    size = size_of(request, PAGE, PAGE_MOST)
    store = _store(request)
    found = await store.page(size + 1, place_of(request), key_id=rest.own_key(request))
    shown = found[:size]
    counts = await store.counts([each["id"] for each in shown])
    token = f"{shown[-1]['created_us']}.{shown[-1]['id']}" if len(found) > size else None
    heads = [grids.head(each, counts[each["id"]]) for each in shown]
    return rest.answer({"evaluations": heads, "next_page_token": token})


async def shown(request: Request) -> Response:
    """`GET /api/evaluations/{id}`: what it is and how far it is; with `cells=true`, all of it."""
    rest.asked(request, "cells")
    if request.query_params.get("cells", "false") == "true":
        grid = await grids.whole(_store(request), await _kept(request))
        return Response(
            await asyncio.to_thread(lambda: orjson.dumps(grid.to_json())),
            media_type="application/json",
            headers=rest.PRIVATE,
        )
    return rest.answer(await _head(request, request.path_params["id"]))


async def cells(request: Request) -> Response:
    """`GET /api/evaluations/{id}/cells`: in the order of rows, variants, repeats."""
    query = rest.asked(request, "page_size", "page_token", *CELL_FILTERS, *SCORE_FILTERS)
    size, after = size_of(request, 100, PAGE_MOST), number_of(request)
    names = {"row": "row_id", "variant": "variant", "status": "status"}
    narrow = {names[name]: request.query_params[name] for name in CELL_FILTERS if name in request.query_params}
    if any("\x00" in value for value in narrow.values()):
        raise InvalidRequest("a value holds the character NUL, which no stored text can hold")
    kept, store, after = await _kept(request), _store(request), -1 if after is None else after
    wanted = finding.Wanted.of(grids.grid(kept, ()), *(query.get(name) for name in SCORE_FILTERS))
    if wanted is None:
        found, last, asked = await grids.page(store, kept, after=after, size=size, narrow=narrow)
    else:
        found, last, asked = await finding.page(store, kept, wanted, after=after, size=size, narrow=narrow)
    body = {
        "cells": [each.to_json() for each in found],
        "previews": {each: grids.preview(asked[each]) for each in dict.fromkeys(cell.row for cell in found)},
        "next_page_token": None if last is None else str(last),
    }
    return rest.answer(body)


async def rows(request: Request) -> Response:
    """`GET /api/evaluations/{id}/rows`: what it asks, as it was when the evaluation was made."""
    query = rest.asked(request, "page_size", "page_token", "row")
    size, start = size_of(request, 100, PAGE_MOST), number_of(request) or 0
    kept = await _kept(request)
    if "row" in query:
        return rest.answer({"rows": await grids.row(_store(request), kept, query["row"]), "next_page_token": None})
    if start > kept["rows"]:
        raise no_token(str(start))
    found = await _store(request).rows(kept["id"], start, size)
    token = str(start + size) if start + size < kept["rows"] else None
    return rest.answer({"rows": found, "next_page_token": token})


async def events(request: Request) -> Response:
    """`GET /api/evaluations/{id}/events`: how far it is, whenever that changes, until it is over."""
    rest.asked(request)
    id, key_id = (await _kept(request))["id"], rest.own_key(request)
    store = _store(request)

    async def told() -> AsyncIterator[bytes]:
        last, quiet = b"", 0.0
        while True:
            kept = await store.get(id, key_id=key_id)
            said = rest.event("progress", grids.head(kept, (await store.counts([id]))[id]))
            if said != last:
                yield said
                last, quiet = said, 0.0
            elif quiet >= rest.BEAT_SECONDS:
                yield rest.BEAT
                quiet = 0.0
            if kept["state"] in OVER or await rest.until(request.app.state.stopping, LOOK_SECONDS):
                return
            quiet += LOOK_SECONDS

    return rest.stream(told())


async def started(request: Request) -> Response:
    """`POST /api/evaluations/{id}/start`, and `/resume`: from where it is."""
    id = (await _kept(request))["id"]
    await _evaluating(request).start(id)
    return rest.answer(await _head(request, id))


async def stopped(request: Request) -> Response:
    """`POST /api/evaluations/{id}/stop`: no other call is begun; those under way are still answered."""
    id = (await _kept(request))["id"]
    caller: Caller = request.scope["caller"]
    await _evaluating(request).stop(id, f"stopped by {caller.name}")
    return rest.answer(await _head(request, id))


async def deleted(request: Request) -> Response:
    """`DELETE /api/evaluations/{id}`: the grid. Its runs stay."""
    await _store(request).delete((await _kept(request))["id"])
    return rest.answer({})


async def scored(request: Request) -> Response:
    """`POST /api/evaluations/{id}/scores`: what scorers elsewhere, or people, say of its cells."""
    kept = await _kept(request)
    given = await parsed(request, Scores, BODY_MOST)
    if kept["state"] not in OVER:
        raise Conflict(f"the evaluation is {kept['state']}; scores are taken once it is finished or stopped")
    store = _store(request)
    place = {(each["row_id"], each["variant"], each["repeat"]): each for each in await store.cells(kept["id"])}
    changed: dict[int, Json] = {}
    said: list[Any] = []
    now = now_us()
    for at, each in enumerate(given.scores):
        cell = place.get((each.row, each.variant, each.repeat))
        if cell is None:
            raise InvalidRequest(
                f"scores[{at}]: there is no cell of row {each.row!r}, variant {each.variant!r}, repeat {each.repeat}",
                param=f"scores.{at}",
            )
        score = Score(
            **each.model_dump(exclude={"row", "variant", "repeat", "judge_run_ids"}),
            judge_run_ids=tuple(each.judge_run_ids),
        )
        of_cell = changed.setdefault(cell["n"], dict(cell["scores"] or {}))
        of_cell[each.name] = score.to_json()
        if cell["run_id"] is not None:
            said.append(scoring.assessed(cell["run_id"], score, now, f"gatelog/{kept['id']}"))
    assessments: Assessments = request.app.state.assessments
    await assessments.add(said, kept["id"])
    await store.save(kept["id"], [{"n": n, "scores": scores} for n, scores in changed.items()])
    await store.announce(kept["id"], [each.metric().to_json() for each in given.metrics], given.identities)
    _reports(request).soon(kept["id"], {each.name for each in given.scores})
    return rest.answer({"scored": len(given.scores), "cells": len(changed)})


async def card(request: Request) -> Response:
    """`GET /api/evaluations/{id}/card`: the verdict and all that it rests on. Made once for each state of the grid."""
    rest.asked(request)
    plain = await _reports(request).card(await _kept(request))
    return Response(plain, media_type="application/json", headers=rest.PRIVATE)


async def report(request: Request) -> Response:
    """`GET /api/evaluations/{id}/report`: the card to be read, as one file of HTML, or as Markdown with `form=md`."""
    form = rest.asked(request, "form").get("form", "html")
    if form not in REPORTS:
        raise InvalidRequest(f"form is {form!r}; say {' or '.join(REPORTS)}", param="form")
    kept = await _kept(request)
    grid, options = await grids.whole(_store(request), kept), await _reports(request).options(kept)
    text = (await made(grid, options, [form], _origin(request)))[form]
    headers = {**rest.PRIVATE, "content-security-policy": REPORT_POLICY}
    return Response(text, media_type=REPORTS[form], headers=headers)


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/api/evaluations", created, ["POST"], "call"),
    ("/api/evaluations", listed, ["GET"], "read"),
    ("/api/evaluations/{id}", shown, ["GET"], "read"),
    ("/api/evaluations/{id}", deleted, ["DELETE"], "call"),
    ("/api/evaluations/{id}/cells", cells, ["GET"], "read"),
    ("/api/evaluations/{id}/rows", rows, ["GET"], "read"),
    ("/api/evaluations/{id}/events", events, ["GET"], "read"),
    ("/api/evaluations/{id}/start", started, ["POST"], "call"),
    ("/api/evaluations/{id}/resume", started, ["POST"], "call"),
    ("/api/evaluations/{id}/stop", stopped, ["POST"], "call"),
    ("/api/evaluations/{id}/scores", scored, ["POST"], "call"),
    ("/api/evaluations/{id}/card", card, ["GET"], "read"),
    ("/api/evaluations/{id}/report", report, ["GET"], "read"),
]


def not_of_files(spec: EvaluationSpec) -> None:
    """What names a file is for the command, which reads it."""
    if spec.report is not None or (spec.dataset is not None and spec.dataset.file is not None):
        raise InvalidRequest("`report` and `dataset.file` are for files of `gatelog eval run`; send rows or a dataset")


def _store(request: Request) -> Evaluations:
    store: Evaluations = request.app.state.evaluations
    return store


def _evaluating(request: Request) -> Evaluating:
    evaluating: Evaluating = request.app.state.evaluating
    return evaluating


def _reports(request: Request) -> Reports:
    reports: Reports = request.app.state.reports
    return reports


def _origin(request: Request) -> str:
    """Where links lead that are to be followed from elsewhere: to where this was asked."""
    return str(request.base_url).rstrip("/")


async def _kept(request: Request) -> Json:
    return await _store(request).get(request.path_params["id"], key_id=rest.own_key(request))


async def _head(request: Request, id: str) -> Json:
    store = _store(request)
    kept = await store.get(id, key_id=rest.own_key(request))
    return grids.head(kept, (await store.counts([id]))[id])
