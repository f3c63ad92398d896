"""The REST API of labs that are at work: cells asked and stopped, what became of them, and events meanwhile."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from promptlab.lab_api import lab, runs
from promptlab.lab_state import REPEATS_MOST, Id
from promptlab.running import AT_ONCE_MOST, Chosen
from providers.errors import Conflict
from tracking import rest
from tracking.feedback import Feedback
from tracking.lab_cells import Place
from tracking.rest import Row, Sent


class PlaceSent(Sent):
    row: Id
    column: Id
    repeat: Annotated[int, Field(ge=0, lt=REPEATS_MOST)] = 0


Places = Annotated[list[PlaceSent], Field(min_length=1, max_length=AT_ONCE_MOST)]


class Cells(Sent):
    cells: Places | Literal["all", "missing"]
    version: int | None = None
    """Which the lab is thought to be at."""


class Stop(Sent):
    cells: Places | Literal["all"]


async def asked(request: Request) -> Response:
    """`POST /api/lab/{id}/run`."""
    body = await rest.read(request, Cells)
    found = await lab(request)
    if body.version is not None and body.version != found.version:
        raise Conflict(
            f"the lab is at version {found.version} by now, not at {body.version}; save it first", code="lab_conflict"
        )
    queued = await runs(request).run(found, chosen(body.cells), rest.caller(request), key_id=rest.own_key(request))
    return rest.answer({"queued": queued, "version": found.version}, 202)


async def stopped(request: Request) -> Response:
    """`POST /api/lab/{id}/stop`."""
    body = await rest.read(request, Stop)
    found = await lab(request)
    places = None if body.cells == "all" else _places(body.cells)
    return rest.answer({"stopped": await runs(request).stop(found.id, places)})


async def cells(request: Request) -> Response:
    """`GET /api/lab/{id}/cells`."""
    found = await runs(request).cells(await lab(request))
    feedback: Feedback = request.app.state.feedback
    ids = [cell["run_id"] for cell in found["cells"] if cell["run_id"] is not None]
    said = await feedback.of_many(ids, rest.caller(request))
    for cell in found["cells"]:
        cell["feedback"] = said.get(cell["run_id"], [])
    return rest.answer(found)


async def events(request: Request) -> Response:
    """`GET /api/lab/{id}/events`: server-sent events."""
    found = await lab(request)
    last = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    return rest.stream(runs(request).events(found.id, last, request.app.state.stopping))


ROUTES: list[Row] = [
    ("/api/lab/{id}/run", asked, ["POST"], "track"),
    ("/api/lab/{id}/stop", stopped, ["POST"], "track"),
    ("/api/lab/{id}/cells", cells, ["GET"], "read"),
    ("/api/lab/{id}/events", events, ["GET"], "read"),
]


def chosen(cells: list[PlaceSent] | Literal["all", "missing"]) -> Chosen:
    return cells if isinstance(cells, str) else _places(cells)


def _places(sent: list[PlaceSent]) -> list[Place]:
    return [Place(place.row, place.column, place.repeat) for place in sent]
