"""Many streams at once, callers that hang up, providers that break off: every run is right, nothing is left open."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from tests.harness import Gateway, Start
from tests.load import PROMPT_TOKENS, Caller, Heard, Script
from tests.pretend import Pretend, chat_at, loaded

STREAMS = int(os.environ.get("GATELOG_SOAK_STREAMS", "100"))
SECONDS = float(os.environ.get("GATELOG_SOAK_SECONDS", "8"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
GAP = 0.1
"""Seconds between two events of a stream: 500 of them are 5,000 events a second."""
HANGS_UP, CUT, UNCOUNTED = 0.1, 0.1, 0.1
"""Shares of the streams whose caller leaves, whose provider breaks off, whose provider does not say what was used."""
LOOKED_AT = 200
"""Runs whose text is compared word for word; status and usage are compared for all."""
SLACK = 6
"""Files and threads: the store's readers and the threads of their reading come and go."""
GROWTH_MB = 25.0
"""That the server may grow after its first quarter: buffers find their size, and no more."""


@dataclass(slots=True)
class Stream:
    """What was meant to happen, and what was heard of it."""

    heard: Heard
    leaves: bool

    @property
    def status(self) -> str:
        if self.leaves:
            return "client_cancelled"
        return "upstream_cut" if self.heard.script.cut >= 0 else "ok"


@dataclass(slots=True)
class Readings:
    """What the server's processes hold, looked at now and then."""

    rss_mb: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def take(self, family: list[psutil.Process]) -> None:
        self.rss_mb.append(sum(process.memory_info().rss for process in family) / 1e6)
        self.files.append(sum(process.num_fds() for process in family))
        self.threads.append(sum(process.num_threads() for process in family))


@pytest.fixture
async def pretend() -> AsyncIterator[Pretend]:
    async with loaded(GAP) as provider:
        yield provider


async def listens(gateway: Gateway, number: int, dice: random.Random, until: float, streams: list[Stream]) -> None:
    """One caller: a stream after another until the time is over."""
    caller = Caller(gateway.port, gateway.key, "chat")
    await asyncio.sleep(dice.random() * GAP * 10)
    turn = 0
    while time.monotonic() < until:
        turn += 1
        words, fate = dice.randint(8, 40), dice.random()
        leaves, cut = fate < HANGS_UP, HANGS_UP <= fate < HANGS_UP + CUT
        script = Script(
            f"soak-{number}-{turn}",
            words,
            cut=dice.randint(1, words - 1) if cut else -1,
            usage=dice.random() >= UNCOUNTED,
        )
        heard = await caller.ask(script, stream=True, hang_up_after=dice.randint(1, words - 2) if leaves else None)
        streams.append(Stream(heard, leaves))
    caller.close()


async def soaked(gateway: Gateway, readings: Readings) -> list[Stream]:
    """Everything that was heard, while somebody looked at the server."""
    dice, streams = random.Random(SEED), list[Stream]()
    until = time.monotonic() + SECONDS
    async with asyncio.TaskGroup() as group:
        for number in range(STREAMS):
            group.create_task(listens(gateway, number, random.Random(dice.random()), until, streams))
        while time.monotonic() < until:
            await asyncio.sleep(SECONDS / 40)
            readings.take(gateway.family)
    return streams


def compare(stream: Stream, run: dict[str, Any]) -> None:
    """One run against what was meant to happen."""
    script, usage, status = stream.heard.script, run["usage"], stream.status
    if stream.leaves and run["status"] == "ok":
        status = "ok"  # all of it had been sent before it could be seen that the caller had left
    assert run["status"] == status, (run, bytes(stream.heard.body[-300:]))
    assert run["provider"] == "pretend"
    if status == "ok":
        assert stream.leaves or stream.heard.whole
        assert stream.leaves or stream.heard.text == script.text
        assert run["finish_reason"] == "stop"
    else:
        assert not stream.heard.whole
        # A provider may have said all before it is seen that the caller had left.
        assert run["finish_reason"] in ({None, "stop"} if stream.leaves else {None})
    if status == "ok" and script.usage:
        assert usage["basis"] == "provider"
        assert (usage["input_tokens"], usage["output_tokens"]) == (PROMPT_TOKENS, script.words)
        assert run["cost"]["nanos"] == PROMPT_TOKENS * 1000 + script.words * 2000
    else:
        assert usage["basis"] == "counted"
        assert usage["input_tokens"] > 0
        assert run["cost"]["nanos"] == usage["input_tokens"] * 1000 + usage["output_tokens"] * 2000


