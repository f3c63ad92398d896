"""MLflow's routes for logged models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from providers.chat import Json
from tracking.artifact_paths import Parts
from tracking.logged_models import STATUSES, LoggedModel, LoggedModels, Status
from tracking.mlflow.artifacts_api import below, file_answer, listed_below
from tracking.mlflow.errors import MlflowError, invalid
from tracking.mlflow.wire import PREFIXES, Ask, Row, Service, answering, filled, shown
from tracking.model_search import Dataset, Metric, ModelSearch, OrderBy

PAGE = 50
PREFIX = "LOGGED_MODEL_"
_STATUS: dict[str, Status] = {PREFIX + status: status for status in STATUSES}


async def create(ask: Ask) -> Json:
    model = await models_of(ask).create(
        experiment_id(ask.text("experiment_id")),
        ask.text("name", None),
        ask.text("model_type", None),
        ask.text("source_run_id", None),
        _pairs(ask, "params"),
        _pairs(ask, "tags"),
    )
    return _model(model, ())


async def get(ask: Ask) -> Json:
    model = await models_of(ask).get(ask.text("model_id"), deleted=ask.flag("allow_deleted", False))
    return _model(model, await _search(ask).metrics(model.id))


async def finalize(ask: Ask) -> Json:
    status = _STATUS[ask.one_of("status", list(_STATUS))]
    model = await models_of(ask).finalize(ask.text("model_id"), status)
    return _model(model, await _search(ask).metrics(model.id))


async def delete(ask: Ask) -> Json:
    await models_of(ask).delete(ask.text("model_id"))
    return {}


async def set_tags(ask: Ask) -> Json:
    await models_of(ask).set_tags(ask.text("model_id"), _pairs(ask, "tags"))
    return {}


async def delete_tag(ask: Ask) -> Json:
    await models_of(ask).delete_tag(ask.text("model_id"), ask.text("tag_key"))
    return {}


async def log_params(ask: Ask) -> Json:
    await models_of(ask).log_params(ask.text("model_id"), _pairs(ask, "params"))
    return {}


async def search(ask: Ask) -> Json:
    if not ask.has("experiment_ids"):
        raise ask.missing("experiment_ids")
    models, metrics, token = await _search(ask).page(
        [experiment_id(id) for id in ask.texts("experiment_ids")],
        ask.text("filter", ""),
        [_dataset(each) for each in ask.objects("datasets")],
        [_order_by(each) for each in ask.objects("order_by")],
        ask.whole("max_results", PAGE),
        ask.text("page_token", "") or None,
    )
    return {
        "models": [_model(model, metrics.get(model.id, ()))["model"] for model in models],
        "next_page_token": token,
    }


async def directories(ask: Ask) -> Json:
    model = await models_of(ask).get(ask.text("model_id"))
    path = ask.text("artifact_directory_path", "")
    return await listed_below(ask.request, model.artifact_uri, path, f"model {model.id!r}")


async def file(request: Request) -> Response:
    """`GET logged-models/{id}/artifacts/files?artifact_file_path=`"""
    models: LoggedModels = request.app.state.logged_models
    model = await models.get(request.path_params["model_id"])
    path = request.query_params.get("artifact_file_path", "")
    if not path:
        raise MlflowError("BAD_REQUEST", 'Request must include the "artifact_file_path" query parameter.')
    return await file_answer(request, place(model, path))


SERVICES: list[Service] = [
    ("POST", "2.0", "logged-models", create, "track"),
    ("POST", "2.0", "logged-models/search", search, "read"),
    ("GET", "2.0", "logged-models/{model_id}", get, "read"),
    ("PATCH", "2.0", "logged-models/{model_id}", finalize, "track"),
    ("DELETE", "2.0", "logged-models/{model_id}", delete, "track"),
    ("PATCH", "2.0", "logged-models/{model_id}/tags", set_tags, "track"),
    ("DELETE", "2.0", "logged-models/{model_id}/tags/{tag_key:path}", delete_tag, "track"),
    ("POST", "2.0", "logged-models/{model_id}/params", log_params, "track"),
    ("GET", "2.0", "logged-models/{model_id}/artifacts/directories", directories, "read"),
]
ROUTES: list[Row] = [
    (f"{prefix}/2.0/mlflow/logged-models/{{model_id}}/artifacts/files", answering(file), ["GET"], "read")
    for prefix in PREFIXES
]


def models_of(ask: Ask) -> LoggedModels:
    models: LoggedModels = ask.state.logged_models
    return models


def place(model: LoggedModel, path: str) -> Parts:
    """Where a file of a model is kept."""
    return below(model.artifact_uri, path, f"model {model.id!r}")


def experiment_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise invalid(f"Invalid value {text[:100]!r} for parameter 'experiment_id' supplied: it must be a whole number")
    return int(text)


def _search(ask: Ask) -> ModelSearch:
    search: ModelSearch = ask.state.model_search
    return search


def _pairs(ask: Ask, name: str) -> dict[str, str]:
    return {pair.text("key"): pair.text("value", "") for pair in ask.objects(name)}


def _dataset(ask: Ask) -> Dataset:
    return Dataset(ask.text("dataset_name"), ask.text("dataset_digest", "") or None)


def _order_by(ask: Ask) -> OrderBy:
    name = ask.text("dataset_name", "")
    dataset = Dataset(name, ask.text("dataset_digest", "") or None) if name else None
    return OrderBy(ask.text("field_name"), ask.flag("ascending", True), dataset)


def _model(model: LoggedModel, metrics: Sequence[Metric]) -> Json:
    info = {
        "model_id": model.id,
        "experiment_id": str(model.experiment_id),
        "name": model.name,
        "creation_timestamp_ms": model.created_us // 1000,
        "last_updated_timestamp_ms": model.updated_us // 1000,
        "artifact_uri": model.artifact_uri,
        "status": PREFIX + model.status,
        "model_type": model.model_type or "",
        "source_run_id": model.source_run_id,
        "tags": _listed(model.tags),
    }
    measured = [_metric(model, metric) for metric in metrics]
    data = filled({"params": _listed(model.params), "metrics": measured})
    return {"model": filled({"info": filled(info), "data": data})}


def _listed(pairs: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


def _metric(model: LoggedModel, metric: Metric) -> Json:
    return filled(
        {
            "key": metric.key,
            "value": shown(math.nan if metric.value is None else metric.value),
            "timestamp": metric.timestamp_ms,
            "step": metric.step,
            "model_id": model.id,
            "run_id": metric.run_id,
            "dataset_name": metric.dataset_name,
            "dataset_digest": metric.dataset_digest,
        }
    )
