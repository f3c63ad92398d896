"""What can be called: OpenAI's list of models, and MLflow's list of endpoints."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.directory import Directory
from gateway.policy import Endpoint as Handler
from gateway.policy import Policy
from gateway.routing import Endpoint
from providers.chat import Json
from providers.errors import InvalidRequest, NotFound

MLFLOW_TYPES = {"chat": "llm/v1/chat", "completions": "llm/v1/completions", "embeddings": "llm/v1/embeddings"}
MLFLOW_PAGE = 3000


async def models(request: Request) -> Response:
    """`GET /v1/models`: every endpoint of the config, and what the demo provider has."""
    directory = _directory(request)
    return _json({"object": "list", "data": [_model(name, owner) for name, owner in directory.models()]})


async def model(request: Request) -> Response:
    """`GET /v1/models/{id}`: one of them, or any `provider/model` of a configured provider."""
    wanted = request.path_params["id"]
    owner = _directory(request).owner(wanted)
    if owner is None:
        raise NotFound(f"there is no model {wanted!r}", code="model_not_found", param="model")
    return _json(_model(wanted, owner))


async def endpoints(request: Request) -> Response:
    """`GET /api/2.0/endpoints/`: what MLflow's deployments client lists."""
    found = sorted(_directory(request).endpoints(), key=lambda endpoint: endpoint.name)
    start = _start(request.query_params.get("page_token"))
    page: Json = {"endpoints": [_endpoint(each) for each in found[start : start + MLFLOW_PAGE]]}
    if start + MLFLOW_PAGE < len(found):
        page["next_page_token"] = base64.b64encode(orjson.dumps({"index": start + MLFLOW_PAGE})).decode()
    return _json(page)


async def endpoint(request: Request) -> Response:
    """`GET /api/2.0/endpoints/{name}`"""
    return _json(_endpoint(_directory(request).named(request.path_params["name"])))


ROUTES: list[tuple[str, Handler, list[str], Policy]] = [
    ("/v1/models", models, ["GET"], "call"),
    ("/v1/models/{id:path}", model, ["GET"], "call"),
    ("/api/2.0/endpoints/", endpoints, ["GET"], "call"),
    ("/api/2.0/endpoints/{name}", endpoint, ["GET"], "call"),
]


def _directory(request: Request) -> Directory:
    directory: Directory = request.app.state.directory
    return directory


def _model(name: str, owner: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _endpoint(endpoint: Endpoint) -> Json:
    target = endpoint.choices[0].target
    return {
        "name": endpoint.name,
        "endpoint_type": MLFLOW_TYPES[endpoint.kind],
        "model": {"name": target.model, "provider": target.provider.name},
        "endpoint_url": f"/gateway/{endpoint.name}/invocations",
        "limit": None,
    }


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        sent: Any = orjson.loads(base64.b64decode(token, validate=True))
        index = sent["index"]
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError) as exc:
        raise InvalidRequest(f"page_token {token!r} is not one of ours", param="page_token") from exc
    if type(index) is not int or index < 0:
        raise InvalidRequest(f"page_token {token!r} is not one of ours", param="page_token")
    return index


def _json(payload: Json) -> Response:
    return Response(orjson.dumps(payload), media_type="application/json")
