"""The routes that applications call: a plain ASGI endpoint per kind of call, from the caller's bytes to the engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
import uuid_utils
from starlette.types import Receive, Scope, Send

from gateway.call import Call
from gateway.directory import Directory
from gateway.doors import openai as door
from gateway.engine import Engine
from gateway.http import TASK, WHOLE
from gateway.idempotency import Idempotency
from gateway.keys import Caller
from gateway.registered import Meant, Registered
from providers.chat import Json, Kind
from providers.errors import BodyTooLarge, GatewayError, InvalidRequest, UnsupportedMediaType
from tracking.calls import Begin

RUN_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|\Z)")
"""W3C Trace Context: the trace that the call is part of, and the span that makes it."""
SAYING = frozenset(
    {
        *(b"x-gatelog-experiment", b"x-gatelog-session", b"x-gatelog-user", b"x-gatelog-parent-run-id"),
        *(b"x-gatelog-tags", b"idempotency-key", b"traceparent"),
    }
)
TAGS_MOST, TAG_NAME_MOST, TAG_VALUE_MOST = 100, 250, 5000
Headers = dict[bytes, bytes]


class Calls:
    """An endpoint for one kind of call, or for the kind of whichever endpoint the path names (MLflow's way).

    It is ASGI itself: Starlette's Request and Response would cost every call more than all that it does here.
    """

    def __init__(
        self,
        kind: Kind | None,
        engine: Engine,
        directory: Callable[[], Directory],
        idempotency: Idempotency,
        registered: Registered,
        body_most: int,
    ) -> None:
        self._kind, self._engine, self._directory = kind, engine, directory
        self._idempotency, self._registered, self._body_most = idempotency, registered, body_most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.serve(scope, dict(scope["headers"]), scope["caller"], receive, send)

    async def serve(self, scope: Scope, headers: Headers, caller: Caller, receive: Receive, send: Send) -> None:
        run_id = uuid_utils.uuid7().hex
        # Taken out, since both hold on to the scope: left in, they would wait for the garbage collector.
        task, whole = scope.pop(TASK, None), scope.pop(WHOLE, None)
        call: Call | None = None
        meant: Meant | None = None
        try:
            body = await _body(headers, receive, self._body_most)
            directory = self._directory()
            if self._kind is not None:
                try:
                    request = door.read(self._kind, body)
                    endpoint = directory.find(self._kind, request["model"])
                except GatewayError:
                    # Only here, so that a call by an ordinary name does not pay for there being others.
                    meant = await self._registered.call(self._kind, body, headers)
                    if meant is None:
                        raise
                    request, endpoint = meant.request, meant.endpoint
            else:
                endpoint = directory.named(scope["path_params"]["endpoint"])
                request = door.read(endpoint.kind, _addressed(body, endpoint.name))
            call = Call(run_id, endpoint, request, bool(request.get("stream")), caller.key_id)
            call.config_revision, call.request_bytes = directory.revision, len(body)
            call.task, call.said = task, _said(headers, request)
            sent = body
            if meant is not None:
                call.prompt, call.registered, body = meant.prompt, meant.model, meant.body
            if (key := call.said.get("idempotency_key")) is not None:
                await self._idempotency.serve(call, key, sent, body, receive, send, self._engine)
            else:
                await self._engine.serve(call, body, receive, send, whole)
        except GatewayError as error:
            await refuse(error, send, run_id if call is None or call.choice is None else None, call)


async def refuse(error: GatewayError, send: Send, run_id: str | None, call: Call | None = None) -> None:
    status, headers, body = door.refusal(error)
    if call is not None and call.choice is not None:
        headers += call.headers()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(headers: Headers, receive: Receive, most: int) -> bytes:
    content_type = headers.get(b"content-type", b"")
    if not content_type.lower().startswith(b"application/json"):
        shown = content_type.decode("latin-1") or "none"
        raise UnsupportedMediaType(f"send the body with 'content-type: application/json', not {shown!r}")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("send the body uncompressed: content-encoding is not supported")
    if (length := headers.get(b"content-length")) is not None and int(length) > most:
        raise BodyTooLarge(f"the body has {int(length)} bytes; at most {most} are taken (server.max_body_bytes)")
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the upload was broken off", code="upload_aborted")
        return body
    pieces, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the upload was broken off", code="upload_aborted")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > most:
            raise BodyTooLarge(f"the body has more than the {most} bytes that are taken (server.max_body_bytes)")
    return b"".join(pieces)


def _addressed(body: bytes, name: str) -> bytes:
    """MLflow names the endpoint in the path; the body then needs no model, and one that it has is not ours."""
    try:
        sent: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body  # the door says what is wrong with it
    return orjson.dumps({**sent, "model": name}) if isinstance(sent, dict) else body


def _said(headers: Headers, request: Json) -> Begin:
    """What a caller may say about a call, beside the call itself."""
    said: Begin = {}
    if isinstance(user := request.get("user"), str):
        said["user"] = user
    if SAYING.isdisjoint(headers):
        return said
    get = headers.get
    if (experiment := _text(get(b"x-gatelog-experiment"))) is not None:
        said["experiment"] = experiment
    if (session := _text(get(b"x-gatelog-session"))) is not None:
        said["session"] = session
    if (named := _text(get(b"x-gatelog-user"))) is not None:
        said["user"] = named
    if (key := _text(get(b"idempotency-key"))) is not None:
        if len(key) > 255:
            raise InvalidRequest("Idempotency-Key has more than 255 characters", param="Idempotency-Key")
        said["idempotency_key"] = key
    if (parent := _text(get(b"x-gatelog-parent-run-id"))) is not None:
        if RUN_ID.fullmatch(parent) is None:
            raise InvalidRequest(f"x-gatelog-parent-run-id is not a run's id: {parent!r}")
        said["parent_run_id"] = parent
    if (tags := get(b"x-gatelog-tags")) is not None:
        said["tags"] = _tags(tags)
    # What is not well-formed is as good as not sent: so the W3C has it, for the caller may only pass it on.
    if (context := get(b"traceparent")) is not None and (found := TRACEPARENT.match(context)) is not None:
        said["trace_id"], said["parent_span_id"] = found[1].decode(), found[2].decode()
    return said


def _text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        text = value.decode("latin-1").strip()
    return text or None


def _tags(sent: bytes) -> dict[str, str]:
    try:
        tags: Json = orjson.loads(sent)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"x-gatelog-tags is not JSON: {exc.msg}", param="x-gatelog-tags") from exc
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise InvalidRequest(
            'x-gatelog-tags must be a JSON object of strings, such as {"team": "search"}', param="x-gatelog-tags"
        )
    if len(tags) > TAGS_MOST:
        raise InvalidRequest(f"x-gatelog-tags has {len(tags)} tags; at most {TAGS_MOST}", param="x-gatelog-tags")
    for name, value in tags.items():
        if not name or len(name) > TAG_NAME_MOST or len(value) > TAG_VALUE_MOST:
            raise InvalidRequest(
                f"x-gatelog-tags: {name[:50]!r} must have 1 to {TAG_NAME_MOST} characters, its value at most "
                f"{TAG_VALUE_MOST}",
                param="x-gatelog-tags",
            )
    return tags
