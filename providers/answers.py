"""Writing the language in the middle: answers and chunks of answers, for dialects that have to make them."""

from __future__ import annotations

import time
from typing import Any

import orjson

from providers import openai_usage
from providers.chat import FinishReason, Json
from providers.dialect import Complaint
from providers.errors import UpstreamError, from_status
from providers.usage import Usage


def completion(id: str, model: str, choices: list[Json], usage: Usage | None, created: int | None = None) -> Json:
    return {
        "id": id,
        "object": "chat.completion",
        "created": now() if created is None else created,
        "model": model,
        "choices": choices,
        **({} if usage is None else {"usage": openai_usage.write(usage)}),
    }


def choice(index: int, message: Json, finish: FinishReason, native: str | None) -> Json:
    return {
        "index": index,
        "message": {"role": "assistant", **message},
        "logprobs": None,
        "finish_reason": finish,
        "native_finish_reason": native,
    }


def head(id: str, model: str, created: int | None = None) -> Json:
    """What every chunk of one stream begins with."""
    return {
        "id": id,
        "object": "chat.completion.chunk",
        "created": now() if created is None else created,
        "model": model,
    }


def delta(values: Json, index: int = 0) -> Json:
    """A choice of a chunk on the way."""
    return {"index": index, "delta": values, "logprobs": None, "finish_reason": None}


def last(finish: FinishReason, native: str | None, index: int = 0) -> Json:
    """The choice of the chunk that ends it."""
    return {
        "index": index,
        "delta": {},
        "logprobs": None,
        "finish_reason": finish,
        "native_finish_reason": native,
    }


def tool_call(id: str, name: str, arguments: str) -> Json:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def dumped(values: Any) -> str:
    """JSON as text, for the arguments of a tool."""
    return orjson.dumps(values).decode()


def said(value: Any) -> str:
    """A provider's value that has to be text; anything else is nonsense, and so Garbled."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def failure(complaint: Complaint) -> UpstreamError:
    """The error that a provider reports inside a 200, as its real status would have made it."""
    return from_status(
        complaint.status or 500,
        complaint.message,
        retry_after=complaint.retry_after,
        code=complaint.code,
        param=complaint.param,
    )


def now() -> int:
    """OpenAI's clients rely on `created`; where the provider does not tell, it is when we read the answer."""
    return int(time.time())
