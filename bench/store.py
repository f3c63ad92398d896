"""Measures how fast calls are recorded, and how fast runs are found: see docs/performance.md.

    scripts/bench-store [--runs 1000000] [--store URL] [--rounds 20] [--mlflow] [--write]

Calls go the way that they go in `gatelog serve`: into a journal, and from there into the store by the recorder's own
code. Exits with 1 when a search is over its bar, or recording under it.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from store_calls import DAYS, END_US, KEYS, SPOKEN, START_US, calls
from store_mlflow import PAGE as PAGE_SIZE
from store_mlflow import beside, fill, gatelog, mlflow, spread

from providers.assemble import assemble
from tracking.call_tags import CallTags
from tracking.counting import Counting
from tracking.database import Database, open_store
from tracking.journal import Journal
from tracking.money import Price
from tracking.recover import recover
from tracking.runs import Runs
from tracking.texts import Texts
from tracking.tokens import count_request, count_text
from tracking.usage import Keeping
from tracking.usage_report import Question, UsageReports

ROOT = Path(__file__).resolve().parents[1]
CHUNK = 50_000
BESIDE = 100_000
"""Runs in the store that MLflow's server is measured with."""
SEARCH_MS, INGEST = 100.0, 10_000.0
PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- measured by scripts/bench-store --write -->", "<!-- end of what bench-store measured -->")
DAY_MS = 86_400_000

Measured = dict[str, tuple[float, float]]
"""p50 and p95 in milliseconds, by name."""
Search = Callable[[], Awaitable[Any]]


async def ingest(database: Database, store: str, count: int, folder: Path) -> float:
    """Calls a second, from the journal into the store. That calls are made up and journaled is not counted."""
    counting = Counting(request=count_request, text=count_text, assemble=assemble, price=Price.from_snapshot)
    spent, waiting = 0.0, calls(count)
    while True:
        journal, written = Journal(folder), 0
        for begin, request, end, answer in waiting:
            journal.begin(begin, request)
            journal.end(end, answer)
            written += 1
            if written == CHUNK:
                break
        journal.close()
        if not written:
            return count / spent
        began = time.perf_counter()
        findings = await recover(folder, database, counting)
        spent += time.perf_counter() - began
        assert findings.calls == written, f"{findings.calls} of {written} calls were recorded"


def searches(runs: Runs, spoken: str) -> dict[str, Search]:
    last_day = f"start_time >= {END_US // 1000 - DAY_MS}"

    def page(filter: str, *order_by: str) -> Search:
        return lambda: runs.page(filter, order_by)

    async def deep() -> None:
        page = await runs.page(f"start_time < {(START_US + END_US) // 2000}")
        await runs.page(f"start_time < {(START_US + END_US) // 2000}", page_token=page.next_page_token)

    return {
        "newest": page(""),
        "in which a word was said": page(f"text = '{spoken}'"),
        "of an endpoint": page("params.endpoint = 'coding'"),
        "of a key and a model": page(f"attributes.key = '{KEYS[7]}' AND params.model = 'gpt-4o'"),
        "of a user": page("user = 'user-1234'"),
        "with a tag that a fifth has": page("tags.team = 'growth'"),
        "with a tag that three have": page("tags.ticket = 'T-5'"),
        "that failed": page("status = 'upstream_timeout'"),
        "dear ones of an endpoint": page("metrics.cost_usd > 0.0009 AND params.endpoint = 'search'"),
        "slowest of a day": page(last_day, "metrics.latency_ms DESC"),
        "two pages from the middle of the month": deep,
    }


