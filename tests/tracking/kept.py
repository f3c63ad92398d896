"""A store with runs of every sort in it, for tests that read."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from tracking.database import Database, open_store
from tracking.payloads import Packer
from tracking.tables import calls, experiments, payload_blocks
from tracking.tail import Logged

Row = dict[str, Any]
BASE_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z"""

MODELS = ["gpt-4o", "GPT-4o", "gpt-4o-mini", "claude_sonnet", "100%", "a*b", "a?b", "[x]", "O'Hara", "é", "É", "", "\\"]
TAGS = [
    {},
    {"team": "search"},
    {"team": "Search", "my key": "x"},
    {"team": ""},
    {'a"b': "quoted", "mlflow.user": "ann"},
    {"é": "ü", "$.team": "path", "my key": "100%"},
    None,
]


def row(n: int, **changes: Any) -> Row:
    """A whole run, a millisecond and a bit after the one before it."""
    us = BASE_US + n * 1_357
    made: Row = {
        "id": f"{us // 1000:012x}7000800{n:013x}",
        "started_us": us,
        "experiment_id": 0,
        "kind": "chat",
        "endpoint": "chat",
        "requested_model": "chat",
        "stream": False,
        "key_id": "k1",
        "end_user": None,
        "session": None,
        "parent_run_id": None,
        "idempotency_key": None,
        "config_revision": "r1",
        "log_payloads": "full",
        "tags": {},
        "max_output": None,
        "request_bytes": 20,
        "prompt_name": None,
        "prompt_version": None,
        "registered_model": None,
        "registered_version": None,
        "status": "ok",
        "http_status": 200,
        "error_code": None,
        "error_message": None,
        "provider": "openai",
        "model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "credential": "default",
        "attempts": 1,
        "duration_us": 1_500,
        "ttft_us": 1_000,
        "upstream_us": 1_200,
        "finish_reason": "stop",
        "native_finish_reason": "stop",
        "upstream_request_id": None,
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "cache_write_1h_tokens": None,
        "reasoning_tokens": None,
        "input_audio_tokens": None,
        "output_audio_tokens": None,
        "searches": None,
        "usage_basis": "provider",
        "usage_suspect": False,
        "cost_nanos": 1_000,
        "response_bytes": 30,
        "response_truncated": False,
    }
    return {**made, **changes}


def varied(count: int, seed: int = 1) -> list[Row]:
    """Runs with many equal values and many missing ones."""
    rng = random.Random(seed)

    def maybe(*values: Any) -> Any:
        return rng.choice([None, *values])

    return [
        row(
            n,
            # Three runs at a time began at the same microsecond.
            started_us=BASE_US + n // 3 * 700,
            experiment_id=rng.choice([0, 0, 1, 99]),
            kind=maybe("chat", "embeddings"),
            stream=maybe(True, False),
            key_id=maybe("k1", "k2"),
            end_user=maybe("ann", "bob"),
            status=rng.choice(["ok", "upstream_error", "client_cancelled"]),
            http_status=maybe(200, 502),
            model=maybe(*MODELS),
            attempts=maybe(1, 2, 3),
            duration_us=maybe(0, 1, 999, 1_000, 1_500, 2_000_000),
            upstream_us=maybe(0, 1, 1_000),
            input_tokens=maybe(0, 1, 2, 100),
            output_tokens=maybe(0, 3),
            cost_nanos=maybe(0, 1, 1_000, 999_999_999, 1_000_000_000, 2**62),
            usage_suspect=rng.choice([True, False]),
            tags=rng.choice(TAGS),
        )
        for n in range(count)
    ]


@asynccontextmanager
async def opened(store: str, rows: list[Row] | None = None) -> AsyncIterator[Database]:
    """The store, its schema made, with these runs and an experiment 1 called `trial`."""
    database = open_store(store)
    try:
        await database.migrate()
        async with database.writing() as connection:
            await connection.execute(
                sa.insert(experiments).values(
                    id=1, name="trial", lifecycle_stage="active", created_us=BASE_US, updated_us=BASE_US
                )
            )
        await add(database, rows or [])
        yield database
    finally:
        await database.close()


async def add(database: Database, rows: list[Row]) -> None:
    if rows:
        async with database.writing() as connection:
            await connection.execute(sa.insert(calls), rows)


async def say(database: Database, id: str, request: bytes, response: bytes | None, type: str | None) -> None:
    """What was said in a run, kept as the recorder keeps it."""
    attempts = [{"provider": "openai", "model": "gpt-4o", "status": "ok"}]
    ended: Any = {"id": id, "response_type": type, "attempts": attempts, "price": {"source": "test"}}
    (number,), (block,) = Packer().pack([Logged(None, request, ended, response or b"", [])])
    async with database.writing() as connection:
        await connection.execute(
            sa.insert(payload_blocks).values(dict(zip(payload_blocks.columns.keys(), block, strict=True)))
        )
        await connection.execute(sa.update(calls).where(calls.c.id == id).values(payload_block=number))
