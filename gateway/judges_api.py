"""The REST API of judges: which of them agree with people, and which answers people are asked to look at next."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from evaluate import certificates, grids, process, reviews
from evaluate.cells import Grid
from evaluate.reports import Reports
from providers.errors import InvalidRequest
from tracking import rest
from tracking.certificates import Certificates
from tracking.evaluations import Evaluations
from tracking.feedback import Feedback
from tracking.rest import Sent

PAGE, PAGE_MOST = 20, 200
LISTED_MOST = 1000
CERTIFY_SECONDS = 120.0

Name = Annotated[str, Field(min_length=1, max_length=250)]


class Asked(Sent):
    """A judge's metric in an evaluation whose answers people have labelled."""

    evaluation: Name
    metric: Name
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class Label(Sent):
    """What a person says of one answer."""

    evaluation: Name
    metric: Name
    run_id: Name
    value: bool | int | float | Annotated[str, Field(max_length=1000)] | None
    """None takes back what was said."""
    rationale: Annotated[str, Field(max_length=10_000)] | None = None


async def judges(request: Request) -> Response:
    """`GET /api/judges?evaluation=ID`: the judges of an evaluation, each with its certificate or why it has none."""
    query = rest.asked(request, "evaluation")
    if "evaluation" not in query:
        raise InvalidRequest("say whose judges: ?evaluation=ID", param="evaluation")
    kept = await _store(request).get(query["evaluation"], key_id=rest.own_key(request))
    reports: Reports = request.app.state.reports
    return rest.answer({"judges": await reports.standing(kept)})


async def listed(request: Request) -> Response:
    """`GET /api/judges/certificates`: the newest first."""
    rest.asked(request)
    return rest.answer({"certificates": await _certificates(request).all(size=LISTED_MOST)})


async def shown(request: Request) -> Response:
    """`GET /api/judges/certificates/{id}`"""
    rest.asked(request)
    return rest.answer(await _certificates(request).get(request.path_params["id"]))


async def certified(request: Request) -> Response:
    """`POST /api/judges/certificates`: hold a judge against what people said of the same answers."""
    said = await rest.read(request, Asked)
    kept, grid = await _grid(request, said.evaluation)
    identity = certificates.judges_of(kept["spec"]["identities"]).get(said.metric)
    if identity is None:
        known = ", ".join(certificates.judges_of(kept["spec"]["identities"])) or "none"
        raise InvalidRequest(f"no judge gives {said.metric!r} here; judges give: {known}", param="metric")
    runs = [cell.run_id for cell in grid.cells if cell.run_id is not None]
    labels = await _certificates(request).labels(runs, said.metric)
    pairs = await asyncio.to_thread(certificates.paired, grid.cells, said.metric, labels)
    asked = {"pairs": pairs, "level": said.level}
    figures = await process.asked("certify", asked, "certificate", CERTIFY_SECONDS)
    caller = rest.caller(request)
    row = {
        "metric": said.metric,
        "digest": certificates.digest_of(identity),
        "identity": identity,
        "evaluation_id": kept["id"],
        "labels": len(pairs),
        "figures": figures,
        "key_id": caller.key_id,
        "made_by": caller.name,
    }
    return rest.answer(await _certificates(request).add(row), 201)


async def deleted(request: Request) -> Response:
    """`DELETE /api/judges/certificates/{id}`"""
    await _certificates(request).delete(request.path_params["id"])
    return rest.nothing()


