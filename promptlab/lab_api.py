"""The REST API of labs: making, saving and finding them, and the files that they show to models."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from promptlab.lab_state import EMPTY, Json, Name, PromptRef, State, shown
from promptlab.prompt_reading import Prompts
from promptlab.reopening import reopened
from promptlab.run_use_api import called
from promptlab.running import LabRuns
from providers import errors
from providers.errors import InvalidRequest, NotFound, UnsupportedMediaType
from tracking import rest
from tracking.labs import Lab, LabConflict, Labs
from tracking.rest import Row, Sent

STATE_MOST = 8 << 20
FILE_MOST = 10 << 20
RUNS_MOST = 200
FILE_TYPES = ("image/", "audio/", "text/", "application/pdf")
SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show as it is: none of these can hold a script."""
UNTITLED = "Untitled lab"


class NewLab(Sent):
    name: Name | None = None
    state: Json | None = None
    from_run: str | None = None
    from_runs: Annotated[list[str], Field(min_length=1, max_length=RUNS_MOST)] | None = None
    from_prompt: PromptRef | None = None


class Save(Sent):
    base: int
    state: Json
    name: Name | None = None
    label: Name | None = None


class Restore(Sent):
    base: int
    version: int


async def listed(request: Request) -> Response:
    """`GET /api/lab`."""
    query = rest.asked(request, "query", "page_size", "page_token")
    size = rest.whole("page_size", query.get("page_size", str(rest.PAGE)), 1, rest.PAGE_MOST)
    found, token = await labs(request).page(
        query.get("query", ""),
        size,
        query.get("page_token"),
        key_id=rest.own_key(request),
        caller=rest.caller(request),
    )
    return rest.answer({"labs": found, "next_page_token": token})


async def created(request: Request) -> Response:
    """`POST /api/lab`."""
    body = await rest.read(request, NewLab, STATE_MOST, stored=False)
    sources = [name for name in ("state", "from_run", "from_runs", "from_prompt") if getattr(body, name) is not None]
    if len(sources) > 1:
        raise InvalidRequest(f"a lab begins with one of {' and '.join(sources)}, not with both", param=sources[1])
    name, state = UNTITLED, body.state or EMPTY
    if body.from_run is not None:
        name, state = await _from_run(request, body.from_run)
    elif body.from_runs is not None:
        name, state = await _from_runs(request, body.from_runs)
    elif body.from_prompt is not None:
        name, state = await _from_prompt(request, body.from_prompt)
    return rest.answer(await made(request, body.name or name, state), 201)


async def got(request: Request) -> Response:
    """`GET /api/lab/{id}`."""
    return rest.answer(_shown(request, await lab(request)))


async def saved(request: Request) -> Response:
    """`PUT /api/lab/{id}`."""
    body = await rest.read(request, Save, STATE_MOST, stored=False)
    return await _saved(request, body.base, checked(body.state), body.name, body.label)


async def deleted(request: Request) -> Response:
    """`DELETE /api/lab/{id}`."""
    id = request.path_params["id"]
    await labs(request).delete(id, key_id=rest.own_key(request))
    await runs(request).stop(id, None)
    return rest.nothing()


async def versions(request: Request) -> Response:
    """`GET /api/lab/{id}/versions`."""
    found = await labs(request).versions(request.path_params["id"], key_id=rest.own_key(request))
    return rest.answer({"versions": found})


async def version(request: Request) -> Response:
    """`GET /api/lab/{id}/versions/{version}`."""
    number = rest.whole("version", request.path_params["version"], 1, 10**9)
    return rest.answer(await labs(request).version(request.path_params["id"], number, key_id=rest.own_key(request)))


async def restored(request: Request) -> Response:
    """`POST /api/lab/{id}/restore`."""
    body = await rest.read(request, Restore)
    id, key_id = request.path_params["id"], rest.own_key(request)
    old = await labs(request).version(id, body.version, key_id=key_id)
    answered = await _saved(request, body.base, old["state"], None, None)
    if answered.status_code != 200:
        return answered
    return rest.answer(_shown(request, await labs(request).get(id, key_id=key_id)))


