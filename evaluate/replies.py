"""What an answer of the gateway means for whoever runs a grid: it is there, or should be asked again, or failed."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import orjson

from providers import sse
from providers.assemble import assemble
from providers.chat import Json

CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"
Outcome = Literal["ok", "throttled", "again", "busy", "failed", "stop"]
"""`again`: another attempt may succeed. `busy`: the same call is under way or its record is. `stop`: nor will any other
call succeed, as with a key that is no longer good."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it came over HTTP, or over what stands in its place within the process."""

    status: int
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes


class Post(Protocol):
    """Makes one call at the gateway. It raises nothing for what the gateway or a provider says."""

    def __call__(self, path: str, body: bytes, headers: Mapping[str, str]) -> Awaitable[Said]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    outcome: Outcome
    run_id: str | None
    completion: Json | None = None
    error: str | None = None
    code: str | None = None
    retry_after: float | None = None


def read(said: Said) -> Reply:
    run_id = said.headers.get("x-gatelog-run-id")
    if said.status == 200:
        return _answered(said, run_id)
    code, message = _error(said.body)
    if code == "storage_unavailable":
        run_id = None  # it was refused because it could not be recorded
    retry_after = _seconds(said.headers.get("retry-after"))
    return Reply(
        outcome=_outcome(said.status, code),
        run_id=run_id,
        error=f"{code}: {message}",
        code=code,
        retry_after=retry_after,
    )


def message_of(completion: Json) -> Json | None:
    """The first choice's message."""
    choices = completion.get("choices")
    found = choices[0].get("message") if isinstance(choices, list) and choices else None
    return found if isinstance(found, dict) else None


def text_of(message: Json | None) -> str:
    """What it says, its parts of text put together."""
    content = None if message is None else message.get("content")
    match content:
        case str():
            return content
        case list():
            return "".join(
                part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
            )
        case _:
            return ""


def _answered(said: Said, run_id: str | None) -> Reply:
    if "event-stream" in said.headers.get("content-type", ""):
        completion = assemble(said.body, "chat")
        if not said.body.endswith(sse.DONE):
            told = completion.get("error") or {}
            why = f"{told.get('code', 'upstream_cut')}: {told.get('message', 'the answer broke off')}"
            return Reply(outcome="again", run_id=run_id, error=why, code=str(told.get("code", "upstream_cut")))
        return Reply(outcome="ok", run_id=run_id, completion=completion)
    return Reply(outcome="ok", run_id=run_id, completion=orjson.loads(said.body))


def _outcome(status: int, code: str) -> Outcome:
    if status == 409:
        return "busy" if code == "idempotency_in_progress" else "again"
    if status == 429:
        return "stop" if code == "insufficient_quota" else "throttled"
    if status in (401, 403):
        return "stop"
    return "again" if status >= 500 or status == 408 else "failed"


def _error(body: bytes) -> tuple[str, str]:
    try:
        said: Any = orjson.loads(body)
        error = said["error"]
        return str(error["code"]), str(error["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "unreadable", body[:200].decode(errors="replace")


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
