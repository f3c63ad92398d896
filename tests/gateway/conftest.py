"""What the tests of the gateway's parts may use."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness import new_store
from tracking.database import Database, open_store


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_store(f"sqlite:///{shutil.copy(new_store(), tmp_path)}")
    yield opened
    await opened.close()