async def queue(request: Request) -> Response:
    """`GET /api/reviews`: answers without a label, in the order in which they are best looked at.

    Neither the variant nor the judge's verdict is told, so that neither can be agreed with. Without a metric: which
    queues there are, and how long each is.
    """
    query = rest.asked(request, "evaluation", "metric", "size")
    if "evaluation" not in query:
        raise InvalidRequest("say of which evaluation", param="evaluation")
    if "metric" not in query:
        return await _queues(request, query["evaluation"])
    size = rest.whole("size", query.get("size", str(PAGE)), 1, PAGE_MOST)
    kept, grid = await _grid(request, query["evaluation"])
    metric = query["metric"]
    cells = await asyncio.to_thread(reviews.reviewable, grid, metric)
    labels = await _certificates(request).labels([cell.run_id for cell in cells if cell.run_id], metric)
    left = [cell for cell in cells if cell.run_id not in labels]
    names = [variant.name for variant in grid.variants]
    chosen = (await asyncio.to_thread(reviews.ordered, left, names, grid.seed))[:size]
    rows = {each["id"]: each for each in await _store(request).rows(kept["id"])} if chosen else {}
    kind = next((each.kind for each in grid.metrics if each.name == metric), None)
    items = [
        {
            "run_id": cell.run_id,
            "row": cell.row,
            "repeat": cell.repeat,
            "inputs": rows[cell.row]["inputs"],
            "expectations": rows[cell.row]["expectations"],
            "output": cell.output,
            "text": cell.text,
        }
        for cell in chosen
    ]
    body = {
        "metric": {"name": metric, "kind": kind, "judged": metric in certificates.judges_of(grid.scorers)},
        "scale": reviews.metrics(grid).get(metric),
        "labelled": len(labels),
        "left": len(left),
        "items": items,
    }
    return rest.answer(body)


async def labelled(request: Request) -> Response:
    """`POST /api/reviews`: one label, as feedback on the answer's run, which MLflow shows as a human assessment."""
    said = await rest.read(request, Label)
    _, grid = await _grid(request, said.evaluation)
    if not any(cell.run_id == said.run_id for cell in grid.cells):
        raise InvalidRequest(f"run {said.run_id!r} is not an answer of this evaluation", param="run_id")
    _check(said, grid)
    feedback: Feedback = request.app.state.feedback
    await feedback.say(
        said.run_id,
        said.metric,
        said.value,
        said.rationale,
        rest.caller(request),
        metadata={"gatelog.evaluation": said.evaluation},
        key_id=rest.own_key(request),
    )
    return rest.answer({"run_id": said.run_id, "metric": said.metric, "value": said.value})


ROUTES: list[rest.Row] = [
    ("/api/judges", judges, ["GET"], "read"),
    ("/api/judges/certificates", listed, ["GET"], "read"),
    ("/api/judges/certificates", certified, ["POST"], "track"),
    ("/api/judges/certificates/{id}", shown, ["GET"], "read"),
    ("/api/judges/certificates/{id}", deleted, ["DELETE"], "admin"),
    ("/api/reviews", queue, ["GET"], "read"),
    ("/api/reviews", labelled, ["POST"], "track"),
]


async def _queues(request: Request, evaluation: str) -> Response:
    _, grid = await _grid(request, evaluation)
    judges = certificates.judges_of(grid.scorers)
    found = []
    for metric, scale in reviews.metrics(grid).items():
        cells = await asyncio.to_thread(reviews.reviewable, grid, metric)
        runs = [cell.run_id for cell in cells if cell.run_id]
        labelled = len(await _certificates(request).labels(runs, metric))
        found.append(
            {
                "metric": metric,
                "judged": metric in judges,
                "scale": scale,
                "labelled": labelled,
                "left": len(runs) - labelled,
            }
        )
    return rest.answer({"queues": sorted(found, key=lambda each: not each["judged"])})


def _check(said: Label, grid: Grid) -> None:
    """A label is of the kind of its metric's scores, or it could not be held against them."""
    kind = next((each.kind for each in grid.metrics if each.name == said.metric), None)
    if said.value is None or kind is None:
        return
    is_flag = isinstance(said.value, bool)
    if kind == "binary" and not is_flag:
        raise InvalidRequest(f"value is {said.value!r}; {said.metric} is true or false", param="value")
    if kind == "numeric" and (is_flag or isinstance(said.value, str)):
        raise InvalidRequest(f"value is {said.value!r}; {said.metric} is a number", param="value")


def _certificates(request: Request) -> Certificates:
    found: Certificates = request.app.state.certificates
    return found


def _store(request: Request) -> Evaluations:
    store: Evaluations = request.app.state.evaluations
    return store


async def _grid(request: Request, id: str) -> tuple[Any, Grid]:
    kept = await _store(request).get(id, key_id=rest.own_key(request))
    return kept, await grids.whole(_store(request), kept)
