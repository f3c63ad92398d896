"""Chat over Gemini's generateContent. https://ai.google.dev/api/generate-content

Parts live beside it: the conversation in `gemini_content`, `generationConfig` in `gemini_config`, answers in
`gemini_reply`, streams in `gemini_stream`.
"""

from __future__ import annotations

from typing import Any

from providers import answers, gemini_config, gemini_reply, parts
from providers.chat import Json
from providers.dialect import Relay
from providers.errors import InvalidRequest, UnsupportedParameter
from providers.gemini_content import conversation
from providers.gemini_errors import complaint as complaint
from providers.gemini_models import address
from providers.gemini_stream import Decoder
from providers.relay import Translating
from providers.sse import Frames
from providers.usage import Usage

NATIVE = frozenset({"cachedContent", "labels", "modelArmorConfig", "safetySettings"})
"""Words of Gemini's own that a caller may say; they are passed on as they are. `generationConfig` and `toolConfig` too,
with what OpenAI's words say written over them."""
PARAMS: frozenset[str] | None = (
    gemini_config.WORDS
    | NATIVE
    | {"messages", "model", "parallel_tool_calls", "stream", "stream_options", "toolConfig", "tool_choice", "tools"}
    # Gemini has no word for the end user. It changes no answer, many frameworks always send it, and the run keeps it.
    | {"user"}
)
MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


def path(model: str, stream: bool) -> str:
    return address(model) + (":streamGenerateContent?alt=sse" if stream else ":generateContent")


def encode(request: Json) -> Json:
    system, contents = conversation(request["messages"], request["model"])
    body: Json = {key: request[key] for key in NATIVE if request.get(key) is not None}
    body["contents"] = contents
    if system:
        body["systemInstruction"] = {"parts": system}
    if config := gemini_config.generation(request):
        body["generationConfig"] = config
    if tools := _tools(request.get("tools") or []):
        body["tools"] = tools
    if choice := _tool_choice(request):
        body["toolConfig"] = choice
    return body


def decode(payload: Json, request: Json) -> Json:
    if "error" in payload:
        raise answers.failure(complaint(payload))
    return gemini_reply.completion(payload, request["model"])


def usage(payload: Json) -> Usage | None:
    said = payload.get("usageMetadata")
    return gemini_reply.usage(said) if said else None


def relay(request: Json) -> Relay:
    return Translating(Frames(), Decoder(request["model"], request.get("n") or 1), request)


def _tools(tools: list[Json]) -> list[Json]:
    """Functions in one declaration; tools of Gemini's own (`{"googleSearch": {}}`) as they are."""
    functions = []
    native = []
    for number, tool in enumerate(tools):
        where = f"tools[{number}]"
        kind = tool.get("type")
        if kind == "function":
            functions.append(_function(parts.mapping(tool, "function", where), f"{where}.function"))
        elif kind is None:
            native.append(tool)
        else:
            raise InvalidRequest(
                f"{where}.type is {kind!r}; Gemini takes functions, and its own tools as in {{'googleSearch': {{}}}}",
                param=f"{where}.type",
            )
    return ([{"functionDeclarations": functions}] if functions else []) + native


def _function(function: Json, where: str) -> Json:
    parts.string(function, "name", where)
    names = {"name": "name", "description": "description", "parameters": "parametersJsonSchema"}
    return parts.renamed(function, names)


def _tool_choice(request: Json) -> Json:
    if request.get("parallel_tool_calls") is False:
        raise UnsupportedParameter(
            "Gemini cannot be kept from calling several tools at once; leave out parallel_tool_calls",
            param="parallel_tool_calls",
        )
    given: Json = dict(request.get("toolConfig") or {})
    if (choice := request.get("tool_choice")) is not None:
        given["functionCallingConfig"] = _calling(choice)
    return given


def _calling(choice: Any) -> Json:
    match choice:
        case str() if choice in MODES:
            return {"mode": MODES[choice]}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"mode": "ANY", "allowedFunctionNames": [name]}
        case _:
            raise InvalidRequest(
                f"tool_choice is {choice!r}; it can be 'auto', 'required', 'none' or name a function",
                param="tool_choice",
            )
