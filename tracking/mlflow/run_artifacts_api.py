"""MLflow's routes for the artifacts of a run, and of the version of a registered model."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response

from providers.chat import Json
from providers.errors import BodyTooLarge
from tracking.artifact_paths import Parts
from tracking.artifact_roots import ArtifactRoots
from tracking.logged_models import LoggedModels
from tracking.mlflow.artifacts_api import SECONDS, SECONDS_MOST, below, file_answer, listed_below, store_of
from tracking.mlflow.errors import MlflowError, invalid
from tracking.mlflow.wire import Ask, Caller, Row, Service, answer, answering, read
from tracking.registry import Registry

POSTED_MOST = 10 * 2**20
"""Bytes that MLflow's page may upload by its own route."""
_LOGGED_MODEL = re.compile(r"models:/(m-[0-9a-f]{32})")
_OF_RUN = re.compile(r"runs:/([0-9a-zA-Z_-]+)(?:/(.*))?")


async def listed(ask: Ask) -> Json:
    run = ask.text("run_id")
    uri = await _roots(ask).of_run(run, ask.only)
    return await listed_below(ask.request, uri, ask.text("path", ""), f"run {run!r}")


async def upload_url(ask: Ask) -> Json:
    run, model = ask.text("run_id", ""), ask.text("model_id", "")
    if bool(run) == bool(model):
        raise invalid("Exactly one of run_id and model_id must be provided.")
    models: LoggedModels = ask.state.logged_models
    uri = await _roots(ask).of_run(run, ask.only) if run else (await models.get(model)).artifact_uri
    file = below(uri, ask.text("path"), f"run {run!r}" if run else f"model {model!r}")
    found = await store_of(ask.request).upload_url(file, _seconds(ask))
    if found is None:
        raise _not_here("upload")
    return {"presigned_url": found.url, "headers": dict(found.headers)}


async def download_url(ask: Ask) -> Json:
    run = ask.text("run_id")
    file = below(await _roots(ask).of_run(run, ask.only), ask.text("path"), f"run {run!r}")
    found = await store_of(ask.request).download_url(file, _seconds(ask))
    if found is None:
        raise _not_here("download")
    return {"presigned_url": found.url, "headers": dict(found.headers), "file_size": found.size}


async def of_run(request: Request) -> Response:
    """`GET /get-artifact?run_id=&path=`"""
    return await file_answer(request, await _file_of_run(request))


async def of_version(request: Request) -> Response:
    """`GET /model-versions/get-artifact?name=&version=&path=`"""
    number = _needed(request, "version")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise invalid(f"Invalid value {number[:100]!r} for parameter 'version' supplied: it must be a whole number")
    registry: Registry = request.app.state.registry
    version = await registry.version(_needed(request, "name"), int(number))
    uri = await _resolved(request, version.location or version.source or "")
    return await file_answer(request, below(uri, _needed(request, "path"), f"version {number} of {version.name!r}"))


async def posted(request: Request) -> Response:
    """`POST upload-artifact?run_uuid=&path=`: a small file of MLflow's page."""
    file = await _file_of_run(request)
    try:
        body = await read(request, POSTED_MOST)
    except BodyTooLarge as exc:
        raise invalid("Artifact size is too large. Max size is 10MB.") from exc
    if not body:
        raise invalid("Request must specify data.")
    await store_of(request).put(file, _whole(body))
    return answer({})


SERVICES: list[Service] = [
    ("GET", "2.0", "artifacts/list", listed, "read"),
    ("POST", "2.0", "artifacts/presigned-upload-url", upload_url, "track"),
    ("POST", "2.0", "artifacts/presigned-download-url", download_url, "read"),
]
ROUTES: list[Row] = [
    ("/get-artifact", answering(of_run), ["GET"], "read"),
    ("/model-versions/get-artifact", answering(of_version), ["GET"], "read"),
    ("/ajax-api/2.0/mlflow/upload-artifact", answering(posted), ["POST"], "track"),
]


def _roots(ask: Ask) -> ArtifactRoots:
    roots: ArtifactRoots = ask.state.artifact_roots
    return roots


def _needed(request: Request, name: str) -> str:
    value = request.query_params.get(name, "")
    if not value:
        raise invalid(f"Missing value for required parameter '{name}'.")
    return value


async def _file_of_run(request: Request) -> Parts:
    run = request.query_params.get("run_id") or _needed(request, "run_uuid")
    roots: ArtifactRoots = request.app.state.artifact_roots
    caller: Caller = request.scope["caller"]
    uri = await roots.of_run(run, caller.key_id if caller.role == "caller" else None)
    return below(uri, _needed(request, "path"), f"run {run!r}")


async def _resolved(request: Request, uri: str) -> str:
    """The place that a version's source stands for."""
    if (model := _LOGGED_MODEL.fullmatch(uri)) is not None:
        models: LoggedModels = request.app.state.logged_models
        return (await models.get(model[1])).artifact_uri
    if (run := _OF_RUN.fullmatch(uri)) is not None:
        roots: ArtifactRoots = request.app.state.artifact_roots
        root = await roots.of_run(run[1])
        return f"{root}/{run[2]}" if run[2] else root
    return uri


def _seconds(ask: Ask) -> int:
    seconds = ask.whole("expiration", SECONDS)
    if not 1 <= seconds <= SECONDS_MOST:
        raise invalid(f"expiration must be between 1 and {SECONDS_MOST} seconds (got {seconds}).")
    return seconds


def _not_here(direction: str) -> MlflowError:
    return MlflowError("NOT_IMPLEMENTED", f"Presigned {direction} is not supported for the current artifact repository")


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body
