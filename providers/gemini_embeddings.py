"""Embeddings over Gemini's batchEmbedContents. https://ai.google.dev/api/embeddings"""

from __future__ import annotations

import base64
import sys
from array import array
from typing import Any

from providers import answers, openai_usage
from providers.chat import Json
from providers.dialect import Relay
from providers.errors import InvalidRequest
from providers.gemini_errors import complaint as complaint
from providers.gemini_models import address, name
from providers.usage import Usage, count, suspicious

NATIVE = frozenset({"taskType", "title"})
"""Words of Gemini's own, which hold for each of the texts."""
PARAMS: frozenset[str] | None = NATIVE | {"dimensions", "encoding_format", "input", "model", "user"}


def path(model: str, stream: bool) -> str:
    return f"{address(model)}:batchEmbedContents"


def encode(request: Json) -> Json:
    rest: Json = {key: request[key] for key in NATIVE if request.get(key) is not None}
    if (dimensions := request.get("dimensions")) is not None:
        rest["outputDimensionality"] = dimensions
    model = name(request["model"])
    return {
        "requests": [
            {"model": model, "content": {"parts": [{"text": text}]}, **rest} for text in _texts(request["input"])
        ]
    }


def decode(payload: Json, request: Json) -> Json:
    if "error" in payload:
        raise answers.failure(complaint(payload))
    written = _base64 if request.get("encoding_format") == "base64" else _floats
    vectors = [written(embedding["values"]) for embedding in payload["embeddings"]]
    if len(vectors) != len(_texts(request["input"])):
        raise ValueError(f"{len(vectors)} embeddings of {len(_texts(request['input']))} texts")
    said = usage(payload)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": request["model"],
        **({} if said is None else {"usage": openai_usage.write(said)}),
    }


def usage(payload: Json) -> Usage | None:
    said = payload.get("usageMetadata")
    if not said:
        return None
    return Usage(input=count(said.get("promptTokenCount")), suspect=suspicious(said.get("promptTokenCount")))


def relay(request: Json) -> Relay:
    raise InvalidRequest("embeddings are not streamed", param="stream")


def _texts(input: Any) -> list[str]:
    texts = [input] if isinstance(input, str) else input
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidRequest(
                f"input[{number}] is {text!r}; Gemini takes text and not the tokens of OpenAI's models", param="input"
            )
    return list(texts)


def _floats(values: list[float]) -> list[float]:
    array("f", values)  # raises TypeError for whatever is not a number
    return values


def _base64(values: list[float]) -> str:
    """Little-endian float32: what OpenAI's clients ask for by default and decode with numpy."""
    packed = array("f", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode()
