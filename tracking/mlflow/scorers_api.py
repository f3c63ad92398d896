"""MLflow's routes for the registry of scorers."""

from __future__ import annotations

import re

import orjson
from starlette.responses import Response

from providers.chat import Json
from tracking.mlflow.errors import invalid, missing
from tracking.mlflow.traces_api import whole_id
from tracking.mlflow.wire import Ask, Service, filled
from tracking.scorers import Scorers

NAME_MOST = 256


async def registered(ask: Ask) -> Json:
    name = ask.text("name")
    if len(name) > NAME_MOST or not name.strip():
        raise invalid(f"name has {len(name)} characters; it takes 1 to {NAME_MOST}, and not only blanks")
    serialized = ask.text("serialized_scorer")
    try:
        orjson.loads(serialized)
    except orjson.JSONDecodeError as exc:
        raise invalid(f"parameter 'serialized_scorer' is not JSON: {exc}") from exc
    return await _scorers(ask).register(whole_id(ask), name, serialized)


async def listed(ask: Ask) -> Json:
    ids = ask.texts("experiment_ids") or [ask.text("experiment_id")]
    for id in ids:
        if not re.fullmatch(r"\d{1,18}", id, re.ASCII):
            raise missing(f"No Experiment with id={id[:100]} exists")
    return {"scorers": await _scorers(ask).latest([int(id) for id in ids])}


async def versions(ask: Ask) -> Json:
    return {"scorers": await _scorers(ask).versions(whole_id(ask), ask.text("name"))}


async def got(ask: Ask) -> Json:
    return {"scorer": await _scorers(ask).get(whole_id(ask), ask.text("name"), _version(ask))}


async def deleted(ask: Ask) -> Json:
    await _scorers(ask).delete(whole_id(ask), ask.text("name"), _version(ask))
    return {}


async def scheduled(ask: Ask) -> Response:
    rate = ask.number("sample_rate")
    if not 0 <= rate <= 1:
        raise invalid(f"sample_rate must be between 0.0 and 1.0, got {rate}")
    config = await _scorers(ask).schedule(whole_id(ask), ask.text("name"), rate, ask.text("filter_string", None))
    return _json({"config": filled(config)})


async def schedules(ask: Ask) -> Response:
    configs = await _scorers(ask).schedules(ask.texts("scorer_ids"))
    return _json({"configs": [filled(config) for config in configs]})


SERVICES: list[Service] = [
    ("POST", "3.0", "scorers/register", registered, "track"),
    ("GET", "3.0", "scorers/list", listed, "read"),
    ("GET", "3.0", "scorers/versions", versions, "read"),
    ("GET", "3.0", "scorers/get", got, "read"),
    ("DELETE", "3.0", "scorers/delete", deleted, "track"),
    ("PUT", "3.0", "scorers/online-config", scheduled, "track"),
    ("GET", "3.0", "scorers/online-configs", schedules, "read"),
]


def _scorers(ask: Ask) -> Scorers:
    scorers: Scorers = ask.state.scorers
    return scorers


def _version(ask: Ask) -> int | None:
    version = ask.whole("version", None)
    if version is not None and version not in range(1, 2**31):
        raise ask.fault("version", version, "a whole number from 1")
    return version


def _json(body: Json) -> Response:
    """Here an empty list is said, and not left out."""
    return Response(orjson.dumps(body), media_type="application/json")
