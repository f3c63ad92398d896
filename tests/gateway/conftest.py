"""What the tests of the gateway's parts may use."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tracking.database import Database, open_store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new store. To copy it takes a hundredth of making it."""
    path = tmp_path_factory.mktemp("store") / "gatelog.db"

    async def make() -> None:
        opened = open_store(f"sqlite:///{path}")
        await opened.migrate()
        await opened.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(migrated: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated, tmp_path)
    opened = open_store(f"sqlite:///{tmp_path / migrated.name}")
    yield opened
    await opened.close()