def aggregates(reports: UsageReports) -> dict[str, Search]:
    month = {"since": START_US // 1_000_000, "until": END_US // 1_000_000}
    day = {"since": END_US // 1_000_000 - 86_400, "until": END_US // 1_000_000}

    def report(**words: Any) -> Search:
        return lambda: reports.report(Question(**words))

    return {
        "cost by model and day, of the month": report(**month, bucket="day", group_by=("model",)),
        "latency by endpoint and hour, of a day": report(**day, bucket="hour", group_by=("endpoint",)),
        "usage by key, of the month": report(**month, group_by=("key",)),
    }


async def timed(searches: dict[str, Search], rounds: int) -> Measured:
    measured: dict[str, tuple[float, float]] = {}
    for name, search in searches.items():
        await search()  # what has just been written is read into memory, as in a store that is in use
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            await search()
            times.append((time.perf_counter() - began) * 1000)
        measured[name] = spread(times)
    return measured


async def measure(
    store: str, count: int, rounds: int, folder: Path
) -> tuple[tuple[float, float, float], Measured, Measured]:
    database = open_store(store)
    await database.migrate()
    rate = await ingest(database, store, count, folder)
    began = time.perf_counter()
    counted = await Keeping(database).settle() / (time.perf_counter() - began)
    began = time.perf_counter()
    worded = await Texts(database).index() / (time.perf_counter() - began)
    await CallTags(database).index()
    await database.close()
    database = open_store(store)
    runs = Runs(database)
    try:
        return (
            (rate, counted, worded),
            await timed(searches(runs, SPOKEN), rounds),
            await timed(aggregates(UsageReports(database, Keeping(database))), rounds),
        )
    finally:
        await database.close()


def shown(rates: tuple[float, float, float], found: Measured, added: Measured, count: int) -> list[str]:
    lines = [
        f"{count:,} runs over {DAYS} days, recorded at {rates[0]:,.0f} a second (bar: {INGEST:,.0f}), and then counted into",
        f"the totals of usage at {rates[1]:,.0f} a second, their words indexed at {rates[2]:,.0f} a second.",
        "",
        "| | p50, ms | p95, ms |",
        "| --- | ---: | ---: |",
    ]
    for name, (middle, most) in {**found, **added}.items():
        lines.append(f"| {name} | {middle:.1f} | {most:.1f} |")
    return lines


def compared(count: int, rounds: int, folder: Path) -> list[str]:
    """The same runs and searches in Gatelog and in MLflow's server, each over HTTP."""
    for name in ("ours", "theirs"):
        (folder / name).mkdir()
    store = f"sqlite:///{folder / 'ours' / 'gatelog.db'}"
    asyncio.run(filled(store, count, folder / "ours" / "made"))
    fill(folder / "theirs" / "mlflow.db", count)
    with gatelog(store, folder / "ours") as ours, mlflow(folder / "theirs" / "mlflow.db") as theirs:
        lines = beside(ours, theirs, rounds)
    import mlflow as installed

    return [
        "",
        f"{count:,} of the same runs, found by `POST /api/2.0/mlflow/runs/search`, {PAGE_SIZE} a page, in Gatelog and in "
        f"MLflow {installed.__version__}'s own server on a SQLite file, one process each, asked in turns:",
        "",
        "| | Gatelog p50, ms | p95, ms | MLflow p50, ms | p95, ms |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(f"| {name} | {a:.1f} | {b:.1f} | {c:.1f} | {d:.1f} |" for name, (a, b), (c, d) in lines),
    ]


async def filled(store: str, count: int, folder: Path) -> None:
    database = open_store(store)
    await database.migrate()
    await ingest(database, store, count, folder)
    await Keeping(database).settle()
    await Texts(database).index()
    await CallTags(database).index()
    await database.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--store", help="an empty store; left out: a SQLite file that is removed afterwards")
    parser.add_argument(
        "--mlflow", action="store_true", help=f"the same searches in MLflow's server, of {BESIDE:,} runs"
    )
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatelog-store-") as directory:
        folder = Path(directory)
        store = asked.store or f"sqlite:///{folder / 'gatelog.db'}"
        rates, found, added = asyncio.run(measure(store, asked.runs, asked.rounds, folder / "journal"))
        lines = shown(rates, found, added, asked.runs)
        if asked.mlflow:
            lines += compared(min(BESIDE, asked.runs), asked.rounds, folder)
    print("\n".join(lines))
    if asked.write:
        write(lines, asked)
    slow = [name for name, (_, most) in {**found, **added}.items() if most > SEARCH_MS]
    if slow or rates[0] < INGEST:
        print(f"over the bar: {', '.join([*slow, *(['recording'] if rates[0] < INGEST else [])])}", file=sys.stderr)
        return 1
    return 0


def write(lines: list[str], asked: argparse.Namespace) -> None:
    text = PAGE.read_text()
    start, end = (text.index(mark) for mark in MARKS)
    where = (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}."
    )
    table = "\n".join([*lines, "", where])
    PAGE.write_text(f"{text[: start + len(MARKS[0])]}\n{table}\n{text[end:]}")


if __name__ == "__main__":
    sys.exit(main())
