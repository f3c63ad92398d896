"""Several workers serve one lab: whichever runs its cells, every page hears of them and can stop them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.harness import Gateway
from tests.promptlab.people import Json, Person, column, lab_of, row, state
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
PAGES = 6
"""That all of them are at one worker has a chance of 1 in 32, and then the test only tests less."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Vendor() as vendor:
        urls = {"good": vendor.url("ok", tokens=3, latency=0.5), "slow": vendor.url("ok", tokens=3000, gap=0.02)}
        gateway = Gateway(tmp_path_factory.mktemp("workers") / "gateway", {})
        providers = {n: {"dialect": "openai", "base_url": url, "api_key": "sk-12345678"} for n, url in urls.items()}
        endpoints = [{"name": n, "targets": [{"provider": n, "model": "m"}]} for n in urls]
        server = {"host": "127.0.0.1", "port": gateway.port, "workers": 2}
        gateway.write_config({**gateway.config, "server": server, "providers": providers, "endpoints": endpoints})
        asyncio.run(gateway.start())
        try:
            yield gateway
        finally:
            gateway.kill()
            until = time.monotonic() + 5
            while vendor.open and time.monotonic() < until:  # or its sockets would outlive its loop
                time.sleep(0.01)


async def ended(someone: Person, id: str, count: int, started: asyncio.Event) -> set[str]:
    """The ways in which the cells ended, as one page hears of it."""
    found: dict[str, Json] = {}
    async with asyncio.timeout(60), someone.hears(f"/api/lab/{id}/events") as heard:
        started.set()
        async for event in heard:
            if event["event"] == "cell":
                found[event["data"]["row"]] = event["data"]
                if len(found) == count:
                    break
    return {cell["status"] for cell in found.values()}


async def test_every_page_hears_of_every_cell(gateway: Gateway) -> None:
    admin = Person(gateway)
    id = await lab_of(admin, state([column("a")], [row(str(n)) for n in range(3)]))
    listening = [asyncio.Event() for _ in range(PAGES)]
    async with asyncio.TaskGroup() as tasks:
        pages = [tasks.create_task(ended(admin, id, 3, event)) for event in listening]
        for event in listening:
            await event.wait()
        await admin.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
    assert [page.result() for page in pages] == [{"ok"}] * PAGES


async def test_a_cell_is_stopped_at_whichever_worker_it_runs(gateway: Gateway) -> None:
    admin = Person(gateway)
    id = await lab_of(admin, state([column("a", "slow")], [row(str(n)) for n in range(3)], concurrency=2))
    await admin.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
    await asyncio.sleep(1)
    stopped = await admin.good("POST", f"/api/lab/{id}/stop", {"cells": "all"})
    assert stopped["stopped"] >= 3
    async with asyncio.timeout(30):
        while True:
            cells = (await admin.good("GET", f"/api/lab/{id}/cells"))["cells"]
            if {cell["status"] for cell in cells} == {"stopped"}:
                break
            await asyncio.sleep(0.2)
