"""Versions of prompts as the page has them, and as MLflow's clients keep them: in tags."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import Field, model_validator

from promptlab.prompts import variables
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking import prompts
from tracking.prompts import MODEL_CONFIG, RENAMED, RESPONSE_FORMAT, TEXT, TYPE
from tracking.registry_rows import IS_PROMPT, Model, Tags, Version
from tracking.rest import Sent, iso

OURS = frozenset({IS_PROMPT, TEXT, TYPE, RESPONSE_FORMAT, MODEL_CONFIG})
"""Tags that hold what is shown by other names."""
CONFIGURED = frozenset(
    {"temperature", "max_tokens", "top_p", "top_k", "frequency_penalty", "presence_penalty", "stop_sequences"}
)
"""What MLflow's model config has names for. Other parameters are its `extra_params`."""
TAG_MOST = 5_000
Text = Annotated[str, Field(max_length=100_000)]


class NewVersion(Sent):
    text: Text | None = None
    messages: Annotated[list[Json], Field(min_length=1, max_length=1_000)] | None = None
    model: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    params: Json = {}
    response_format: Json | None = None
    commit_message: Annotated[str, Field(max_length=10_000)] | None = None
    tags: dict[str, Annotated[str, Field(max_length=TAG_MOST)]] = {}

    @model_validator(mode="after")
    def _says_one_thing(self) -> NewVersion:
        if (self.text is None) == (self.messages is None):
            raise ValueError("a prompt says either text or messages")
        for message in self.messages or ():
            if not isinstance(message.get("role"), str):
                raise ValueError("each message has a role, such as system or user")
        if reserved := sorted(OURS & self.tags.keys()):
            raise ValueError(f"the tag {reserved[0]!r} is written by what it holds")
        return self


def tags_of(new: NewVersion) -> Tags:
    """All that MLflow's clients read of it."""
    chat = new.messages is not None
    said = orjson.dumps(new.messages).decode() if chat else new.text or ""
    tags = {**new.tags, IS_PROMPT: "true", TYPE: "chat" if chat else "text", TEXT: said}
    if config := _config(new):
        tags[MODEL_CONFIG] = orjson.dumps(config).decode()
    if new.response_format is not None:
        tags[RESPONSE_FORMAT] = orjson.dumps(new.response_format).decode()
    return tags


def shown_prompt(model: Model) -> Json:
    return {
        "name": model.name,
        "description": model.description,
        "tags": {name: value for name, value in model.tags.items() if name not in OURS},
        "aliases": dict(model.aliases),
        "latest_version": max((version.version for version in model.latest), default=None),
        "created_at": iso(model.created_us),
        "updated_at": iso(model.updated_us),
    }


def shown_version(version: Version) -> Json:
    shown = {
        "name": version.name,
        "version": version.version,
        "type": version.tags.get(TYPE, "text"),
        "commit_message": version.description,
        "tags": {name: value for name, value in version.tags.items() if name not in OURS},
        "aliases": list(version.aliases),
        "by": version.user_id,
        "created_at": iso(version.created_us),
        "updated_at": iso(version.updated_us),
    }
    try:
        return {**shown, **said(version), "problem": None}
    except InvalidRequest as error:
        nothing = dict.fromkeys(("text", "messages", "variables", "model", "params", "response_format"))
        return {**shown, **nothing, "problem": error.message}


def said(version: Version) -> Json:
    """What makes a difference to an answer. InvalidRequest for tags that cannot be understood."""
    prompt = prompts.read(version)
    params = dict(prompt.parameters)
    response_format = params.pop("response_format", None)
    chat = version.tags.get(TYPE, "text") == "chat"
    return {
        "text": None if chat else version.tags[TEXT],
        "messages": list(prompt.messages) if chat else None,
        "variables": sorted(variables(prompt.messages)),
        "model": prompt.models[0] if prompt.models else None,
        "params": params,
        "response_format": response_format,
    }


def _config(new: NewVersion) -> Json:
    theirs = {ours: name for name, ours in RENAMED.items()}
    config: dict[str, Any] = {} if new.model is None else {"model_name": new.model}
    extra: Json = {}
    for name, value in new.params.items():
        known = theirs.get(name, name)
        if known == "stop_sequences" and isinstance(value, str):
            value = [value]
        (config if known in CONFIGURED else extra)[known] = value
    return {**config, "extra_params": extra} if extra else config
