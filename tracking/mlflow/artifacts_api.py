"""MLflow's proxy of artifacts: its routes, and how a file is answered."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.artifact_paths import SCHEME, Parts, inside, located
from tracking.artifact_roots import ArtifactRoots
from tracking.artifacts import Artifacts, Blob, Entry, Part, not_the_parts, too_large
from tracking.mlflow.errors import MlflowError, invalid
from tracking.mlflow.wire import PREFIXES, Ask, Caller, Endpoint, Policy, Row, answer, answering, asking

SECONDS = 900
"""For how long a presigned URL is good where nobody says."""
SECONDS_MOST = 604_800
TEXT = frozenset(
    {
        "txt",
        "log",
        "err",
        "cfg",
        "conf",
        "cnf",
        "cf",
        "ini",
        "properties",
        "prop",
        "hocon",
        "toml",
        "yaml",
        "yml",
        "xml",
    }
    | {"json", "js", "py", "py3", "csv", "tsv", "md", "rst", "ipynb", "mlmodel", "mlproject"}
)
"""Names of MLflow's text files end so, or are so."""
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
"""Types that a file is sent as. Anything else but text could be a page with a script in it, and is sent as bytes."""
_AS_THEY_ARE = "-._~!$&+^`|#"


async def listed(request: Request) -> Response:
    """`GET mlflow-artifacts/artifacts?path=`: what a folder holds, by names."""
    folder = await _place(request, request.query_params.get("path", ""))
    return answer({"files": _files(await store_of(request).entries(folder))})


async def sent(request: Request) -> Response:
    """`GET mlflow-artifacts/artifacts/{path}`"""
    return await file_answer(request, await _named(request))


async def put(request: Request) -> Response:
    """`PUT mlflow-artifacts/artifacts/{path}`: the body is the file."""
    store = store_of(request)
    file = await _named(request)
    await store.put(file, body_of(request, store.most))
    return answer({})


async def deleted(request: Request) -> Response:
    """`DELETE mlflow-artifacts/artifacts/{path}`"""
    await store_of(request).delete(await _named(request))
    return answer({})


async def upload_created(ask: Ask) -> Json:
    """`POST mlflow-artifacts/mpu/create/{path}`: a URL for each part."""
    store, file, parts = store_of(ask.request), await _of_upload(ask), ask.whole("num_parts", 1)
    upload = await store.create_upload(file, parts)
    urls = [await store.part_url(file, upload, n) for n in range(1, parts + 1)]
    here = f"{ask.request.base_url}api/2.0/{SCHEME}/mpu/parts/{upload}"
    credentials = [{"url": url or f"{here}/{n}", "part_number": n, "headers": {}} for n, url in enumerate(urls, 1)]
    return {"upload_id": upload, "credentials": credentials}


async def part_put(request: Request) -> Response:
    """`PUT mlflow-artifacts/mpu/parts/{upload}/{number}`: MLflow's clients send no key here, so the id is one."""
    store, number = store_of(request), request.path_params["number"]
    if not re.fullmatch(r"\d{1,5}", number, re.ASCII):
        raise invalid(f"{number!r} is no number of a part")
    etag = await store.put_part(request.path_params["upload"], int(number), body_of(request, store.most))
    return Response(headers={"etag": f'"{etag}"'})


async def upload_completed(ask: Ask) -> Json:
    parts = [Part(part.whole("part_number"), part.text("etag").strip('"')) for part in ask.objects("parts")]
    numbers = [part.number for part in parts]
    if not numbers or numbers != sorted(set(numbers)):
        raise not_the_parts(f"the parts are {numbers[:20]}; name each once, in order")
    await store_of(ask.request).complete_upload(await _of_upload(ask), ask.text("upload_id"), parts)
    return {}


async def upload_aborted(ask: Ask) -> Json:
    await store_of(ask.request).abort_upload(await _of_upload(ask), ask.text("upload_id"))
    return {}


