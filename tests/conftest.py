"""What every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Gateway, Start
from tests.vendor import Vendor

pytest_plugins = ["tests.postgres"]
TOLD = pytest.StashKey[list[str]]()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line to what is printed after the tests: a count or a table that a reader should see."""
    return request.config.stash.setdefault(TOLD, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(TOLD, []):
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
async def start_gateway(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts real servers, `await start_gateway({"endpoints": [...]})`, and sees to it that they end with the test."""
    numbers = count(1)
    async with AsyncExitStack() as running:

        async def start(config: dict[str, Any], **environ: str) -> Gateway:
            gateway = Gateway(tmp_path / f"gateway-{next(numbers)}", config, environ)
            running.callback(gateway.kill)
            await gateway.start()
            return gateway

        yield start


@pytest.fixture(scope="session")
def vendor() -> Iterator[Vendor]:
    """One pretend provider for every test: how it behaves is in the path that it is called by."""
    with Vendor() as provider:
        yield provider
