"""Who a caller is: keys made, checked and revoked, with an index in memory that every call is checked against."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import string
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gateway.secrets import Secret
from providers.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from tracking.database import AWAY, reason
from tracking.keys import KeyRecord, KeyStore

log = logging.getLogger(__name__)

Role = Literal["caller", "viewer", "admin"]
"""`caller` makes calls and reads its own runs, `viewer` reads all runs, `admin` does everything."""
ROLES: tuple[Role, ...] = ("caller", "viewer", "admin")
Headers = Iterable[tuple[bytes, bytes]]

PREFIX = "gl-"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
KEY_DIGITS, CHECK_DIGITS = 43, 6
"""256 bits, and a checksum by which a scanner for leaked secrets can tell a key from what looks like one."""
NAME_MOST = 200
USED_SECONDS = 60.0
"""How often it is written down which keys were used."""
POLL_SECONDS = 2.0
POLL_SECONDS_MOST = 2.5
"""How often other processes' changes are looked for, and how long the store may take: a revocation works within 5 s."""
LOOK_AGAIN_SECONDS, LOOK_AGAIN_SECONDS_MOST = 0.25, 0.5
"""How often at most an unknown key makes us look for changes, and how long it then waits for the store."""
CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"api-key"})
REFUSED = (
    "no valid key was given: send one as 'Authorization: Bearer KEY', as 'x-api-key: KEY', as 'api-key: KEY', "
    "or as the password of Basic"
)
"""One answer for a key that is missing, malformed, unknown, revoked or expired: nothing can be learnt from it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request is from. Without a key when the gateway is open to all."""

    key_id: str | None
    name: str
    role: Role


OPEN = Caller(None, "anonymous", "admin")
ADMIN = Caller("admin", "admin", "admin")
"""Whoever holds the configured admin key, or was signed in by a one-time link."""


class Entry(NamedTuple):
    digest: bytes
    caller: Caller
    until: float
    """Seconds since the epoch at which the key expires."""


NOBODY = Entry(bytes(32), Caller(None, "", "caller"), 0.0)


