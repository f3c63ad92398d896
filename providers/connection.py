"""One HTTP/1.1 connection to a provider, over asyncio and httptools, and the exchange that is on it.

Nothing is made per call but the parts of its answer: the parser, the timer and the connection itself serve the next
call too. All timeouts are one timer that is only moved when it rings early, so to reset one costs the reading of a
clock.
"""

from __future__ import annotations

import asyncio
import select
from math import inf
from typing import Any, Protocol, cast

import httptools

from providers.errors import Closed, Garbled, UpstreamError
from providers.inflate import too_large
from providers.roads import MOST_FIELDS, MOST_HEAD, cut, timed_out
from providers.target import Target

KEPT_SECONDS = 30.0
"""Less than the idle timeouts of the load balancers that providers stand behind (60 s and more)."""
FRESH_SECONDS = 0.05
"""For so long after its last use a connection is taken for what the event loop last saw of it: to ask its socket once
more is a system call, which gives the other thread its turn."""
MOST_UNREAD = 256 << 10
"""Bytes of an answer that nobody has read yet, before the provider is made to wait."""
SLICE = 256 << 10
"""A larger request is uploaded in pieces, each when the one before it has left."""
MOST_INTERIM = 16
"""Answers of 1xx before the real one; a provider that sends more is not going to answer."""
GRACE_SECONDS = 1.0
"""For the end of a body whose last event has come."""


class Pool(Protocol):
    """Whoever made a connection: it is told when the connection is free for another call, and when it is gone."""

    def keep(self, connection: Connection, origin: str) -> None: ...
    def forget(self, connection: Connection, origin: str) -> None: ...


