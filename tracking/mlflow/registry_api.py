"""MLflow's routes for registered models and their versions, over which it also lays its prompts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from providers.chat import Json
from tracking import registry_names as names
from tracking.alias_moves import Move
from tracking.logged_models import LoggedModels
from tracking.mlflow.errors import MlflowError, invalid
from tracking.mlflow.wire import Ask, Service, filled
from tracking.registry import Registry
from tracking.registry_rows import Model, Tags, Version
from tracking.registry_search import RegistrySearch

MODELS, MODELS_MOST = 100, 1000
VERSIONS, VERSIONS_MOST = 10_000, 200_000
_LOGGED_MODEL = re.compile(r"m-[0-9a-f]{32}")
_REFERENCE = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>\d{1,15})|@(?P<alias>[\w-]+))")
LOCAL = frozenset({"", "file"})


async def create_model(ask: Ask) -> Json:
    model = await _registry(ask).create_model(ask.text("name"), _tags(ask), ask.text("description", None))
    return {"registered_model": shown(model)}


async def rename_model(ask: Ask) -> Json:
    return {"registered_model": shown(await _registry(ask).rename(ask.text("name"), ask.text("new_name")))}


async def update_model(ask: Ask) -> Json:
    described = await _registry(ask).describe(ask.text("name"), ask.text("description", ""))
    return {"registered_model": shown(described)}


async def delete_model(ask: Ask) -> Json:
    await _registry(ask).delete_model(ask.text("name"), Move(by=ask.caller))
    return {}


async def get_model(ask: Ask) -> Json:
    return {"registered_model": shown(await _registry(ask).model(ask.text("name")))}


async def search_models(ask: Ask) -> Json:
    size = _size(ask, MODELS, MODELS_MOST)
    found, token = await _search(ask).models(
        ask.text("filter", ""), ask.texts("order_by"), size, ask.text("page_token", "") or None
    )
    return {"registered_models": [shown(model) for model in found], "next_page_token": token}


async def latest_versions(ask: Ask) -> Json:
    found = await _registry(ask).latest(ask.text("name"), ask.texts("stages"))
    return {"model_versions": [shown_version(version) for version in found]}


async def set_model_tag(ask: Ask) -> Json:
    await _registry(ask).set_tag(ask.text("name"), ask.text("key"), ask.text("value", ""))
    return {}


async def delete_model_tag(ask: Ask) -> Json:
    await _registry(ask).delete_tag(ask.text("name"), ask.text("key"))
    return {}


async def set_alias(ask: Ask) -> Json:
    await _registry(ask).set_alias(ask.text("name"), ask.text("alias"), _number(ask), Move(by=ask.caller))
    return {}


async def delete_alias(ask: Ask) -> Json:
    await _registry(ask).delete_alias(ask.text("name"), ask.text("alias"), Move(by=ask.caller))
    return {}


async def get_by_alias(ask: Ask) -> Json:
    return {"model_version": shown_version(await _registry(ask).by_alias(ask.text("name"), ask.text("alias")))}


async def create_version(ask: Ask) -> Json:
    source, tags = ask.text("source"), _tags(ask)
    location, run_id = None, ask.text("run_id", "")
    if not names.is_prompt(tags):
        location, run_id = await _origin(ask, source, run_id)
    version = await _registry(ask).create_version(
        ask.text("name"),
        source,
        location=location,
        run_id=run_id,
        run_link=ask.text("run_link", ""),
        logged_model_id=ask.text("model_id", "") or None,
        user_id=ask.caller.name,
        description=ask.text("description", ""),
        tags=tags,
    )
    return {"model_version": shown_version(version)}


async def update_version(ask: Ask) -> Json:
    version = await _registry(ask).describe_version(ask.text("name"), _number(ask), ask.text("description", None))
    return {"model_version": shown_version(version)}


async def transition(ask: Ask) -> Json:
    version = await _registry(ask).transition(
        ask.text("name"), _number(ask), ask.text("stage"), ask.flag("archive_existing_versions", False)
    )
    return {"model_version": shown_version(version)}


async def delete_version(ask: Ask) -> Json:
    await _registry(ask).delete_version(ask.text("name"), _number(ask), Move(by=ask.caller))
    return {}


async def get_version(ask: Ask) -> Json:
    return {"model_version": shown_version(await _registry(ask).version(ask.text("name"), _number(ask)))}


async def search_versions(ask: Ask) -> Json:
    size = _size(ask, VERSIONS, VERSIONS_MOST)
    found, token = await _search(ask).versions(
        ask.text("filter", ""), ask.texts("order_by"), size, ask.text("page_token", "") or None
    )
    return {"model_versions": [shown_version(version) for version in found], "next_page_token": token}


async def download_uri(ask: Ask) -> Json:
    version = await _registry(ask).version(ask.text("name"), _number(ask))
    return {"artifact_uri": version.location or version.source}


async def set_version_tag(ask: Ask) -> Json:
    await _registry(ask).set_version_tag(ask.text("name"), _number(ask), ask.text("key"), ask.text("value", ""))
    return {}


async def delete_version_tag(ask: Ask) -> Json:
    await _registry(ask).delete_version_tag(ask.text("name"), _number(ask), ask.text("key"))
    return {}


SERVICES: list[Service] = [
    ("POST", "2.0", "registered-models/create", create_model, "track"),
    ("POST", "2.0", "registered-models/rename", rename_model, "track"),
    ("PATCH", "2.0", "registered-models/update", update_model, "track"),
    ("DELETE", "2.0", "registered-models/delete", delete_model, "track"),
    ("GET", "2.0", "registered-models/get", get_model, "read"),
    ("GET", "2.0", "registered-models/search", search_models, "read"),
    ("POST", "2.0", "registered-models/get-latest-versions", latest_versions, "read"),
    ("GET", "2.0", "registered-models/get-latest-versions", latest_versions, "read"),
    ("POST", "2.0", "registered-models/set-tag", set_model_tag, "track"),
    ("DELETE", "2.0", "registered-models/delete-tag", delete_model_tag, "track"),
    ("POST", "2.0", "registered-models/alias", set_alias, "track"),
    ("DELETE", "2.0", "registered-models/alias", delete_alias, "track"),
    ("GET", "2.0", "registered-models/alias", get_by_alias, "read"),
    ("POST", "2.0", "model-versions/create", create_version, "track"),
    ("PATCH", "2.0", "model-versions/update", update_version, "track"),
    ("POST", "2.0", "model-versions/transition-stage", transition, "track"),
    ("DELETE", "2.0", "model-versions/delete", delete_version, "track"),
    ("GET", "2.0", "model-versions/get", get_version, "read"),
    ("GET", "2.0", "model-versions/search", search_versions, "read"),
    ("GET", "2.0", "model-versions/get-download-uri", download_uri, "read"),
    ("POST", "2.0", "model-versions/set-tag", set_version_tag, "track"),
    ("DELETE", "2.0", "model-versions/delete-tag", delete_version_tag, "track"),
]


def shown(model: Model) -> Json:
    return filled(
        {
            "name": model.name,
            "creation_timestamp": model.created_us // 1000,
            "last_updated_timestamp": model.updated_us // 1000,
            "description": model.description or None,
            "latest_versions": [shown_version(version) for version in model.latest],
            "tags": _pairs(model.tags),
            "aliases": [{"alias": alias, "version": str(version)} for alias, version in model.aliases.items()],
        }
    )


def shown_version(version: Version) -> Json:
    return filled(
        {
            "name": version.name,
            "version": str(version.version),
            "creation_timestamp": version.created_us // 1000,
            "last_updated_timestamp": version.updated_us // 1000,
            "user_id": version.user_id,
            "current_stage": version.stage,
            "description": version.description or "",
            "source": version.source,
            "run_id": version.run_id or "",
            "status": "READY",
            "tags": _pairs(version.tags),
            "run_link": version.run_link or "",
            "aliases": list(version.aliases),
            "model_id": version.logged_model_id,
        }
    )


def _registry(ask: Ask) -> Registry:
    registry: Registry = ask.state.registry
    return registry


def _search(ask: Ask) -> RegistrySearch:
    search: RegistrySearch = ask.state.registry_search
    return search


def _number(ask: Ask) -> int:
    version = ask.body.get("version")
    return names.version(str(version) if type(version) is int else ask.text("version"))


def _size(ask: Ask, usual: int, most: int) -> int:
    size = ask.whole("max_results", usual)
    if not 1 <= size <= most:
        raise invalid(
            f"Invalid value {size} for parameter 'max_results' supplied: It must be at least 1 and at most {most}"
        )
    return size


def _tags(ask: Ask) -> Tags:
    return {tag.text("key"): tag.text("value", "") for tag in ask.objects("tags")}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


async def _origin(ask: Ask, source: str, run_id: str) -> tuple[str | None, str]:
    """Where the files of a new version are, and the run that made them."""
    _named_place(source)
    if not source.startswith("models:"):
        return None, run_id
    if _LOGGED_MODEL.fullmatch(source.removeprefix("models:/")):
        models: LoggedModels = ask.state.logged_models
        model = await models.get(source.removeprefix("models:/"))
        return model.artifact_uri, run_id or model.source_run_id or ""
    reference = _REFERENCE.fullmatch(source)
    if reference is None:
        raise _bad_source(source, "it is none of models:/m-<id>, models:/<name>/<version> and models:/<name>@<alias>")
    registry, name = _registry(ask), reference["name"]
    if (await registry.model(name)).is_prompt:
        raise _bad_source(source, "Prompt versions cannot be used as model version sources.")
    if reference["alias"]:
        copied = await registry.by_alias(name, reference["alias"])
    else:
        copied = await registry.version(name, names.version(reference["version"]))
    return copied.location or copied.source, run_id or copied.run_id or ""


def _named_place(source: str) -> None:
    """A version's source is a URI that means the same to everybody: no path on some machine, none with steps up."""
    try:
        scheme = urlsplit(source).scheme
    except ValueError as exc:
        raise _bad_source(source, str(exc)) from exc
    plain = source
    while (less := unquote(plain)) != plain:
        plain = less
    if scheme in LOCAL:
        raise _bad_source(source, "a local path is on one machine only; log the model to a run, or name a URI")
    if "\x00" in plain or ".." in re.split(r"[/\\]", plain):
        raise _bad_source(source, "it must be absolute, without relative path references")


def _bad_source(source: str, why: str) -> MlflowError:
    return invalid(f"Invalid model version source: '{source[:300]}'. {why}")
