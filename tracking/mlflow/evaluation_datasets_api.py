"""MLflow's routes for datasets of evaluation, whose records and tags come as JSON within JSON."""

from __future__ import annotations

import re
from typing import Any

import orjson

from providers.chat import Json
from tracking.evaluation_datasets import PAGE, PAGE_MOST, EvaluationDatasets
from tracking.mlflow.errors import invalid, missing
from tracking.mlflow.wire import Ask, Service, filled

NAME_MOST = 500
TAG_NAME_MOST, TAG_VALUE_MOST = 250, 5000
RECORDS_MOST = 10_000
_RECORD = re.compile(r"dr-[0-9a-f]{32}")


async def created(ask: Ask) -> Json:
    name = ask.text("name")
    if len(name) > NAME_MOST or not name.strip():
        raise invalid(f"name has {len(name)} characters; it takes 1 to {NAME_MOST}, and not only blanks")
    tags = {key: value for key, value in _tags(ask).items() if value is not None}
    return {"dataset": filled(await _datasets(ask).create(name, tags, _experiments(ask)))}


async def got(ask: Ask) -> Json:
    return {"dataset": filled(await _datasets(ask).get(_id(ask)))}


async def deleted(ask: Ask) -> Json:
    await _datasets(ask).delete(_id(ask))
    return {}


async def searched(ask: Ask) -> Json:
    found, token = await _datasets(ask).page(
        _experiments(ask),
        ask.text("filter_string", ""),
        ask.texts("order_by"),
        _size(ask),
        ask.text("page_token", "") or None,
    )
    return {"datasets": [filled(each) for each in found], "next_page_token": token}


async def tags_set(ask: Ask) -> Json:
    ask.text("tags")
    return {"dataset": filled(await _datasets(ask).set_tags(_id(ask), _tags(ask)))}


async def tag_deleted(ask: Ask) -> Json:
    await _datasets(ask).set_tags(_id(ask), {str(ask.request.path_params["key"]): None})
    return {}


async def records_upserted(ask: Ask) -> Json:
    records = _parsed(ask, "records")
    if not isinstance(records, list) or not all(map(_is_record, records)):
        raise ask.fault("records", "...", "JSON of a list of objects, each with an object of inputs")
    if len(records) > RECORDS_MOST:
        raise invalid(f"there are {len(records)} records; at most {RECORDS_MOST} are taken at a time")
    inserted, updated = await _datasets(ask).upsert(_id(ask), records)
    return {"inserted_count": inserted, "updated_count": updated}


async def records_got(ask: Ask) -> Json:
    after = ask.text("page_token", "") or None
    if after is not None and not _RECORD.fullmatch(after):
        raise invalid(f"{after[:50]!r} is no page token; send next_page_token of the page before as it came")
    found, following = await _datasets(ask).records(_id(ask), _size(ask), after)
    return {"records": orjson.dumps(found).decode() if found else None, "next_page_token": following}


async def records_deleted(ask: Ask) -> Json:
    return {"deleted_count": await _datasets(ask).delete_records(_id(ask), ask.texts("dataset_record_ids"))}


async def experiments_got(ask: Ask) -> Json:
    return {"experiment_ids": [str(each) for each in await _datasets(ask).experiments(_id(ask))]}


async def linked(ask: Ask) -> Json:
    return {"dataset": filled(await _datasets(ask).link(_id(ask), _experiments(ask)))}


async def unlinked(ask: Ask) -> Json:
    return {"dataset": filled(await _datasets(ask).unlink(_id(ask), _experiments(ask)))}


SERVICES: list[Service] = [
    ("POST", "3.0", "datasets/create", created, "track"),
    ("POST", "3.0", "datasets/search", searched, "read"),
    ("GET", "3.0", "datasets/search", searched, "read"),
    ("GET", "3.0", "datasets/{dataset_id}", got, "read"),
    ("DELETE", "3.0", "datasets/{dataset_id}", deleted, "track"),
    ("PATCH", "3.0", "datasets/{dataset_id}/tags", tags_set, "track"),
    ("DELETE", "3.0", "datasets/{dataset_id}/tags/{key:path}", tag_deleted, "track"),
    ("POST", "3.0", "datasets/{dataset_id}/records", records_upserted, "track"),
    ("GET", "3.0", "datasets/{dataset_id}/records", records_got, "read"),
    ("DELETE", "3.0", "datasets/{dataset_id}/records", records_deleted, "track"),
    ("GET", "3.0", "datasets/{dataset_id}/experiment-ids", experiments_got, "read"),
    ("POST", "3.0", "datasets/{dataset_id}/add-experiments", linked, "track"),
    ("POST", "3.0", "datasets/{dataset_id}/remove-experiments", unlinked, "track"),
]
"""In the order in which paths are tried."""


def _datasets(ask: Ask) -> EvaluationDatasets:
    datasets: EvaluationDatasets = ask.state.evaluation_datasets
    return datasets


def _id(ask: Ask) -> str:
    return str(ask.request.path_params["dataset_id"])


def _experiments(ask: Ask) -> list[int]:
    ids = ask.texts("experiment_ids")
    for id in ids:
        if not re.fullmatch(r"\d{1,18}", id, re.ASCII):
            raise missing(f"No Experiment with id={id[:100]} exists")
    return [int(id) for id in ids]


def _size(ask: Ask) -> int:
    size = ask.whole("max_results", PAGE)
    if not 1 <= size <= PAGE_MOST:
        raise invalid(f"max_results is {size}; say 1 to {PAGE_MOST}")
    return size


def _tags(ask: Ask) -> dict[str, str | None]:
    said = _parsed(ask, "tags") if ask.has("tags") else {}
    if not isinstance(said, dict):
        raise ask.fault("tags", said, "JSON of an object of strings")
    for name, value in said.items():
        if not (value is None or isinstance(value, str)):
            raise ask.fault("tags", value, "JSON of an object of strings")
        if not 0 < len(name) <= TAG_NAME_MOST or len(value or "") > TAG_VALUE_MOST:
            raise invalid(
                f"tag {name[:50]!r} takes 1 to {TAG_NAME_MOST} characters, its value at most {TAG_VALUE_MOST}"
            )
        if "\x00" in name or "\x00" in (value or ""):
            raise ask.fault("tags", name, "text without '\\x00', which the store cannot hold")
    return said


def _parsed(ask: Ask, name: str) -> Any:
    said = ask.text(name)
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError as exc:
        raise invalid(f"parameter '{name}' is not JSON: {exc}") from exc


def _is_record(record: Any) -> bool:
    match record:
        case {"inputs": dict()}:
            parts = (record.get("expectations"), record.get("tags"), record.get("source"))
            return all(part is None or isinstance(part, dict) for part in parts)
        case _:
            return False