async def uploaded(request: Request) -> Response:
    """`POST /api/lab/{id}/files`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith(FILE_TYPES) or len(kind) > 100:
        raise UnsupportedMediaType(f"a file of type {kind or 'none'!r}; images, audio, texts and PDF are taken")
    body = await rest.read_bytes(request, FILE_MOST)
    if not body:
        raise InvalidRequest("the file is empty")
    digest = await labs(request).put_file(request.path_params["id"], kind, body, key_id=rest.own_key(request))
    return rest.answer({"url": f"lab-file:{digest}", "type": kind, "bytes": len(body)}, 201)


async def file(request: Request) -> Response:
    """`GET /api/lab/{id}/files/{digest}`."""
    id, digest = request.path_params["id"], request.path_params["digest"]
    found = await labs(request).files(id, [digest], key_id=rest.own_key(request))
    if digest not in found:
        raise NotFound(f"the lab has no file {digest[:100]!r}")
    kind, body = found[digest]
    headers = {**rest.PRIVATE, "content-security-policy": "default-src 'none'; sandbox"}
    if kind not in SHOWN_TYPES:
        headers["content-disposition"] = "attachment"
    return Response(body, media_type=kind, headers=headers)


ROUTES: list[Row] = [
    ("/api/lab", listed, ["GET"], "read"),
    ("/api/lab", created, ["POST"], "track"),
    ("/api/lab/{id}", got, ["GET"], "read"),
    ("/api/lab/{id}", saved, ["PUT"], "track"),
    ("/api/lab/{id}", deleted, ["DELETE"], "track"),
    ("/api/lab/{id}/versions", versions, ["GET"], "read"),
    ("/api/lab/{id}/versions/{version}", version, ["GET"], "read"),
    ("/api/lab/{id}/restore", restored, ["POST"], "track"),
    ("/api/lab/{id}/files", uploaded, ["POST"], "track"),
    ("/api/lab/{id}/files/{digest}", file, ["GET"], "read"),
]


def labs(request: Request) -> Labs:
    found: Labs = request.app.state.labs
    return found


def runs(request: Request) -> LabRuns:
    found: LabRuns = request.app.state.lab_runs
    return found


async def lab(request: Request) -> Lab:
    return await labs(request).get(request.path_params["id"], key_id=rest.own_key(request))


def checked(state: Json) -> Json:
    """A state that a page sent, whole. InvalidRequest where it is none."""
    return shown(rest.checked(State, state))


async def made(request: Request, name: str, state: Json) -> Json:
    """A new lab."""
    state = await asyncio.to_thread(checked, state)
    return _shown(request, await labs(request).create(name, state, rest.caller(request)))


async def _saved(request: Request, base: int, state: Json, name: str | None, label: str | None) -> Response:
    id, caller = request.path_params["id"], rest.caller(request)
    key_id = rest.own_key(request)
    try:
        number, us, new = await labs(request).save(id, base, state, caller, name=name, label=label, key_id=key_id)
    except LabConflict as conflict:
        return rest.answer({**errors.body(conflict), "current": conflict.current}, conflict.status)
    said = {"version": number, "saved_at": rest.iso(us)}
    if new:
        runs(request).channel(id).tell("saved", {**said, "by": caller.name})
    return rest.answer(said)


def _shown(request: Request, lab: Lab) -> Json:
    return {
        "id": lab.id,
        "name": lab.name,
        "version": lab.version,
        "state": lab.state,
        "created_at": rest.iso(lab.created_us),
        "updated_at": rest.iso(lab.updated_us),
        "by": lab.made_by,
        "mine": lab.key_id == rest.caller(request).key_id,
        "running": runs(request).running(lab.id),
    }


async def _from_run(request: Request, id: str) -> tuple[str, Json]:
    run, body = await called(request, id)
    found = await asyncio.to_thread(reopened, run, body)
    if not found["exact"]:
        raise InvalidRequest(f"run {id!r} cannot be opened: {found['why_not']}", param="from_run", code="not_exact")
    return f"Call of {found['column']['name']}", {"columns": [found["column"]], "rows": [found["row"]]}


async def _from_runs(request: Request, ids: list[str]) -> tuple[str, Json]:
    """A row each; asked as the first of them was."""
    rows, column = [], None
    for number, id in enumerate(dict.fromkeys(ids), 1):
        run, body = await called(request, id)
        found = await asyncio.to_thread(reopened, run, body)
        if not found["exact"]:
            raise InvalidRequest(
                f"run {id!r} cannot be opened: {found['why_not']}", param="from_runs", code="not_exact"
            )
        rows.append({**found["row"], "id": str(number), "messages": found["column"]["messages"]})
        column = column or {**found["column"], "messages": [], "origin": None, "render": False}
    return f"{len(rows)} calls", {"columns": [column], "rows": rows}


async def _from_prompt(request: Request, ref: PromptRef) -> tuple[str, Json]:
    prompts: Prompts = request.app.state.prompts
    takes = sorted(await prompts.takes(ref))
    column = {"id": "a", "name": f"{ref.name} {ref.version or ref.alias}"[:200], "prompt": ref.model_dump()}
    return ref.name, {"columns": [column], "rows": [{"id": "1", "values": dict.fromkeys(takes, "")}]}