class Keys:
    """All keys that are good now. Checking one costs no I/O; `watch` keeps the index fresh."""

    def __init__(self, store: KeyStore, pepper: bytes, *, admin_key: Secret | None = None, open: bool = False) -> None:
        self._store, self._open = store, open
        # HMAC's two inner states, made once: hmac.digest sets OpenSSL up anew and takes 3.3 us instead of 1.3.
        block = pepper.ljust(64, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._configured: tuple[Entry, ...] = ()
        if admin_key is not None:
            self._configured = (Entry(self._digest(admin_key.reveal().encode()), ADMIN, float("inf")),)
        self._version: str | None = None
        self._index: dict[bytes, Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self._used: dict[str | None, float] = {}
        """By id, when each key was last good for something since that was written down."""
        self._looked_again = float("-inf")
        self._take([])

    @property
    def open(self) -> bool:
        """No key is asked for, and everybody may do everything."""
        return self._open

    def authenticate(self, headers: Headers) -> Caller:
        """The caller by the key in its headers. Raises Unauthenticated, or InvalidRequest where keys contradict."""
        if self._open:
            return OPEN
        presented: bytes | None = None
        for name, value in headers:
            if name in CREDENTIALS:
                key = _in_authorization(value) if name == b"authorization" else value.strip()
                if presented is not None and not hmac.compare_digest(presented, key):
                    raise InvalidRequest("two different keys were given; send one", code="ambiguous_credentials")
                presented = key
        return self._check(b"" if presented is None else presented)

    def known(self, headers: Mapping[bytes, bytes]) -> Caller | None:
        """The caller of nearly every call: by one good key, as OpenAI's clients send it. None sends it the long way."""
        if self._open or b"x-api-key" in headers or b"api-key" in headers:
            return None
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        return self._good(key) if scheme == b"Bearer" else None

    def check(self, key: str) -> Caller:
        """The caller whose key it is. Raises Unauthenticated."""
        return self._check(key.encode(errors="replace"))

    def by_id(self, id: str) -> Caller | None:
        """The caller that a key stands for; None once it is no longer good."""
        if id == ADMIN.key_id:
            return ADMIN
        entry, now = self._by_id.get(id), time.time()
        if entry is None or entry.until <= now:
            return None
        self._used[id] = now
        return entry.caller

    async def create(
        self, name: str, role: Role = "caller", *, by: Caller, expires_us: int | None = None
    ) -> tuple[KeyRecord, Secret]:
        """A new key, which is nowhere to be seen again. It can do no more than its maker, and for no longer."""
        if not may_make(by.role, role):
            raise Forbidden(f"a key of role {by.role!r} cannot make one of role {role!r}")
        if not name.strip() or len(name) > NAME_MOST:
            raise InvalidRequest(f"a key's name has 1 to {NAME_MOST} characters, not {len(name)}", param="name")
        now = time.time_ns() // 1000
        if expires_us is not None and expires_us <= now:
            raise InvalidRequest("the key would have expired already", param="expires_us")
        maker = self._by_id.get(by.key_id) if by.key_id is not None else None
        if maker is not None and maker.until != float("inf"):
            expires_us = min(expires_us or 1 << 62, int(maker.until * 1_000_000))
        key = generate()
        record = KeyRecord(
            id=f"key_{secrets.token_hex(8)}",
            name=name.strip(),
            role=role,
            hash=self._digest(key.encode()).hex(),
            first4=key[len(PREFIX) :][:4],
            last4=key[-4:],
            created_us=now,
            created_by=by.key_id,
            expires_us=expires_us,
        )
        await self._store.create(record)
        await self.refresh()
        return record, Secret(key)

    async def revoke(self, id: str) -> None:
        if not await self._store.revoke(id):
            raise NotFound(f"there is no key {id!r}")
        await self.refresh()

    async def all(self) -> list[KeyRecord]:
        return await self._store.all()

    async def first(self) -> Secret | None:
        """An admin key where there is none, neither in the configuration nor in the store; None where there is one."""
        if self._configured or self._open:
            return None
        now = time.time_ns() // 1000
        if any(r.role == "admin" and (r.expires_us or 1 << 62) > now for r in await self._store.load_all()):
            return None
        _, key = await self.create("admin", "admin", by=ADMIN)
        return key

    async def refresh(self) -> None:
        """Take up what has changed in the store since the last time."""
        version = await self._store.version()
        if version != self._version:
            self._take(await self._store.load_all())
            self._version = version

    async def look_again(self) -> None:
        """Refresh before a key is refused, since it may have been made a moment ago by another process.

        Whatever the key, and however many are tried, no more often than four times a second.
        """
        now = time.monotonic()
        if now - self._looked_again < LOOK_AGAIN_SECONDS:
            return
        self._looked_again = now
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS_MOST):
                await self.refresh()
        except AWAY:
            pass  # the key stays unknown; `watch` says that the store is away

    async def watch(self) -> None:
        """Refresh for ever. While the store is away the keys that were known go on working."""
        away = False
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                async with asyncio.timeout(POLL_SECONDS_MOST):
                    await self.refresh()
            except AWAY as exc:
                if not away:
                    log.warning("the store does not answer, so the keys that were known go on working: %s", reason(exc))
                away = True
            else:
                if away:
                    log.info("the store answers again, and keys are up to date")
                away = False

    async def note_uses(self) -> None:
        """Write down which keys were used since the last time. What the store does not take is for the next time."""
        used, self._used = self._used, {}
        at = {id: int(used[id] * 1_000_000) for id in self._by_id if id in used}
        try:
            async with asyncio.timeout(POLL_SECONDS_MOST):
                if at:
                    await self._store.used(at)
        except AWAY:
            self._used = {**used, **self._used}

    async def keep_noting(self) -> None:
        """For ever, beside the calls."""
        while True:
            await asyncio.sleep(USED_SECONDS)
            await self.note_uses()

    def _take(self, records: Iterable[KeyRecord]) -> None:
        entries = [_entry(record) for record in records]
        by_id = {entry.caller.key_id: entry for entry in entries if entry.caller.key_id is not None}
        self._index, self._by_id = {entry.digest: entry for entry in (*entries, *self._configured)}, by_id

    def _check(self, key: bytes) -> Caller:
        caller = self._good(key)
        if caller is None:
            raise Unauthenticated(REFUSED)
        return caller

    def _good(self, key: bytes) -> Caller | None:
        """The same steps whatever is wrong with the key."""
        digest = self._digest(key)
        entry, now = self._index.get(digest, NOBODY), time.time()
        if hmac.compare_digest(entry.digest, digest) and entry.until > now:
            self._used[entry.caller.key_id] = now
            return entry.caller
        return None

    def _digest(self, key: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(key)
        outer.update(inner.digest())
        return outer.digest()


def may_make(maker: Role, made: Role) -> bool:
    """Whether a key of one role may make one of another: only administrators make keys."""
    return maker == "admin" and made in ROLES


def generate() -> str:
    """A new key: `gl-`, 256 random bits, a checksum."""
    body = _base62(secrets.randbits(256), KEY_DIGITS)
    return f"{PREFIX}{body}{_base62(zlib.crc32(body.encode()), CHECK_DIGITS)}"


def well_formed(key: str) -> bool:
    """Whether a text is a key that was once made by `generate`, and not only looks like one."""
    body, check = key[len(PREFIX) : -CHECK_DIGITS], key[-CHECK_DIGITS:]
    return (
        key.startswith(PREFIX)
        and len(body) == KEY_DIGITS
        and key.isascii()
        and check == _base62(zlib.crc32(body.encode()), CHECK_DIGITS)
    )


def carried(headers: Headers) -> bool:
    """Whether there is a key in the headers at all, good or not."""
    return any(name in CREDENTIALS for name, _ in headers)


def _in_authorization(value: bytes) -> bytes:
    """The key in an Authorization header; nothing where it is of neither form."""
    scheme, _, rest = value.strip().partition(b" ")
    match scheme.lower():
        case b"bearer":
            return rest.strip()
        case b"basic":
            try:
                decoded = base64.b64decode(rest.strip(), validate=True)
            except binascii.Error:
                return b""
            return decoded.partition(b":")[2]
        case _:
            return b""


def _entry(record: KeyRecord) -> Entry:
    role: Role = next(role for role in ROLES if role == record.role)
    until = float("inf") if record.expires_us is None else record.expires_us / 1_000_000
    return Entry(bytes.fromhex(record.hash), Caller(record.id, record.name, role), until)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = BASE62[digit] + text
    return text
