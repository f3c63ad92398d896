"""HTTP to callers, byte by byte: what uvicorn's own protocol would say, in fewer writes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.http import Protocol

HEADERS = [(b"content-type", b"text/plain")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive()).get("body", b"")
    path: str = scope["path"]
    if path == "/evil":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nset-cookie: b=c")]})
    elif path == "/empty":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
    elif path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        for piece in (b"one", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})
    else:
        answer = body or path.encode()
        length = (b"content-length", b"%d" % len(answer))
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(app, port=0, http=Protocol, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(5)


def said(port: int, request: bytes, *, until: bytes | None = None) -> bytes:
    """All that is answered until the connection ends, or until these bytes have come."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(request)
        heard = b""
        while until is None or not heard.endswith(until):
            piece = caller.recv(65536)
            if not piece:
                break
            heard += piece
    return heard


def bare(heard: bytes) -> bytes:
    """Without the date."""
    return b"\r\n".join(line for line in heard.split(b"\r\n") if not line.startswith((b"date:", b"server:")))


def test_a_plain_answer_is_whole(port: int) -> None:
    heard = said(port, b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n", until=b"/hello")
    assert bare(heard) == b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\n/hello"


def test_a_head_arrives_together_with_its_body(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.1)
        assert caller.recv(65536).endswith(b"/hello")


def test_a_stream_is_chunked_and_ended(port: int) -> None:
    heard = said(port, b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n", until=b"0\r\n\r\n")
    assert b"transfer-encoding: chunked" in heard
    assert heard.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n3\r\nend\r\n0\r\n\r\n")


def test_what_has_no_body_sends_none(port: int) -> None:
    head = said(port, b"HEAD /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert b"content-length: 6" in head
    empty = said(port, b"GET /empty HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert empty.startswith(b"HTTP/1.1 204")
    assert b"chunked" not in empty


def test_a_connection_is_kept_or_closed_as_the_caller_asks(port: int) -> None:
    assert b"connection: close" in said(port, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"connection: close" in said(port, b"GET / HTTP/1.0\r\n\r\n")


def test_requests_that_come_at_once_are_answered_in_order(port: int) -> None:
    asked = b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % number for number in range(3))
    heard = said(port, asked, until=b"/2")
    assert [part[-2:] for part in heard.split(b"HTTP/1.1 200 OK")[1:]] == [b"/0", b"/1", b"/2"]


def test_a_caller_who_asks_whether_to_go_on_is_told_so(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(request)
        assert caller.recv(65536).startswith(b"HTTP/1.1 100")
        caller.sendall(b"ok")
        assert caller.recv(65536).endswith(b"ok")


def test_a_header_cannot_end_early(port: int) -> None:
    heard = said(port, b"GET /evil HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"set-cookie" not in heard
