"""The calls of `gatelog demo seed`: some weeks of an invented shop's traffic, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import orjson

from gateway.commands import demo_words as words
from gateway.commands.demo_answers import plain, streamed
from providers.chat import Json, Kind
from providers.usage import Usage
from tracking.calls import Attempt, Begin, End
from tracking.money import Price
from tracking.prices import PriceBook
from tracking.tail import Logged
from tracking.tokens import count_request, count_text

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
SUPPORT, MEETINGS = "support-reply", "meeting-summary"
"""Prompts."""
SHARES = {
    SUPPORT: ((0.45, 1), (0.8, 2), (1.01, 3)),
    MEETINGS: ((0.6, 1), (1.01, 2)),
}
"""Up to which part of the weeks which version was the one in production."""
CANDIDATE = 4
"""Of the support's prompt: a few of the latest calls try it."""
BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 8, 14, 17, 18, 17, 14, 16, 17, 16, 14, 11, 9, 8, 7, 6, 4, 3)
BY_DAY = (1.0, 1.1, 1.05, 1.0, 0.9, 0.4, 0.35)
OUTAGES = ((8.6, 1.6, 0.75), (0.35, 0.5, 0.55))
"""Days before the end at which a provider was out of order, for how many hours, how many calls then failed there."""


@dataclass(frozen=True, slots=True)
class Target:
    provider: str
    model: str
    returned: str
    """The name that the provider gives it in its answers."""
    first_ms: int
    """To the first token, in the middle."""
    per_second: int
    """Tokens."""


