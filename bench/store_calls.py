"""Calls as a busy month would leave them, and the searches over them that are measured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import orjson

from tracking.tail import Logged

DAYS = 30
END_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z: the month before it is full of calls."""
START_US = END_US - DAYS * 86_400_000_000
ENDPOINTS = ("support", "summaries", "search", "coding", "translate")
MODELS = (
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-4o"),
    ("anthropic", "claude-sonnet-4-5"),
    ("gemini", "gemini-2.5-flash"),
)
KEYS = tuple(f"key-{n:02}" for n in range(20))
TEAMS = ("search", "support", "growth", "research", "platform")
STATUSES = ("ok",) * 976 + ("upstream_error",) * 12 + ("client_cancelled",) * 10 + ("upstream_timeout",) * 2
SYLLABLES = ("ba", "co", "di", "fu", "ga", "lo", "mi", "nu", "pe", "ra", "so", "ti", "ve", "za")
SPOKEN = "milodi"
"""One of the words, said in three calls of a thousand."""
PRICE = {"input": 150, "output": 600}


def words(rng: random.Random) -> list[str]:
    return ["".join(rng.choices(SYLLABLES, k=rng.randrange(2, 5))) for _ in range(20_000)]


def calls(count: int, seed: int = 1) -> Iterator[tuple[dict[str, Any], bytes, dict[str, Any], bytes]]:
    """Begin, request, end and answer, in the order of their beginnings."""
    rng = random.Random(seed)
    vocabulary = words(rng)
    step = (END_US - START_US) // count
    for n in range(count):
        started = START_US + n * step + rng.randrange(step)
        id = f"{started // 1000:012x}7{rng.getrandbits(12):03x}8{rng.getrandbits(60):015x}"
        endpoint = rng.choice(ENDPOINTS)
        provider, model = rng.choice(MODELS)
        status = rng.choice(STATUSES)
        ok = status == "ok"
        input, output = rng.randrange(20, 4_000), rng.randrange(1, 800)
        duration = int(rng.lognormvariate(13.8, 0.8))
        tags = {"team": rng.choice(TEAMS), "ticket": f"T-{n // 3}"}
        asked = " ".join(rng.choices(vocabulary, k=30))
        said = " ".join(rng.choices(vocabulary, k=30))
        begin = {
            "id": id,
            "started_us": started,
            "kind": "chat",
            "endpoint": endpoint,
            "requested_model": endpoint,
            "stream": False,
            "experiment": None,
            "key_id": rng.choice(KEYS),
            "user": f"user-{rng.randrange(5_000)}",
            "tags": tags,
            "config_revision": "c0ffee",
            "log_payloads": "full",
            "request_bytes": 300,
            "provider": provider,
            "model": model,
            "price": PRICE,
        }
        end = {
            "id": id,
            "status": status,
            "http_status": 200 if ok else 502,
            "error_code": None if ok else status,
            "provider": provider,
            "model": model,
            "response_model": model,
            "credential": "default",
            "attempts": [{"provider": provider, "model": model, "status": "ok" if ok else status}],
            "duration_us": duration,
            "ttft_us": duration // 3 if ok else None,
            "upstream_us": duration - 150,
            "finish_reason": "stop" if ok else None,
            "usage": {"input": input, "output": output} if ok else None,
            "usage_basis": "provider" if ok else "none",
            "cost_nanos": input * 150 + output * 600 if ok else None,
            "price": PRICE,
            "response_type": "json" if ok else None,
            "response_bytes": 300,
        }
        request = {"model": endpoint, "messages": [{"role": "user", "content": asked}]}
        answer = {"choices": [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]}
        yield begin, orjson.dumps(request), end, orjson.dumps(answer) if ok else b""


def logged(count: int) -> Iterator[Logged]:
    for begin, request, end, answer in calls(count):
        yield Logged(begin, request, end, answer, [])  # type: ignore[arg-type]  # made above as a call is
