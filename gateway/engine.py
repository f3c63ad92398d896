"""The life of one call: begun in the journal, tried at its targets, metered, ended in the journal, and answered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson
from starlette.types import Receive, Send

from gateway.call import Call
from gateway.doors import openai as door
from gateway.hangup import Hangups, Watched
from gateway.http import Whole
from gateway.routing import Choice, Health, Plan
from providers import sse
from providers.chat import Json
from providers.client import Client, Flow, Reply
from providers.errors import (
    Garbled,
    GatewayError,
    Internal,
    Overloaded,
    StorageUnavailable,
    UpstreamError,
    reading,
)
from providers.target import Target
from tracking.aside import Aside
from tracking.calls import End
from tracking.journal import Journal
from tracking.money import dollars
from tracking.redaction import redact_json, redact_sse

JSON_TYPE, SSE_TYPE = (b"content-type", b"application/json"), (b"content-type", b"text/event-stream; charset=utf-8")
JSON_LINE = b"content-type: application/json\r\n"
UNBUFFERED = [SSE_TYPE, (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
DRAINS_MOST = 32
"""Answers that are read to their end after their caller left, for endpoints that ask for it; beyond, they are cut."""

log = logging.getLogger("gatelog.engine")
Answer = TypeVar("Answer", Reply, Flow)


class Engine:
    """Runs calls. It keeps nothing about a call: that is in its `Call` and on the stack."""

    def __init__(self, client: Client, journal: Journal, health: Health, aside: Aside[Any]) -> None:
        self._client, self._journal, self._health, self._aside = client, journal, health, aside
        self._owed: deque[tuple[End, bytes]] = deque()
        self._hangups = Hangups(self._leaves_with_its_caller)
        self._draining = 0
        self.running = 0
        """Calls under way."""

    async def serve(self, call: Call, body: bytes, receive: Receive, send: Send, whole: Whole | None = None) -> None:
        """Answer a call, and leave exactly one record of it, whatever happens. `whole` is where the server can send an
        answer in one piece.

        Raises GatewayError while the answer has not begun, and CancelledError when the server itself is stopping.
        """
        self.running += 1
        watched = self._hangups.watch(call, receive, call.endpoint.choices[0].target.timeouts.client_write)
        try:
            if call.stream:
                await self._stream(call, body, send, watched)
            else:
                await self._plain(call, body, send, whole)
        except GatewayError as error:
            call.failed(error)
            raise
        except asyncio.CancelledError:
            if not (call.hung_up or call.too_slow):
                await self._stopped(call, send)
                raise
            watched.task.uncancel()
            call.left()
        except Exception:
            call.failed(Internal("the gateway failed; the run says nothing more"))
            raise
        finally:
            self.running -= 1
            self._hangups.over(watched)
            self._end(call)

    async def complete(self, call: Call, body: bytes) -> Json:
        """A plain call from inside the process: the same tries and the same record, without a socket."""
        try:
            answer = _answer(call, await self._tried(call, body, self._client.complete))
        except GatewayError as error:
            call.failed(error)
            raise
        else:
            call.status = "ok"
            reply: Json = orjson.loads(answer)
            return reply
        finally:
            self._end(call)

    async def _plain(self, call: Call, body: bytes, send: Send, whole: Whole | None) -> None:
        answer = _answer(call, await self._tried(call, body, self._client.complete))
        call.status = "client_cancelled" if call.hung_up else "ok"
        cost = None if call.cost_nanos is None else dollars(call.cost_nanos).encode()
        self._end(call)
        await self._journal.synced()
        if whole is not None:
            priced = b"" if cost is None else b"x-gatelog-cost-usd: %b\r\n" % cost
            whole(b"%bcontent-length: %d\r\n%b%b" % (call.head(), len(answer), JSON_LINE, priced), answer)
            return
        headers = [*call.headers(), JSON_TYPE, (b"content-length", b"%d" % len(answer))]
        if cost is not None:
            headers.append((b"x-gatelog-cost-usd", cost))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _stream(self, call: Call, body: bytes, send: Send, watched: Watched) -> None:
        flow = await self._tried(call, body, self._client.stream)
        relay = flow.relay
        call.upstream_id = flow.upstream_id
        call.response_type = "sse"
        try:
            while data := await flow.read():
                if not call.headed:
                    await self._head(call, send)
                call.keep(data)
                watched.sending = True
                await send({"type": "http.response.body", "body": data, "more_body": True})
                watched.sending = False
                watched.sent += 1
        finally:
            whole = flow.done
            flow.close()
            call.streamed(relay, whole)
        if whole:
            call.status = "client_cancelled" if call.hung_up else "ok"
            self._end(call)
            await self._journal.synced()
            if not call.headed:
                await self._head(call, send)
            await send({"type": "http.response.body", "body": sse.DONE})
            return
        error = flow.failure()
        self._health.failed(call.chosen, error)
        call.attempts[-1]["status"] = error.code
        if not call.headed:
            raise error
        call.failed(error)
        self._end(call)
        await self._break_off(error, send)

    async def _head(self, call: Call, send: Send) -> None:
        call.headed = True
        await send({"type": "http.response.start", "status": 200, "headers": call.headers() + UNBUFFERED})

    async def _break_off(self, error: GatewayError, send: Send) -> None:
        """Say in the stream what went wrong. The body is left without an end, so that even a client that does not look
        for errors in a stream cannot take it for whole."""
        await send({"type": "http.response.body", "body": door.said(error), "more_body": True})

    async def _stopped(self, call: Call, send: Send) -> None:
        """The server is stopping and has waited as long as it may."""
        error = Overloaded("the server is stopping", code="server_shutdown")
        call.failed(error)
        call.status = "interrupted"
        self._end(call)
        if call.headed:
            await self._break_off(error, send)

    async def _tried(self, call: Call, body: bytes, ask: Callable[[Target, Json], Awaitable[Answer]]) -> Answer:
        """The first answer that a target gives, trying others as the endpoint's plan allows."""
        plan = Plan(call.endpoint, self._health)
        choice = call.choice = plan.first()
        await self._begin(call, body)
        while True:
            began = time.perf_counter_ns()
            try:
                answer = await ask(choice.target, _asked(call.request, choice))
            except UpstreamError as error:
                self._health.failed(choice, error)
                call.tried(began, error.code, error.upstream_status, error.message)
                if (following := plan.after(error)) is None:
                    raise
                choice, wait = following
                if wait:
                    await asyncio.sleep(wait)
                call.choice = choice
            except asyncio.CancelledError:
                call.tried(began, "cancelled", None, None)
                raise
            else:
                self._health.succeeded(choice)
                call.tried(began, "ok", 200, None)
                call.first_at = time.perf_counter_ns()
                return answer

    def _leaves_with_its_caller(self, call: Call) -> bool:
        """Whether a call is to be cut now that nobody waits for it."""
        if call.endpoint.on_disconnect == "cancel" or self._draining >= DRAINS_MOST:
            return True
        self._draining += 1
        call.draining = True
        return False

    async def _begin(self, call: Call, body: bytes) -> None:
        payloads = call.endpoint.log_payloads
        if payloads != "full":
            body = redact_json(body) if payloads == "redacted" else b""
        try:
            while self._owed:
                self._journal.end(*self._owed[0])
                self._owed.popleft()
            self._journal.begin(call.begin(), body)
            call.begun = True
            await self._journal.synced()
        except OSError as exc:
            log.error("the journal cannot be written: %s", exc.strerror)
            raise StorageUnavailable(
                "the call could not be recorded, so it was not made; try again later", retry_after=5
            ) from exc

    def _end(self, call: Call) -> None:
        """Write the end of a call that was begun, once. What cannot be written now is owed, and paid before the next
        call is begun."""
        if call.ended or not call.begun:
            return
        call.ended = True
        if call.draining:
            self._draining -= 1
        body = b"".join(call.response)
        if call.endpoint.log_payloads != "full" and call.basis != "provider":
            self._aside.put(call.id, call.request, call.request_bytes, body)
        if call.endpoint.log_payloads == "none":
            body = b""
        elif call.endpoint.log_payloads == "redacted":
            body = redact_sse(body) if call.response_type == "sse" else redact_json(body)
        end = call.end()
        try:
            self._journal.end(end, body)
        except OSError as exc:
            log.error("the journal cannot be written: %s; the end of call %s is owed", exc.strerror, call.id)
            self._owed.append((end, body))


def _answer(call: Call, reply: Reply) -> bytes:
    """What the caller is sent of a provider's answer: its own bytes where nothing changes. Metered on the way."""
    surface = call.target.surface
    with reading(Garbled):
        call.used(surface.usage(reply.payload))
        answer = surface.decode(reply.payload, call.request)
        call.answered(answer)
    call.upstream_id = reply.upstream_id
    call.response_type = "json"
    sent = reply.body if answer is reply.payload else orjson.dumps(answer)
    call.keep(sent)
    return sent


def _asked(request: Json, choice: Choice) -> Json:
    """The request as this target is asked: its own name of the model, its defaults under what the caller sent."""
    return {**choice.parameters, **request, "model": choice.target.model}
