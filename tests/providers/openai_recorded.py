"""Recorded exchanges with providers that speak OpenAI's language, and how one is asked and played again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from providers.chat import Json, Kind
from providers.dialect import Relay, Surface
from providers.habits import Habits
from providers.openai import Chat
from providers.openai_usage import compatible
from providers.table import DIALECTS, PROVIDERS

WIRE = Path(__file__).parents[2].parent / "shared/wire"
BUILT_IN = {
    "openai": "openai",
    "groq": "groq",
    "together": "together",
    "deepseek": "deepseek",
    "xai": "xai",
    "openrouter": "openrouter",
    "mistral": "mistral",
    "perplexity": "perplexity",
    "cerebras": "cerebras",
    "ollama": "ollama",
    "vllm": "vllm",
    "huggingface": "huggingface",
}
OF_CONFIG = [
    "llama_cpp",
    "litellm_proxy",
    "snowflake",
    "zai",
    "gpustack",
    "crusoe",
    "avian",
    "writer",
    "bedrock_mantle",
    "vercel_gateway",
    "portkey_gateway",
    "pydantic_gateway",
]
"""Those that are no entry of ours: a provider of the config file with `dialect: openai`."""
KINDS: dict[str, Kind] = {"chat": "chat", "chat_v1": "chat", "completions": "completions", "embeddings": "embeddings"}
NEVER_SENDS_DONE = Chat(habits=Habits(usage=compatible, sends_done=False))
NOT_OPENAI = {"ollama-embeddings-a3aa502b1f"}
"""Ollama's own API, not the one of OpenAI's that it also has; our surface says so instead of making it up."""


def recorded() -> list[Json]:
    if not WIRE.is_dir():
        return []
    lines = (
        line for name in [*BUILT_IN, "azure", *OF_CONFIG] for line in (WIRE / f"{name}.jsonl").read_text().splitlines()
    )
    return [exchange for line in lines if (exchange := json.loads(line))["surface"] in KINDS]


ALL = recorded()
MISSING = pytest.mark.skipif(not WIRE.is_dir(), reason="the recorded exchanges are not beside the repository")
STREAMS = [each for each in ALL if each["response"]["body_type"] == "text"]
WHOLES = [each for each in ALL if each["response"]["body_type"] == "json" and each["response"]["status"] == 200]
ERRORS = [each for each in ALL if each["response"]["status"] != 200]


def each(exchanges: list[Json]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", exchanges, ids=[exchange["id"] for exchange in exchanges])


def surface_of(exchange: Json) -> Surface:
    provider, kind = exchange["provider"], KINDS[exchange["surface"]]
    if provider == "azure":
        path = exchange["request"]["path"]
        name = "azure-ai" if "/models/" in path else "azure" if "/deployments/" in path else "azure-v1"
        return PROVIDERS[name].surfaces[kind]
    if exchange["surface"] == "chat_v1":
        return NEVER_SENDS_DONE
    return (PROVIDERS[BUILT_IN[provider]] if provider in BUILT_IN else DIALECTS["openai"]).surfaces[kind]


def events_of(exchange: Json) -> list[Json]:
    body = exchange["response"]["body"]
    if isinstance(body, dict):
        return [body]
    return [json.loads(line[5:]) for line in re.split("\r?\n", body) if re.match(r"data: ?\{", line)]


def asked(exchange: Json, *, usage: bool = False) -> Json:
    body: Json = exchange["request"]["body"]
    return {**body, "stream_options": {"include_usage": usage}}


def is_broken(exchange: Json) -> bool:
    return any("error" in event for event in events_of(exchange))


def played(exchange: Json, *, usage: bool) -> tuple[bytes, Relay]:
    relay = surface_of(exchange).relay(asked(exchange, usage=usage))
    given = relay.feed(exchange["response"]["body"].encode())
    return given + relay.close(), relay
