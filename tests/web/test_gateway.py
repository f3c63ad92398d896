"""The section Gateway: what went through, and a key from its making to its end."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.web.browser import Faults, Tabs, audit

TEAMS = ("search", "support", "billing")


def call(gateway: Gateway, model: str, text: str, key: str | None = None, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": text}]},
        headers={"authorization": f"Bearer {key or gateway.key}", **headers},
        timeout=30,
        trust_env=False,
    )


@pytest.fixture(scope="module")
def used(gateway: Gateway) -> Gateway:
    """The gateway with a key, and with calls in it, of which a few failed."""
    httpx.post(f"{gateway.url}/api/keys", json={"name": "production"}, headers=gateway.headers, trust_env=False)
    for number in range(18):
        team = TEAMS[number % 3]
        model = "failing" if number % 9 == 8 else ("chat", "scripted")[number % 2]
        call(
            gateway,
            model,
            f"Call {number}",
            **{"x-gatelog-tags": f'{{"team": "{team}"}}', "x-gatelog-user": f"user-{team}"},
        )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        answer = httpx.get(f"{gateway.url}/api/usage", headers=gateway.headers, trust_env=False).json()
        if answer["total"]["calls"] >= 18:
            break
        time.sleep(0.2)
    return gateway


def figure(page: Page, name: str) -> str:
    return page.locator("dl > div", has=page.get_by_text(name, exact=True)).locator("dd").first.inner_text()


def test_the_overview_says_how_much_went_through_and_narrows_to_what_is_chosen(page: Page, used: Gateway) -> None:
    page.goto("/gateway")
    expect(page.get_by_role("figure", name="Calls").locator("canvas")).to_be_visible()
    assert page.url.endswith("/gateway/overview")
    everything = int(figure(page, "Calls"))
    assert everything >= 18
    assert figure(page, "Errors") != "0%"
    table = page.get_by_role("region", name="By")
    table.get_by_role("button", name="chat", exact=True).click()
    expect(page.get_by_text("Endpoint: chat")).to_be_visible()
    assert "only=endpoint%3Dchat" in page.url
    expect(page.locator("dl > div", has_text="Errors").locator("dd").first).to_have_text("0%")
    assert int(figure(page, "Calls")) < everything
    page.reload()
    expect(page.get_by_text("Endpoint: chat")).to_be_visible()
    page.get_by_role("button", name="Show every endpoint").click()
    table.get_by_text("User", exact=True).click()
    expect(table.get_by_role("button", name="user-search")).to_be_visible()
    table.get_by_role("button", name="A tag…").click()
    page.get_by_role("textbox", name="Tag").fill("team")
    page.keyboard.press("Enter")
    for team in TEAMS:
        expect(table.get_by_role("button", name=team, exact=True)).to_be_visible()
    page.go_back()
    expect(page.locator("dl > div", has_text="Calls").locator("dd").first).not_to_have_text(str(everything))


def test_the_time_looked_at_is_in_the_url(page: Page, used: Gateway) -> None:
    page.goto("/gateway/overview?time=1h")
    expect(page.get_by_role("button", name="1h, last hour")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="7d, last 7 days").click()
    assert "time=7d" in page.url
    page.get_by_role("button", name="From and to").click()
    page.get_by_label("From", exact=True).fill("2020-01-01T00:00")
    page.get_by_label("To", exact=True).fill("2020-01-02T00:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("No calls in this time")).to_be_visible()
    assert re.search(r"time=\d+\.\.\d+", page.url)


def test_an_endpoint_is_tried_and_what_it_says_stands_beside_its_targets(page: Page) -> None:
    page.goto("/gateway/endpoints")
    chat = page.get_by_role("article", name="chat", exact=True)
    expect(chat.get_by_role("listitem")).to_contain_text("demo/words")
    chat.get_by_role("button", name="Try").click()
    expect(chat.get_by_role("status")).to_contain_text("It answers:")
    failing = page.get_by_role("article", name="failing")
    failing.get_by_role("button", name="Try").click()
    expect(failing.get_by_role("status")).to_contain_text("It fails with")
    expect(failing.get_by_role("img", name=re.compile("failed|Resting|rest")).first).to_be_visible()
    assert not audit(page)


def test_a_configuration_that_is_wrong_is_shown_with_its_lines_and_the_old_one_stays(
    page: Page, gateway: Gateway
) -> None:
    page.goto("/gateway/configuration")
    expect(page.get_by_role("group", name="Settings")).to_contain_text('"endpoints"')
    assert "sk-scripted" not in page.content()
    right = gateway.config_path.read_text()
    gateway.config_path.write_text(right + "\nendpoint: []\n")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("stays in use")
    expect(alert).to_contain_text("endpoint")
    assert not audit(page)
    gateway.config_path.write_text(right)
    expect(alert).to_be_hidden()


def test_a_configuration_from_before_is_compared_with_the_one_in_use(page: Page, gateway: Gateway) -> None:
    right = gateway.config_path.read_text()
    page.goto("/gateway/configuration")
    revision = page.locator("dl > div", has_text="Revision").locator("dd").first
    before = revision.inner_text()
    gateway.config_path.write_text(f"{right}\nretention: {{runs_days: 30}}\n")
    expect(revision).not_to_have_text(before)
    page.reload()
    page.get_by_role("button", name=before).click()
    compared = page.get_by_role("group", name=re.compile(f"Then: {before}"))
    expect(compared.locator("ins")).to_have_text('    "runs_days": 30,')
    assert f"revision={before}" in page.url
    assert not audit(page)
    gateway.config_path.write_text(right)
    expect(revision).to_have_text(before)


def test_a_key_is_made_shown_once_used_revoked_and_refused(page: Page, gateway: Gateway) -> None:
    page.goto("/gateway/keys")
    page.get_by_role("button", name="New key").first.click()
    page.get_by_role("textbox", name="Name").fill("search service")
    page.keyboard.press("Enter")
    shown = page.get_by_test_id("new-key")
    expect(shown).to_be_visible()
    key = shown.inner_text()
    page.get_by_role("button", name="Copy the key").click()
    assert page.evaluate("navigator.clipboard.readText()") == key
    page.get_by_role("button", name="I have it").click()
    row = page.get_by_role("row", name="search service")
    expect(row).to_contain_text("good")
    assert key not in page.content()
    assert call(gateway, "chat", "Hello", key).status_code == 200
    row.get_by_role("button", name="Revoke search service").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(row).to_contain_text("revoked")
    assert call(gateway, "chat", "Hello", key).status_code == 401


def test_a_key_is_made_by_keyboard_alone(page: Page) -> None:
    page.goto("/gateway/keys")
    expect(page.get_by_role("region", name="Keys")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="I have it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="by keyboard")).to_be_visible()


def test_what_a_key_may_not_see_is_said_to_be_forbidden(tabs: Tabs, gateway: Gateway) -> None:
    made = httpx.post(
        f"{gateway.url}/api/keys", json={"name": "reader", "role": "viewer"}, headers=gateway.headers, trust_env=False
    ).json()
    page = tabs.open(made["key"])
    page.goto("/gateway/keys")
    expect(page.get_by_text("Keys are for administrators")).to_be_visible()
    assert not audit(page)


def test_a_gateway_that_is_away_is_said_to_be_and_tried_again(page: Page, used: Gateway, faults: Faults) -> None:
    faults.expect_broken()
    page.route("**/api/usage*", lambda route: route.abort())
    page.goto("/gateway/overview")
    expect(page.get_by_text("The gateway does not answer")).to_be_visible()
    assert not audit(page)
    page.unroute("**/api/usage*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("figure", name="Calls").locator("canvas")).to_be_visible()
