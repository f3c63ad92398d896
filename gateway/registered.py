"""What `prompts:/name@alias` and `models:/name/3` mean at this moment: a request and its endpoint, by the registry."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.directory import Directory
from gateway.doors import openai as door
from gateway.routing import Endpoint
from promptlab.prompts import PARAM, render
from providers.chat import Json, Kind
from providers.errors import GatewayError, InvalidRequest, NotFound
from tracking import prompts
from tracking.mlflow.errors import MlflowError
from tracking.prompts import Prompt
from tracking.registry import Registry
from tracking.registry_names import STAGES
from tracking.registry_rows import Version

REFERENCE = re.compile(
    r"(?P<what>prompts|models):/(?P<name>[^/@\x00-\x1f]+)(?:/(?P<version>[^/@\x00-\x1f]+)|@(?P<alias>[\w-]+))"
)
LOOK_SECONDS = 1.0
"""Between looks at whether another process has moved an alias; so it is seen within two."""
REMEMBERED_MOST = 4096
ENDPOINT_HEADER = b"x-gatelog-endpoint"
SOURCE = "gateway:/"
"""How the source of a registered model's version begins whose model is an endpoint."""
PARAMETERS = "gatelog.parameters"
"""The tag of such a version that holds how its endpoint is asked."""

log = logging.getLogger("gatelog.registered")


@dataclass(frozen=True, slots=True)
class Meant:
    """A call by the registry, ready to be made."""

    request: Json
    endpoint: Endpoint
    body: bytes
    """What the run keeps: the request as it is asked, and the variables that it was made with."""
    prompt: tuple[str, int] | None = None
    model: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """A registered model whose version is an endpoint."""

    name: str
    version: int
    endpoint: str
    parameters: Json


