"""No call can vanish: SIGKILL under load, and a database that goes away, leave exactly one run for each call."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.harness import Gateway, Start
from tests.load import PROMPT_TOKENS, Caller, Heard, Script
from tests.postgres import Postgres
from tests.pretend import Pretend, chat_at, loaded

Json = dict[str, Any]
ROUNDS = int(os.environ.get("GATELOG_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
CONNECTIONS = 8
GAP = 0.005
"""Seconds between two events of a stream."""
AWAY_SECONDS = 20.0
WORKERS_EVERY = 5
"""Every so many rounds the server has two workers, so that two journals are left behind."""
LOOKED_AT = 40
"""Runs a round whose text is compared word for word; status, usage and cost are compared for all."""
COLUMNS = ("calls", "received", "answered", "runs", "missing", "doubled")
HEADER = f"{'round':>6}{'killed at':>11}" + "".join(f"{name:>10}" for name in COLUMNS)


@pytest.fixture
async def pretend() -> AsyncIterator[Pretend]:
    async with loaded(GAP) as provider:
        yield provider


@dataclass(slots=True)
class Load:
    """Callers that call until the server is gone or they are told to stop."""

    gateway: Gateway
    dice: random.Random
    name: str
    heard: list[Heard]
    pause: float = 0.0
    """Seconds between a caller's calls."""
    stopping: bool = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            numbers = count()
            for _ in range(CONNECTIONS):
                group.create_task(self._call(numbers))

    async def _call(self, numbers: count[int]) -> None:
        caller = Caller(self.gateway.port, self.gateway.key, "chat")
        try:
            while not self.stopping:
                script = Script(f"{self.name}-{next(numbers)}", self.dice.randint(1, 12))
                heard = await caller.ask(script, stream=self.dice.random() < 0.5)
                self.heard.append(heard)
                if not heard.status and not self.stopping:
                    return
                await asyncio.sleep(self.pause)
        finally:
            caller.close()


@dataclass(slots=True)
class Tally:
    """What was found of one round, or of all of them."""

    calls: int = 0
    received: int = 0
    answered: int = 0
    runs: int = 0
    missing: int = 0
    doubled: int = 0

    def add(self, other: Tally) -> None:
        for name in COLUMNS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def line(self, number: object, moment: str) -> str:
        return f"{number:>6}{moment:>11}" + "".join(f"{getattr(self, name):>10}" for name in COLUMNS)


async def compared(gateway: Gateway, name: str, heard: list[Heard], received: set[str], dice: random.Random) -> Tally:
    """Hold the runs of one round against what the provider received and what the callers heard."""
    ours = f"tags.nonce LIKE '{name}-%'"
    runs = await gateway.settled(len(received), filter=ours)
    times = Counter(run["tags"]["nonce"] for run in runs)
    by_nonce = {run["tags"]["nonce"]: run for run in runs}
    answered = [one for one in heard if one.whole]
    for one in answered:
        nonce = one.script.nonce
        run = by_nonce.get(nonce)
        if run is None:
            continue  # counted as missing below: what was answered was received
        assert run["id"] == one.headers["x-gatelog-run-id"]
        assert (run["status"], run["finish_reason"]) == ("ok", "stop"), run
        usage = run["usage"]
        assert (usage["input_tokens"], usage["output_tokens"]) == (PROMPT_TOKENS, one.script.words), run
        assert run["cost"]["nanos"] == PROMPT_TOKENS * 1000 + one.script.words * 2000, run
    for one in dice.sample(answered, min(LOOKED_AT, len(answered))):
        if one.script.nonce in by_nonce:
            run = await gateway.run(one.headers["x-gatelog-run-id"])
            assert run["response"]["choices"][0]["message"]["content"] == one.script.text == one.text
    for run in runs:
        assert run["status"] in {"ok", "interrupted", "client_cancelled"}, run
    missing = received - times.keys()
    doubled = [nonce for nonce, number in times.items() if number > 1]
    return Tally(len(heard), len(received), len(answered), len(runs), len(missing), len(doubled))


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.anyio
async def test_rounds_of_sigkill_under_load_leave_one_run_for_each_call(
    start_gateway: Start, pretend: Pretend, tell: Callable[[str], None]
) -> None:
    dice = random.Random(SEED)
    gateway = await start_gateway(chat_at(pretend))
    total = Tally()
    show = [f"{ROUNDS} rounds of SIGKILL, seed {SEED}", HEADER]
    print("\n".join(["", *show]))
    for number in range(1, ROUNDS + 1):
        load = Load(gateway, dice, f"k{number}", [])
        pretend.received.clear()
        calling = asyncio.create_task(load.run())
        moment = dice.uniform(0.05, 0.8)
        await asyncio.sleep(moment)
        gateway.kill()
        await calling
        server = {"host": "127.0.0.1", "port": gateway.port, "workers": 2 if number % WORKERS_EVERY == 0 else 1}
        gateway.write_config({**gateway.config, "server": server})
        await gateway.start()
        found = await compared(gateway, load.name, load.heard, set(pretend.received), dice)
        print(found.line(number, f"{moment:.3f} s"), flush=True)
        total.add(found)
        assert (found.missing, found.doubled) == (0, 0), gateway.log[-4000:]
    show.append(total.line("all", ""))
    tell("\n".join(show))
    assert total.received > ROUNDS * CONNECTIONS, "the load was no load"
    assert total.answered > ROUNDS


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(120)
@pytest.mark.anyio
async def test_a_database_that_is_away_for_20_seconds_costs_no_call_and_no_run(
    start_gateway: Start, pretend: Pretend, postgres_server: Postgres, postgres: str, tell: Callable[[str], None]
) -> None:
    dice = random.Random(SEED)
    gateway = await start_gateway(chat_at(pretend, store=postgres))
    load = Load(gateway, dice, "pg", [], pause=0.02)
    calling = asyncio.create_task(load.run())
    await asyncio.sleep(3)
    before = len(load.heard)
    await asyncio.to_thread(postgres_server.stop)
    try:
        await asyncio.sleep(AWAY_SECONDS)
        during = len(load.heard)
    finally:
        await asyncio.to_thread(postgres_server.start)
    await asyncio.sleep(2)
    load.stopping = True
    await calling
    heard = load.heard
    failed = [(one.status, bytes(one.body[:300])) for one in heard if not one.whole]
    present, away = p99(heard[:before]), p99(heard[before:during])
    found = await compared(gateway, load.name, heard, set(pretend.received), dice)
    tell(
        f"PostgreSQL away for {AWAY_SECONDS:.0f} s of load\n{HEADER}\n{found.line('', '')}\n"
        f"p99 of a call: {present * 1e3:.0f} ms with it, {away * 1e3:.0f} ms without it"
    )
    assert not failed
    assert (found.missing, found.doubled) == (0, 0), gateway.log[-4000:]
    assert found.runs == found.calls == found.received == found.answered
    assert during > before, "nobody called while it was away"
    assert away < max(2 * present, present + 0.1), "calls waited for the database"


def p99(heard: list[Heard]) -> float:
    """Of a call's seconds, less what the provider took over the words of a stream."""
    times = sorted(one.seconds - (one.script.words + 3) * GAP * one.stream for one in heard)
    return times[int(len(times) * 0.99)]
