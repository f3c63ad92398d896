"""What our own REST routes have in common: reading a body that is doubted, answering, and streams of events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from providers.errors import BodyTooLarge, Forbidden, InvalidRequest, UnsupportedMediaType

Policy = Literal["public", "call", "read", "track", "admin"]
Endpoint = Callable[[Request], Awaitable[Response]]
Row = tuple[str, Endpoint, list[str], Policy]
"""Path, what answers, methods, and who may ask: for `gateway.policy.Guard.routes`."""
PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
BODY_MOST = 1 << 20
BEAT_SECONDS = 15.0
"""Between signs of life in a stream of events that has none."""
BEAT = b": still here\n\n"
PAGE, PAGE_MOST = 50, 1_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Said = TypeVar("Said", bound="Sent")


class Caller(Protocol):
    """Who asks, as the gateway found out."""

    @property
    def key_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


class Sent(BaseModel):
    """What somebody sends us. A name that is not known is refused, so that a slip is not taken for a wish.

    Made ready when it is first read: nobody waits at the start for what is rarely sent.
    """

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


def caller(request: Request) -> Caller:
    found: Caller = request.scope["caller"]
    return found


def own_key(request: Request) -> str | None:
    """The key to whose own things a caller is held; None for those who may see everybody's."""
    asking = caller(request)
    if asking.role != "caller":
        return None
    if asking.key_id is None:
        raise Forbidden("a caller without a key has nothing of its own to read")
    return asking.key_id


async def read(request: Request, what: type[Said], most: int = BODY_MOST, *, stored: bool = True) -> Said:
    """The body, checked. No body is an object of nothing. `stored`: its texts are kept as texts of the store."""
    body = await read_bytes(request, most)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise UnsupportedMediaType(f"send the body with 'content-type: application/json', not {kind or 'none'!r}")
    try:
        sent = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"the body is not JSON: {exc.msg}", code="invalid_json") from exc
    if stored and b"\\u0000" in body and _UNSTORABLE.search(orjson.dumps(sent).decode().replace("\\u0000", "\0")):
        raise InvalidRequest("the body holds the character NUL, which no stored text can hold")
    return checked(what, sent)


def checked(what: type[Said], sent: Any) -> Said:
    try:
        return what.model_validate(sent)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = _path(first["loc"])
        raise InvalidRequest(f"{where or 'the body'}: {first['msg']}", param=where or None) from exc


async def read_bytes(request: Request, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise BodyTooLarge(f"the body has more than the {most} bytes that are taken here")
    except ClientDisconnect as exc:
        raise InvalidRequest("the upload was broken off", code="upload_aborted") from exc
    return b"".join(pieces)


def asked(request: Request, *known: str) -> dict[str, str]:
    """The query, in which there is nothing else, and nothing twice."""
    query = request.query_params
    for name in query:
        if name not in known:
            raise InvalidRequest(f"no query parameter {name!r}; there are {', '.join(sorted(known))}", param=name)
        if len(query.getlist(name)) > 1:
            raise InvalidRequest(f"{name} is given more than once", param=name)
        if _UNSTORABLE.search(query[name]):
            raise InvalidRequest(f"{name} holds a character that no stored text can hold", param=name)
    return dict(query)


def whole(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16 and least <= int(text) <= most):
        raise InvalidRequest(f"{name} is {text[:40]!r}; say a whole number from {least} to {most}", param=name)
    return int(text)


def answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers=PRIVATE)


def nothing() -> Response:
    return Response(status_code=204, headers=PRIVATE)


def event(name: str, data: Any, id: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if id is None else f"event: {name}\nid: {id}\n"
    return head.encode() + b"data: " + orjson.dumps(data) + b"\n\n"


def stream(events: AsyncIterator[bytes]) -> Response:
    headers = {**PRIVATE, "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def until(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the server stops, which a stream must not keep from doing. Whether it does."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True


def iso(us: int) -> str:
    seconds, rest = divmod(us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:03}Z"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path
