"""The section Prompts: one is written, promoted, called by its name, changed, and rolled back."""

from __future__ import annotations

import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.web.browser import SCHEMES, Scheme, Tabs, audit, shot


def called(gateway: Gateway, model: str, **variables: str) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/chat/completions",
        json={"model": model, "prompt_variables": variables},
        headers=gateway.headers,
        timeout=30,
        trust_env=False,
    )


def used(gateway: Gateway, answer: httpx.Response) -> object:
    """The prompt that a call's run says it was made by, once it is recorded."""
    until = time.monotonic() + 20
    while True:
        url = f"{gateway.url}/api/runs/{answer.headers['x-gatelog-run-id']}"
        run = httpx.get(url, headers=gateway.headers, trust_env=False)
        if run.status_code == 200 or time.monotonic() > until:
            return run.json().get("prompt")
        time.sleep(0.1)


def version(gateway: Gateway, name: str, text: str, message: str) -> None:
    answer = httpx.post(
        f"{gateway.url}/api/prompts/{name}/versions",
        json={"messages": [{"role": "user", "content": text}], "commit_message": message, "model": "chat"},
        headers=gateway.headers,
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text


def made(gateway: Gateway, name: str) -> None:
    body = {"name": name, "version": {"messages": [{"role": "user", "content": "Greet {{who}}."}], "model": "chat"}}
    answer = httpx.post(f"{gateway.url}/api/prompts", json=body, headers=gateway.headers, trust_env=False)
    assert answer.status_code == 201, answer.text


def test_a_prompt_is_saved_promoted_called_and_rolled_back(page: Page, gateway: Gateway) -> None:
    made(gateway, "greeting")
    page.goto("/prompts")
    page.get_by_role("link", name="greeting").click()
    page.get_by_role("button", name="Promote version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.get_by_text("production is version 1 from the next call on")).to_be_visible()
    first = called(gateway, "prompts:/greeting@production", who="Ann")
    assert first.status_code == 200, first.text
    version(gateway, "greeting", "Greet {{who}} warmly.", "warmer")
    page.reload()
    page.get_by_text("Changes since 1").click()
    expect(page.get_by_text("warmly").first).to_be_visible()
    page.keyboard.press("p")
    page.get_by_role("dialog").get_by_role("textbox", name="Why").fill("It sounds better")
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.get_by_text("is version 2", exact=True)).to_be_visible()
    expect(page.get_by_text("It sounds better")).to_be_visible()
    page.get_by_role("button", name="Roll back production").click()
    expect(page.get_by_text("is version 1", exact=True)).to_be_visible()
    again = called(gateway, "prompts:/greeting@production", who="Ann")
    assert [used(gateway, answer) for answer in (first, again)] == [{"name": "greeting", "version": 1}] * 2


def test_a_prompt_is_written_on_the_page(page: Page, gateway: Gateway) -> None:
    page.goto("/prompts")
    page.get_by_role("button", name="New prompt").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("support-reply")
    dialog.get_by_role("button", name="Save version 1").click()
    expect(page.get_by_role("heading", name="support-reply", level=1)).to_be_visible()
    expect(page.get_by_text("You help customers of {{company}}. Be brief.")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("dialog").get_by_role("button", name="Save")).to_be_disabled()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pages_are_open_to_all_and_look_as_they_should(tabs: Tabs, gateway: Gateway, scheme: Scheme) -> None:
    made(gateway, f"look-{scheme}")
    version(
        gateway, f"look-{scheme}", "Greet {{who}} in one line, in their language.", "shorter, and in their language"
    )
    page = tabs.open(gateway.key, scheme=scheme)
    page.goto("/prompts")
    expect(page.get_by_role("link", name=f"look-{scheme}")).to_be_visible()
    shot(page, f"prompts-{scheme}")
    assert not audit(page)
    page.goto(f"/prompts/look-{scheme}")
    expect(page.get_by_role("region", name="Versions")).to_be_visible()
    expect(page.get_by_text("Nothing was moved yet.")).to_be_visible()
    shot(page, f"prompt-{scheme}")
    assert not audit(page)
