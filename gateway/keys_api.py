"""The REST API for keys: list, make, revoke. For administrators."""

from __future__ import annotations

from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from gateway.keys import NAME_MOST, Caller, Keys, Role
from gateway.policy import Endpoint, Policy
from providers.chat import Json
from providers.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType
from tracking.database import answering
from tracking.keys import KeyRecord

BODY_MOST = 16 << 10
PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class NewKey(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1, max_length=NAME_MOST)]
    role: Role = "caller"
    expires_us: int | None = None
    """Microseconds since the epoch; a key without is good until it is revoked."""


async def listed(request: Request) -> Response:
    """`GET /api/keys`: all keys that there ever were, the newest first, none of them readable."""
    with answering():
        records = await _keys(request).all()
    return _json({"keys": [public(record) for record in records]})


async def created(request: Request) -> Response:
    """`POST /api/keys`: a new key. This answer is the only place where it can be read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("send the key's name as JSON, with 'content-type: application/json'")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_MOST:
            raise BodyTooLarge(f"the body has more than {BODY_MOST} bytes")
    try:
        wanted = NewKey.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or None
        raise InvalidRequest(f"{where or 'the body'}: {first['msg']}", param=where) from exc
    caller: Caller = request.scope["caller"]
    with answering():
        record, key = await _keys(request).create(wanted.name, wanted.role, by=caller, expires_us=wanted.expires_us)
    return _json({**public(record), "key": key.reveal()}, 201)


async def revoked(request: Request) -> Response:
    """`DELETE /api/keys/{id}`: from now on nobody can use it. Its runs stay."""
    with answering():
        await _keys(request).revoke(request.path_params["id"])
    return Response(status_code=204, headers=PRIVATE)


ROUTES: list[tuple[str, Endpoint, list[str], Policy]] = [
    ("/api/keys", listed, ["GET"], "admin"),
    ("/api/keys", created, ["POST"], "admin"),
    ("/api/keys/{id}", revoked, ["DELETE"], "admin"),
]
"""(path, endpoint, methods, policy)"""


def public(record: KeyRecord) -> Json:
    """A key as it may be shown."""
    return {
        "id": record.id,
        "name": record.name,
        "role": record.role,
        "hint": f"gl-{record.first4}...{record.last4}",
        "created_us": record.created_us,
        "created_by": record.created_by,
        "expires_us": record.expires_us,
        "revoked_us": record.revoked_us,
        "last_used_us": record.last_used_us,
    }


def _keys(request: Request) -> Keys:
    keys: Keys = request.app.state.keys
    return keys


def _json(body: Json, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json", headers=PRIVATE)
