"""Usage is exactly what the calls come to, however they were recorded."""

from __future__ import annotations

import asyncio
import math
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.tracking.logged import ANSWER, REQUEST, WORDS, begin, end
from tracking import sketch
from tracking.database import open_store
from tracking.rows import Rows
from tracking.tables import calls
from tracking.tail import Logged
from tracking.usage import Keeping
from tracking.usage_tables import SUMS, usage, usage_groups
from tracking.writer import Writer

pytestmark = pytest.mark.anyio
START_US = 1_763_900_000_000_000


def logged(n: int, begun: dict[str, Any] | None = None, **ended: Any) -> Logged:
    started = begin(f"{n:032x}", started_us=START_US + n * 1_000_000, **(begun or {}))
    return Logged(started, REQUEST, end(started["id"], **ended), ANSWER, [])


def several(count: int, seed: int = 1) -> list[Logged]:
    rng = random.Random(seed)
    return [
        logged(
            n,
            {
                "endpoint": rng.choice(["chat", "fast", None]),
                "key_id": rng.choice(["k1", "k2"]),
                "user": rng.choice([None, "ann", "bob"]),
                "tags": rng.choice([{}, {"team": "blue"}, {"team": "red", "app": "x"}]),
            },
            model=rng.choice(["a", "b"]),
            status=rng.choice(["ok", "ok", "upstream_error", "client_cancelled"]),
            cost_nanos=rng.choice([None, 0, 7, 10**9]),
            duration_us=rng.randrange(1, 10**8),
        )
        for n in range(count)
    ]


async def totals(store: str, seconds: int, facet: str | None = None) -> dict[tuple[Any, ...], list[Any]]:
    """By start, group and value: the sums, the latency's sketch and the time to the first token's."""
    database = open_store(store)
    found: dict[tuple[Any, ...], list[Any]] = {}
    query = sa.select(usage, usage_groups).join(usage_groups, usage_groups.c.id == usage.c.group_id)
    async with database.reading() as connection:
        for row in (await connection.execute(query)).mappings():
            if row["seconds"] == seconds and row["facet"] == facet:
                place = (row["start_us"], row["endpoint"], row["model"], row["key_id"], row["value"])
                values = [row[name] for name in SUMS] + [sketch.unpacked(row["latency"]), sketch.unpacked(row["ttft"])]
                known = found.get(place, [0] * len(values))
                found[place] = [a + b for a, b in zip(known, values, strict=True)]
    await database.close()
    return found


async def scanned(store: str, seconds: int, *without: str) -> dict[tuple[Any, ...], list[Any]]:
    """The same, from the calls themselves."""
    database = open_store(store)
    found: dict[tuple[Any, ...], list[Any]] = {}
    async with database.reading() as connection:
        for row in (await connection.execute(sa.select(calls))).mappings():
            start = row["started_us"] // (seconds * 10**6) * (seconds * 10**6)
            by = (None if name in without else row[name] for name in ("endpoint", "model", "key_id"))
            place = (start, *by, None)
            extra = {
                "calls": 1,
                "errors": row["status"] not in ("ok", "client_cancelled"),
                "cancelled": row["status"] == "client_cancelled",
                "unpriced": row["cost_nanos"] is None,
                "unmetered": row["input_tokens"] is None or row["output_tokens"] is None,
                "timed": row["duration_us"] is not None,
            }
            sums = [extra[name] if name in extra else row[name] or 0 for name in SUMS]
            values = [*sums, sketch.of([row["duration_us"]]), sketch.of([row["ttft_us"]])]
            known = found.get(place, [0] * len(values))
            found[place] = [a + b for a, b in zip(known, values, strict=True)]
    await database.close()
    return found


async def write(store: str, *batches: list[Logged]) -> None:
    database = open_store(store)
    await database.migrate()
    writer, keeping = Writer(database, Rows(WORDS)), Keeping(database)
    for batch in batches:
        assert await writer.write(batch) == []
        await keeping.settle()
    await database.close()


