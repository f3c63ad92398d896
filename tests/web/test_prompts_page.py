"""The section Prompts: one is written, promoted, called by its name, changed, and rolled back."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.web.browser import Tabs, audit, shot

Json = dict[str, Any]


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


def asked(gateway: Gateway, method: str, path: str, body: Json | None = None) -> Json:
    answer = httpx.request(
        method, f"{gateway.url}{path}", json=body, headers=gateway.headers, timeout=30, trust_env=False
    )
    assert answer.status_code < 400, answer.text
    said: Json = answer.json()
    return said


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


def test_a_promotion_has_its_evidence_and_calls_are_counted_by_version(page: Page, gateway: Gateway) -> None:
    made(gateway, "answer")
    version(gateway, "answer", "Greet {{who}} warmly.", "warmer")
    spec = {
        "name": "Is warmer better",
        "rows": [{"inputs": {"who": "Ann"}}],
        "variants": [
            {"name": each, "endpoint": "chat", "prompt": f"prompts:/answer/{each}", "params": {"max_tokens": 9}}
            for each in ("1", "2")
        ],
        "start": False,
    }
    evaluated = asked(gateway, "POST", "/api/evaluations", spec)["id"]
    page.goto("/prompts/answer")
    expect(page.get_by_text("No call used it in this time.")).to_be_visible()
    page.keyboard.press("p")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Alias").fill("live")
    dialog.get_by_role("combobox", name="Evidence").click()
    page.get_by_role("option", name="Is warmer better").click()
    dialog.get_by_role("button", name="Promote").click()
    moves = page.get_by_role("region", name="Moves")
    expect(moves).to_contain_text("admin")
    evidence = moves.get_by_role("link", name=re.compile("evaluation"))
    assert str(evidence.get_attribute("href")).endswith(evaluated)
    for name in ("prompts:/answer@live", "prompts:/answer/1", "prompts:/answer@live"):
        assert used(gateway, called(gateway, name, who="Ann")) is not None
    page.reload()
    table = page.get_by_role("table", name="Calls and cost of each version")
    expect(table.get_by_role("row").nth(1)).to_contain_text("2live20")
    expect(table.get_by_role("row").nth(2)).to_contain_text("110")
    expect(
        page.get_by_role("img", name=re.compile("Calls of each version over time: version 2 from 0 to 2"))
    ).to_be_visible()
    shot(page, "prompt-used", full=True)
    assert not audit(page)
    # As the verdict of an evaluation leads here: the version and what it rests on are chosen.
    page.goto(f"/prompts/answer?version=1&evidence={evaluated}")
    expect(dialog.get_by_role("heading", name="Promote version 1")).to_be_visible()
    expect(dialog.get_by_role("combobox", name="Evidence")).to_have_value(re.compile("Is warmer better"))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    table.get_by_role("link", name="Runs of version 2").click()
    expect(page).to_have_url(re.compile("/runs[?]filter="))
    expect(page.get_by_role("table", name="Runs").get_by_role("row")).to_have_count(3)


def test_tags_the_message_and_the_configuration_of_a_version_are_kept(page: Page, gateway: Gateway) -> None:
    made(gateway, "kept")
    page.goto("/prompts/kept")
    tags = page.get_by_role("group", name="Tags of the prompt")
    tags.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_role("textbox", name="Name of the tag").fill("team")
    page.get_by_role("textbox", name="Value of the tag").fill("support")
    page.get_by_role("textbox", name="Value of the tag").press("Enter")
    expect(tags).to_contain_text("team support")
    page.get_by_role("button", name="Change the commit message").click()
    page.get_by_role("textbox", name="Commit message").fill("the first of all")
    page.get_by_role("textbox", name="Commit message").press("Enter")
    expect(page.get_by_role("region", name="Versions")).to_contain_text("the first of all")
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Parameters").fill('{"temperature": 0.2, "seed"')
    expect(dialog.get_by_role("alert")).to_contain_text("Parameters: this is not JSON")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_role("textbox", name="Parameters").fill('{"temperature": 0.2, "seed": 7}')
    dialog.get_by_role("textbox", name="What changed").fill("cooler")
    shot(page, "prompt-editing")
    assert not audit(page)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Version 2")).to_contain_text("temperature")
    page.get_by_text("Changes since 1").click()
    expect(page.get_by_role("group", name="Version 1 and Version 2")).to_contain_text('"seed": 7')
    (kept,) = [each for each in asked(gateway, "GET", "/api/prompts")["prompts"] if each["name"] == "kept"]
    assert kept["tags"] == {"team": "support"}
    newest = asked(gateway, "GET", "/api/prompts/kept")["versions"][0]
    assert newest["params"] == {"temperature": 0.2, "seed": 7}
    assert newest["model"] == "chat"
    tags.get_by_role("button", name="Take the tag team away").click()
    expect(tags).not_to_contain_text("team")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Evaluate this version").click()
    expect(page.get_by_role("group", name="Variant 1").get_by_role("combobox", name="Prompt")).to_have_value("kept")


def test_a_protected_name_is_moved_by_administrators_alone(tabs: Tabs, gateway: Gateway) -> None:
    made(gateway, "guarded")
    asked(gateway, "PUT", "/api/prompts/guarded/aliases/golden", {"version": 1})
    page = tabs.open(gateway.key)
    page.goto("/prompts/guarded")
    live = page.get_by_role("region", name="Live")
    live.get_by_text("Protected names").click()
    live.get_by_role("checkbox", name="Administrators alone move golden").click()
    expect(live.get_by_role("img", name="protected")).to_be_visible()
    expect(live.get_by_role("checkbox", name="Administrators alone move golden")).to_be_enabled()
    assert not audit(page)
    key = asked(gateway, "POST", "/api/keys", {"name": "writer", "role": "caller"})["key"]
    other = tabs.open(key)
    other.goto("/prompts/guarded")
    expect(other.get_by_role("img", name="protected")).to_be_visible()
    expect(other.get_by_role("button", name="Roll back golden")).to_have_count(0)
    version(gateway, "guarded", "Greet {{who}} once more.", "again")
    other.reload()
    expect(other.get_by_role("button", name="Promote version 2")).to_be_visible()
    other.keyboard.press("p")
    other.get_by_role("dialog").get_by_role("combobox", name="Alias").fill("golden")
    expect(other.get_by_text("golden is protected: administrators alone move it.")).to_be_visible()
    expect(other.get_by_role("dialog").get_by_role("button", name="Promote")).to_be_disabled()
    page.get_by_role("button", name="Delete the alias golden").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No name stands for a version yet.")).to_be_visible()
    expect(page.get_by_role("region", name="Moves")).to_contain_text("(deleted)")
