"""MLflow's routes for experiments."""

from __future__ import annotations

from providers.chat import Json
from tracking import run_names as names
from tracking.experiments import Experiments
from tracking.mlflow.errors import invalid
from tracking.mlflow.wire import Ask, Service
from tracking.run_search import VIEWS, RunSearch

PAGE, PAGE_MOST = 1_000, 50_000
DATASETS_OF_MOST = 20
LOCATION_MOST = 500


async def create(ask: Ask) -> Json:
    name = names.limited(ask.text("name"), "name", names.EXPERIMENT_NAME_MOST)
    location = names.limited(ask.text("artifact_location", ""), "artifact_location", LOCATION_MOST)
    if any(each in location for each in "#?;"):
        raise invalid(f"Invalid value {location!r} for parameter 'artifact_location' supplied: it has one of # ? ;")
    tags = dict(_tag(each) for each in ask.objects("tags"))
    return {"experiment_id": str(await _store(ask).create(name, location or None, tags))}


async def get(ask: Ask) -> Json:
    return {"experiment": await _store(ask).get(_id(ask))}


async def named(ask: Ask) -> Json:
    return {"experiment": await _store(ask).named(ask.text("experiment_name"))}


async def update(ask: Ask) -> Json:
    id, name = _id(ask), ask.text("new_name", "")
    if name:
        await _store(ask).rename(id, names.limited(name, "new_name", names.EXPERIMENT_NAME_MOST))
    return {}


async def delete(ask: Ask) -> Json:
    await _store(ask).delete(_id(ask))
    return {}


async def restore(ask: Ask) -> Json:
    await _store(ask).restore(_id(ask))
    return {}


async def set_tag(ask: Ask) -> Json:
    await _store(ask).set_tag(_id(ask), *_tag(ask))
    return {}


async def delete_tag(ask: Ask) -> Json:
    await _store(ask).delete_tag(_id(ask), ask.text("key"))
    return {}


async def search(ask: Ask) -> Json:
    found, token = await _store(ask).page(
        ask.text("filter", ""),
        ask.texts("order_by"),
        page_size(ask, PAGE, PAGE_MOST),
        ask.text("page_token", "") or None,
        ask.one_of("view_type", VIEWS, "ACTIVE_ONLY"),
    )
    return {"experiments": found, "next_page_token": token}


async def datasets(ask: Ask) -> Json:
    ids = [names.experiment_id(text) for text in ask.texts("experiment_ids")]
    if not ids:
        raise invalid("SearchDatasets request must specify at least one experiment_id.")
    if len(ids) > DATASETS_OF_MOST:
        raise invalid(
            f"SearchDatasets request cannot specify more than {DATASETS_OF_MOST} experiment_ids. "
            f"Received {len(ids)} experiment_ids."
        )
    search: RunSearch = ask.state.run_search
    return {"dataset_summaries": await search.datasets(ids)}


SERVICES: list[Service] = [
    ("POST", "2.0", "experiments/create", create, "track"),
    ("GET", "2.0", "experiments/get", get, "read"),
    ("GET", "2.0", "experiments/get-by-name", named, "read"),
    ("POST", "2.0", "experiments/update", update, "track"),
    ("POST", "2.0", "experiments/delete", delete, "track"),
    ("POST", "2.0", "experiments/restore", restore, "track"),
    ("POST", "2.0", "experiments/set-experiment-tag", set_tag, "track"),
    ("POST", "2.0", "experiments/delete-experiment-tag", delete_tag, "track"),
    ("POST", "2.0", "experiments/search", search, "read"),
    ("GET", "2.0", "experiments/search", search, "read"),
    ("POST", "2.0", "experiments/search-datasets", datasets, "read"),
]


def page_size(ask: Ask, default: int, most: int) -> int:
    size = ask.whole("max_results", default)
    if not 1 <= size <= most:
        raise ask.fault("max_results", size, f"a positive integer of at most {most}")
    return size


def _store(ask: Ask) -> Experiments:
    store: Experiments = ask.state.experiments
    return store


def _id(ask: Ask) -> int:
    return names.experiment_id(ask.text("experiment_id"))


def _tag(ask: Ask) -> tuple[str, str]:
    key = names.key(ask.text("key"), "key")
    return key, names.limited(ask.text("value", ""), "value", names.EXPERIMENT_TAG_MOST)
