"""MLflow's client finds the gateway's calls by model, cost, latency and tag, and finds the right ones, under load."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from statistics import quantiles
from typing import Any

import mlflow
import pytest

from tests.harness import Gateway, Start
from tests.load import PROMPT_TOKENS, Caller, Heard, Script
from tests.pretend import Pretend, chat_at, loaded

pytestmark = [pytest.mark.anyio, pytest.mark.alone, pytest.mark.slow, pytest.mark.filterwarnings("default")]
GAP = 0.02
"""Seconds between two events of a stream."""
CALLERS, ROUNDS = 16, 8
LONG, SHORT = 40, 4
"""Words: of the calls that are looked for, and of those that are the load."""
DEAR_NANOS = PROMPT_TOKENS * 1000 + LONG * 2000
SLOW_MS = LONG * GAP * 1000
EXPERIMENT = "under load"


@pytest.fixture
async def pretend() -> AsyncIterator[Pretend]:
    async with loaded(GAP) as provider:
        yield provider


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def gateway(request: pytest.FixtureRequest, start_gateway: Start, pretend: Pretend) -> Gateway:
    more = {"store": request.getfixturevalue("postgres")} if request.param == "postgresql" else {}
    return await start_gateway(chat_at(pretend, **more))


@pytest.fixture
def tracked(gateway: Gateway) -> Iterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", gateway.key)
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        mlflow.set_tracking_uri(gateway.url)
        yield gateway
        mlflow.set_tracking_uri("")


def caller(gateway: Gateway) -> Caller:
    return Caller(gateway.port, gateway.key, "chat", {"x-gatelog-experiment": EXPERIMENT})


def runs(experiment: str, filter: str) -> list[Any]:
    found = mlflow.search_runs([experiment], filter, output_format="list", max_results=500)
    return list(found)


def traces(experiment: str, filter: str) -> list[Any]:
    options: Any = {"return_type": "list", "max_results": 500, "include_spans": False}
    return list(mlflow.search_traces(locations=[experiment], filter_string=filter, **options))


async def recorded(gateway: Gateway, number: int) -> str:
    """The experiment's id, once it has so many runs."""
    await gateway.settled(number)
    experiment = await asyncio.to_thread(mlflow.get_experiment_by_name, EXPERIMENT)
    assert experiment is not None
    return str(experiment.experiment_id)


async def test_searches_find_just_the_calls_that_they_mean(tracked: Gateway, tell: Callable[[str], None]) -> None:
    one = caller(tracked)
    known = [await one.ask(Script(f"known-{n}", LONG), stream=True) for n in range(3)]
    one.close()
    dear = [heard.headers["x-gatelog-run-id"] for heard in reversed(known)]
    experiment = await recorded(tracked, len(known))
    heard, over, seconds = list[Heard](), asyncio.Event(), list[float]()

    async def keep_calling(number: int) -> None:
        each = caller(tracked)
        for turn in itertools.count():
            if over.is_set():
                break
            heard.append(await each.ask(Script(f"load-{number}-{turn}", SHORT), stream=bool(turn % 2)))
        each.close()

    async def searched(search: Callable[[str, str], list[Any]], filter: str) -> list[Any]:
        began = time.monotonic()
        found = await asyncio.to_thread(search, experiment, filter)
        seconds.append(time.monotonic() - began)
        return found

    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            group.create_task(keep_calling(number))
        for turn in range(ROUNDS):
            done = len(heard)
            cost = f"params.model = 'gpt-4o-mini' AND metrics.cost_usd >= {DEAR_NANOS / 1e9:.9f}"
            assert [run.info.run_id for run in await searched(runs, cost)] == dear
            assert [trace.info.trace_id for trace in await searched(traces, cost)] == [f"tr-{id}" for id in dear]
            for name, wanted in ((f"known-{turn % 3}", dear[2 - turn % 3]), ("nobody", None)):
                tag = f"tags.nonce = '{name}'"
                assert [run.info.run_id for run in await searched(runs, tag)] == [wanted] * (wanted is not None)
                assert len(await searched(traces, tag)) == (wanted is not None)
            slow = await searched(runs, f"metrics.latency_ms >= {SLOW_MS} AND params.provider = 'pretend'")
            assert set(dear) <= {run.info.run_id for run in slow}
            assert all(run.data.metrics["latency_ms"] >= SLOW_MS for run in slow)
            late = await searched(traces, f"metrics.latency_ms >= {SLOW_MS}")
            assert {f"tr-{id}" for id in dear} <= {trace.info.trace_id for trace in late}
            assert await searched(runs, "params.model = 'gpt-4o'") == []
            async with asyncio.timeout(10):  # every round has calls beside it, however fast the searches were
                while len(heard) == done:  # noqa: ASYNC110 - asked once a round
                    await asyncio.sleep(0.005)
        over.set()

    assert all(each.whole for each in heard), next(each for each in heard if not each.whole)
    await tracked.settled(len(heard) + len(known))
    found = {id for each in heard[-200:] for id in [each.headers["x-gatelog-run-id"]]}
    newest = await asyncio.to_thread(runs, experiment, "params.model = 'gpt-4o-mini' AND NOT tags.nonce LIKE 'known%'")
    assert found <= {run.info.run_id for run in newest}
    p50, p95 = quantiles(seconds, n=20)[9], quantiles(seconds, n=20)[18]
    tell(
        f"{len(seconds)} searches by MLflow's client beside {len(heard)} calls of {CALLERS} callers: "
        f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"
    )
