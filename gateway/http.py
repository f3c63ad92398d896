"""HTTP to callers: uvicorn's protocol, but the head of an answer leaves in one write with what follows it.

Uvicorn writes a head and its body one after the other. On a socket that sends at once that is two system calls, two
packets and two wake-ups of the peer, which together cost more than all the rest of answering. The head is therefore
kept until the first bytes of the body are there, and checked as a whole for what would let a value end it early.
"""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import httptools
from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    _head = b""

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

    def on_headers_complete(self) -> None:
        """As uvicorn's own, which knows only its own cycle; without websockets, whose upgrade is not offered."""
        version = self.parser.get_http_version()
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + url.path
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
        if existing is None or existing.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            # A request that came before the answer to the one before it waits for its turn.
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))
