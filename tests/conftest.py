"""What every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count, zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from typing_extensions import TypeIs

from tests.harness import Gateway, Start
from tests.vendor import Vendor

pytest_plugins = ["tests.postgres"]
TOLD = "told"
settings.register_profile("untimed", deadline=None)  # a busy machine is not a broken property; pytest-timeout ends it
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One file of each folder in turn, those with slow tests first: processes that share the files out among them end
    together, and seldom have more than one browser to feed."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    folders: dict[Path, list[Path]] = {}
    for file in sorted(files, key=lambda file: not any(item.get_closest_marker("slow") for item in files[file])):
        folders.setdefault(file.parent, []).append(file)
    items[:] = [item for turn in zip_longest(*folders.values()) for file in turn if file for item in files[file]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Adds a line to what is printed after the tests: a count or a table that a reader should see."""
    item: pytest.Item = request.node
    # With the test's report, since the process that runs it may be another than the one that prints.
    return lambda line: item.user_properties.append((TOLD, line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ends = [each for reports in terminalreporter.stats.values() for each in reports if is_end(each)]
    if lines := [str(line) for end in ends for name, line in end.user_properties if name == TOLD]:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)


def is_end(report: object) -> TypeIs[pytest.TestReport]:
    return isinstance(report, pytest.TestReport) and report.when == "call"


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
