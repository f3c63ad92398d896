"""Answers of `gatelog demo seed` as OpenAI's wire has them, plain and streamed."""

from __future__ import annotations

import random
from typing import Any

import orjson

from providers.chat import Json
from tracking.calls import Begin


def plain(begin: Begin, model: str, said: str, usage: Json, whole: bool) -> bytes:
    if begin["kind"] == "embeddings":
        rng = random.Random(said)  # noqa: S311 - the same words, the same vector
        vector = [round(rng.uniform(-0.1, 0.1), 6) for _ in range(16)]
        return orjson.dumps(
            {
                "object": "list",
                "data": [{"object": "embedding", "index": 0, "embedding": vector}],
                "model": model,
                "usage": {"prompt_tokens": usage["input"], "total_tokens": usage["input"]},
            }
        )
    message = {"role": "assistant", "content": said}
    return orjson.dumps(
        {
            "id": f"chatcmpl-{begin['id'][:24]}",
            "object": "chat.completion",
            "created": begin["started_us"] // 1_000_000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop" if whole else None}],
            "usage": _public(usage),
        }
    )


def streamed(begin: Begin, model: str, said: str, usage: Json, whole: bool) -> bytes:
    head: dict[str, Any] = {
        "id": f"chatcmpl-{begin['id'][:24]}",
        "object": "chat.completion.chunk",
        "created": begin["started_us"] // 1_000_000,
        "model": model,
    }
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": said[start : start + 24]} for start in range(0, len(said), 24)]
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if whole:
        chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append({**head, "choices": [], "usage": _public(usage)})
    events = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks]
    return b"".join([*events, b"data: [DONE]\n\n"] if whole else events)


def _public(usage: Json) -> Json:
    said = {
        "prompt_tokens": usage["input"],
        "completion_tokens": usage["output"],
        "total_tokens": usage["input"] + usage["output"],
    }
    return said | ({"prompt_tokens_details": {"cached_tokens": usage["cache_read"]}} if "cache_read" in usage else {})