async def test_usage_is_what_the_calls_come_to(store: str) -> None:
    batch = several(400)
    await write(store, batch[:3], batch[3:250], batch[250:])
    await write(store, several(450)[400:])
    for seconds in (60, 3600, 86400):
        assert await totals(store, seconds) == await scanned(store, seconds, "key_id")
        assert await totals(store, seconds, "by key") == await scanned(store, seconds, "endpoint", "model")
    for seconds in (3600, 86400):
        assert await totals(store, seconds, "by all") == await scanned(store, seconds)


async def test_a_journal_that_is_read_again_counts_nothing_twice(store: str) -> None:
    batch = several(60)
    await write(store, batch[:40])
    await write(store, batch[20:60], batch, [batch[0], batch[0]])
    assert await totals(store, 60) == await scanned(store, 60, "key_id")
    assert sum(values[0] for values in (await totals(store, 86400)).values()) == 60


async def test_one_call_twice_in_a_batch_counts_once(store: str) -> None:
    await write(store, [logged(1), logged(1), logged(2)])
    assert [values[0] for values in (await totals(store, 86400)).values()] == [2]


async def test_a_transaction_that_fails_counts_nothing_and_the_next_counts_all(tmp_path: Path) -> None:
    database = open_store(f"sqlite:///{tmp_path}/gatelog.db")
    await database.migrate()
    writer, keeping = Writer(database, Rows(WORDS)), Keeping(database)
    await writer.write(several(20))
    await keeping.settle()
    await writer.write(several(40))
    async with database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE usage RENAME TO away")
    with pytest.raises(sa.exc.OperationalError):
        await keeping.settle()
    async with database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO usage")
    assert await keeping.settle() == 20
    await database.close()
    store = f"sqlite:///{tmp_path}/gatelog.db"
    assert await totals(store, 60) == await scanned(store, 60, "key_id")


async def test_processes_that_count_at_once_count_each_call_once(store: str) -> None:
    database = open_store(store)
    await database.migrate()
    writer, batch = Writer(database, Rows(WORDS)), several(300)
    for start in range(0, 300, 5):
        await writer.write(batch[start : start + 5])
    counted = await asyncio.gather(*(Keeping(database).settle() for _ in range(4)))
    await database.close()
    assert sum(counted) == 300
    assert await totals(store, 60) == await scanned(store, 60, "key_id")


async def test_users_and_tags_are_counted_by_hour_and_day(store: str) -> None:
    batch = several(200)
    await write(store, batch)
    users = await totals(store, 3600, "user")
    teams = await totals(store, 86400, "tags.team")
    for who in ("ann", "bob"):
        wanted = sum(call.begin is not None and call.begin.get("user") == who for call in batch)
        assert sum(values[0] for place, values in users.items() if place[-1] == who) == wanted
    wanted = sum(call.begin is not None and call.begin["tags"].get("team") == "red" for call in batch)
    assert sum(values[0] for place, values in teams.items() if place[-1] == "red") == wanted
    assert await totals(store, 60, "user") == {}


async def test_users_beyond_a_thousand_are_counted_together(store: str) -> None:
    await write(store, [logged(n, {"user": f"u{n}"}) for n in range(1_100)])
    users = await totals(store, 86400, "user")
    assert len(users) == 1_001
    assert [values[0] for place, values in users.items() if place[-1] is None] == [100]


def test_a_quantile_is_within_the_error_that_is_stated() -> None:
    rng = random.Random(3)
    for _ in range(50):
        values = [int(math.exp(rng.uniform(0, 24))) for _ in range(rng.randrange(1, 400))]
        half = len(values) // 2
        merged = sketch.of(values[:half]) + sketch.unpacked(sketch.packed(sketch.of(values[half:])))
        assert merged == sketch.of(values)
        values.sort()
        wanted = (0.5, 0.95, 0.99)
        for quantile, found in zip(wanted, sketch.quantiles(merged, wanted), strict=True):
            true = values[max(1, math.ceil(quantile * len(values))) - 1]
            assert found is not None
            assert abs(found - true) <= true * sketch.RELATIVE_ERROR * 1.0001


def test_a_sketch_of_nothing_has_no_quantiles() -> None:
    assert sketch.packed(sketch.of([])) == b""
    assert sketch.quantiles(sketch.unpacked(b""), (0.5, 0.99)) == [None, None]
