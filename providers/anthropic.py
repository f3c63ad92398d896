"""Chat over Anthropic's Messages. https://docs.anthropic.com/en/api/messages

Parts live beside it: the conversation in `anthropic_content`, effort in `anthropic_thinking`, answers in
`anthropic_reply`, streams in `anthropic_stream`. Betas are a header, and so belong to the provider's configuration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers import answers, anthropic_reply, parts
from providers.anthropic_content import conversation
from providers.anthropic_errors import complaint as complaint
from providers.anthropic_stream import Decoder
from providers.anthropic_thinking import thinking
from providers.chat import Json
from providers.dialect import Relay
from providers.errors import InvalidRequest, UnsupportedParameter
from providers.relay import Translating
from providers.sse import Frames
from providers.usage import Usage

RENAMES = {"model": "model", "stream": "stream", "top_p": "top_p", "temperature": "temperature"}
NATIVE = frozenset(
    {
        "cache_control",
        "container",
        "context_management",
        "inference_geo",
        "mcp_servers",
        "metadata",
        "output_config",
        "service_tier",
        "thinking",
        "top_k",
    }
)
"""Words of Anthropic's own that a caller may say; they are passed on as they are."""
PARAMS: frozenset[str] | None = (
    frozenset(RENAMES)
    | NATIVE
    | {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "n",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "stop",
        "stream_options",
        "tool_choice",
        "tools",
        "user",
    }
)
CHOICES = {"auto": "auto", "required": "any", "none": "none"}
UNSTRUCTURED = re.compile(r"claude-(3|(opus|sonnet)-4(-0(?!\d)|-2025|@|$))")
"""Models older than structured output, which came with Sonnet 4.5 and Opus 4.1. They are made to call a tool."""


def path(model: str, stream: bool) -> str:
    return "/v1/messages"


def encode(request: Json) -> Json:
    system, turns = conversation(request["messages"])
    body: Json = parts.renamed(request, RENAMES) | {key: request[key] for key in NATIVE if request.get(key) is not None}
    body["messages"] = turns
    if system:
        body["system"] = system
    if request.get("n") not in (None, 1):
        raise UnsupportedParameter(f"n is {request['n']!r}; Anthropic gives one answer a call", param="n")
    if (temperature := request.get("temperature")) is not None and temperature > 1:
        raise InvalidRequest(
            f"temperature is {temperature!r}; Anthropic's goes from 0 to 1, OpenAI's to 2",
            param="temperature",
        )
    if stops := parts.stops(request):
        body["stop_sequences"] = stops
    if (user := request.get("user")) is not None:
        body["metadata"] = {"user_id": user, **(request.get("metadata") or {})}
    _think(body, thinking(request))
    _structure(body, request)
    if tools := [_tool(tool, f"tools[{n}]") for n, tool in enumerate(request.get("tools") or [])]:
        body["tools"] = tools
        _choose(body, request)
    return body


def decode(payload: Json, request: Json) -> Json:
    if payload.get("type") == "error":
        raise answers.failure(complaint(payload))
    structured = forced(request)
    message = anthropic_reply.message(payload["content"], structured)
    native = payload["stop_reason"]
    finish = anthropic_reply.finish(native, structured)
    choice = answers.choice(0, message, finish, native)
    completion = answers.completion(
        answers.said(payload["id"]), answers.said(payload["model"]), [choice], usage(payload)
    )
    return completion | anthropic_reply.extras(payload)


def usage(payload: Json) -> Usage | None:
    said = payload.get("usage") or (payload.get("message") or {}).get("usage")
    return anthropic_reply.usage(said) if said else None


def relay(request: Json) -> Relay:
    return Translating(Frames(), Decoder(forced(request)), request)


def forced(request: Json) -> bool:
    """Whether the answer comes as the arguments of a tool that the caller never sees."""
    return _schema(request) is not None and bool(UNSTRUCTURED.search(request["model"]))


def _think(body: Json, said: Json) -> None:
    if "output_config" in said:
        said["output_config"] |= body.get("output_config") or {}
    body |= said


def _structure(body: Json, request: Json) -> None:
    schema = _schema(request)
    if schema is None:
        return
    if not forced(request):
        body["output_config"] = {
            **(body.get("output_config") or {}),
            "format": {"type": "json_schema", "schema": schema},
        }
        return
    if request.get("tools"):
        raise InvalidRequest(
            f"{request['model']} has no structured output of its own, so response_format takes the place of tools:"
            " send one of the two",
            param="response_format",
        )
    described = request["response_format"]["json_schema"].get("description") or "Give the answer by calling this tool."
    body["tools"] = [{"name": anthropic_reply.STRUCTURED, "description": described, "input_schema": schema}]
    body["tool_choice"] = {"type": "tool", "name": anthropic_reply.STRUCTURED}


def _schema(request: Json) -> Json | None:
    match request.get("response_format"):
        case None | {"type": "text"}:
            return None
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return schema
        case other:
            raise InvalidRequest(
                f"response_format is {other!r}; Anthropic takes text, or json_schema with a schema",
                param="response_format",
            )


def _tool(tool: Json, where: str) -> Json:
    """A function in Messages' words. Tools of Anthropic's own pass as they are."""
    kind = tool.get("type")
    if kind == "custom" and "custom" in tool:
        raise InvalidRequest(
            f"{where} is a custom tool of OpenAI's, with free text as input; Anthropic's take JSON: send a function",
            param=where,
        )
    if kind != "function":
        return tool
    function = parts.mapping(tool, "function", where)
    parts.string(function, "name", f"{where}.function")
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    rest = {key: value for key, value in tool.items() if key not in ("type", "function")}
    named = parts.renamed(function, {"name": "name", "description": "description", "strict": "strict"})
    return {**named, "input_schema": schema, **rest}


def _choose(body: Json, request: Json) -> None:
    choice = _tool_choice(request.get("tool_choice"))
    if request.get("parallel_tool_calls") is False and (choice or {}).get("type") != "none":
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice is not None:
        body["tool_choice"] = choice


def _tool_choice(choice: Any) -> Mapping[str, Any] | None:
    match choice:
        case None:
            return None
        case str() if choice in CHOICES:
            return {"type": CHOICES[choice]}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case {"type": "auto" | "any" | "none" | "tool"}:
            return dict(choice)
        case _:
            raise InvalidRequest(
                f"tool_choice is {choice!r}; it can be 'auto', 'required', 'none' or name a function",
                param="tool_choice",
            )
