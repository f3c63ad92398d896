"""The floor: the least that any Python gateway can do per call, on uvloop and httptools. The yardstick, not a design.

    UPSTREAM_PORT=9000 uvicorn floor:app --app-dir bench --port 9100 --loop uvloop --http httptools --no-access-log

It reads the request's JSON, writes it again, sends it to one upstream over a kept connection, and relays the answer.
It has no routes, keys, retries, timeouts, records or errors: what a gateway costs above it is what those cost.
"""

import asyncio
import os
from collections import deque

import httptools
import orjson

PORT = int(os.environ.get("UPSTREAM_PORT", "9000"))
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"authorization: Bearer upstream\r\ncontent-length: %d\r\n\r\n"
)
idle: deque["Connection"] = deque()


class Connection(asyncio.Protocol):
    def connection_made(self, transport) -> None:
        self.transport, self.lost, self.waiter = transport, False, None

    def connection_lost(self, error) -> None:
        self.lost = True
        self.wake()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_headers_complete(self) -> None:
        self.headed = True
        self.wake()

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)
        self.wake()

    def on_message_complete(self) -> None:
        self.done = True
        self.wake()

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def wait(self) -> None:
        if self.lost:
            raise ConnectionResetError
        self.waiter = asyncio.get_running_loop().create_future()
        await self.waiter

    def request(self, data: bytes) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.parts, self.headed, self.done = [], False, False
        self.transport.write(data)


async def app(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    if scope["method"] != "POST":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        return await send({"type": "http.response.body", "body": b""})
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    request = orjson.loads(body)
    data = orjson.dumps(request)
    if idle:
        upstream = idle.pop()
    else:
        _, upstream = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", PORT)
    upstream.request(HEAD % len(data) + data)
    while not upstream.headed:
        await upstream.wait()
    if request.get("stream"):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        while True:
            if upstream.parts:
                parts, upstream.parts = upstream.parts, []
                await send({"type": "http.response.body", "body": b"".join(parts), "more_body": True})
            elif upstream.done:
                break
            else:
                await upstream.wait()
        await send({"type": "http.response.body", "body": b""})
    else:
        while not upstream.done:
            await upstream.wait()
        answer = orjson.dumps(orjson.loads(b"".join(upstream.parts)))
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))],
            }
        )
        await send({"type": "http.response.body", "body": answer})
    if not upstream.lost:
        idle.append(upstream)
