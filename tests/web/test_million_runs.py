"""A million runs: the page finds, counts and scrolls them as it does a few."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness import Gateway, new_store
from tests.web.browser import shot
from tests.web.conftest import aside
from tests.web.million import DAYS, MARKED, RUNS, fill

QUICK = 10.0
"""Seconds that anything which somebody waits for may take here, on a machine that does much else."""
DEEP = 1_000
"""Rows that are scrolled through."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("million")
    store = folder / "gatelog.db"
    shutil.copy(new_store(), store)
    fill(store)
    started = Gateway(folder / "gateway", {**config, "store": f"sqlite:///{store}"})
    try:
        aside(started.start())
        yield started
    finally:
        if started.process is not None:
            started.kill()


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    print(f"{what}: {took:.2f} s")
    assert took < seconds, f"{what} took {took:.1f} s"


def rows(page: Page) -> Locator:
    return page.get_by_role("table", name="Runs").locator("[data-index]")


def search(page: Page, text: str) -> None:
    box = page.get_by_role("combobox", name="Search runs")
    box.fill(text)
    box.press("Enter")


def test_a_million_runs_are_counted_searched_and_narrowed_in_seconds(page: Page) -> None:
    facets = page.get_by_role("complementary", name="Facets")
    with within(QUICK, "the first rows"):
        page.goto("/runs?time=90d")
        expect(rows(page).nth(10)).to_be_visible()
    with within(QUICK, "facets and histogram"):
        expect(facets.get_by_role("region", name="Endpoint")).to_contain_text("support")
        expect(facets.get_by_role("img", name="runs over time")).to_be_visible()
    expect(facets).to_contain_text("there are more than could be counted at once")
    with within(QUICK, "one value of two columns"):
        search(page, "params.endpoint = 'search' AND metrics.latency_ms > 3350")
        expect(facets.get_by_role("region", name="Endpoint").get_by_role("button")).to_have_count(1)
        expect(rows(page).first).to_contain_text("search")
    with within(QUICK, "a rare tag"):
        search(page, "tags.incident = '7'")
        expect(rows(page)).to_have_count(1)
        expect(facets.locator("p").first).to_contain_text("1 runs")
    with within(QUICK, "words of what was said"):
        search(page, "text = 'parcel'")
        expect(page.get_by_role("status").filter(has_text="loaded")).to_have_text(f"{RUNS // MARKED} loaded")
    with within(QUICK, "nothing at all"):
        search(page, "params.model = 'nothing'")
        expect(page.get_by_text("No run is like that")).to_be_visible()
    with within(QUICK, "a facet"):
        search(page, "")
        facets.get_by_role("region", name="Status").get_by_role("button", name="error").click()
        expect(rows(page).first).to_contain_text("error")
    with within(QUICK, "the costliest"):
        page.get_by_role("columnheader", name="Cost").get_by_role("button").click()
        expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
        expect(rows(page).first).to_contain_text("$0.00091")
    assert "only=status%3Dupstream_error" in page.url
    assert "sort=cost.down" in page.url
    page.reload()
    expect(rows(page).first).to_contain_text("$0.00091")
    shot(page, "runs-million")


def test_a_million_runs_are_scrolled_a_page_at_a_time(page: Page) -> None:
    page.goto("/runs?time=90d")
    expect(rows(page).nth(10)).to_be_visible()
    rows(page).first.focus()
    loaded = page.get_by_role("status").filter(has_text="loaded")
    with within(DEEP / 100 * QUICK / 2, f"{DEEP} rows"):
        for n in range(100, DEEP, 100):
            page.keyboard.press("End")
            expect(page.locator(f"[data-index='{n - 1}']")).to_be_focused()
            expect(loaded).to_contain_text(f"{n + 100:,} loaded")
    assert rows(page).count() < 100
    with within(QUICK, "the oldest day"):
        day = int(time.time() * 1000) - (DAYS - 1) * 86_400_000
        page.goto(f"/runs?time={day - 86_400_000}..{day}")
        expect(rows(page).nth(10)).to_be_visible()
    with within(QUICK, "a run far down"):
        rows(page).nth(10).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/0*")
        expect(page.get_by_role("region", name="About")).to_be_visible()
    page.go_back()
    expect(rows(page).nth(10)).to_be_visible()
    assert f"time={day - 86_400_000}.." in page.url
