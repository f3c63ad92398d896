"""A pretend provider on a real socket, which misbehaves as the path of a request asks it to.

    http://127.0.0.1:PORT/v1                          answers well, in the words of OpenAI, Anthropic or Gemini
    http://127.0.0.1:PORT/~rstmid;after=3;gap=0.01/v1 resets the connection after three events, 10 ms apart
    python -m tests.vendor --port 9000 --log calls.jsonl

The behaviour and its options are in the path, so any number of tests may use one provider at once. All that it
received is in `calls`, or as JSON lines in the log: a line when a call has come, and one when its peer has gone.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote, unquote

import httptools
import orjson

from tests import vendor_words
from tests.vendor_faults import BEHAVIOURS, refuse

RESET = struct.pack("ii", 1, 0)
SETTLE = 0.03
"""Seconds for what was written to be read: a reset throws away what the peer has not read yet."""
JSON = b"application/json"


@dataclass(slots=True)
class Call:
    """A request, as it came."""

    id: int
    connection: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    closed: bool = False
    """The peer closed the connection while this call was the last on it."""
    finished: bool = False
    """All of the answer was written."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Options:
    """What the path asks for."""

    behaviour: str
    said: dict[str, str]
    surface: str

    def number(self, name: str, otherwise: float) -> float:
        return float(self.said.get(name, otherwise))

    def count(self, name: str, otherwise: int) -> int:
        return int(self.said.get(name, otherwise))


class Vendor:
    """Runs in a thread of its own: `with Vendor() as vendor: ... vendor.url("rstmid", after=2)`."""

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None, log: Path | None = None) -> None:
        self.port = port
        self.calls: list[Call] = []
        self.raw: dict[str, list[bytes]] = {}
        """What `~raw;name=x` writes, piece by piece; it then closes unless `;keep=1`."""
        self.seen: Counter[str] = Counter()
        self.ids = itertools.count(1)
        self.connections = itertools.count(1)
        self.open = 0
        self._options: dict[str, Options] = {}
        self._tls = tls
        self._log = log.open("ab", buffering=0) if log else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._listening = threading.Event()
        self._stop = asyncio.Event()

    def url(self, behaviour: str = "", prefix: str = "/v1", **options: object) -> str:
        said = "".join(f";{name.replace('_', '-')}={quote(str(value))}" for name, value in options.items())
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}{f'/~{behaviour}{said}' if behaviour else ''}{prefix}"

    def received(self, behaviour: str) -> list[Call]:
        return [call for call in self.calls if call.path.startswith(f"/~{behaviour}/")
                or call.path.startswith(f"/~{behaviour};")]  # fmt: skip

    def options(self, path: str) -> Options:
        options = self._options.get(path)
        if options is None:
            first = unquote(path.split("/")[1])
            name, *pairs = first.removeprefix("~").split(";") if first.startswith("~") else ("ok",)
            said = dict(pair.partition("=")[::2] for pair in pairs)
            options = self._options[path] = Options(name, said, vendor_words.surface_of(path))
        return options

    def took(self, call: Call) -> None:
        if self._log is None:
            self.calls.append(call)
        else:
            entry = asdict(call) | {"body": call.body.decode("utf-8", "replace")}
            self._log.write(orjson.dumps(entry) + b"\n")

    def left(self, call: Call) -> None:
        call.closed = True
        if self._log is not None:
            self._log.write(orjson.dumps({"id": call.id, "closed": True, "finished": call.finished}) + b"\n")

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), "127.0.0.1", self.port, ssl=self._tls, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._stop.wait()
        server.close()

    def __enter__(self) -> Vendor:
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the pretend provider does not listen")
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self.serve())
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            self._loop.close()


class Connection(asyncio.Protocol):
    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.loop = asyncio.get_running_loop()
        self.number = next(vendor.connections)
        self.call: Call | None = None
        self.answered = 0
        """Calls before the one that it is at."""
        self.parser: Any = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.vendor.open += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.vendor.open -= 1
        self.parser = None
        if self.call is not None:
            self.vendor.left(self.call)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self.path = b""
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self.path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.path.startswith(b"/~early"):
            # An answer before the body was heard.
            self.reply(b'{"error":{"message":"too large for me"}}', status=413)

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        method, path = self.parser.get_method().decode(), self.path.decode("latin-1")
        call = Call(next(self.vendor.ids), self.number, method, path, self.headers, b"".join(self.parts))
        self.vendor.took(call)
        options = self.vendor.options(path)
        self.answered += self.call is not None
        self.call = call
        latency = options.number("latency", 0)
        if latency:
            self.loop.call_later(latency, self.behave, call, options)
        else:
            self.behave(call, options)

    def behave(self, call: Call, options: Options) -> None:
        if self.transport.is_closing():
            return
        if options.behaviour.isdecimal():
            refuse(self, call, options, int(options.behaviour))
        else:
            BEHAVIOURS[options.behaviour](self, call, options)

    # What behaviours are made of.

    def head(self, content_type: bytes, *more: bytes, status: int = 200, extra: bytes = b"") -> None:
        lines = (b"HTTP/1.1 %d Said" % status, b"content-type: " + content_type, b"x-request-id: req-vendor", *more)
        self.transport.write(b"\r\n".join(lines) + b"\r\n" + extra + b"\r\n")

    def reply(self, body: bytes, content_type: bytes = JSON, status: int = 200, extra: bytes = b"") -> None:
        self.transport.write(
            b"HTTP/1.1 %d Said\r\ncontent-type: %b\r\nx-request-id: req-vendor\r\n%bcontent-length: %d\r\n\r\n%b"
            % (status, content_type, extra, len(body), body)
        )
        if self.call is not None:
            self.call.finished = True

    def chunks(self, pieces: list[bytes], gap: float, then: Callable[[], None]) -> None:
        """Write these, so far apart, and then do that."""
        if not gap:
            self.transport.write(b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces))
            then()
        elif pieces:
            if not self.transport.is_closing():
                self.transport.write(b"%x\r\n%b\r\n" % (len(pieces[0]), pieces[0]))
                self.loop.call_later(gap, self.chunks, pieces[1:], gap, then)
        else:
            then()

    def end(self) -> None:
        self.transport.write(b"0\r\n\r\n")
        if self.call is not None:
            self.call.finished = True

    def reset(self) -> None:
        raw = self.transport.get_extra_info("socket")
        if not self.transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()

    def later(self, do: Callable[[], None]) -> None:
        self.loop.call_later(SETTLE, do)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--log", type=Path)
    options = parser.parse_args()
    import uvloop  # only the stand-alone provider needs to be that fast

    uvloop.run(Vendor(port=options.port, log=options.log).serve())


if __name__ == "__main__":
    main()
