"""A provider on a real socket whose answers a test writes: a function from path and request to pieces of a body."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httptools

from tests.load import Script

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200. A list of pieces is sent chunked, piece by piece, `gap` seconds apart."""

    body: bytes | Sequence[bytes]
    gap: float = 0.0
    cut: bool = False
    """The connection is closed after the last piece, without the end that the encoding has."""


class Pretend:
    """The provider. It remembers what it received, and what is still open."""

    def __init__(self, answer: Callable[[str, Json], Answer]) -> None:
        self.answer = answer
        self.received: list[str] = []
        """The nonce of every scripted call, in the order of arrival."""
        self.open: set[Conversation] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Pretend:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Conversation(self), "127.0.0.1", 0, backlog=1024)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for conversation in list(self.open):
            conversation.transport.abort()
        await asyncio.sleep(0)

    @property
    def speaking(self) -> int:
        """Answers that are under way."""
        return sum(conversation.timer is not None for conversation in self.open)


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, provider: Pretend) -> None:
        self.provider = provider
        self.parser = httptools.HttpRequestParser(self)
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.provider.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.provider.open.discard(self)
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    # What httptools calls as it reads.
    def on_message_begin(self) -> None:
        self.path, self.body = b"", bytearray()

    def on_url(self, url: bytes) -> None:
        self.path += url

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        answer = self.provider.answer(self.path.decode(), json.loads(self.body))
        if isinstance(answer.body, bytes):
            head = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer.body)
            self.transport.write(b"HTTP/1.1 200 OK\r\n" + head + answer.body)
        else:
            head = b"content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
            self.transport.write(b"HTTP/1.1 200 OK\r\n" + head)
            self._say(answer, answer.body, 0)

    def _say(self, answer: Answer, pieces: Sequence[bytes], at: int) -> None:
        self.timer = None
        while at < len(pieces):
            self.transport.write(b"%x\r\n%b\r\n" % (len(pieces[at]), pieces[at]))
            at += 1
            if answer.gap and at < len(pieces):
                self.timer = asyncio.get_running_loop().call_later(answer.gap, self._say, answer, pieces, at)
                return
        if answer.cut:
            self.transport.close()
        else:
            self.transport.write(b"0\r\n\r\n")


@asynccontextmanager
async def loaded(gap: float) -> AsyncIterator[Pretend]:
    """A provider that does what the callers of `tests.load` ask for, its streams' events `gap` seconds apart."""

    def answer(path: str, request: Json) -> Answer:
        script = Script.read(request)
        provider.received.append(script.nonce)
        if not request.get("stream"):
            return Answer(json.dumps(script.completion()).encode())
        return Answer(script.events(), gap=gap, cut=script.cut >= 0)

    async with Pretend(answer) as provider:
        yield provider


def chat_at(pretend: Pretend, **more: Any) -> Json:
    """A config whose endpoint `chat` is the pretend provider, at a dollar and two dollars a million tokens."""
    target = {"provider": "pretend", "model": "gpt-4o-mini", "price": {"input": 1, "output": 2}}
    return {
        "providers": {"pretend": {"dialect": "openai", "base_url": f"{pretend.url}/v1", "api_key": "not-a-secret"}},
        "endpoints": [{"name": "chat", "targets": [target]}],
        **more,
    }
