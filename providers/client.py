"""The one file that asks providers: a request in OpenAI's words to a target, and its answer, or our error, back."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from providers import retry_after
from providers.chat import Json
from providers.dialect import Complaint, Relay
from providers.errors import (
    Cut,
    Denied,
    Garbled,
    InvalidRequest,
    Rejected,
    UnsupportedParameter,
    UpstreamError,
    from_status,
    reading,
)
from providers.inflate import Inflate
from providers.inside import Inside
from providers.roads import Exchange, Road, cut
from providers.target import RoadName, Target
from providers.trust import Trust
from providers.wire import Wire

MOST_BODY = 64 << 20
"""Bytes of a plain answer, as it came and as it decodes."""
MOST_COMPLAINT = 1 << 20
"""Bytes of an error's body that are looked at."""
MOST_MESSAGE = 1_000
"""Characters of a provider's complaint that reach the caller."""
STREAMS = frozenset({b"text/event-stream", b"application/x-ndjson", b"application/vnd.amazon.eventstream"})
REQUEST_IDS = (b"x-request-id", b"request-id", b"x-goog-request-id", b"apim-request-id", b"x-amzn-requestid")
MOST_ID = 200
REDIRECTED = "it answered with a redirect, which is not followed; its base URL must be the final one"


class Reply:
    """A whole answer."""

    __slots__ = ("body", "payload", "status", "upstream_id")

    def __init__(self, body: bytes, payload: Json, status: int, upstream_id: str | None) -> None:
        self.body = body
        """The provider's own bytes."""
        self.payload = payload
        self.status = status
        self.upstream_id = upstream_id


class Flow:
    """A stream whose first event has come."""

    __slots__ = ("_events", "_exchange", "_finishing", "_inflate", "_ready", "_target", "error", "relay", "upstream_id")

    def __init__(self, target: Target, exchange: Exchange, relay: Relay) -> None:
        self.relay = relay
        self.upstream_id = _upstream_id(exchange.headers)
        self.error: UpstreamError | None = None
        """Why the stream ended, when it did not end as it should and the relay does not say so."""
        self._target = target
        self._exchange: Exchange | None = exchange
        self._inflate = _inflate(target, exchange)
        self._events = 0
        self._finishing = False
        self._ready = b""

    @property
    def done(self) -> bool:
        """The answer is whole: the provider said so, or ended cleanly and is known never to say so."""
        return self.relay.done or (
            self._target.accept_unterminated
            and self._exchange is None
            and self.error is None
            and self.relay.error is None
            and self.relay.events > 0
        )

    async def read(self) -> bytes:
        """The next bytes for the caller; b"" when it is over, and then `done`, `relay.error` and `error` say how."""
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        relay = self.relay
        while (exchange := self._exchange) is not None:
            try:
                data = await exchange.read()
                if not data:
                    self._exchange = None
                if self._inflate is not None:
                    data = self._inflated(data)
            except UpstreamError as error:
                self.close()
                if not relay.done and relay.error is None:
                    self.error = error.with_traceback(None)
                return b""
            if self._exchange is None:
                return self._ended()
            given = relay.feed(data)
            if relay.error is not None:
                _fit_to_show(self._target, relay.error)
                self.close()
            elif relay.done:
                if not self._finishing:
                    self._finishing = True
                    exchange.finishing()
            elif relay.events != self._events:
                self._events = relay.events
                exchange.advanced()
            if given:
                return given
        return b""

    def failure(self) -> UpstreamError:
        """Why the answer is not whole. It is not kept: once raised, its traceback holds on to us, and to the call."""
        error = self.relay.error or self.error or cut(self._target)
        self.relay.error = self.error = None
        return error

    def close(self) -> None:
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None

    async def begin(self) -> None:
        """Wait for the first event: until then a fault is still an error with a status."""
        given = []
        while not self.relay.events:
            data = await self.read()
            given.append(data)
            if not data:
                break
        self._ready = b"".join(given)
        if (self.relay.error or self.error) is not None and not self.relay.events:
            raise self.failure()
        if not self.relay.events and not self.relay.done:
            raise cut(self._target)

    def _ended(self) -> bytes:
        rest = self.relay.close()
        if not self.relay.done and self.relay.error is None and not self.done:
            self.error = Cut(f"{self._target.provider.name} ended its answer without saying that it was whole")
        return rest

    def _inflated(self, data: bytes) -> bytes:
        assert self._inflate is not None
        if self._exchange is not None:
            return self._inflate.feed(data)
        self._inflate.close()
        return b""


