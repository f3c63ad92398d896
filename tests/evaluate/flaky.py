"""A provider on a real socket that refuses, fails and breaks off as often as it is told to, and otherwise answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httptools

from tracking.tokens import count_request

Json = dict[str, Any]


@cache
def prompt_tokens_of(question: str) -> int:
    return count_request("chat", {"messages": [{"role": "user", "content": question}]}, "gpt-4o-mini").tokens


def words_of(question: str) -> int:
    """How many tokens the answer to a question has: always the same, and different from others'."""
    return 5 + hashlib.sha256(question.encode()).digest()[0] % 40


def answer_of(question: str) -> str:
    return f"answer to {question}"


@dataclass(slots=True)
class Flaky:
    """Shares are of 1. `answers` makes the text of an answer of the last message."""

    throttled: float = 0.0
    failed: float = 0.0
    cut: float = 0.0
    delay: float = 0.0
    waits_every: int = 1
    """Of its refusals, every so-manieth says to wait for a second."""
    answers: Callable[[str], str] = answer_of
    received: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most_running: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Flaky:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: _Conversation(self), "127.0.0.1", 0, backlog=1024)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self.server is not None
        self.server.close()

    def config(self, **more: Any) -> Json:
        """A gateway's, whose endpoint `model` is this provider at a dollar and two dollars a million tokens."""
        target = {"provider": "flaky", "model": "gpt-4o-mini", "price": {"input": 1, "output": 2}}
        return {
            "providers": {"flaky": {"dialect": "openai", "base_url": self.url, "api_key": "not-a-secret"}},
            "endpoints": [{"name": "model", "targets": [target], "retries": 0}],
            **more,
        }

    def fault(self) -> str | None:
        lot = self.dice.random()
        for name in ("throttled", "failed", "cut"):
            share: float = getattr(self, name)
            if lot < share:
                self.faults[name] += 1
                return name
            lot -= share
        return None


class _Conversation(asyncio.Protocol):
    def __init__(self, provider: Flaky) -> None:
        self.provider = provider
        self.parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.body = bytearray()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        request = json.loads(self.body)
        provider = self.provider
        question = request["messages"][-1]["content"]
        provider.received[question] += 1
        provider.running += 1
        provider.most_running = max(provider.most_running, provider.running)
        asyncio.get_running_loop().call_later(provider.delay, self._say, question)

    def _say(self, question: str) -> None:
        provider = self.provider
        provider.running -= 1
        match provider.fault():
            case "throttled":
                waits = provider.faults["throttled"] % provider.waits_every == 0
                self._write(429, b'{"error": {"message": "too many"}}', "retry-after: 1\r\n" if waits else "")
            case "failed":
                self._write(500, b'{"error": {"message": "oh no"}}')
            case "cut":
                self.transport.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"
                )
                self.transport.close()
            case _:
                provider.answered[question] += 1
                self._write(200, json.dumps(self._completion(question)).encode())

    def _write(self, status: int, body: bytes, more: str = "") -> None:
        head = f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def _completion(self, question: str) -> Json:
        message = {"role": "assistant", "content": self.provider.answers(question), "refusal": None}
        words = words_of(question)
        asked = prompt_tokens_of(question)
        usage = {"prompt_tokens": asked, "completion_tokens": words, "total_tokens": asked + words}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1763900000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": usage,
        }
