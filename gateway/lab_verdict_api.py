"""`POST /api/lab/{id}/verdict`: a lab's answers scored by code and by people, and the card of what that comes to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from evaluate import process, scoring
from evaluate.cells import COST, LATENCY, Cell, DatasetRef, Grid, Metric, Row, Score, Variant
from gateway import scorer_code
from promptlab.dataset_rows import EXPECTED
from promptlab.lab_api import lab, runs
from promptlab.lab_state import Row as LabRow
from promptlab.lab_state import State
from promptlab.live_cell import text_of
from providers.chat import Json
from providers.errors import Conflict, InvalidRequest
from tracking import rest
from tracking.feedback import Feedback
from tracking.lab_cells import Cell as LabCell
from tracking.labs import Lab
from tracking.rest import Row as Route
from tracking.rest import Sent

SCORERS_MOST = 20
CELLS_MOST = 5_000
SECONDS = 120.0
THUMB = Metric(name="thumb", kind="binary")
ALWAYS = (Metric(name=COST, direction="lower", kind="cost"), Metric(name=LATENCY, direction="lower", kind="latency"))
NOTHING: Json = {"metrics": [], "identities": []}
Scores = dict[int, dict[str, Score]]


class Asked(Sent):
    scorers: Annotated[list[Any], Field(max_length=SCORERS_MOST)] = []
    """As an evaluation names them."""
    primary: str | None = None
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    margin: Annotated[float, Field(gt=0)] | None = None


async def verdict(request: Request) -> Response:
    """`POST /api/lab/{id}/verdict`."""
    body = await rest.read(request, Asked, stored=False)
    scorer_code.admit(request, body.scorers)
    found = await lab(request)
    state, cells = await runs(request).asked(found)
    if not state.columns or not cells:
        raise Conflict("nothing in the lab has been asked yet", code="nothing_asked")
    if len(cells) > CELLS_MOST:
        raise InvalidRequest(
            f"the lab has {len(cells)} cells; at most {CELLS_MOST} are scored here, make an evaluation"
        )
    names = {column.id: name for column, name in zip(state.columns, _names(state), strict=True)}
    rows = {row.id: Row(id=row.id, inputs=_inputs(row), expectations=_expectations(row)) for row in state.rows}
    plain = [_cell(cell, names) for cell in cells]
    ready, scores = await _scored(found, state, body.scorers, plain, rows)
    thumbs = await _thumbs(request, cells)
    for n, score in thumbs.items():
        scores.setdefault(n, {})[THUMB.name] = score
    metrics = [Metric.from_json(each) for each in ready["metrics"]] + ([THUMB] if thumbs else [])
    grid = _grid(found, state, names, [*metrics, *ALWAYS], body, ready, plain, scores)
    options: Json = {"alpha": body.alpha, "margin": body.margin}
    card = await process.asked("card", {"grid": grid.to_json(), "options": options}, "card", SECONDS)
    shown = [
        {
            **cells[n].place.shown(),
            "run_id": cells[n].run_id,
            "scores": {name: _shown(score) for name, score in given.items()},
        }
        for n, given in sorted(scores.items())
    ]
    return rest.answer({"columns": names, "scores": shown, "card": card})


ROUTES: list[Route] = [("/api/lab/{id}/verdict", verdict, ["POST"], "read")]


async def _scored(
    lab: Lab, state: State, scorers: Sequence[Any], cells: Sequence[Cell], rows: Mapping[str, Row]
) -> tuple[Json, Scores]:
    """What the scorers are, and what they say: by code, in a process of its own."""
    scores: Scores = {}
    if not scorers:
        return NOTHING, scores
    waiting = [n for n, cell in enumerate(cells) if cell.status == "ok"]
    baseline = _names(state)[_baseline(state)]
    rivals = {(cell.row, cell.repeat): cell for cell in cells if cell.variant == baseline}
    tools = dict(zip(_names(state), [column.tools for column in state.columns], strict=True))
    try:
        async with asyncio.timeout(SECONDS), process.started("score", {"scorers": list(scorers)}) as worker:
            ready: Json = (await worker.hear())["ready"]
            if ready["judged"]:
                raise InvalidRequest(
                    "judges make calls, which an evaluation plans for: make one of the lab", param="scorers"
                )
            for n in waiting:
                cell = cells[n]
                rival = rivals.get((cell.row, cell.repeat)) if cell.variant != baseline else None
                sample = scoring.sample_of(lab.id, cell, rows[cell.row], tools[cell.variant], rival)
                await worker.tell({"n": n, "sample": sample})
            while len(scores) < len(waiting):
                said = (await worker.hear())["scored"]
                scores[said["n"]] = {name: Score.from_json(score) for name, score in said["scores"].items()}
    except TimeoutError as exc:
        raise InvalidRequest(f"the scorers took longer than {SECONDS:g} s", param="scorers") from exc
    return ready, scores


async def _thumbs(request: Request, cells: Sequence[LabCell]) -> dict[int, Score]:
    """What people said, where they do not contradict each other."""
    feedback: Feedback = request.app.state.feedback
    said = await feedback.of_many([cell.run_id for cell in cells if cell.run_id], rest.caller(request))
    found: dict[int, Score] = {}
    for n, cell in enumerate(cells):
        votes = {each["value"] for each in said.get(cell.run_id or "", ()) if each["name"] == THUMB.name}
        if cell.status == "ok" and votes in ({True}, {False}):
            found[n] = Score(name=THUMB.name, value=votes.pop(), source="human")
    return found


def _grid(
    lab: Lab,
    state: State,
    names: Mapping[str, str],
    metrics: Sequence[Metric],
    asked: Asked,
    ready: Json,
    cells: Sequence[Cell],
    scores: Scores,
) -> Grid:
    primary = asked.primary or metrics[0].name
    if primary not in {metric.name for metric in metrics}:
        known = ", ".join(metric.name for metric in metrics)
        raise InvalidRequest(f"there is no metric {primary!r}; there are {known}", param="primary")
    content = orjson.dumps([row.model_dump(mode="json", exclude={"page"}) for row in state.rows])
    baseline = _baseline(state)
    return Grid(
        id=lab.id,
        name=lab.name,
        state="finished",
        dataset=DatasetRef(name=lab.name, version=lab.version, digest=hashlib.sha256(content).hexdigest()),
        variants=tuple(
            Variant(
                name=names[column.id],
                prompt=column.prompt.reference if column.prompt else None,
                messages=tuple(column.messages),
                endpoint=column.endpoint or "",
                params=column.params,
                baseline=at == baseline,
            )
            for at, column in enumerate(state.columns)
        ),
        metrics=tuple(metrics),
        primary=primary,
        scorers=tuple(ready["identities"]),
        rows=len(state.rows),
        repeats=state.repeats,
        cells=tuple(_with(cell, scores.get(n, {})) for n, cell in enumerate(cells)),
        created_us=lab.created_us,
    )


def _cell(cell: LabCell, names: Mapping[str, str]) -> Cell:
    got = cell.result or {}
    usage, error = got.get("usage") or {}, got.get("error") or {}
    return Cell(
        row=cell.place.row,
        variant=names[cell.place.column],
        repeat=cell.place.repeat,
        status="ok" if cell.status == "ok" else "pending" if cell.status in ("queued", "running") else "error",
        error=error.get("message") or (None if cell.status == "ok" else cell.status),
        run_id=cell.run_id,
        output=cell.said,
        text=text_of(cell.said) or "",
        cost_nanos=got.get("cost_nanos"),
        latency_us=got.get("total_us"),
        ttft_us=got.get("ttft_us"),
        prompt_tokens=usage.get("input_tokens"),
        completion_tokens=usage.get("output_tokens"),
        model=got.get("model"),
    )


def _with(cell: Cell, scores: Mapping[str, Score]) -> Cell:
    return Cell.from_json({**cell.to_json(), "scores": {name: score.to_json() for name, score in scores.items()}})


def _names(state: State) -> list[str]:
    """Of the columns, each once."""
    given = [column.name for column in state.columns]
    return [
        name if given.count(name) == 1 else f"{name} ({column.id})"
        for name, column in zip(given, state.columns, strict=True)
    ]


def _baseline(state: State) -> int:
    ids = [column.id for column in state.columns]
    return ids.index(state.baseline) if state.baseline in ids else 0


def _inputs(row: LabRow) -> Json:
    return {**row.values, **({"messages": row.messages} if row.messages else {})}


def _expectations(row: LabRow) -> Json:
    if row.expected is None:
        return {}
    return row.expected if isinstance(row.expected, dict) else {EXPECTED: row.expected}


def _shown(score: Score) -> Json:
    return {"value": score.value, "rationale": score.rationale, "error": score.error, "source": score.source}