class Client:
    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._trust = Trust(tls)
        self._roads: dict[RoadName, Road] = {"wire": Wire(self._trust), "inside": Inside()}

    async def complete(self, target: Target, request: Json) -> Reply:
        exchange = await self._road(target).send(target, _body_of(target, request), False)
        headers, status = exchange.headers, exchange.status
        if not 200 <= status < 300:
            raise await _refusal(target, exchange)
        kind = headers.get(b"content-type")
        if kind is not None and b"json" not in kind:
            exchange.close()
            raise _bad_content_type(target, kind)
        if b"content-encoding" in headers:
            body = await _body(target, exchange, MOST_BODY)
        else:
            body = await exchange.whole(MOST_BODY)
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise Garbled(f"{target.provider.name} answered with a body that is no JSON") from exc
        if type(payload) is not dict or payload.get("error"):
            error = _error_inside(target, headers, payload)
            raise error or Garbled(f"{target.provider.name} answered with JSON that is no object")
        return Reply(body, payload, status, _upstream_id(headers))

    async def stream(self, target: Target, request: Json) -> Flow:
        """Returns when the first event has come."""
        exchange = await self._road(target).send(target, _body_of(target, request), True)
        if not 200 <= exchange.status < 300:
            raise await _refusal(target, exchange)
        kind = exchange.headers.get(b"content-type")
        if kind is not None and kind.partition(b";")[0].strip().lower() not in STREAMS:
            raise await _no_stream(target, exchange, kind)
        flow = Flow(target, exchange, target.surface.relay(request))
        try:
            await flow.begin()
        except BaseException:
            flow.close()
            raise
        return flow

    def _road(self, target: Target) -> Road:
        road = self._roads.get(target.road)
        if road is None:
            # httpx takes a quarter of a second to import and some megabytes, for what most gateways never need.
            from providers.slow_road import SlowRoad

            road = self._roads["slow"] = SlowRoad(self._trust)
        return road

    async def aclose(self) -> None:
        for road in self._roads.values():
            await road.aclose()


def _body_of(target: Target, request: Json) -> bytes:
    """The request in the provider's words. Raises InvalidRequest for what it has no word for, or cannot be read."""
    provider = target.provider
    if target.picky and (refused := provider.refused(target.kind, request)):
        names = ", ".join(sorted(refused))
        raise UnsupportedParameter(f"{provider.name} does not take {names}", param=min(refused))
    if request["model"] != target.model:
        request = {**request, "model": target.model}
    with reading(InvalidRequest):
        return orjson.dumps(target.surface.encode(request))


async def _body(target: Target, exchange: Exchange, most: int) -> bytes:
    inflate = _inflate(target, exchange, most)
    body = await exchange.whole(most)
    if inflate is not None:
        body = inflate.feed(body)
        inflate.close()
    return body


def _inflate(target: Target, exchange: Exchange, most: int | None = None) -> Inflate | None:
    encoding = exchange.headers.get(b"content-encoding", b"identity")
    if encoding == b"identity":
        return None
    try:
        return Inflate(encoding, target.provider.name, most)
    except Garbled:
        exchange.close()
        raise


async def _refusal(target: Target, exchange: Exchange) -> UpstreamError:
    """What an answer that is not 2xx says was wrong."""
    status, headers = exchange.status, exchange.headers
    if status < 400:
        exchange.close()
        return _error(target, headers, status, Complaint(REDIRECTED))
    try:
        payload: object = orjson.loads(await _body(target, exchange, MOST_COMPLAINT))
        with reading(Garbled):
            complaint = target.surface.complaint(payload)
    except (UpstreamError, orjson.JSONDecodeError):
        # The status is the answer; a body that cannot be read, or is some proxy's HTML, adds nothing to it.
        complaint = Complaint(f"it answered {status}")
    # Google answers 400 to a key that it does not know, which would be taken for a fault of the caller's.
    return _error(target, headers, 401 if complaint.status == 401 else status, complaint)


async def _no_stream(target: Target, exchange: Exchange, kind: bytes) -> UpstreamError:
    """What an answer that is no stream is about: an error, if it is JSON that holds one."""
    if b"json" not in kind:
        exchange.close()
        return _bad_content_type(target, kind)
    headers = exchange.headers
    try:
        payload = orjson.loads(await _body(target, exchange, MOST_BODY))
    except orjson.JSONDecodeError:
        return _bad_content_type(target, kind)
    return _error_inside(target, headers, payload) or _bad_content_type(target, kind)


def _error_inside(target: Target, headers: Mapping[bytes, bytes], payload: object) -> UpstreamError | None:
    """The error of an answer whose status says that there is none."""
    first = payload[0] if type(payload) is list and payload else payload
    if type(first) is not dict or not first.get("error"):
        return None
    with reading(Garbled):
        complaint = target.surface.complaint(payload)
    status = complaint.status if complaint.status is not None and 400 <= complaint.status < 600 else 500
    return _error(target, headers, status, complaint)


def _error(target: Target, headers: Mapping[bytes, bytes], status: int, complaint: Complaint) -> UpstreamError:
    wait = retry_after.wait(headers, datetime.now(UTC)) if status >= 400 else None
    if wait is None:
        wait = complaint.retry_after
    error = from_status(status, complaint.message, retry_after=wait, code=complaint.code, param=complaint.param)
    error.upstream_status = status
    error.upstream_id = _upstream_id(headers)
    return _fit_to_show(target, error)


def _fit_to_show(target: Target, error: UpstreamError) -> UpstreamError:
    """A provider's words without our credential, and without what only concerns us; who said them, unless the caller
    is meant."""
    who = target.provider.name
    if isinstance(error, Denied):
        message = f"{who} did not accept the gateway's credential for it"
    else:
        message = error.message
        if target.secret is not None:
            message = message.replace(target.secret, "[credential]")
        if len(message) > MOST_MESSAGE:
            message = f"{message[:MOST_MESSAGE]}..."
        if not isinstance(error, Rejected):
            message = f"{who}: {message}"
    error.message, error.args = message, (message,)
    return error


def _bad_content_type(target: Target, kind: bytes) -> Garbled:
    shown = kind[:100].decode("latin-1")
    return Garbled(f"{target.provider.name} answered with content-type {shown!r}", code="upstream_bad_content_type")


def _upstream_id(headers: Mapping[bytes, bytes]) -> str | None:
    for name in REQUEST_IDS:
        if (value := headers.get(name)) is not None:
            return value[:MOST_ID].decode("latin-1")
    return None
