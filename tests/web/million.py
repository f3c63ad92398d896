"""A store of a million calls, made of one statement over numbers: rows by themselves would take minutes."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

RUNS = 1_000_000
DAYS = 30
MARKED = 25_000
"""Each so many calls one has a tag, and words."""
_STARTED = "(:first + n * :apart)"
_CALLS = f"""
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :runs - 1)
INSERT INTO calls (
    id, started_us, experiment_id, kind, endpoint, requested_model, stream, key_id, end_user, session, log_payloads,
    tags, status, http_status, error_code, error_message, provider, model, response_model, attempts,
    duration_us, ttft_us, upstream_us, finish_reason, input_tokens, output_tokens, usage_basis, usage_suspect,
    cost_nanos
)
SELECT
    printf('%012x7%03x8%015x', {_STARTED} / 1000, n % 4096, n), {_STARTED}, 0, 'chat',
    CASE n % 5 WHEN 0 THEN 'search' WHEN 1 THEN 'summary' ELSE 'support' END, 'chat', n % 3 > 0, 'admin', NULL,
    CASE WHEN n % 100 = 0 THEN 'session-' || n / 1000 END, 'none',
    CASE WHEN n % :marked = 0 THEN json_object('incident', CAST(n / :marked AS TEXT)) END,
    CASE WHEN n % 97 = 0 THEN 'upstream_error' WHEN n % 211 = 0 THEN 'client_cancelled' ELSE 'ok' END,
    CASE WHEN n % 97 = 0 THEN 502 ELSE 200 END,
    CASE WHEN n % 97 = 0 THEN 'upstream_500' END, CASE WHEN n % 97 = 0 THEN 'The provider answered with status 500' END,
    CASE n % 4 WHEN 0 THEN 'anthropic' ELSE 'openai' END,
    CASE n % 4 WHEN 0 THEN 'claude-sonnet-4-5' WHEN 1 THEN 'gpt-4o' ELSE 'gpt-4o-mini' END, NULL, 1 + (n % 97 = 0),
    400000 + n * 7919 % 3000000, 90000 + n * 104729 % 400000, 399000 + n * 7919 % 3000000, 'stop',
    200 + n * 31 % 4000, 20 + n * 17 % 900, 'provider', 0, 10000 + n * 7907 % 900000
FROM numbers
"""
_WORDS = """
INSERT INTO texts (number, id, words)
SELECT started_us / 1000 * 4096, id, 'where is my parcel incident ' || json_extract(tags, '$.incident')
FROM calls WHERE tags IS NOT NULL
"""
_TAGS = """
INSERT INTO call_tags SELECT 'incident=' || json_extract(tags, '$.incident'), id FROM calls WHERE tags IS NOT NULL
"""
_TAGGED = "INSERT OR REPLACE INTO meta (name, value) SELECT 'call_tags.last', max(id) FROM calls"


def fill(store: Path, runs: int = RUNS) -> None:
    """Spread over the last days, the newest a minute ago. Indexes are laid over what is there: that is faster."""
    now = time.time_ns() // 1000
    apart = DAYS * 86_400_000_000 // runs
    numbers = {"runs": runs, "first": now - 60_000_000 - runs * apart, "apart": apart, "marked": MARKED}
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # what is written is written once
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -200000")
        laid = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'calls' AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("BEGIN")
        for name, _ in laid:
            connection.execute(f"DROP INDEX {name}")
        connection.execute(_CALLS, numbers)
        for _, statement in laid:
            connection.execute(statement)
        for statement in (_WORDS, _TAGS, _TAGGED):
            connection.execute(statement)
        connection.execute("COMMIT")
