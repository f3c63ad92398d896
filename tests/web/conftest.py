"""Tests of the page in Debian's Chromium, before a real gateway; nothing may leave this machine.

    page      signed in as administrator; the test fails if the page logs an error, breaks its policy or calls elsewhere
    tabs      opens more of them: another key, dark, narrow, or not signed in
    faults    `faults.expect(401)` where a test brings a refusal about
    gateway   the server behind them: endpoints `chat` (demo), `scripted` and `failing` (tests.vendor); one for a file

A file's tests share one gateway, so that none may rely on being the first.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness import Gateway
from tests.vendor import Vendor
from tests.web.browser import Faults, Tabs, chromium

T = TypeVar("T")
PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
"""The shell first: the others take a second of work for each test's window, most of it for parts that nobody sees."""
SECONDS = 15.0
"""For anything that a test waits for on the page: a slow machine is not a broken page."""


def program() -> str | None:
    return os.environ.get("GATELOG_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


def aside(work: Coroutine[Any, Any, T]) -> T:
    """Playwright's own event loop runs in the test's thread: ours runs in another."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = program()
    if found is None:
        pytest.skip("there is no Chromium; on Debian: apt-get install chromium-headless-shell")
    expect.set_options(timeout=SECONDS * 1000)
    # Within the file: tests of other files have event loops of their own in this thread.
    with chromium(found) as opened:
        yield opened


@pytest.fixture(scope="module")
def config(vendor: Vendor) -> dict[str, Any]:
    """What the gateway is configured with. A file may have a fixture of its own in its place."""
    return {
        "providers": {
            "scripted": {"dialect": "openai", "base_url": vendor.url("ok", gap=0.02), "api_key": "sk-scripted"},
            "broken": {"dialect": "openai", "base_url": vendor.url("500"), "api_key": "sk-broken"},
        },
        "endpoints": [
            {"name": "chat", "type": "chat", "targets": [{"provider": "demo", "model": "words"}]},
            {"name": "scripted", "type": "chat", "targets": [{"provider": "scripted", "model": "gpt-4o-mini"}]},
            {"name": "failing", "type": "chat", "retries": 0, "targets": [{"provider": "broken", "model": "gpt-4o"}]},
            {"name": "embed", "type": "embeddings", "targets": [{"provider": "demo", "model": "echo"}]},
        ],
    }


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("web") / "gateway"
    started = Gateway(folder, config)
    try:
        aside(started.start())
        yield started
    finally:
        if started.process is not None:
            started.kill()


@pytest.fixture
def faults() -> Iterator[Faults]:
    watched = Faults()
    yield watched
    assert not watched.found, "\n".join(watched.found)


@pytest.fixture
def tabs(browser: Browser, gateway: Gateway, faults: Faults) -> Iterator[Tabs]:
    yield Tabs(browser, gateway.url, faults)
    for context in browser.contexts:
        context.close()


@pytest.fixture
def page(tabs: Tabs, gateway: Gateway) -> Page:
    return tabs.open(gateway.key)
