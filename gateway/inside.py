"""Calls from inside the process, as evaluations make them: through the same route as anybody's, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from starlette.types import Message, Scope

from evaluate.replies import Post, Said
from evaluate.requests import Template
from evaluate.terms import Target, Terms, limit_of
from gateway.calls import Calls
from gateway.directory import Directory
from gateway.keys import OPEN, Caller, Keys
from gateway.policy import allowed
from gateway.registered import Registered
from gateway.seals import SealError, Seals
from providers.chat import Kind
from providers.errors import Internal


class Inside:
    """What `evaluate.terms.Gateway` asks for."""

    def __init__(
        self,
        calls: Mapping[str, Calls],
        directory: Callable[[], Directory],
        keys: Keys,
        registered: Registered,
        seals: Seals,
    ) -> None:
        """`calls` are the routes for calls, by path; `seals` are for what evaluations keep of secrets."""
        self._calls, self._directory, self._keys, self._registered = calls, directory, keys, registered
        self._seals = seals

    def post(self, key_id: str | None) -> Post | None:
        async def made(path: str, body: bytes, headers: Mapping[str, str]) -> Said:
            caller = self._caller(key_id)
            if caller is None:
                return Said(401, {}, b'{"error": {"code": "invalid_api_key", "message": "the key is no longer good"}}')
            return await _called(self._calls[path], path, body, headers, caller)

        return made if self._caller(key_id) is not None else None

    def terms(self, kind: Kind, model: str) -> Terms:
        endpoint = self._directory().find(kind, model)
        return Terms(
            [
                Target(choice.target.model, choice.pricing.now(), limit_of(choice.parameters))
                for choice in (*endpoint.choices, *endpoint.fallbacks)
            ]
        )

    async def template(self, reference: str) -> Template:
        prompt = await self._registered.prompt(reference)
        return Template(
            reference=f"prompts:/{prompt.name}/{prompt.version}",
            messages=tuple(prompt.messages),
            parameters=dict(prompt.parameters),
        )

    def seal(self, text: str) -> str:
        return self._seals.seal(text).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._seals.open(sealed.encode())
        except SealError as exc:
            raise Internal(f"the headers of a scorer cannot be read: {exc}") from exc

    def _caller(self, key_id: str | None) -> Caller | None:
        """Whoever started the evaluation, as long as they may still make calls."""
        if self._keys.open:
            return OPEN
        caller = None if key_id is None else self._keys.by_id(key_id)
        return caller if caller is not None and allowed("call", caller) else None


async def _called(calls: Calls, path: str, body: bytes, headers: Mapping[str, str], caller: Caller) -> Said:
    """One call by ASGI. Nobody hangs up but by cancelling."""
    forever = asyncio.Event()
    heard = False
    head: Message = {}
    pieces: list[bytes] = []

    async def receive() -> Message:
        nonlocal heard
        if heard:
            await forever.wait()
        heard = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            pieces.append(message.get("body", b""))

    given = {"content-type": "application/json", **headers}
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "caller": caller,
    }
    await calls(scope, receive, send)
    said = {name.decode(): value.decode("latin-1") for name, value in head["headers"]}
    return Said(head["status"], said, b"".join(pieces))
