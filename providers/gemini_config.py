"""How an answer is to be made: OpenAI's parameters as Gemini's `generationConfig`."""

from __future__ import annotations

from providers import parts
from providers.chat import Json
from providers.errors import InvalidRequest
from providers.gemini_models import effort

RENAMES = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "n": "candidateCount",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
WORDS = frozenset(RENAMES) | {"generationConfig", "modalities", "reasoning_effort", "response_format", "stop"}
MODALITIES = {"text": "TEXT", "image": "IMAGE", "audio": "AUDIO"}


def generation(request: Json) -> Json:
    config: Json = {**(request.get("generationConfig") or {}), **parts.renamed(request, RENAMES)}
    if stops := parts.stops(request):
        config["stopSequences"] = stops
    if modalities := request.get("modalities"):
        config["responseModalities"] = [_modality(word) for word in modalities]
    if (said := request.get("reasoning_effort")) is not None:
        config["thinkingConfig"] = {**(config.get("thinkingConfig") or {}), **effort(request["model"], said)}
    return config | _format(request)


def _modality(word: str) -> str:
    if word not in MODALITIES:
        raise InvalidRequest(f"modalities has {word!r}; it can have {', '.join(MODALITIES)}", param="modalities")
    return MODALITIES[word]


def _format(request: Json) -> Json:
    match request.get("response_format"):
        case None | {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return {"responseMimeType": "application/json"}
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return {"responseMimeType": "application/json", "responseJsonSchema": schema}
        case other:
            raise InvalidRequest(
                f"response_format is {other!r}; it can be text, json_object, or json_schema with a schema",
                param="response_format",
            )
