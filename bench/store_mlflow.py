"""The same runs in MLflow's own server and in Gatelog, and the same searches of MLflow's REST API asked of both."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from store_calls import END_US, KEYS, START_US, calls

ROOT = Path(__file__).resolve().parents[1]
DAY_MS = 86_400_000
PAGE = 50
START_SECONDS = 120.0
PATH = "/api/2.0/mlflow/runs/search"
TABLES = {
    "runs": "run_uuid name source_type user_id status start_time end_time lifecycle_stage artifact_uri experiment_id",
    "params": "key value run_uuid",
    "tags": "key value run_uuid",
    "metrics": "key value timestamp run_uuid step is_nan",
    "latest_metrics": "key value timestamp step is_nan run_uuid",
}
MIDDLE_MS = (START_US + END_US) // 2000

Asked = dict[str, Any]
SEARCHES: dict[str, Asked] = {
    "newest": {},
    "of an endpoint": {"filter": "params.endpoint = 'coding'"},
    "of a key and a model": {"filter": f"tags.key = '{KEYS[7]}' AND params.model = 'gpt-4o'"},
    "of a user": {"filter": "attributes.user_id = 'user-1234'"},
    "with a tag that a fifth has": {"filter": "tags.team = 'growth'"},
    "with a tag that three have": {"filter": "tags.ticket = 'T-5'"},
    "that failed": {"filter": "attributes.status = 'FAILED'"},
    "dear ones of an endpoint": {"filter": "metrics.cost_usd > 0.0009 AND params.endpoint = 'search'"},
    "slowest of a day": {
        "filter": f"attributes.start_time >= {END_US // 1000 - DAY_MS}",
        "order_by": ["metrics.latency_ms DESC"],
    },
    "from the middle of the month": {"filter": f"attributes.start_time < {MIDDLE_MS}"},
}
"""What both servers understand, word for word."""


def fill(file: Path, count: int) -> None:
    """A store of MLflow's with what our calls are to MLflow's clients, put in as MLflow would, but by its tables."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(f"sqlite:///{file}", str(file.parent / "artifacts"))  # makes the tables
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for rows in _rows(count):
            for table, columns in TABLES.items():
                places = ", ".join("?" * len(columns.split()))
                statement = f"INSERT INTO {table} ({', '.join(columns.split())}) VALUES ({places})"  # noqa: S608  # ours
                connection.executemany(statement, rows[table])
            connection.commit()
        connection.execute("ANALYZE")
        connection.commit()


def _rows(count: int) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
    for begin, _, end, _ in calls(count):
        id, started, took = begin["id"], begin["started_us"] // 1000, end["duration_us"]
        cancelled = end["status"] == "client_cancelled"
        status = "FINISHED" if end["status"] == "ok" else "KILLED" if cancelled else "FAILED"
        user, uri = begin["user"], f"mlflow-artifacts:/0/{id}/artifacts"
        rows["runs"].append(
            (id, begin["endpoint"], "UNKNOWN", user, status, started, started + took // 1000, "active", uri, 0)
        )
        rows["params"] += [(key, end.get(key) or begin[key], id) for key in ("endpoint", "provider", "model")]
        tags = {**begin["tags"], "key": begin["key_id"], "mlflow.user": user, "mlflow.runName": begin["endpoint"]}
        rows["tags"] += [(key, value, id) for key, value in tags.items()]
        used = end["usage"] or {}
        measured = {
            "latency_ms": took / 1000,
            "cost_usd": None if end["cost_nanos"] is None else end["cost_nanos"] / 1e9,
            "prompt_tokens": used.get("input"),
            "completion_tokens": used.get("output"),
        }
        known = {key: float(value) for key, value in measured.items() if value is not None}
        rows["metrics"] += [(key, value, started, id, 0, 0) for key, value in known.items()]
        rows["latest_metrics"] += [(key, value, started, 0, 0, id) for key, value in known.items()]
        if len(rows["runs"]) == 10_000:
            yield rows
            rows = {table: [] for table in TABLES}
    yield rows


@contextlib.contextmanager
def gatelog(store: str, folder: Path) -> Iterator[str]:
    port = free()
    config = {
        "server": {"host": "127.0.0.1", "port": port},
        "store": store,
        "artifacts": str(folder / "artifacts"),
        "auth": {"mode": "open"},
    }
    file = folder / "gatelog.yaml"
    file.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(file)]
    with _served(command, folder, f"http://127.0.0.1:{port}") as url:
        yield url


@contextlib.contextmanager
def mlflow(file: Path) -> Iterator[str]:
    port = free()
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{file}", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--artifacts-destination", str(file.parent / "artifacts")]
    with _served(command, file.parent, f"http://127.0.0.1:{port}") as url:
        yield url


@contextlib.contextmanager
def _served(command: list[str], folder: Path, url: str) -> Iterator[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until and server.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/health", trust_env=False).status_code == httpx.codes.OK:
                        break
                time.sleep(0.2)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def beside(ours: str, theirs: str, rounds: int) -> list[tuple[str, tuple[float, float], tuple[float, float]]]:
    """p50 and p95 in milliseconds of each search, ours and theirs. They take turns, so that neither has a better hour."""
    lines = []
    with httpx.Client(trust_env=False, timeout=120) as client:
        for name, asked in SEARCHES.items():
            body = {"experiment_ids": ["0"], "max_results": PAGE, **asked}

            def search(url: str, body: Asked = body) -> int:
                answer = client.post(url + PATH, json=body)
                answer.raise_for_status()
                return len(answer.json().get("runs", ()))

            found = search(ours), search(theirs)
            if found[0] != found[1]:
                raise RuntimeError(f"{name}: Gatelog found {found[0]} runs and MLflow {found[1]}")
            each: tuple[list[float], list[float]] = [], []
            for _ in range(rounds):
                for times, url in zip(each, (ours, theirs), strict=True):
                    times.append(_timed(search, url))
            lines.append((name, spread(each[0]), spread(each[1])))
    return lines


def _timed(search: Callable[[str], int], url: str) -> float:
    began = time.perf_counter()
    search(url)
    return (time.perf_counter() - began) * 1000


def spread(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), sorted(times)[max(0, -(-95 * len(times) // 100) - 1)]