class Registered:
    """Remembers what names mean until anything in the registry changes, so a call by a name costs no query."""

    def __init__(self, registry: Registry, directory: Callable[[], Directory], rendered_most: int) -> None:
        self._registry, self._directory, self._rendered_most = registry, directory, rendered_most
        self._known: dict[str, Prompt | Addressed] = {}
        self._generation = registry.generation

    async def call(self, kind: Kind, body: bytes, headers: dict[bytes, bytes]) -> Meant | None:
        """None where the body does not name anything of the registry. Raises GatewayError where that cannot be had."""
        try:
            sent = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        model = sent.get("model") if isinstance(sent, dict) else None
        if not isinstance(model, str) or not model.startswith(("prompts:", "models:")):
            return None
        found = await self._find(model)
        if isinstance(found, Prompt):
            return self._prompted(kind, sent, found, headers)
        return self._addressed(kind, sent, found)

    async def prompt(self, reference: str) -> Prompt:
        """The version that `prompts:/name@alias` or `prompts:/name/3` means now."""
        found = await self._find(reference)
        if not isinstance(found, Prompt):
            raise InvalidRequest(f"{reference[:200]!r} is no prompt; write prompts:/name@alias or prompts:/name/3")
        return found

    async def watch(self) -> None:
        """Look again and again for what other processes change."""
        while True:
            try:
                await self._registry.look()
            except GatewayError as error:
                log.warning("prompts and models stay as they were last read: %s", error.message)
            await asyncio.sleep(LOOK_SECONDS)

    async def _find(self, reference: str) -> Prompt | Addressed:
        generation = self._registry.generation
        if generation != self._generation:
            self._known.clear()
            self._generation = generation
        found = self._known.get(reference)
        if found is not None:
            return found
        found = await self._read(reference)
        # What was read while something changed may be old already; it serves this call alone.
        if generation == self._registry.generation == self._generation:
            if len(self._known) >= REMEMBERED_MOST:
                self._known.clear()
            self._known[reference] = found
        return found

    async def _read(self, reference: str) -> Prompt | Addressed:
        match = REFERENCE.fullmatch(reference)
        if match is None:
            raise InvalidRequest(
                f"{reference[:200]!r} is no name of the registry; write prompts:/name@alias, prompts:/name/3 or the "
                "same with models:/",
                param="model",
            )
        try:
            version = await self._version(match["name"], match["version"], match["alias"], match["what"] == "models")
        except MlflowError as error:
            raise NotFound(
                f"{reference!r}: {error.message.rstrip('.')}", code="model_not_found", param="model"
            ) from error
        return prompts.read(version) if match["what"] == "prompts" else _addressed(version)

    async def _version(self, name: str, version: str | None, alias: str | None, stages: bool) -> Version:
        registry = self._registry
        if version is None:
            return await registry.by_alias(name, alias or "")
        if version.isascii() and version.isdecimal() and len(version) < 16:
            return await registry.version(name, int(version))
        if version.lower() == "latest":
            return await registry.by_alias(name, "latest")
        if stages and version.lower() in STAGES:
            latest = await registry.latest(name, [version])
            if latest:
                return latest[0]
        raise NotFound(
            f"{name!r} has no version {version[:100]!r}; an alias is written {name}@{version[:100]}",
            code="model_not_found",
            param="model",
        )

    def _prompted(self, kind: Kind, sent: Json, prompt: Prompt, headers: dict[bytes, bytes]) -> Meant:
        """The prompt's messages come first, then the caller's; what the caller says wins over what the prompt does."""
        if kind != "chat":
            raise InvalidRequest(f"prompts are for chat, not for {kind}", param="model", code="wrong_endpoint_type")
        values = sent.pop(PARAM, None) or {}
        own = sent.get("messages") or []
        if not isinstance(own, list):
            raise InvalidRequest(f"messages must be a list, not {own!r:.100}", param="messages")
        filled = render(prompt.messages, values, self._rendered_most)
        asked = {**prompt.parameters, **sent, "messages": [*filled, *own]}
        request = door.check("chat", asked)
        endpoint = self._endpoint_of(prompt, headers)
        body = orjson.dumps({**request, PARAM: values})
        return Meant(request, endpoint, body, prompt=(prompt.name, prompt.version))

    def _addressed(self, kind: Kind, sent: Json, model: Addressed) -> Meant:
        request = door.check(kind, {**model.parameters, **sent})
        endpoint = self._directory().find(kind, model.endpoint)
        return Meant(request, endpoint, orjson.dumps(request), model=(model.name, model.version))

    def _endpoint_of(self, prompt: Prompt, headers: dict[bytes, bytes]) -> Endpoint:
        """That of the header, the prompt's own, or the one that is configured for prompts without."""
        directory = self._directory()
        if (named := headers.get(ENDPOINT_HEADER)) is not None:
            return directory.find("chat", named.decode("latin-1").strip())
        for name in prompt.models:
            if directory.has(name):
                return directory.find("chat", name)
        if prompt.models:
            return directory.find("chat", prompt.models[-1])
        if directory.for_prompts is not None:
            return directory.find("chat", directory.for_prompts)
        raise InvalidRequest(
            f"version {prompt.version} of the prompt {prompt.name!r} names no model in its model config: name an "
            "endpoint in the header x-gatelog-endpoint, or set prompts.endpoint in the configuration",
            code="prompt_without_model",
            param="model",
        )


def _addressed(version: Version) -> Addressed:
    what = f"version {version.version} of {version.name!r}"
    source = version.source or ""
    if not source.startswith(SOURCE) or len(source) == len(SOURCE):
        raise InvalidRequest(
            f"{what} has the source {source[:200]!r}, which is no endpoint; one that can be called has the source "
            f"{SOURCE}<endpoint>",
            code="model_not_callable",
            param="model",
        )
    return Addressed(version.name, version.version, source.removeprefix(SOURCE), _parameters(version, what))


def _parameters(version: Version, what: str) -> Json:
    try:
        parameters: Any = orjson.loads(version.tags.get(PARAMETERS, "{}"))
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"{what}: its tag {PARAMETERS} is not JSON: {exc.msg}", param="model") from exc
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"{what}: its tag {PARAMETERS} must be a JSON object", param="model")
    return {name: value for name, value in parameters.items() if name != "model"}
