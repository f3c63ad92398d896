"""Prompts of the registry, read from the tags in which MLflow keeps them: what is said, and how the model is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.registry_names import is_prompt
from tracking.registry_rows import Version

TEXT, TYPE = "mlflow.prompt.text", "_mlflow_prompt_type"
RESPONSE_FORMAT, MODEL_CONFIG = "_mlflow_prompt_response_format", "_mlflow_prompt_model_config"
RENAMED = {"stop_sequences": "stop"}
"""Parameters that MLflow calls otherwise than OpenAI."""
NOT_PARAMETERS = frozenset({"provider", "model_name", "model", "extra_params"})
FORMATS = frozenset({"text", "json_object", "json_schema"})
"""OpenAI's types of `response_format`. MLflow keeps a JSON Schema, whose type is another."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version. `messages` are templates: `{{name}}` in their texts is a variable."""

    name: str
    version: int
    messages: tuple[Json, ...]
    models: tuple[str, ...]
    """What it is made for, the most particular name first; nothing where it does not say."""
    parameters: Json
    """How it is asked, unless a caller says otherwise."""


def read(version: Version) -> Prompt:
    """The prompt that a version is. InvalidRequest for a version that is none, or cannot be understood."""
    tags = version.tags
    what = f"version {version.version} of {version.name!r}"
    if not is_prompt(tags) or TEXT not in tags:
        raise InvalidRequest(f"{what} is a model and no prompt; ask for it as models:/{version.name}", param="model")
    config = _json(tags.get(MODEL_CONFIG, "{}"), MODEL_CONFIG, what, dict)
    parameters = {
        RENAMED.get(name, name): value
        for name, value in {**config, **(config.get("extra_params") or {})}.items()
        if value is not None and name not in NOT_PARAMETERS
    }
    if RESPONSE_FORMAT in tags:
        said = _json(tags[RESPONSE_FORMAT], RESPONSE_FORMAT, what, dict)
        parameters["response_format"] = said if said.get("type") in FORMATS else _schema(version.name, said)
    return Prompt(version.name, version.version, _messages(tags, what), _models(config), parameters)


def _messages(tags: dict[str, str], what: str) -> tuple[Json, ...]:
    """A text is what a user says."""
    if tags.get(TYPE, "text") != "chat":
        return ({"role": "user", "content": tags[TEXT]},)
    messages = _json(tags[TEXT], TEXT, what, list)
    for message in messages:
        if not isinstance(message, dict):
            raise InvalidRequest(f"{what} has a message that is {message!r:.60}, and no object", param="model")
    return tuple(messages)


def _models(config: Json) -> tuple[str, ...]:
    model = config.get("model_name") or config.get("model")
    if not isinstance(model, str):
        return ()
    provider = config.get("provider")
    return (f"{provider}/{model}", model) if isinstance(provider, str) else (model,)


def _schema(name: str, schema: Json) -> Json:
    title = "".join(char if char.isalnum() and char.isascii() else "_" for char in schema.get("title") or name)
    return {"type": "json_schema", "json_schema": {"name": title[:64], "schema": schema}}


def _json(text: str, tag: str, what: str, kind: type[Any]) -> Any:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"{what} cannot be used: its tag {tag} is not JSON: {exc.msg}", param="model") from exc
    if not isinstance(found, kind):
        raise InvalidRequest(f"{what} cannot be used: its tag {tag} holds {found!r:.60}", param="model")
    return found
