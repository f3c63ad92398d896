"""Scorers that are somewhere else: a sample is posted to a URL, and the answer is the score."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpcore
import orjson
from pydantic import Field, SecretStr, field_validator

from evaluate.cells import Direction, Score
from evaluate.scorers.given import Failed, shown, value_of
from evaluate.scorers.options import Entries, Entry, Means, Options, Unfit
from evaluate.scorers.scorer import Kind, Sample, Scorer, unscored
from providers.chat import Json
from providers.outward import PORTS, Refused, named, receiver
from providers.outward_pool import LOST, pool

ANSWER_MOST = 1 << 20
"""Bytes of an answer that are read."""
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
WAIT_MOST = 15.0
"""Seconds that a `retry-after` is waited for. With the most that attempts may take it stays below the time after which
an evaluation gives up scorers that say nothing."""
AT_ONCE = 8
NAME, VALUE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}"), re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
"""Of headers, as RFC 9110 has them, in ASCII."""
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})
SECRET_LEAST = 6
"""Characters of a word that is taken for a secret where a service says it again."""
HOW = "where `gatelog eval` runs, `private: true` allows {}"


class HttpOptions(Options):
    url: str = Field(description="where a sample is posted, as JSON")
    headers: dict[str, SecretStr] = Field(default={}, description="sent with it, such as `authorization`; never shown")
    kind: Literal["binary", "numeric", "category"] = Field(
        default="numeric", description="what it gives: true or false, a number, or a word"
    )
    direction: Literal["higher", "lower"] = Field(default="higher", description="which way is better")
    options: dict[str, Any] = Field(default={}, description="posted beside the sample")
    seconds: float = Field(default=30.0, gt=0, le=60, description="how long one attempt may take")
    attempts: int = Field(default=3, ge=1, le=4, description="how often it is tried in all")
    private: bool = Field(
        default=False, description="also where its address is private, or without HTTPS; only for `gatelog eval`"
    )

    @field_validator("headers", mode="before")
    @classmethod
    def _can_be_sent(cls, headers: Any) -> Any:
        """What is wrong is said without its value, which may be a secret."""
        if not isinstance(headers, dict):
            raise ValueError("write an object of names and values")
        for name, value in headers.items():
            if not isinstance(name, str) or not NAME.fullmatch(name):
                raise ValueError(f"{name!r:.60} is no name of a header")
            if not isinstance(value, str | SecretStr):
                raise ValueError(f"the value of {name!r} is no text")
            said = value if isinstance(value, str) else value.get_secret_value()
            if not VALUE.fullmatch(said):
                raise ValueError(f"the value of {name!r} has characters that no header can hold, such as a new line")
            if name.lower() in OURS:
                raise ValueError(f"{name!r} is said by the request itself")
        return headers


def http(options: HttpOptions, means: Means) -> Scorer:
    if options.private and means.directory is None:
        raise Unfit("http: `private` may be said only where `gatelog eval` runs")
    try:
        split = urlsplit(options.url)
        allowed = {named(split.hostname or "", split.port or PORTS.get(split.scheme, 0))} if options.private else set()
        receiver(options.url, lambda: allowed, HOW)
    except (Refused, ValueError) as exc:
        raise Unfit(f"http: {exc}") from exc
    caller = _Caller(options, pool(lambda: allowed, HOW), asyncio.Semaphore(AT_ONCE))
    name = options.called

    async def score(sample: Sample) -> Score:
        try:
            value, rationale = value_of(await caller.ask(sample), options.kind)
        except Failed as exc:
            return unscored(name, caller.masked(str(exc)), cost_nanos=None)
        said = None if rationale is None else caller.masked(rationale)
        return Score(name=name, value=value, rationale=said, cost_nanos=None)

    kind: Kind = options.kind
    direction: Direction | None = None if kind == "category" else options.direction
    about = options.model_dump(mode="json", include={"scorer", "url", "kind", "direction", "options"})
    return Scorer(
        name=name,
        kind=kind,
        direction=direction,
        needs=frozenset(),
        score=score,
        identity=about,
        aclose=caller.pool.aclose,
    )


@dataclass(frozen=True, slots=True)
class _Caller:
    options: HttpOptions
    pool: httpcore.AsyncConnectionPool
    room: asyncio.Semaphore

    async def ask(self, sample: Sample) -> Any:
        """What it says of a sample, once one attempt got an answer."""
        body = orjson.dumps({"sample": shown(sample), "options": self.options.options})
        why = ""
        async with self.room:
            for attempt in range(self.options.attempts):
                status, heard, wait = 0, b"", None
                try:
                    async with asyncio.timeout(self.options.seconds):
                        status, heard, wait = await self._posted(body)
                except TimeoutError:
                    why = f"it did not answer within {self.options.seconds:g} s"
                except Refused as exc:
                    raise Failed(str(exc)) from exc
                except LOST as exc:
                    why = f"{type(exc).__name__}: {exc}".rstrip(": ")
                else:
                    if 200 <= status < 300:
                        return _read(heard)
                    why = f"it answered {status}: {heard[:300].decode(errors='replace')}"
                    if status not in AGAIN:
                        break
                if attempt + 1 < self.options.attempts:
                    await asyncio.sleep(min(WAIT_MOST, wait if wait is not None else 0.5 * 2**attempt))
        raise Failed(why)

    def masked(self, text: str) -> str:
        """Services may say again what they were sent."""
        values = [value.get_secret_value() for value in self.options.headers.values()]
        for secret in sorted({*values, *(word for value in values for word in value.split())}, key=len, reverse=True):
            if len(secret) >= SECRET_LEAST:
                text = text.replace(secret, "***")
        return text

    async def _posted(self, body: bytes) -> tuple[int, bytes, float | None]:
        headers: list[tuple[str | bytes, str | bytes]] = [
            ("content-type", "application/json"),
            ("user-agent", "gatelog"),
            *((name, value.get_secret_value()) for name, value in self.options.headers.items()),
        ]
        heard = b""
        async with self.pool.stream("POST", self.options.url, headers=headers, content=body) as response:
            async for piece in response.aiter_stream():
                heard += piece
                if len(heard) > ANSWER_MOST:
                    raise Failed(f"it answered more than {ANSWER_MOST} bytes")
            return response.status, heard, _seconds(dict(response.headers).get(b"retry-after"))


def _seconds(said: bytes | None) -> float | None:
    return float(said) if said is not None and said.isdigit() else None


def _read(heard: bytes) -> Any:
    try:
        said: Json | Any = orjson.loads(heard)
    except orjson.JSONDecodeError as exc:
        raise Failed(f"its answer is not JSON: {heard[:300].decode(errors='replace')!r}") from exc
    return said


ENTRIES: Entries = {
    "http": Entry(about="A service of yours that is posted each sample.", options=HttpOptions, build=http),
}
