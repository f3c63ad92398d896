"""HTTP to callers: uvicorn's protocol, but the head of an answer leaves in one write with what follows it.

Uvicorn writes a head and its body one after the other. On a socket that sends at once that is two system calls, two
packets and two wake-ups of the peer, which together cost more than all the rest of answering. The head is therefore
kept until the first bytes of the body are there, and checked as a whole for what would let a value end it early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any
from urllib.parse import unquote

import httptools
from starlette.types import Message
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

PLAIN = {path.encode(): path for path in ("/v1/chat/completions", "/v1/completions", "/v1/embeddings")}
"""Targets of nearly all requests, in which there is nothing to take apart."""
Whole = Callable[[bytes, bytes], None]
"""Sends a head, from the first header on and without what the server adds, and its body. `scope[WHOLE]`."""
WHOLE, TASK = "gatelog.whole", "gatelog.task"
"""Keys of a scope: what an application can do here beyond ASGI, and the task that runs it."""


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    _head = b""

    def whole(self, head: bytes, body: bytes) -> None:
        """Answer 200, all at once."""
        if self.disconnected:
            return
        assert not self.response_started, "an answer begins once"
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        lines = [STATUS_LINE[200]]
        for name, value in self.default_headers:
            lines.append(b"%b: %b\r\n" % (name, value))
        lines.append(head)
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        lines.append(body)
        self.transport.write(b"".join(lines))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def send(self, message: Message) -> None:  # type: ignore[override]  # uvicorn types each message by itself
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            assert message["type"] == "http.response.start", "an answer begins with its head"
            self.response_started = True
            self.waiting_for_100_continue = False
            self._head = self._headed(message)
            return
        assert message["type"] == "http.response.body", "a head is followed by a body"
        assert not self.response_complete, "an answer ends once"
        body: bytes = message.get("body", b"")
        more: bool = message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            body = b""
            self.expected_content_length = 0
        elif self.chunked_encoding:
            if body:
                body = b"%x\r\n%b\r\n" % (len(body), body)
            if not more:
                body += b"0\r\n\r\n"
        else:
            self.expected_content_length -= len(body)
            assert self.expected_content_length >= 0, "a body is no longer than its content-length"
        if self._head:
            body = self._head + body
            self._head = b""
        if body:
            self.transport.write(body)
        if not more:
            assert self.expected_content_length == 0, "a body is no shorter than its content-length"
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _headed(self, message: Message) -> bytes:
        status: int = message["status"]
        lines = [STATUS_LINE[status]]
        chunked, closing = self.scope["method"] != "HEAD" and status not in (204, 304), False
        headers = [*self.default_headers, *message.get("headers", ())]
        for name, value in headers:
            lines.append(b"%b: %b\r\n" % (name, value))
            if name == b"content-length":
                self.expected_content_length = int(value)
                chunked = False
            elif name == b"connection" and b"close" in value.lower():
                closing = True
        if closing:
            self.keep_alive = False
        elif not self.keep_alive:
            lines.append(b"connection: close\r\n")
        if chunked:
            lines.append(b"transfer-encoding: chunked\r\n")
        self.chunked_encoding = chunked
        lines.append(b"\r\n")
        head = b"".join(lines)
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines) or b"\0" in head:
            raise ValueError("a header's value holds a line break or a NUL")
        return head


class Protocol(HttpToolsProtocol):
    """One caller's connection."""

    _closes_at = inf
    """When it will have been idle for too long: moved with every request, and looked at when the alarm rings."""
    _alarm: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        self._closes_at = inf
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """As uvicorn's own, which makes and cancels a timer for every request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._closes_at = self.loop.time() + self.timeout_keep_alive
        if self._alarm is None:
            self._alarm = self.loop.call_at(self._closes_at, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._closes_at > self.loop.time() + 0.001:
            if self._closes_at < inf:
                self._alarm = self.loop.call_at(self._closes_at, self._ring)
        elif not self.transport.is_closing():
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        task = self.loop.create_task(cycle.run_asgi(app))
        if WHOLE in cycle.scope:
            scope: Any = cycle.scope
            scope[TASK] = task
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_headers_complete(self) -> None:
        """As uvicorn's own, which knows only its own cycle; without websockets, whose upgrade is not offered."""
        version = self.parser.get_http_version()
        scope: Any = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        if plain := self.url in PLAIN:
            scope["path"], scope["raw_path"], scope["query_string"] = PLAIN[self.url], self.url, b""
        else:
            url = httptools.parse_url(self.url)
            path = url.path.decode("ascii")
            scope["path"] = unquote(path) if "%" in path else path
            scope["raw_path"] = url.path
            scope["query_string"] = url.query or b""
        existing = self.cycle
        cycle = self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if plain:
            scope[WHOLE] = cycle.whole
        if existing is None or existing.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            # A request that came before the answer to the one before it waits for its turn.
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