def compare_text(stream: Stream, run: dict[str, Any]) -> None:
    """What a run kept of the answer is what the caller heard, give or take what was on its way when the caller left."""
    kept: str = run["response"]["choices"][0]["message"]["content"] or ""
    heard, script = stream.heard.text, stream.heard.script
    if stream.leaves:
        assert script.text.startswith(kept)
        assert kept.startswith(heard)
    elif script.cut >= 0:
        assert kept == heard == "".join(script.said[: script.cut])
    else:
        assert kept == heard == script.text


@pytest.mark.anyio
@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(0)
async def test_streams_that_end_in_every_way_leave_right_runs_and_nothing_open(
    start_gateway: Start, pretend: Pretend, tell: Callable[[str], None]
) -> None:
    gateway = await start_gateway(chat_at(pretend))
    first = Caller(gateway.port, gateway.key, "chat")  # a call and a look, so that what is made once is there
    await first.ask(Script("first", 3), stream=True)
    first.close()
    assert len(await gateway.settled(1)) == 1
    idle = Readings()
    idle.take(gateway.family)
    readings = Readings()
    streams = await soaked(gateway, readings)
    by_nonce = {stream.heard.script.nonce: stream for stream in streams}

    runs = await gateway.settled(len(streams) + 1)
    runs = [run for run in runs if run["tags"]["nonce"] != "first"]
    times = Counter(run["tags"]["nonce"] for run in runs)
    assert times == Counter(by_nonce.keys()), "each stream has one run"
    for run in runs:
        compare(by_nonce[run["tags"]["nonce"]], run)
    leavers = [run["status"] for run in runs if by_nonce[run["tags"]["nonce"]].leaves]
    assert leavers.count("ok") <= len(leavers) // 2, "hardly anybody is seen to leave"
    for run in random.Random(SEED).sample(runs, min(LOOKED_AT, len(runs))):
        compare_text(by_nonce[run["tags"]["nonce"]], await gateway.run(run["id"]))

    for _ in range(100):
        after = Readings()
        after.take(gateway.family)
        kept = len(pretend.open)  # connections that the server keeps for its next calls
        if after.files[0] <= idle.files[0] + kept + SLACK and not pretend.speaking:
            break
        await asyncio.sleep(0.1)
    settled = readings.rss_mb[len(readings.rss_mb) // 4]
    fates = Counter(stream.status for stream in streams)
    tell(
        f"{STREAMS} streams at once for {SECONDS:.0f} s, seed {SEED}: {len(streams)} streams, {dict(fates)}\n"
        f"RSS {idle.rss_mb[0]:.0f} MB idle, {settled:.0f} MB after a quarter, {max(readings.rss_mb):.0f} MB at most, "
        f"{after.rss_mb[0]:.0f} MB at the end; open files {idle.files[0]} before, {max(readings.files)} at most, "
        f"{after.files[0]} after, {kept} of them connections kept to the provider; "
        f"threads {idle.threads[0]} before, {after.threads[0]} after"
    )
    assert pretend.speaking == 0, "the provider still speaks to nobody"
    assert after.files[0] <= idle.files[0] + kept + SLACK, [process.net_connections() for process in gateway.family]
    assert after.threads[0] <= idle.threads[0] + SLACK
    assert max(readings.rss_mb) < settled + GROWTH_MB
    assert await gateway.stop() == 0
