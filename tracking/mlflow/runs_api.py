"""MLflow's routes for runs: what they are, what is logged of them, and the search for them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from providers.chat import Json
from tracking import run_names as names
from tracking.logged_runs import STATUSES, Dataset, LoggedRuns, Metric
from tracking.mlflow.errors import invalid
from tracking.mlflow.experiments_api import page_size
from tracking.mlflow.wire import Ask, Service
from tracking.run_search import VIEWS, RunSearch

PAGE, PAGE_MOST = 1_000, 50_000
BATCH_BYTES_MOST = 1_000_000
MODELS_MOST = 1_000
MODEL_NEEDS = frozenset({"artifact_path", "flavors", "utc_time_created", "run_id"})
MODEL_KEEPS = ("run_id", "artifact_path", "utc_time_created", "model_uuid")
LATEST_MS = 2**63 // 1000 - 1
"""Times are kept in microseconds."""


async def create(ask: Ask) -> Json:
    experiment = names.experiment_id(ask.text("experiment_id", "") or "0")
    tags = _tags(ask.objects("tags"))
    name, user = ask.text("run_name", "") or None, ask.text("user_id", "") or None
    id = await _logged(ask).create(experiment, name, user, _moment(ask, "start_time"), tags)
    return {"run": await _search(ask).get(id)}


async def get(ask: Ask) -> Json:
    return {"run": await _search(ask).get(ask.text("run_id"), key_id=ask.only)}


async def update(ask: Ask) -> Json:
    id = ask.text("run_id")
    status = ask.one_of("status", STATUSES) if ask.has("status") else None
    await _logged(ask).update(id, status, _moment(ask, "end_time"), ask.text("run_name", "") or None)
    run = await _search(ask).get(id)
    return {"run_info": run["info"]}


async def delete(ask: Ask) -> Json:
    await _logged(ask).delete(ask.text("run_id"))
    return {}


async def restore(ask: Ask) -> Json:
    await _logged(ask).restore(ask.text("run_id"))
    return {}


async def log_metric(ask: Ask) -> Json:
    await _logged(ask).log(ask.text("run_id"), [_metric(ask, "name")], {}, {}, key_id=ask.only)
    return {}


async def log_param(ask: Ask) -> Json:
    await _logged(ask).log(ask.text("run_id"), [], dict([_param(ask, "key")]), {}, key_id=ask.only)
    return {}


async def set_tag(ask: Ask) -> Json:
    await _logged(ask).log(ask.text("run_id"), [], {}, _tags([ask]), key_id=ask.only)
    return {}


async def delete_tag(ask: Ask) -> Json:
    await _logged(ask).delete_tag(ask.text("run_id"), ask.text("key"), key_id=ask.only)
    return {}


async def log_batch(ask: Ask) -> Json:
    length = int(ask.request.headers.get("content-length", "0"))
    if length > BATCH_BYTES_MOST:
        raise invalid(
            f"Batched logging API requests must be at most {BATCH_BYTES_MOST} bytes, got a request of size {length}."
        )
    id = ask.text("run_id")
    metrics, params, tags = ask.objects("metrics"), ask.objects("params"), ask.objects("tags")
    names.batch(len(metrics), len(params), len(tags))
    names.unique(each.text("key") for each in params)
    measured = [_metric(each, f"metrics[{n}].name") for n, each in enumerate(metrics)]
    given = dict(_param(each, f"params[{n}].key") for n, each in enumerate(params))
    await _logged(ask).log(id, measured, given, _tags(tags, "tags"), key_id=ask.only)
    return {}


async def log_model(ask: Ask) -> Json:
    """As clients of MLflow 2 do it; those of MLflow 3 have routes of their own for models."""
    id, text = ask.text("run_id"), ask.text("model_json")
    try:
        model = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise invalid(f"Malformed model info. \n {text[:200]} \n is not a valid JSON.") from exc
    if not isinstance(model, dict):
        raise ask.fault("model_json", text[:100], "a JSON object")
    if absent := MODEL_NEEDS - model.keys():
        raise invalid(f"Model json is missing mandatory fields: {sorted(absent)}")
    if not isinstance(model["flavors"], dict):
        raise ask.fault("model_json.flavors", model["flavors"], "an object")
    kept = {name: model[name] for name in MODEL_KEEPS if name in model}
    kept["flavors"] = {name: _plain(flavor) for name, flavor in model["flavors"].items()}
    await _logged(ask).log_model(id, kept, key_id=ask.only)
    return {}


async def log_inputs(ask: Ask) -> Json:
    id = ask.text("run_id")
    datasets = [_dataset(each) for each in ask.objects("datasets")]
    models = [each.text("model_id") for each in ask.objects("models")]
    _few(len(datasets), "datasets")
    _few(len(models), "models")
    await _logged(ask).log_inputs(id, datasets, models, key_id=ask.only)
    return {}


async def log_outputs(ask: Ask) -> Json:
    id = ask.text("run_id")
    models = [(each.text("model_id"), each.whole("step", 0)) for each in ask.objects("models")]
    _few(len(models), "models")
    await _logged(ask).log_outputs(id, models, key_id=ask.only)
    return {}


async def search(ask: Ask) -> Json:
    found, token = await _search(ask).page(
        [names.experiment_id(text) for text in ask.texts("experiment_ids")],
        ask.text("filter", ""),
        ask.texts("order_by"),
        page_size(ask, PAGE, PAGE_MOST),
        ask.text("page_token", "") or None,
        ask.one_of("run_view_type", VIEWS, "ACTIVE_ONLY"),
        key_id=ask.only,
    )
    return {"runs": found, "next_page_token": token}


SERVICES: list[Service] = [
    ("POST", "2.0", "runs/create", create, "track"),
    ("GET", "2.0", "runs/get", get, "read"),
    ("POST", "2.0", "runs/update", update, "track"),
    ("POST", "2.0", "runs/delete", delete, "track"),
    ("POST", "2.0", "runs/restore", restore, "track"),
    ("POST", "2.0", "runs/log-metric", log_metric, "track"),
    ("POST", "2.0", "runs/log-parameter", log_param, "track"),
    ("POST", "2.0", "runs/log-batch", log_batch, "track"),
    ("POST", "2.0", "runs/set-tag", set_tag, "track"),
    ("POST", "2.0", "runs/delete-tag", delete_tag, "track"),
    ("POST", "2.0", "runs/log-model", log_model, "track"),
    ("POST", "2.0", "runs/log-inputs", log_inputs, "track"),
    ("POST", "2.0", "runs/outputs", log_outputs, "track"),
    ("POST", "2.0", "runs/search", search, "read"),
]


def _plain(flavor: object) -> object:
    """Without the configuration, which may be of any size."""
    return {name: value for name, value in flavor.items() if name != "config"} if isinstance(flavor, dict) else flavor


def _logged(ask: Ask) -> LoggedRuns:
    store: LoggedRuns = ask.state.logged_runs
    return store


def _search(ask: Ask) -> RunSearch:
    search: RunSearch = ask.state.run_search
    return search


def _moment(ask: Ask, name: str) -> int | None:
    """Milliseconds since the epoch."""
    ms = ask.whole(name, None)
    if ms is not None and abs(ms) > LATEST_MS:
        raise ask.fault(name, ms, "a time in milliseconds since 1970")
    return ms


def _metric(ask: Ask, path: str) -> Metric:
    return Metric(
        key=names.key(ask.text("key"), path),
        value=ask.number("value"),
        timestamp_ms=ask.whole("timestamp"),
        step=ask.whole("step", 0),
        model_id=ask.text("model_id", "") or None,
        dataset_name=ask.text("dataset_name", "") or None,
        dataset_digest=ask.text("dataset_digest", "") or None,
    )


def _param(ask: Ask, path: str) -> tuple[str, str]:
    key = names.key(ask.text("key"), path)
    return key, names.limited(ask.text("value", ""), "Param value", names.PARAM_VALUE_MOST)


def _tags(tags: Sequence[Ask], where: str = "") -> dict[str, str]:
    found = {}
    for n, each in enumerate(tags):
        path = f"{where}[{n}]." if where else ""
        key = names.key(each.text("key"), f"{path}key")
        found[key] = names.limited(each.text("value", ""), f"{path}value", names.TAG_VALUE_MOST)
    return found


def _dataset(ask: Ask) -> Dataset:
    told = ask.needed("dataset")
    limited, tags = names.limited, []
    for tag in ask.objects("tags"):
        key = limited(tag.text("key"), "key", names.INPUT_TAG_KEY_MOST)
        tags.append({"key": key, "value": limited(tag.text("value", ""), "value", names.INPUT_TAG_VALUE_MOST)})
    schema, profile = told.text("schema", None), told.text("profile", None)
    return Dataset(
        name=limited(told.text("name"), "name", names.DATASET_NAME_MOST),
        digest=limited(told.text("digest"), "digest", names.DATASET_DIGEST_MOST),
        source_type=told.text("source_type"),
        source=limited(told.text("source"), "source", names.DATASET_SOURCE_MOST),
        schema=None if schema is None else limited(schema, "schema", names.DATASET_SCHEMA_MOST),
        profile=None if profile is None else limited(profile, "profile", names.DATASET_PROFILE_MOST),
        tags=tags,
    )


def _few(count: int, what: str) -> None:
    if count > MODELS_MOST:
        raise invalid(f"A request can contain at most {MODELS_MOST} {what}. Got {count} {what}.")
