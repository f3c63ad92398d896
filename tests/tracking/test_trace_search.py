"""One search over clients' traces and gateway calls: any filter is answered or refused, and pages are whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.errors import InvalidRequest
from tests.tracking.kept import BASE_US, opened, varied
from tracking.database import Database, open_store
from tracking.trace_tables import assessments, traces
from tracking.traces import Traces

Row = dict[str, Any]
KEYS = (
    "status, trace.status, name, timestamp_ms, execution_time_ms, request_id, run_id, prompt, session, nothing.at, "
    "metrics.cost_usd, params.model, tags.team, metadata.`mlflow.trace.session`, span.name, span.type, span.content, "
    "span.attributes.x, feedback.good, expectation.`a b`, attributes.text"
)
SIGNS = "=|!=|<|>=|LIKE|ILIKE|IN|NOT IN|IS NULL|IS NOT NULL|(|)|,|AND|OR|NOT|'OK'|'%a%'|5|-0.5|TRUE|'2026-01-31'|''"
WORDS = [*KEYS.split(", "), *SIGNS.split("|")]


def client_traces(count: int) -> list[Row]:
    rng = random.Random(2)
    sessions = [rng.choice([None, "s-1"]) for _ in range(count)]
    return [
        {
            "id": f"tr-{n:032x}",
            "experiment_id": rng.choice([0, 1]),
            "started_us": BASE_US + n // 2 * 700,
            "duration_us": rng.choice([None, 0, 999, 1_500, 2_000_000]),
            "state": rng.choice(["OK", "ERROR", "IN_PROGRESS"]),
            "session": session,
            "metadata": {"mlflow.trace.session": session} if session else {},
            "tags": rng.choice([{}, {"team": "search", "mlflow.traceName": "agent"}, {"mlflow.traceName": "é"}]),
            "told": True,
        }
        for n, session in enumerate(sessions)
    ]


async def filled(store: str) -> None:
    async with opened(store, varied(60)) as database, database.writing() as connection:
        await connection.execute(sa.insert(traces), client_traces(60))
        said = {"kind": "feedback", "name": "good", "value": {"value": 4}, "text": "4", "number": 4.0, "valid": True}
        times = {"created_us": BASE_US, "updated_us": BASE_US}
        await connection.execute(
            sa.insert(assessments),
            [{"id": f"a-{n}", "trace_id": f"tr-{n:032x}", **said, **times} for n in range(5)],
        )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Runs a question to a store on SQLite, filled once."""
    store = f"sqlite:///{tmp_path_factory.mktemp('traces') / 'gatelog.db'}"
    with asyncio.Runner() as runner:
        runner.run(filled(store))
        database = open_store(store)
        searched = Traces(database)
        yield lambda *said, **more: runner.run(searched.page(*said, **more))
        runner.run(database.close())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)))
def test_any_filter_is_answered_or_refused_with_its_place(kept: Callable[..., Any], filter: str) -> None:
    try:
        kept([0, 1], filter, size=3)
    except InvalidRequest as error:
        refused = error.message
    else:
        return
    assert "column" in refused


async def every(database: Database, filter: str, order_by: list[str], size: int) -> list[Row]:
    found: list[Row] = []
    token = None
    while True:
        page = await Traces(database).page([0, 1], filter, order_by, size, token)
        found += page.infos
        if (token := page.next_page_token) is None:
            return found


ORDERS: dict[str, Callable[[Row], Any]] = {
    "timestamp_ms": lambda info: info["request_time"],
    "status": lambda info: info["state"],
    "execution_time_ms": lambda info: None if (took := info["execution_duration"]) is None else float(took[:-1]),
}


@pytest.mark.anyio
@pytest.mark.parametrize("key", ORDERS)
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_of_both_sorts_are_in_one_order_and_whole(store: str, key: str, direction: str) -> None:
    await filled(store)
    database = open_store(store)
    try:
        whole = await every(database, "", [f"{key} {direction}"], 500)
        paged = await every(database, "", [f"{key} {direction}"], 7)
    finally:
        await database.close()
    assert [info["trace_id"] for info in paged] == [info["trace_id"] for info in whole]
    assert len({info["trace_id"] for info in whole}) == len(whole) > 100
    values = [value for info in whole if (value := ORDERS[key](info)) is not None]
    assert values == sorted(values, reverse=direction == "DESC")
    assert all(ORDERS[key](info) is None for info in whole[len(values) :])


@pytest.mark.anyio
async def test_a_filter_finds_what_python_would_find(store: str) -> None:
    await filled(store)
    database = open_store(store)
    plain: dict[str, Callable[[Row], bool]] = {
        "status = 'ERROR'": lambda info: info["state"] == "ERROR",
        "NOT status = 'OK' AND tags.team = 'search'": lambda info: (
            info["state"] != "OK" and info["tags"].get("team") == "search"
        ),
        "execution_time_ms >= 1.5": lambda info: (
            (took := info["execution_duration"]) is not None and float(took[:-1]) >= 0.0015
        ),
        "execution_time_ms IS NULL OR session = 's-1'": lambda info: (
            info["execution_duration"] is None or info["trace_metadata"].get("mlflow.trace.session") == "s-1"
        ),
        "name = 'chat' OR name = 'agent'": lambda info: info["tags"].get("mlflow.traceName") in ("chat", "agent"),
        "feedback.good > 3": lambda info: bool(info.get("assessments")),
        "feedback.good = '4'": lambda info: bool(info.get("assessments")),
        "experiment_id = 1": lambda info: info["trace_location"]["mlflow_experiment"]["experiment_id"] == "1",
        "tags.team IS NULL": lambda info: "team" not in info["tags"],
    }
    try:
        all = await every(database, "", [], 500)
        for filter, passes in plain.items():
            found = {info["trace_id"] for info in await every(database, filter, [], 11)}
            wanted = {info["trace_id"] for info in all if passes(info)}
            assert found == wanted, filter
            assert found, filter
    finally:
        await database.close()
