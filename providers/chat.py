"""The language in the middle: OpenAI's chat, completion and embedding shapes, checked once at the door.

The shapes are TypedDicts, so what a caller sent is forwarded as it came; only what the gateway itself relies on is
typed. https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NotRequired, Required

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

Json = dict[str, Any]
Kind = Literal["chat", "completions", "embeddings"]
"""The kinds of call, by OpenAI's names for them."""
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call", "error"]
FINISH_REASONS: frozenset[str] = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What OpenAI itself says. `error` is ours, for a provider that gave up in the middle of a 200."""

LENIENT = ConfigDict(extra="allow")


class Function(TypedDict):
    __pydantic_config__ = LENIENT  # type: ignore[misc]
    name: str
    arguments: str


class ToolCall(TypedDict):
    __pydantic_config__ = LENIENT  # type: ignore[misc]
    id: NotRequired[str | None]
    function: NotRequired[Function | None]


class Part(TypedDict):
    """One part of a message's content: text, image_url, input_audio, file, refusal, or a provider's own."""

    __pydantic_config__ = LENIENT  # type: ignore[misc]
    type: str


Content = str | list[Part] | None


class Message(TypedDict):
    __pydantic_config__ = LENIENT  # type: ignore[misc]
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: NotRequired[Content]
    name: NotRequired[str | None]
    tool_calls: NotRequired[list[ToolCall] | None]
    tool_call_id: NotRequired[str | None]


class StreamOptions(TypedDict, total=False):
    __pydantic_config__ = LENIENT  # type: ignore[misc]
    include_usage: bool | None


class Request(TypedDict, total=False):
    """What every kind of call has."""

    __pydantic_config__ = LENIENT  # type: ignore[misc]
    model: Required[str]
    stream: bool | None
    stream_options: StreamOptions | None


class ChatRequest(Request, total=False):
    messages: Required[list[Message]]
    max_tokens: int | None
    max_completion_tokens: int | None
    temperature: float | None
    top_p: float | None
    n: int | None
    stop: str | list[str] | None
    tools: list[Json] | None
    tool_choice: str | Json | None
    response_format: Json | None
    user: str | None


class CompletionRequest(Request, total=False):
    prompt: Required[str | list[str] | list[int] | list[list[int]]]
    max_tokens: int | None
    n: int | None
    stop: str | list[str] | None


class EmbeddingRequest(Request, total=False):
    input: Required[str | list[str] | list[int] | list[list[int]]]
    dimensions: int | None
    encoding_format: Literal["float", "base64"] | None


CHAT: TypeAdapter[ChatRequest] = TypeAdapter(ChatRequest)
COMPLETION: TypeAdapter[CompletionRequest] = TypeAdapter(CompletionRequest)
EMBEDDING: TypeAdapter[EmbeddingRequest] = TypeAdapter(EmbeddingRequest)
REQUESTS: dict[Kind, TypeAdapter[Any]] = {"chat": CHAT, "completions": COMPLETION, "embeddings": EMBEDDING}

Complete = Callable[[ChatRequest], Awaitable[Json]]
"""What evaluation and PromptLab are handed to call models with: a request in, a completion out, logged as a run."""
