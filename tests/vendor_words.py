"""What the pretend provider says when all is well: whole answers and streams in the words of three dialects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

ID = b"@ID@"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Say:
    """One answer: where it goes, and what it is about."""

    surface: str
    stream: bool
    tokens: int
    usage: str = "once"
    """once | each | twice | none | zero"""
    tool: str | None = None
    structured: bool = False
    inputs: int = 1
    dimensions: int = 8


SURFACES = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/embeddings": "embeddings",
    "/messages": "messages",
    ":generateContent": "generate",
    ":streamGenerateContent": "generate",
    ":batchEmbedContents": "embed",
    ":embedContent": "embed",
}
ARGUMENTS = {"city": "Paris"}
STRUCTURED = '{"answer":42}'


def surface_of(path: str) -> str:
    bare = path.partition("?")[0]
    return next((surface for end, surface in SURFACES.items() if bare.endswith(end)), "chat")


def text(tokens: int) -> str:
    return "".join(f"word{index} " for index in range(tokens))


@cache
def whole(say: Say) -> bytes:
    """The body of a plain answer, with ID where its id goes."""
    words = STRUCTURED if say.structured else text(say.tokens)
    match say.surface:
        case "messages":
            content: list[Json] = [{"type": "text", "text": words}]
            if say.tool:
                content = [{"type": "tool_use", "id": "toolu_1", "name": say.tool, "input": ARGUMENTS}]
            payload: Json = {
                "id": ID.decode(),
                "type": "message",
                "role": "assistant",
                "model": "vendor",
                "content": content,
                "stop_reason": "tool_use" if say.tool else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 10, "output_tokens": say.tokens},
            }
        case "generate":
            part: Json = {"functionCall": {"name": say.tool, "args": ARGUMENTS}} if say.tool else {"text": words}
            payload = _gemini([part], say, last=True)
        case "embed":
            vectors = [{"values": [0.5] * say.dimensions}] * say.inputs
            payload = {"embeddings": vectors, "embedding": vectors[0]}
        case "embeddings":
            payload = {
                "object": "list",
                "model": "vendor",
                "data": [
                    {"object": "embedding", "index": index, "embedding": [0.5] * say.dimensions}
                    for index in range(say.inputs)
                ],
                "usage": {"prompt_tokens": 10, "total_tokens": 10},
            }
        case "completions":
            choice = {"index": 0, "text": words, "logprobs": None, "finish_reason": "stop"}
            payload = _openai("text_completion", [choice], _usage(say))
        case _:
            message: Json = {"role": "assistant", "content": words, "refusal": None}
            if say.tool:
                message |= {"content": None, "tool_calls": [_tool_call(say.tool)]}
            finish = "tool_calls" if say.tool else "stop"
            choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
            payload = _openai("chat.completion", [choice], _usage(say))
    if say.usage == "none":
        payload.pop("usage", None)
        payload.pop("usageMetadata", None)
    return orjson.dumps(payload)


@cache
def events(say: Say) -> tuple[bytes, ...]:
    """A stream's events, the last of which says that it is over."""
    words = [STRUCTURED] if say.structured else [f"word{index} " for index in range(say.tokens)]
    match say.surface:
        case "messages":
            return tuple(_messages(say, words))
        case "generate":
            parts: list[Json] = (
                [{"functionCall": {"name": say.tool, "args": ARGUMENTS}}]
                if say.tool
                else [{"text": word} for word in words]
            )
            return tuple(_sse(_gemini([part], say, last=part is parts[-1])) for part in parts)
        case "completions":
            choices: list[Json] = [
                {"index": 0, "text": word, "logprobs": None, "finish_reason": None} for word in words
            ]
            choices.append({"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"})
            return _chunks(say, "text_completion", choices)
        case _:
            deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
            if say.tool:
                deltas = [{"role": "assistant", "content": None, "tool_calls": [{"index": 0, **_tool_call(say.tool)}]}]
            choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
            finish = "tool_calls" if say.tool else "stop"
            choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish})
            return _chunks(say, "chat.completion.chunk", choices)


def error(surface: str, status: int, message: str) -> Json:
    match surface:
        case "messages":
            kind = {429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")
            return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_vendor"}
        case "generate" | "embed":
            return {"error": {"code": status, "message": message, "status": "UNAVAILABLE"}}
        case _:
            kind = {429: "rate_limit_error", 400: "invalid_request_error"}.get(status, "server_error")
            return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def error_event(surface: str, status: int, message: str) -> bytes:
    prefix = b"event: error\n" if surface == "messages" else b""
    return prefix + _sse(error(surface, status, message))


def _chunks(say: Say, kind: str, choices: list[Json]) -> tuple[bytes, ...]:
    counted = _usage(say)
    chunks = [_openai(kind, [choice], counted if say.usage == "each" else None) for choice in choices]
    if say.usage != "none":
        chunks += [_openai(kind, [], counted)] * (2 if say.usage == "twice" else 1)
    return (*map(_sse, chunks), b"data: [DONE]\n\n")


def _messages(say: Say, words: list[str]) -> list[bytes]:
    start: Json = {
        "id": ID.decode(),
        "type": "message",
        "role": "assistant",
        "model": "vendor",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }
    block: Json = {"type": "text", "text": ""}
    deltas: list[Json] = [{"type": "text_delta", "text": word} for word in words]
    if say.tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": say.tool, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": orjson.dumps(ARGUMENTS).decode()}]
    reason = {"stop_reason": "tool_use" if say.tool else "end_turn", "stop_sequence": None}
    said: list[Json] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": reason, "usage": {"output_tokens": say.tokens}},
        {"type": "message_stop"},
    ]
    return [b"event: %b\n%b" % (event["type"].encode(), _sse(event)) for event in said]


def _gemini(parts: list[Json], say: Say, *, last: bool) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    counts = {"promptTokenCount": 10, "candidatesTokenCount": say.tokens, "totalTokenCount": 10 + say.tokens}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "vendor", "responseId": ID.decode()}


def _openai(kind: str, choices: list[Json], usage: Json | None) -> Json:
    return {
        "id": ID.decode(),
        "object": kind,
        "created": 1763900000,
        "model": "vendor",
        "choices": choices,
        "usage": usage,
    }


def _usage(say: Say) -> Json:
    given, said = (0, 0) if say.usage == "zero" else (10, say.tokens)
    return {"prompt_tokens": given, "completion_tokens": said, "total_tokens": given + said}


def _tool_call(name: str) -> Json:
    arguments = orjson.dumps(ARGUMENTS).decode()
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def _sse(payload: Json) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(payload)
