"""Calls for tests to write into a journal, and a count that anybody can check by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
import uuid_utils

from providers.chat import Json
from providers.usage import Usage
from tracking.calls import Begin, End
from tracking.counting import Counting
from tracking.database import open_store
from tracking.tables import calls

REQUEST = b'{"model":"chat","messages":[{"role":"user","content":"hello there"}]}'
ANSWER = b'{"choices":[{"message":{"role":"assistant","content":"a b c"},"finish_reason":"stop"}]}'
PRICE = {"input": 2, "output": 10}


@dataclass(frozen=True)
class Words:
    tokens: int


class PerToken:
    """A price that a test can do in its head: nano-dollars a token."""

    def __init__(self, snapshot: Json) -> None:
        self._snapshot = snapshot

    def of(self, usage: Usage) -> int | None:
        if usage.input is None or usage.output is None:
            return None
        return int(usage.input * self._snapshot["input"] + usage.output * self._snapshot["output"])


def in_request(_kind: str, request: Json, _model: str) -> Words:
    return Words(sum(len(message["content"].split()) for message in request["messages"]))


def in_text(text: str, _model: str) -> Words:
    return Words(len(text.split()))


def whole(stream: bytes, _kind: str) -> Json:
    """Of a stream in which each event holds one piece of text."""
    pieces = [orjson.loads(line[6:])["text"] for line in stream.splitlines() if line.startswith(b"data: {")]
    return {"choices": [{"message": {"content": "".join(pieces)}}]}


WORDS = Counting(request=in_request, text=in_text, assemble=whole, price=PerToken)


def begin(id: str | None = None, **changed: Any) -> Begin:
    made: Begin = {
        "id": id or uuid_utils.uuid7().hex,
        "started_us": 1_763_900_000_000_000,
        "kind": "chat",
        "endpoint": "chat",
        "requested_model": "chat",
        "stream": False,
        "experiment": None,
        "parent_run_id": None,
        "key_id": "k1",
        "user": None,
        "session": None,
        "tags": {},
        "idempotency_key": None,
        "config_revision": "c0ffee",
        "log_payloads": "full",
        "request_bytes": len(REQUEST),
        "max_output": None,
        "provider": "openai",
        "model": "gpt-4o-mini",
        "price": PRICE,
    }
    return {**made, **changed}  # type: ignore[typeddict-item]  # the tests' own words


def end(id: str, **changed: Any) -> End:
    made: End = {
        "id": id,
        "status": "ok",
        "http_status": 200,
        "error_code": None,
        "error_message": None,
        "provider": "openai",
        "model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini-2024-07-18",
        "credential": "default",
        "attempts": [{"provider": "openai", "model": "gpt-4o-mini", "status": "ok"}],
        "duration_us": 1200,
        "ttft_us": 1100,
        "upstream_us": 1000,
        "finish_reason": "stop",
        "native_finish_reason": "stop",
        "upstream_request_id": "req_1",
        "usage": {"input": 20, "output": 3},
        "usage_suspect": False,
        "usage_basis": "provider",
        "cost_nanos": 70,
        "price": PRICE,
        "response_type": "json",
        "response_bytes": len(ANSWER),
        "response_truncated": False,
    }
    return {**made, **changed}  # type: ignore[typeddict-item]  # the tests' own words


async def rows(store: str, table: sa.Table = calls) -> dict[str, Any]:
    """Every row by its key."""
    database = open_store(store)
    try:
        async with database.reading() as connection:
            (key,) = table.primary_key
            found = {row._mapping[key]: row for row in await connection.execute(sa.select(table).order_by(key))}
    finally:
        await database.close()
    return found


def left(directory: Path) -> list[str]:
    """What is in a journal's directory."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))
