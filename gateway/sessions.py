"""Browsers that are signed in: a cookie for a key, from a pasted key or a one-time link, and its end."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__
from gateway.attempts import Attempts
from gateway.hosts import host_of, is_loopback
from gateway.keys import ADMIN, OPEN, Caller, Keys, carried
from providers.errors import InvalidRequest, StorageUnavailable, Unauthenticated, UnsupportedMediaType
from tracking.database import AWAY, answering
from tracking.sessions import SessionRecord, SessionStore

COOKIE, SECURE_COOKIE = "gatelog", "__Host-gatelog"
"""The second is for https; its prefix has browsers refuse it from anywhere else."""
IDLE_SECONDS, LONGEST_SECONDS = 8 * 3600, 24 * 3600
LINK_SECONDS = 15 * 60
SEEN_EVERY_SECONDS = 300
"""How often it is written down that a session is in use."""
BELIEVED_SECONDS = 2.0
"""For how long a session that was looked up is taken as it was; one that ended elsewhere is over within 5 s."""
BELIEVED_MOST = 1024
BODY_MOST = 4096
PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff"}


class Known(NamedTuple):
    record: SessionRecord
    looked_up: float


class Sessions:
    def __init__(self, store: SessionStore, keys: Keys, *, clock: Callable[[], float] = time.time) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._known: dict[str, Known] = {}
        self._attempts = Attempts(clock)

    async def link(self) -> str:
        """The path and query of a link that signs a browser in as administrator, once, within a quarter of an hour."""
        token = secrets.token_urlsafe(32)
        now = self._now_us()
        await self._store.offer(_hash(token), now, now + LINK_SECONDS * 1_000_000)
        return f"/login?token={token}"

    async def caller(self, cookie: str) -> Caller | None:
        """Who is behind a cookie; None where it is unknown or over, or where its key is no longer good."""
        id = _hash(cookie)
        now = self._clock()
        known = self._known.get(id)
        if known is None or now - known.looked_up > BELIEVED_SECONDS:
            known = await self._look_up(id, now, known)
            if known is None:
                return None
        record = known.record
        idle = now - record.seen_us / 1_000_000
        if idle > IDLE_SECONDS or now >= record.expires_us / 1_000_000:
            return None
        caller = self._keys.by_id(record.key_id)
        if caller is not None and idle > SEEN_EVERY_SECONDS:
            with contextlib.suppress(*AWAY):
                await self._store.seen(id, self._now_us())
                self._known.pop(id, None)
        return caller

    async def sign_in(self, caller: Caller, replaced: str | None) -> str:
        """A new session's cookie value. The browser's old one is over: an id from before a sign-in is worth nothing."""
        assert caller.key_id is not None, "in an open gateway nobody signs in"
        if replaced is not None:
            await self.sign_out(replaced)
        value, now = secrets.token_urlsafe(32), self._now_us()
        await self._store.create(
            SessionRecord(
                id=_hash(value),
                key_id=caller.key_id,
                created_us=now,
                seen_us=now,
                expires_us=now + LONGEST_SECONDS * 1_000_000,
            )
        )
        return value

    async def sign_out(self, cookie: str) -> None:
        id = _hash(cookie)
        self._known.pop(id, None)
        await self._store.delete(id)

    async def sign_out_everywhere(self, key_id: str) -> None:
        self._known.clear()
        await self._store.delete_all(key_id)

    async def follow_link(self, request: Request) -> Response:
        """`GET /login?token=...`: the one-time link."""
        token = request.query_params.get("token", "")
        with self._attempts.counted(_address(request)):
            with answering():
                good = await self._store.redeem(_hash(token), self._now_us())
            if not good:
                raise Unauthenticated(
                    "the link was used already, or is older than 15 minutes; sign in with a key instead"
                )
        return await self._signed_in(request, ADMIN, Response(status_code=303, headers={"location": "/", **PRIVATE}))

    async def paste_key(self, request: Request) -> Response:
        """`POST /login` with `{"key": "..."}`."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType("send the key as JSON, with 'content-type: application/json'")
        key = _key(await _read(request))
        with self._attempts.counted(_address(request)):
            caller = self._keys.check(key)
        answer = orjson.dumps({"name": caller.name, "role": caller.role})
        return await self._signed_in(request, caller, Response(answer, media_type="application/json", headers=PRIVATE))

    async def whoami(self, request: Request) -> Response:
        """`GET /api/whoami`: who asks, and nobody is an answer too. Raises Unauthenticated for a key that is none."""
        headers = request.scope["headers"]
        if self._keys.open:
            caller: Caller | None = OPEN
        elif carried(headers):
            caller = self._keys.authenticate(headers)
        else:
            cookie = cookie_of(request)
            caller = None if cookie is None else await self.caller(cookie)
        answer = {
            "name": caller and caller.name,
            "role": caller and caller.role,
            "open": self._keys.open,
            "version": __version__ if caller else None,
        }
        return Response(orjson.dumps(answer), media_type="application/json", headers=PRIVATE)

    async def leave(self, request: Request) -> Response:
        """`POST /logout`, and with `?everywhere=true` for every browser that is signed in with the same key."""
        caller: Caller = request.scope["caller"]
        with answering():
            if request.query_params.get("everywhere") == "true" and caller.key_id is not None:
                await self.sign_out_everywhere(caller.key_id)
            if (cookie := cookie_of(request)) is not None:
                await self.sign_out(cookie)
        response = Response(status_code=204, headers=PRIVATE)
        _set(response, request, "", 0)
        return response

    async def _signed_in(self, request: Request, caller: Caller, response: Response) -> Response:
        with answering():
            value = await self.sign_in(caller, cookie_of(request))
        _set(response, request, value, LONGEST_SECONDS)
        return response

    async def _look_up(self, id: str, now: float, known: Known | None) -> Known | None:
        try:
            with answering():
                record = await self._store.get(id)
        except StorageUnavailable:
            if known is None:
                raise
            return known  # while the store is away, whoever was signed in stays so
        self._known.pop(id, None)
        if record is None:
            return None
        if len(self._known) >= BELIEVED_MOST:
            self._known.clear()
        fresh = self._known[id] = Known(record, now)
        return fresh

    def _now_us(self) -> int:
        return int(self._clock() * 1_000_000)