async def presigned(request: Request) -> Response:
    """`GET mlflow-artifacts/presigned/{path}`"""
    found = await store_of(request).download_url(await _named(request), SECONDS)
    if found is None:
        raise MlflowError("NOT_IMPLEMENTED", "Multipart download is not supported for the current artifact repository")
    return answer({"url": found.url, "headers": dict(found.headers), "file_size": found.size})


async def file_answer(request: Request, file: Parts) -> Response:
    """A file as an attachment, so that no browser shows it as a page of ours."""
    blob = await store_of(request).open(file)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file[-1], safe=_AS_THEY_ARE)}",
        "content-length": str(blob.size),
        "content-type": media_type(file[-1]),
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "no-store",
    }
    return FileAnswer(blob, headers, head=request.method == "HEAD")


class FileAnswer(StreamingResponse):
    """Sends a file, and closes it whatever becomes of that."""

    def __init__(self, blob: Blob, headers: dict[str, str], *, head: bool) -> None:
        super().__init__(() if head else blob.pieces(), headers=headers)
        self._blob = blob

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._blob.close()


def media_type(name: str) -> str:
    if (PurePosixPath(name).suffix.lstrip(".") or name).lower() in TEXT:
        return "text/plain"
    guessed = mimetypes.guess_type(name)[0]
    return guessed if guessed in SHOWN else "application/octet-stream"


def below(uri: str, path: str, of: str) -> Parts:
    """The place of a path below an artifact URI, which must be one of this server's."""
    parts = located(uri, path)
    if parts is None:
        raise invalid(f"the artifacts of {of} are kept at {uri!r}, which is not this server's to read or write")
    return parts


async def listed_below(request: Request, uri: str, path: str, of: str) -> Json:
    """What `below` a URI there is, by paths from it."""
    entries = await store_of(request).entries(below(uri, path, of))
    prefix = "".join(f"{name}/" for name in inside(path))
    return {"root_uri": uri, "files": _files(entries, prefix)}


def store_of(request: Request) -> Artifacts:
    store: Artifacts = request.app.state.artifacts
    return store


async def body_of(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body as it comes in; what says that it is too large is refused before any of it is read."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_large(most)
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as exc:
        raise InvalidRequest("the upload was broken off", code="upload_aborted") from exc


_PROXY: list[tuple[str, str, Endpoint, Policy]] = [
    ("GET", "artifacts", listed, "read"),
    ("GET", "artifacts/{path:path}", sent, "read"),
    ("PUT", "artifacts/{path:path}", put, "track"),
    ("DELETE", "artifacts/{path:path}", deleted, "track"),
    ("POST", "mpu/create/{folder:path}", asking(upload_created), "track"),
    ("POST", "mpu/complete/{folder:path}", asking(upload_completed), "track"),
    ("POST", "mpu/abort/{folder:path}", asking(upload_aborted), "track"),
    ("PUT", "mpu/parts/{upload}/{number}", part_put, "public"),
    ("GET", "presigned/{path:path}", presigned, "read"),
]
ROUTES: list[Row] = [
    (f"{prefix}/2.0/{SCHEME}/{path}", answering(endpoint), [method], policy)
    for method, path, endpoint, policy in _PROXY
    for prefix in PREFIXES
]


async def _named(request: Request) -> Parts:
    return await _place(request, request.path_params["path"])


async def _of_upload(ask: Ask) -> Parts:
    """The folder in the address, and the name of the file that the client reads, which is a path of its own system."""
    name = re.split(r"[/\\]", ask.text("path"))[-1]
    return await _place(ask.request, ask.text("folder", "")) + inside(name)


async def _place(request: Request, path: str) -> Parts:
    """The names of a path that this caller may know of."""
    parts = inside(path)
    caller: Caller = request.scope["caller"]
    if caller.role == "caller":
        roots: ArtifactRoots = request.app.state.artifact_roots
        await roots.check(parts, caller.key_id)
    return parts


def _files(entries: list[Entry], prefix: str = "") -> list[Json]:
    return [
        {"path": prefix + entry.name, "is_dir": True}
        if entry.size is None
        else {"path": prefix + entry.name, "is_dir": False, "file_size": entry.size}
        for entry in entries
    ]
