"""The section Lab: from nothing to compared answers, and what is typed kept, followed and gone back to."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness import Gateway
from tests.vendor import Vendor
from tests.web.browser import Faults, Tabs, audit, shot
from tests.web.hostile import CORPUS

QUESTIONS = ("Where is my parcel?", "May I pay later?", "Who are you?", "When are you open?", "Can I send it back?")


@pytest.fixture(scope="module")
def config(vendor: Vendor) -> dict[str, Any]:
    def demo(name: str, model: str) -> dict[str, Any]:
        return {"name": name, "type": "chat", "targets": [{"provider": "demo", "model": model}]}

    return {
        "providers": {
            "scripted": {"dialect": "openai", "base_url": vendor.url("ok", gap=0.02), "api_key": "sk-scripted"},
            "broken": {"dialect": "openai", "base_url": vendor.url("500"), "api_key": "sk-broken"},
        },
        "endpoints": [
            demo("chat", "words"),
            demo("slow", "words@150"),
            {"name": "scripted", "type": "chat", "targets": [{"provider": "scripted", "model": "gpt-4o-mini"}]},
            {"name": "failing", "type": "chat", "retries": 0, "targets": [{"provider": "broken", "model": "gpt-4o"}]},
        ],
    }


def made(gateway: Gateway, endpoints: tuple[str, ...], questions: tuple[str, ...] = QUESTIONS) -> str:
    """A lab, by the API."""
    state = {
        "columns": [
            {
                "id": "abc"[n],
                "name": endpoint,
                "endpoint": endpoint,
                "messages": [{"role": "user", "content": "{{question}}"}],
            }
            for n, endpoint in enumerate(endpoints)
        ],
        "rows": [{"id": str(n), "values": {"question": question}} for n, question in enumerate(questions, 1)],
    }
    answer = httpx.post(
        f"{gateway.url}/api/lab", json={"name": "Parcels", "state": state}, headers=gateway.headers, trust_env=False
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def stored(gateway: Gateway, id: str) -> Any:
    return httpx.get(f"{gateway.url}/api/lab/{id}", headers=gateway.headers, trust_env=False).json()


def answers(page: Page, status: str) -> Locator:
    return page.locator(f"article[data-status={status}]")


def test_a_first_visit_comes_to_compared_answers_in_two_clicks(page: Page) -> None:
    began = time.monotonic()
    page.goto("/lab")
    page.get_by_role("button", name="Try an example").first.click()
    expect(page.get_by_role("heading", name="Example: a parcel service", level=1)).to_be_visible()
    expect(page.get_by_label("Forecast")).to_contain_text("6 calls")
    page.get_by_role("button", name="Run all").click()
    expect(answers(page, "ok")).to_have_count(6)
    assert time.monotonic() - began < 60
    expect(page.get_by_text("3 of 3")).to_have_count(2)
    cell = answers(page, "ok").first
    expect(cell).to_contain_text(re.compile(r"\d+\+\d+ tok"))
    cell.get_by_role("button", name="A good answer").click()
    page.reload()
    expect(answers(page, "ok").first.get_by_role("button", name="A good answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    answers(page, "ok").first.get_by_role("link", name="run").click()
    expect(page).to_have_url(re.compile("/runs/"))


def test_a_cell_grows_after_a_reload_from_what_had_been_said(page: Page, gateway: Gateway) -> None:
    page.goto(f"/lab/{made(gateway, ('slow',), QUESTIONS[:1])}")
    page.get_by_role("button", name="Run all").click()
    running = answers(page, "running")
    expect(running).to_contain_text(re.compile(r"\w+ \w+"))
    page.reload()
    expect(running).to_contain_text(re.compile(r"\w+ \w+"))
    before = running.locator("p").first.inner_text()
    expect(answers(page, "ok")).to_have_count(1, timeout=40_000)
    after = answers(page, "ok").inner_text()
    assert len(after) > len(before)
    assert after.startswith(before[:20])


def test_lines_that_are_pasted_become_rows_and_all_is_saved_by_itself(page: Page, gateway: Gateway) -> None:
    page.goto("/lab")
    page.get_by_role("button", name="New lab").first.click()
    field = page.get_by_role("textbox", name="input of row 1")
    field.click()
    page.evaluate("navigator.clipboard.writeText('one\\ntwo\\nthree')")
    page.keyboard.press("Control+v")
    expect(page.get_by_role("textbox", name="input of row 3")).to_have_value("three")
    page.get_by_role("button", name="Add a column").click()
    page.get_by_label("Endpoint of B").fill("demo/echo")
    page.get_by_role("button", name="System prompt").first.click()
    page.get_by_role("textbox", name="Message 1 of A").fill("Answer for {{company}}.")
    page.get_by_role("textbox", name="company of row 2").fill("ACME")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="company of row 2")).to_have_value("ACME")
    expect(page.get_by_role("textbox", name="input of row 3")).to_have_value("three")
    expect(page.get_by_label("Endpoint of B")).to_have_value("demo/echo")
    page.get_by_role("button", name="Rename the lab").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Numbers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Numbers", level=1)).to_be_visible()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert stored(gateway, page.url.rpartition("/")[2])["name"] == "Numbers"


def test_an_answer_to_another_question_is_said_to_be_outdated(page: Page, gateway: Gateway) -> None:
    page.goto(f"/lab/{made(gateway, ('chat',), QUESTIONS[:2])}")
    page.get_by_role("button", name="Run all").click()
    expect(answers(page, "ok")).to_have_count(2)
    page.get_by_role("textbox", name="question of row 1").fill("Something else")
    expect(page.get_by_text("outdated")).to_have_count(1)
    page.get_by_role("button", name="Run 1 without an answer").click()
    expect(page.get_by_text("outdated")).to_have_count(0)
    expect(answers(page, "ok")).to_have_count(2)


def test_what_another_page_changed_is_followed_or_said_to_be_in_conflict(
    page: Page, tabs: Tabs, gateway: Gateway, faults: Faults
) -> None:
    faults.expect(409)
    id = made(gateway, ("chat",), QUESTIONS[:1])
    page.goto(f"/lab/{id}")
    other = tabs.open(gateway.key)
    other.goto(f"/lab/{id}")
    field = page.get_by_role("textbox", name="question of row 1")
    theirs = other.get_by_role("textbox", name="question of row 1")
    theirs.fill("Asked there")
    expect(field).to_have_value("Asked there")
    page.route("**/events", lambda route: route.abort())
    # Saved while this page is typed in: its own text is neither lost nor written over theirs.
    found = stored(gateway, id)
    found["state"]["rows"][0]["values"]["question"] = "Theirs"
    field.press("End")
    field.press_sequentially(" and here")
    httpx.put(
        f"{gateway.url}/api/lab/{id}",
        json={"base": found["version"], "state": found["state"]},
        headers=gateway.headers,
        trust_env=False,
    )
    alert = page.get_by_role("alert").filter(has_text="changed elsewhere")
    expect(alert).to_be_visible()
    assert not audit(page)
    shot(page, "lab-conflict")
    assert stored(gateway, id)["state"]["rows"][0]["values"]["question"] == "Theirs"
    alert.get_by_role("button", name="Keep what is here").click()
    expect(alert).to_be_hidden()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert stored(gateway, id)["state"]["rows"][0]["values"]["question"] == "Asked there and here"


def test_a_lab_is_as_it_was_before_again_and_that_is_undone(page: Page, gateway: Gateway) -> None:
    page.goto(f"/lab/{made(gateway, ('chat',), QUESTIONS[:1])}")
    field = page.get_by_role("textbox", name="question of row 1")
    field.fill("Changed")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.get_by_role("button", name="More for this lab").click()
    page.get_by_role("menuitem", name="Versions").click()
    expect(page.get_by_role("dialog", name="Versions")).to_contain_text("as it is now")
    assert not audit(page)
    shot(page, "lab-versions")
    page.get_by_role("button", name="Restore version 1").click()
    expect(field).to_have_value(QUESTIONS[0])
    page.get_by_role("button", name="Undo the last change").click()
    expect(field).to_have_value("Changed")
    page.get_by_role("button", name="More for this lab").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_a_cell_that_fails_says_why(page: Page, gateway: Gateway) -> None:
    page.goto(f"/lab/{made(gateway, ('failing', 'chat'), QUESTIONS[:1])}")
    page.get_by_role("button", name="Run all").click()
    expect(answers(page, "error")).to_contain_text("upstream_500")
    expect(answers(page, "ok")).to_have_count(1)
    expect(page.get_by_text("1 failed")).to_be_visible()
    shot(page, "lab-failing")
    assert not audit(page)


def test_hostile_words_are_words_in_a_lab(page: Page, gateway: Gateway) -> None:
    text = "\n\n".join(CORPUS.values())
    page.goto(f"/lab/{made(gateway, ('demo/echo',), (text,))}")
    page.get_by_role("button", name="Run all").click()
    expect(answers(page, "ok")).to_have_count(1)
    # The network is never idle while the page follows the lab; whatever would be done is done within a second.
    page.wait_for_timeout(1_000)
    assert page.evaluate("window.hurt") is None
    assert page.locator("main script, main iframe, main img[src^='http']").count() == 0


def test_who_only_reads_sees_a_lab_and_changes_nothing(tabs: Tabs, gateway: Gateway) -> None:
    key = httpx.post(
        f"{gateway.url}/api/keys", json={"name": "viewer", "role": "viewer"}, headers=gateway.headers, trust_env=False
    ).json()["key"]
    page = tabs.open(key)
    page.goto(f"/lab/{made(gateway, ('chat',), QUESTIONS[:2])}")
    expect(page.get_by_role("textbox", name="question of row 1")).to_have_attribute("readonly", "")
    expect(page.get_by_role("button", name="Run all")).to_be_hidden()
    assert not audit(page)


def test_a_lab_that_is_not_there_is_said_to_be_none(page: Page, faults: Faults) -> None:
    faults.expect(404)
    page.goto("/lab/none")
    expect(page.get_by_text("There is no such thing")).to_be_visible()