def cookie_of(request: Request) -> str | None:
    """The value of the session's cookie."""
    return cookie_in(request.scope["headers"], _is_plain(request))


def cookie_in(headers: list[tuple[bytes, bytes]], plain: bool) -> str | None:
    name = COOKIE if plain else SECURE_COOKIE
    jar: SimpleCookie = SimpleCookie()
    for header, value in headers:
        if header == b"cookie":
            try:
                jar.load(value.decode("latin-1"))
            except CookieError:
                return None
    return jar[name].value if name in jar else None


def is_plain(scheme: str, host: str | None) -> bool:
    """Whether a cookie must do without `Secure`: only a browser on this machine has no TLS."""
    return scheme == "http" and host is not None and is_loopback(host)


def _is_plain(request: Request) -> bool:
    return is_plain(request.scope["scheme"], host_of(request.scope["headers"]))


def _address(request: Request) -> str | None:
    return None if request.client is None else request.client.host


def _set(response: Response, request: Request, value: str, seconds: int) -> None:
    plain = _is_plain(request)
    response.set_cookie(
        COOKIE if plain else SECURE_COOKIE,
        value,
        max_age=seconds,
        path="/",
        secure=not plain,
        httponly=True,
        samesite="strict",
    )


async def _read(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_MOST:
            raise InvalidRequest(f"the body has more than {BODY_MOST} bytes; it is {{'key': KEY}}")
    return body


def _key(body: bytes) -> str:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise InvalidRequest(f"the body is not JSON: {exc.msg}") from exc
    match sent:
        case {"key": str(key), **rest} if not rest:
            return key
        case _:
            raise InvalidRequest('the body must be {"key": "..."}', param="key")


def _hash(value: str) -> str:
    # Not an HMAC: what is hashed has 256 random bits, so the store tells nobody anything.
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()
