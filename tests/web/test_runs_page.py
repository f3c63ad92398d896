"""The section Runs: calls found, narrowed to, and each in full."""

from __future__ import annotations

import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.web.browser import Faults
from tests.web.hostile import CORPUS


def call(gateway: Gateway, model: str, text: str, **headers: str) -> str:
    answer = httpx.post(
        f"{gateway.url}/v1/chat/completions",
        json={
            "model": model,
            "messages": [{"role": "system", "content": "You help."}, {"role": "user", "content": text}],
        },
        headers={**gateway.headers, **headers},
        timeout=30,
        trust_env=False,
    )
    return answer.headers["x-gatelog-run-id"]


@pytest.fixture(scope="module")
def made(gateway: Gateway) -> list[str]:
    """Ids of calls, the oldest first: of two endpoints, and one that failed."""
    ids = [
        call(gateway, ("chat", "scripted")[n % 2], f"Question {n}", **{"x-gatelog-tags": '{"team": "blue"}'})
        for n in range(8)
    ]
    ids.append(call(gateway, "failing", "Will not work"))
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = httpx.get(f"{gateway.url}/api/runs/{ids[-1]}", headers=gateway.headers, trust_env=False)
        if found.status_code == 200:
            break
        time.sleep(0.1)
    return ids


def test_a_run_is_found_by_words_and_read_in_full(page: Page, made: list[str]) -> None:
    page.goto("/runs")
    table = page.get_by_role("table", name="Runs")
    expect(table.get_by_role("row")).to_have_count(10)
    search = page.get_by_role("combobox", name="Search runs")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    search.fill("params.endpoint = 'failing'")
    expect(table.get_by_role("row")).to_have_count(2)
    page.reload()
    expect(table.get_by_role("row")).to_have_count(2)
    row = table.get_by_role("row").nth(1)
    row.focus()
    row.press("Enter")
    expect(page.get_by_role("heading", name="failing", level=1)).to_be_visible()
    assert page.url.endswith(made[-1])
    expect(page.get_by_role("alert")).to_contain_text("upstream_500")
    expect(page.get_by_role("region", name="Attempts")).to_contain_text("broken/gpt-4o")
    page.get_by_role("tab", name="Request").click()
    expect(page.get_by_text("Will not work").first).to_be_visible()
    page.get_by_role("link", name="Runs", exact=True).last.click()
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()


def test_a_search_that_cannot_be_read_says_where_and_keeps_what_was_found(page: Page, made: list[str]) -> None:
    page.goto("/runs")
    table = page.get_by_role("table", name="Runs")
    expect(table.get_by_role("row")).to_have_count(10)
    page.get_by_role("combobox", name="Search runs").fill("params.model = gpt")
    expect(page.get_by_role("alert")).to_contain_text("Column 16")
    expect(table.get_by_role("row")).to_have_count(10)


def test_a_facet_narrows_and_lets_go(page: Page, made: list[str]) -> None:
    page.goto("/runs")
    facets = page.get_by_role("complementary", name="Facets")
    facets.get_by_role("region", name="Endpoint").get_by_role("button", name="scripted").click()
    table = page.get_by_role("table", name="Runs")
    expect(table.get_by_role("row")).to_have_count(5)
    assert "only=endpoint%3Dscripted" in page.url
    page.get_by_role("button", name="Show every endpoint").click()
    expect(table.get_by_role("row")).to_have_count(10)


def test_new_calls_come_in_while_it_follows(page: Page, made: list[str], gateway: Gateway) -> None:
    page.goto("/runs?filter=tags.team+%3D+'live'")
    expect(page.get_by_text("No run is like that")).to_be_visible()
    page.keyboard.press("l")
    call(gateway, "chat", "Now", **{"x-gatelog-tags": '{"team": "live"}'})
    expect(page.get_by_role("table", name="Runs").get_by_role("row")).to_have_count(2)


def test_an_answer_is_said_to_be_good_and_it_is_kept(page: Page, made: list[str]) -> None:
    page.goto(f"/runs/{made[0]}")
    good = page.get_by_role("button", name="A good answer")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_role("button", name="A good answer")).to_have_attribute("aria-pressed", "true")


def test_a_run_is_opened_in_the_lab_as_it_was_asked(page: Page, made: list[str]) -> None:
    page.goto(f"/runs/{made[2]}")
    page.get_by_role("button", name="Open in the lab").click()
    page.wait_for_url("**/lab/*")
    expect(page.get_by_text("Question 2").first).to_be_visible()


def test_a_run_that_is_not_there_is_said_to_be_none(page: Page, faults: Faults) -> None:
    faults.expect(404)
    page.goto("/runs/01a20a8fd5fa7482bb345f9541b8c0aa")
    expect(page.get_by_text("There is no such thing")).to_be_visible()


def test_hostile_words_are_words_in_a_run(page: Page, gateway: Gateway) -> None:
    text = "\n\n".join(CORPUS.values())
    id = call(gateway, "chat", text)
    time.sleep(1)
    page.goto(f"/runs/{id}")
    expect(page.get_by_role("list").first).to_be_visible()
    assert page.evaluate("window.hurt") is None
    assert page.locator("main script, main iframe, main img[src^='http']").count() == 0
