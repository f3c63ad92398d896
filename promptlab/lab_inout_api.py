"""The REST API of labs for what comes in from elsewhere and goes out: imports, code, grids, preferences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from promptlab import exporting, importing
from promptlab.calling import Quoting
from promptlab.code import LANGUAGES, code
from promptlab.importing import Format
from promptlab.lab_api import lab, made, runs
from promptlab.lab_state import REPEATS_MOST, Name
from promptlab.pairs import preferred
from providers.errors import GatewayError, InvalidRequest
from tracking import rest
from tracking.lab_cells import Place
from tracking.lab_votes import LabVotes
from tracking.labs import Lab
from tracking.rest import Row, Sent
from tracking.runs import Runs

FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "dpo": "application/x-ndjson"}
FILES = {"csv": "lab.csv", "jsonl": "lab.jsonl", "dpo": "preferences.jsonl"}


class Import(Sent):
    text: Annotated[str, Field(min_length=1)]
    format: Format | None = None
    name: Name | None = None


async def imported(request: Request) -> Response:
    """`POST /api/lab/import`."""
    body = await rest.read(request, Import, 4 * importing.TEXT_MOST, stored=False)
    state, found = await asyncio.to_thread(importing.read, body.text, body.format)
    name = body.name or found.name or "Imported lab"
    return rest.answer({**await made(request, name, state), "left_out": found.left_out}, 201)


async def coded(request: Request) -> Response:
    """`GET /api/lab/{id}/code`."""
    query = rest.asked(request, "column", "row", "repeat", "language")
    for name in ("column", "row", "language"):
        if name not in query:
            raise InvalidRequest(f"{name} is missing; the languages are {', '.join(LANGUAGES)}", param=name)
    repeat = rest.whole("repeat", query.get("repeat", "0"), 0, REPEATS_MOST - 1)
    found, place = await lab(request), Place(query["row"], query["column"], repeat)
    _, asked = await runs(request).questions(found, [place], key_id=rest.own_key(request))
    question = asked[0][2]
    if isinstance(question, GatewayError):
        raise question
    quote: Quoting = request.app.state.lab_calls.quote
    base = f"{request.url.scheme}://{request.url.netloc}"
    text = code(query["language"], base, orjson.loads(question.body), await quote(question))
    return rest.answer({"language": query["language"], "code": text})


async def exported(request: Request) -> Response:
    """`GET /api/lab/{id}/export`."""
    format = rest.asked(request, "format").get("format", "csv")
    if format not in FORMATS:
        raise InvalidRequest(f"format is {format!r}; say {', '.join(FORMATS)}", param="format")
    found = await lab(request)
    headers = {**rest.PRIVATE, "content-disposition": f'attachment; filename="{FILES[format]}"'}
    if format == "dpo":
        return StreamingResponse(_preferences(request, found), media_type=FORMATS[format], headers=headers)
    state, cells = await runs(request).asked(found)
    lines: Iterator[bytes] = (
        exporting.csv(state, cells) if format == "csv" else exporting.jsonl(exporting.lines(state, cells))
    )
    return Response(await asyncio.to_thread(b"".join, lines), media_type=FORMATS[format], headers=headers)


ROUTES: list[Row] = [
    ("/api/lab/import", imported, ["POST"], "track"),
    ("/api/lab/{id}/code", coded, ["GET"], "read"),
    ("/api/lab/{id}/export", exported, ["GET"], "read"),
]
"""The first is tried before `/api/lab/{id}`."""


async def _preferences(request: Request, lab: Lab) -> AsyncIterator[bytes]:
    votes: LabVotes = request.app.state.lab_votes
    runs: Runs = request.app.state.runs
    key_id = rest.own_key(request)
    for better, worse in preferred(await votes.of(lab.id)):
        chosen, rejected = await runs.get(better, key_id=key_id), await runs.get(worse, key_id=key_id)
        example = exporting.preference(chosen, rejected) if chosen is not None and rejected is not None else None
        if example is not None:
            yield orjson.dumps(example) + b"\n"
