"""Calls of labs, made and recorded as every other, and heard while they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uuid_utils
from starlette.types import Message

from gateway.call import Call, Failure
from gateway.directory import Directory
from gateway.doors import openai as door
from gateway.engine import Engine
from gateway.registered import ENDPOINT_HEADER, Meant, Registered
from gateway.routing import Endpoint
from promptlab.calling import Listener, Outcome, Question, Quote
from providers.chat import Json
from providers.errors import GatewayError
from providers.usage import Usage
from tracking.rest import Caller

STOPPED = frozenset({"client_cancelled", "interrupted"})


class LabCalls:
    """Chat alone. It is the door for who has neither a socket nor headers; the rest is the engine's."""

    def __init__(self, engine: Engine, directory: Callable[[], Directory], registered: Registered) -> None:
        self._engine, self._directory, self._registered = engine, directory, registered

    async def ask(self, question: Question, caller: Caller, listener: Listener, stop: asyncio.Event) -> Outcome:
        """Setting `stop` is hanging up. Raises CancelledError, and nothing else."""
        try:
            call, body = await self._prepared(question, caller)
        except GatewayError as error:
            return Outcome(run_id=None, status="error", error=_said(error))

        async def receive() -> Message:
            await stop.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                listener.head(call.id, call.target.provider.name, call.target.model)
            elif data := message.get("body"):
                listener.data(data)

        try:
            await self._engine.serve(call, body, receive, send)
        except GatewayError as error:
            return _outcome(call, error)
        return _outcome(call, call.error)

    async def quote(self, question: Question) -> Quote:
        """See `promptlab.calling.Quoting`."""
        request, endpoint, _, _ = await self._meant(question)
        prices = [choice.pricing.now() for choice in endpoint.choices]
        return Quote(endpoint.choices[0].target.model, {**endpoint.choices[0].parameters, **request}, prices)

    async def _prepared(self, question: Question, caller: Caller) -> tuple[Call, bytes]:
        request, endpoint, body, meant = await self._meant(question)
        call = Call(uuid_utils.uuid7().hex, endpoint, request, bool(request.get("stream")), caller.key_id)
        call.config_revision, call.request_bytes = self._directory().revision, len(question.body)
        if meant is not None:
            call.prompt, call.registered = meant.prompt, meant.model
        user = request.get("user")
        call.said = {
            "tags": dict(question.tags),
            "session": question.session,
            "user": user if isinstance(user, str) else None,
        }
        return call, body

    async def _meant(self, question: Question) -> tuple[Json, Endpoint, bytes, Meant | None]:
        """The request, where it goes, and what its run keeps of it."""
        try:
            request = door.read("chat", question.body)
            return request, self._directory().find("chat", request["model"]), question.body, None
        except GatewayError:
            headers = {} if question.endpoint is None else {ENDPOINT_HEADER: question.endpoint.encode()}
            meant = await self._registered.call("chat", question.body, headers)
            if meant is None:
                raise
            return meant.request, meant.endpoint, meant.body, meant


def _outcome(call: Call, error: GatewayError | Failure | None) -> Outcome:
    usage, choice, end = call.usage, call.choice, call.end()
    return Outcome(
        run_id=call.id if call.begun else None,
        status="ok" if call.status == "ok" else "stopped" if call.status in STOPPED else "error",
        error=None if error is None else _said(error),
        provider=choice.target.provider.name if choice else None,
        model=call.response_model or (choice.target.model if choice else None),
        finish_reason=call.finish,
        ttft_us=end["ttft_us"],
        total_us=end["duration_us"],
        usage=None if usage is None else _counts(usage),
        cost_nanos=call.cost_nanos,
        kept=call.endpoint.log_payloads == "full",
    )


def _counts(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cache_read,
        "reasoning_tokens": usage.reasoning,
    }


def _said(error: GatewayError | Failure) -> Json:
    return {"code": error.code, "message": error.message, "status": error.status}