MINI = Target("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", 420, 95)
LARGE = Target("openai", "gpt-4.1", "gpt-4.1-2025-04-14", 610, 75)
SONNET = Target("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 980, 65)
HAIKU = Target("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", 520, 120)
FLASH = Target("gemini", "gemini-2.5-flash", "gemini-2.5-flash", 380, 150)
SMALL = Target("mistral", "mistral-small-latest", "mistral-small-2506", 310, 110)
VECTORS = Target("openai", "text-embedding-3-small", "text-embedding-3-small", 90, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    name: str
    share: int
    """Of the calls, against those of the others."""
    targets: tuple[tuple[Target, int], ...]
    """With weights."""
    fallback: Target | None
    key: str
    team: str
    stream: float
    """How many of the calls are streamed."""
    pairs: words.Pairs
    prompt: str | None = None


ENDPOINTS = (
    Endpoint(
        name="support",
        share=38,
        targets=((MINI, 7), (SONNET, 3)),
        fallback=HAIKU,
        key="website",
        team="service",
        stream=0.85,
        pairs=words.SUPPORT_PAIRS,
        prompt=SUPPORT,
    ),
    Endpoint(
        name="summaries",
        share=12,
        targets=((SONNET, 1),),
        fallback=LARGE,
        key="back-office",
        team="operations",
        stream=0.0,
        pairs=words.MEETING_PAIRS,
        prompt=MEETINGS,
    ),
    Endpoint(
        name="search",
        share=26,
        targets=((FLASH, 4), (SMALL, 1)),
        fallback=MINI,
        key="search-service",
        team="search",
        stream=0.0,
        pairs=words.SEARCH_PAIRS,
    ),
    Endpoint(
        name="coding",
        share=9,
        targets=((LARGE, 1), (SONNET, 1)),
        fallback=None,
        key="ide-plugin",
        team="platform",
        stream=1.0,
        pairs=words.CODING_PAIRS,
    ),
    Endpoint(
        name="translate",
        share=9,
        targets=((SMALL, 1),),
        fallback=FLASH,
        key="nightly-jobs",
        team="operations",
        stream=0.0,
        pairs=words.TRANSLATE_PAIRS,
    ),
    Endpoint(
        name="embeddings",
        share=6,
        targets=((VECTORS, 1),),
        fallback=None,
        key="search-service",
        team="search",
        stream=0.0,
        pairs=words.SEARCH_PAIRS,
    ),
)
FAILURES: tuple[tuple[str, str, int, str], ...] = (
    ("upstream_error", "upstream_500", 502, "The server had an error while processing your request."),
    ("upstream_error", "upstream_502", 502, "Bad gateway"),
    ("upstream_timeout", "upstream_timeout_first_token", 504, "no token within 10 s"),
    ("rejected", "context_length_exceeded", 400, "This model's maximum context length is 131072 tokens."),
    ("client_cancelled", "client_cancelled", 499, "the caller hung up"),
)
FAILURE_WEIGHTS = (3, 3, 2, 2, 6)
OUTAGE = ("upstream_error", "upstream_503", 503, "The engine is currently overloaded, please try again later.")


def key_id(seed: int, name: str) -> str:
    return f"key_{random.Random(f'{seed} {name}').getrandbits(64):016x}"  # noqa: S311 - the same seed, the same calls


class Calls:
    """Makes them."""

    def __init__(self, seed: int, until_us: int, days: int) -> None:
        self._seed, self._until, self._days = seed, until_us, days
        self._rng = random.Random(seed)  # noqa: S311 - the same seed, the same calls
        self._prices = PriceBook()

    def made(self, count: int) -> Iterator[Logged]:
        """In the order of their beginnings."""
        shares = [endpoint.share for endpoint in ENDPOINTS]
        for started in self._moments(count):
            yield self._call(started, self._rng.choices(ENDPOINTS, shares)[0])

    def _moments(self, count: int) -> list[int]:
        """More by day than by night, on working days than on others, and late than early."""
        hours = [self._until - n * HOUR_US for n in range(self._days * 24, 0, -1)]
        weights = []
        for n, hour in enumerate(hours):
            moment = datetime.fromtimestamp(hour / 1_000_000, UTC)
            weights.append(BY_HOUR[moment.hour] * BY_DAY[moment.weekday()] * (0.6 + 0.8 * n / len(hours)))
        drawn = self._rng.choices(hours, weights, k=count)
        return sorted(hour + self._rng.randrange(HOUR_US) for hour in drawn)

    def _call(self, started: int, endpoint: Endpoint) -> Logged:
        rng = self._rng
        first = rng.choices([target for target, _ in endpoint.targets], [weight for _, weight in endpoint.targets])[0]
        id = f"{started // 1000:012x}7{rng.getrandbits(12):03x}8{rng.getrandbits(60):015x}"
        kind: Kind = "embeddings" if first is VECTORS else "chat"
        asked, said, prompt = self._words(started, endpoint)
        request = asked if kind == "chat" else {"model": endpoint.name, "input": asked["messages"][-1]["content"]}
        body = orjson.dumps(request | ({"stream": True} if (stream := rng.random() < endpoint.stream) else {}))
        begin: Begin = {
            "id": id,
            "started_us": started,
            "kind": kind,
            "endpoint": endpoint.name,
            "requested_model": request["model"],
            "stream": stream,
            "key_id": key_id(self._seed, endpoint.key),
            "user": f"u-{1000 + int(rng.triangular(0, 400, 20))}",
            "tags": {
                "team": endpoint.team,
                "env": "staging" if rng.random() < 0.08 else "production",
                "release": f"2.{int(self._part(started) * 6)}",
            },
            "config_revision": "demo",
            "log_payloads": "full",
            "request_bytes": len(body),
            "provider": first.provider,
            "model": first.model,
            "price": self._price(first, started).snapshot(),
        }
        if prompt is not None:
            begin["prompt_name"], begin["prompt_version"] = prompt
            begin["session"] = f"s-{started // HOUR_US:x}-{rng.randrange(1 + endpoint.share // 4)}"
        end, answer = self._end(begin, endpoint, first, request, said)
        return Logged(begin, body, end, answer, [])

    def _words(self, started: int, endpoint: Endpoint) -> tuple[Json, str, tuple[str, int] | None]:
        """The request, the answer to it, and the version of a prompt that it was asked by."""
        rng = self._rng
        gaps = {
            "order": f"{rng.choice(('NL', 'DE', 'FR', 'PL'))}-{rng.randrange(100_000, 999_999)}",
            "name": rng.choice(words.NAMES),
            "product": rng.choice(words.PRODUCTS),
            "city": rng.choice(words.CITIES),
            "day": rng.choice(words.DAYS),
        }
        question, said = (text.format_map(gaps) for text in rng.choice(endpoint.pairs))
        messages: list[Json] = [{"role": "user", "content": question}]
        if endpoint.prompt is None:
            if endpoint.name in words.SYSTEMS:
                messages.insert(0, {"role": "system", "content": words.SYSTEMS[endpoint.name]})
            return {"model": endpoint.name, "messages": messages}, said, None
        version, alias = self._version(started, endpoint.prompt)
        values = {"team": endpoint.team}
        texts: tuple[words.PromptText, ...] = words.MEETINGS
        if endpoint.prompt == SUPPORT:
            texts, values = words.SUPPORT, {"company": "Northwind Outdoor"}
            if version == CANDIDATE:
                values["customer"] = gaps["name"]
            passages = "".join(rng.sample(words.KNOWLEDGE, 3))
            messages.insert(0, {"role": "user", "content": f"What our handbook says:\n\n{passages.strip()}"})
        system = texts[version - 1].system
        for name, value in values.items():
            system = system.replace("{{" + name + "}}", value)
        if version == 1:
            values = {name: value for name, value in values.items() if "{{" + name + "}}" in texts[0].system}
        messages.insert(0, {"role": "system", "content": system})
        request = {
            "model": f"prompts:/{endpoint.prompt}@{alias}",
            "messages": messages,
            **({"prompt_variables": values} if values else {}),
            "temperature": 0.2,
        }
        return request, said, (endpoint.prompt, version)

    def _version(self, started: int, prompt: str) -> tuple[int, str]:
        part = self._part(started)
        if prompt == SUPPORT and part > 0.9 and self._rng.random() < 0.2:
            return CANDIDATE, "candidate"
        return next(version for until, version in SHARES[prompt] if part < until), "production"

    def _end(self, begin: Begin, endpoint: Endpoint, first: Target, request: Json, said: str) -> tuple[End, bytes]:
        rng = self._rng
        failure, attempts, target = self._fate(begin["started_us"], endpoint, first)
        status, code, http, message = failure or ("ok", None, 200, None)
        lost = sum(attempt["duration_us"] for attempt in attempts)
        kind: Kind = cast(Kind, begin["kind"])
        heard = status in ("ok", "client_cancelled")
        if status == "client_cancelled":
            said = said[: max(20, int(len(said) * rng.random()))]
        answered = count_text(said, target.model).tokens if kind == "chat" else 0
        ttft = lost + int(target.first_ms * 1000 * rng.lognormvariate(0, 0.35))
        duration = ttft + int(answered / target.per_second * 1e6 * rng.lognormvariate(0, 0.2)) + 900
        if status == "upstream_timeout":
            duration = lost + 10_000_000
        upstream = duration - rng.randrange(700, 1_900)
        attempts.append(
            Attempt(
                provider=target.provider,
                model=target.model,
                credential="default",
                status="ok" if status == "ok" else str(code),
                http_status=http if status != "client_cancelled" else 200,
                message=message,
                started_us=lost,
                duration_us=upstream - lost,
            )
        )
        end: End = {
            "id": begin["id"],
            "status": status,  # type: ignore[typeddict-item]  # of the table above
            "http_status": http,
            "error_code": code,
            "error_message": message,
            "provider": target.provider,
            "model": target.model,
            "response_model": target.returned if heard else None,
            "credential": "default",
            "attempts": attempts,
            "duration_us": duration,
            "ttft_us": ttft if heard else None,
            "upstream_us": upstream,
            "finish_reason": "stop" if status == "ok" else None,
            "usage": None,
            "usage_basis": "none",
            "cost_nanos": None,
            "price": self._price(target, begin["started_us"]).snapshot(),
            "response_type": None,
            "response_bytes": 0,
        }
        if not heard:
            return end, b""
        asked = count_request(kind, request, target.model).tokens
        cached = asked * 3 // 4 // 128 * 128 if asked > 400 and rng.random() < 0.4 else None
        usage = Usage(input=asked, output=answered, cache_read=cached)
        known = {"input": asked, "output": answered} | ({} if cached is None else {"cache_read": cached})
        end |= {
            "usage": known,
            "usage_basis": "provider" if status == "ok" else "counted",
            "cost_nanos": self._price(target, begin["started_us"]).of(usage),
            "response_type": "sse" if begin["stream"] else "json",
        }
        answer = (streamed if begin["stream"] else plain)(begin, target.returned, said, known, status == "ok")
        end["response_bytes"] = len(answer)
        return end, answer

    def _fate(
        self, started: int, endpoint: Endpoint, first: Target
    ) -> tuple[tuple[str, str, int, str] | None, list[Attempt], Target]:
        """How it failed, if it did; attempts before the last; the target of the last."""
        rng = self._rng
        away = self._outage(started) if first.provider == "openai" else 0.0
        if rng.random() >= (away or 0.025):
            return None, [], first
        failure = OUTAGE if away else rng.choices(FAILURES, FAILURE_WEIGHTS)[0]
        if endpoint.fallback is None or failure[0] != "upstream_error":
            return failure, [], first
        tried = Attempt(
            provider=first.provider,
            model=first.model,
            credential="default",
            status=failure[1],
            http_status=int(failure[1].removeprefix("upstream_")),
            message=failure[3],
            started_us=0,
            duration_us=int(rng.lognormvariate(13, 0.5)),
        )
        return (failure if rng.random() < 0.15 else None), [tried], endpoint.fallback

    def _outage(self, started: int) -> float:
        ago = (self._until - started) / DAY_US
        return next((share for days, hours, share in OUTAGES if days - hours / 24 < ago <= days), 0.0)

    def _part(self, started: int) -> float:
        """Of the weeks that had gone by."""
        return 1 - (self._until - started) / (self._days * DAY_US)

    def _price(self, target: Target, started: int) -> Price:
        price = self._prices.find(target.provider, target.model, datetime.fromtimestamp(started / 1_000_000, UTC))
        assert price is not None, f"no list has a price for {target.model}"
        return price