class Connection(asyncio.Protocol):
    """One connection, and the exchange that is on it."""

    __slots__ = (
        "_alarm",
        "_bytes_of_head",
        "_deadline",
        "_done",
        "_endless",
        "_ends",
        "_failure",
        "_fields",
        "_full",
        "_headed",
        "_idle",
        "_interim",
        "_keep",
        "_loop",
        "_lost",
        "_origin",
        "_parser",
        "_parts",
        "_paused",
        "_phase",
        "_pool",
        "_readable",
        "_rings",
        "_target",
        "_transport",
        "_unread",
        "_uploading",
        "_waiter",
        "answering",
        "headers",
        "status",
    )

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop, origin: str) -> None:
        self._pool = pool
        self._loop = loop
        self._origin = origin
        self._parser: Any = httptools.HttpResponseParser(self)
        self._transport = cast(asyncio.Transport, None)
        self._readable = select.poll()
        self._target: Target | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._rings = self._deadline = self._ends = inf
        self._parts: list[bytes] = []
        self._fields: list[tuple[bytes, bytes]] = []
        self._lost = self._paused = self._full = self._uploading = self._done = self._headed = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}

    # What the client does with it.

    def expired(self, now: float) -> bool:
        """Too old, gone, or with something to say that nobody asked for: a goodbye, or bytes meant for no caller."""
        if self._lost or now >= self._deadline or self._transport.is_closing():
            return True
        fresh = self._deadline - now > KEPT_SECONDS - FRESH_SECONDS
        return not fresh and bool(self._readable.poll(0))

    async def ask(self, target: Target, body: bytes, stream: bool, began: float) -> None:
        timeouts = target.timeouts
        self._target = target
        self._idle = timeouts.idle
        self._failure: UpstreamError | None = self._closed(target) if self._lost else None
        self._headed = self._done = self._endless = self._keep = self.answering = False
        self._unread = self._bytes_of_head = self._interim = 0
        self._ends = began + timeouts.total
        self._expect("first_byte", timeouts.first_byte)
        head = b"%b%d\r\n\r\n" % (target.stream_head if stream else target.head, len(body))
        if len(body) <= SLICE:
            self._transport.write(head + body)
        else:
            await self._upload(target, head, body)
        while not self._headed:
            if self._failure is not None:
                raise self._reason()
            await self._wait()
        if stream:
            self._expect("first_token", timeouts.first_token)
        elif not self._done:
            self._expect("idle", timeouts.idle)

    async def read(self) -> bytes:
        while True:
            if parts := self._parts:
                self._parts, self._unread = [], 0
                if self._paused:
                    self._paused = False
                    if not self._lost:
                        self._transport.resume_reading()
                return parts[0] if len(parts) == 1 else b"".join(parts)
            if self._done:
                self._release()
                return b""
            if self._failure is not None:
                raise self._reason()
            await self._wait()

    async def whole(self, most: int) -> bytes:
        if self._done and self._unread <= most:
            body = b"".join(self._parts)
            self._parts = []
            self._release()
            return body
        assert self._target is not None
        who, idle = self._target.provider.name, self._target.timeouts.idle
        if int(self.headers.get(b"content-length", b"0")) > most:
            self.close()
            raise too_large(who, most)
        parts, size = [], 0
        while piece := await self.read():
            parts.append(piece)
            size += len(piece)
            if size > most:
                self.close()
                raise too_large(who, most)
            self._expect("idle", idle)
        return b"".join(parts)

    def advanced(self) -> None:
        # As _expect does, without the call: this is done for every piece of every stream.
        deadline = self._loop.time() + self._idle
        if deadline > self._ends:
            deadline = self._ends
        self._phase = "idle"
        self._deadline = deadline
        if self._rings > self._deadline:
            self._set_alarm()

    def finishing(self) -> None:
        if not self._done:
            self._expect("idle", GRACE_SECONDS)

    def secured(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        self._target = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._lost:
            # Not close(), which would first send what is still to be uploaded.
            self._transport.abort()

    # What asyncio tells it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._readable.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if self._target is None or self._done:
            # Nobody asked. Whatever it is, the next caller must not be given it.
            self._keep = False
            self._transport.abort()
            return
        self.answering = True
        if not self._headed:
            self._bytes_of_head += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._unparsable()
        if self._headed:
            if self._unread > MOST_UNREAD and not self._paused and not self._done:
                self._paused = True
                self._transport.pause_reading()
        elif self._bytes_of_head > MOST_HEAD and self._failure is None:
            self._fail(self._bad_head())
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._keep = False
        self._pool.forget(self, self._origin)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._target is not None and not self._done and self._failure is None:
            if self._headed and self._endless and exc is None:
                # A body that only the end of the connection ends; whether the answer is whole, its last event tells.
                self._done = True
            elif self._headed:
                self._failure = cut(self._target)
            else:
                self._failure = self._closed(self._target)
        self._wake()
        # It holds bound methods of ours: without this only the garbage collector could free the two.
        self._parser = None

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    # What the parser tells it.

    def on_message_begin(self) -> None:
        if self._done:
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._headed:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        if self._done:
            return
        fields, self._fields = self._fields, []
        status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            if self._interim > MOST_INTERIM:
                self._fail(self._bad_head())
                raise OverflowError("too many interim answers")
            return
        if len(fields) > MOST_FIELDS or (
            self._bytes_of_head > MOST_HEAD and sum(len(name) + len(value) + 4 for name, value in fields) > MOST_HEAD
        ):
            self._fail(self._bad_head())
            raise OverflowError("too large a head")
        self.status = status
        self.headers = headers = {name.lower(): value for name, value in fields}
        if b"content-length" not in headers:
            self._endless = headers.get(b"transfer-encoding", b"").rpartition(b",")[2].strip().lower() != b"chunked"
        self._headed = True

    def on_body(self, body: bytes) -> None:
        if not self._done:
            self._parts.append(body)
            self._unread += len(body)

    def on_message_complete(self) -> None:
        if self._headed:
            self._keep = not self._done and self._parser.should_keep_alive()
            self._done = True

    # How it goes about it.

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _reason(self) -> UpstreamError:
        """What went wrong, to be raised. It is not kept: its traceback will hold on to us, and to the call."""
        failure, self._failure = self._failure, None
        assert failure is not None, "asked for only when there is one"
        return failure

    async def _upload(self, target: Target, head: bytes, body: bytes) -> None:
        self._transport.write(head)
        self._uploading = True
        view = memoryview(body)
        for start in range(0, len(body), SLICE):
            self._transport.write(view[start : start + SLICE])
            while self._full and not self._headed and self._failure is None:
                await self._wait()
            if self._headed or self._failure is not None:
                # It has answered without hearing us out; what is left unsaid makes the connection unfit for more.
                return
            self._expect("first_byte", target.timeouts.first_byte)
        self._uploading = False

    def _release(self) -> None:
        self._target = None
        if self._keep and not self._uploading and not self._paused:
            self._deadline = self._loop.time() + KEPT_SECONDS
            if self._alarm is None:
                self._set_alarm()
            self._pool.keep(self, self._origin)
        else:
            self.close()

    def _expect(self, phase: str, seconds: float) -> None:
        """From now on this is what must happen within so many seconds."""
        deadline = self._loop.time() + seconds
        self._phase = phase
        self._deadline = deadline if deadline < self._ends else self._ends  # noqa: FURB136 - min() costs a call
        if self._rings > self._deadline:
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._rings = self._deadline
        self._alarm = self._loop.call_at(self._rings, self._ring)

    def _ring(self) -> None:
        self._alarm, self._rings = None, inf
        now = self._loop.time()
        # Half a millisecond: uvloop's clock has no finer hand, and may ring that early.
        if now < self._deadline - 0.0005:
            self._set_alarm()
        elif self._target is None:
            self.close()
        elif self._unread and now < self._ends - 0.0005:
            # The provider has spoken; it is our caller who is slow to listen.
            self._expect(self._phase, self._target.timeouts.idle)
        elif not self._done:
            self._fail(timed_out(self._target, "total" if self._deadline >= self._ends else self._phase))

    def _fail(self, error: UpstreamError) -> None:
        self._failure = error
        self._transport.abort()
        self._wake()

    def _unparsable(self) -> None:
        self._keep = False
        if self._done:
            self._transport.abort()
        elif self._failure is None:
            assert self._target is not None
            self._fail(cut(self._target) if self._headed else self._bad_head())

    def _closed(self, target: Target) -> Closed:
        return Closed(f"{target.provider.name} closed the connection before it answered")

    def _bad_head(self) -> Garbled:
        assert self._target is not None
        return Garbled(f"{self._target.provider.name} did not answer in HTTP", code="upstream_bad_http")
