"""The frame around every page: signing in, finding one's way by keyboard, light and dark, and what is served how."""

from __future__ import annotations

import gzip
import re

import httpx
from playwright.sync_api import Page, expect

from promptlab.page import SECTIONS
from tests.harness import Gateway
from tests.web.browser import PHONE, ROOT, Faults, Tabs, audit

FIRST_VIEW_BYTES = 300 * 1024


def test_who_is_not_signed_in_is_asked_for_a_key_and_goes_on_where_they_wanted_to(
    tabs: Tabs, gateway: Gateway, faults: Faults
) -> None:
    faults.expect(401)
    page = tabs.open(None)
    page.goto("/gateway/keys")
    key = page.get_by_role("textbox", name="Key")
    expect(key).to_be_focused()
    key.fill("gl-not-a-key")
    key.press("Enter")
    expect(page.get_by_text("This is no key of this gateway")).to_be_visible()
    key.fill(gateway.key)
    key.press("Enter")
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
    assert page.url.endswith("/gateway/keys")
    assert "gatelog" not in page.evaluate("document.cookie"), "no script can read the session"
    page.get_by_role("navigation", name="Main").get_by_role("button", name="admin").click()
    page.get_by_role("menuitem", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in to Gatelog")).to_be_visible()


def test_the_keyboard_alone_finds_a_command_and_the_sheet_of_shortcuts(page: Page) -> None:
    page.goto("/gateway")
    expect(page.get_by_role("heading", name="Gateway", level=1)).to_be_visible()
    page.keyboard.press("Control+k")
    find = page.get_by_role("combobox", name="Find a command")
    expect(find).to_be_focused()
    find.fill("dark")
    expect(page.get_by_role("option")).to_have_count(1)
    assert not audit(page)
    find.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(find).to_be_hidden()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.get_by_text("Find a command")).to_be_visible()
    assert not audit(page)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_on_a_narrow_screen_the_navigation_comes_when_it_is_called(tabs: Tabs, gateway: Gateway) -> None:
    page = tabs.open(gateway.key, size=PHONE)
    page.goto("/gateway/keys")
    nav = page.get_by_role("navigation", name="Main")
    expect(nav).to_be_hidden()
    page.get_by_role("button", name="Open the navigation").click()
    expect(nav).to_be_visible()
    assert not audit(page)
    nav.get_by_role("link", name="Gateway", exact=True).press("Escape")
    expect(nav).to_be_hidden()


def test_a_page_that_is_not_there_says_so_and_a_route_of_the_api_stays_a_404(page: Page, gateway: Gateway) -> None:
    page.goto("/gateway")
    page.evaluate("history.pushState(null, '', '/nowhere')")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    for path in ("/api/nothing", "/nothing", "/assets/nothing.js", "/assets/..%2findex.html", "/assets/.digest"):
        answer = httpx.get(f"{gateway.url}{path}", headers=gateway.headers, trust_env=False)
        assert answer.status_code == 404, path
        assert "<html" not in answer.text
    for section in SECTIONS:
        answer = httpx.get(f"{gateway.url}/{section}/some/where", trust_env=False)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_the_server_knows_the_sections_of_the_page() -> None:
    known = (ROOT / "promptlab/web/src/app/sections.ts").read_text()
    assert tuple(re.findall(r'\{ name: "(\w+)"', known)) == SECTIONS


def test_nothing_but_our_own_scripts_may_run(gateway: Gateway) -> None:
    one, two = (httpx.get(f"{gateway.url}/", trust_env=False) for _ in range(2))
    policy = one.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)' 'strict-dynamic'", policy)
    assert nonce
    assert nonce[1] not in two.text, "a nonce is used once"
    assert one.text.count(f'nonce="{nonce[1]}"') >= 3
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert one.headers["cache-control"] == "no-store"
    for name in ("x-content-type-options", "referrer-policy", "cross-origin-opener-policy", "x-frame-options"):
        assert name in one.headers


def test_the_first_view_is_small_and_kept_for_ever(page: Page, gateway: Gateway) -> None:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.goto("/gateway/keys")
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
    total = 0
    for url in {url for url in seen if "/api/" not in url}:
        plain = httpx.get(url, trust_env=False, headers={"accept-encoding": "identity"})
        packed = httpx.get(url, trust_env=False, headers={"accept-encoding": "gzip"})
        if "/assets/" in url:
            assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        if url.endswith((".js", ".css")) and "/assets/" in url:
            assert packed.headers["content-encoding"] == "gzip"
            assert packed.content == plain.content
            total += len(gzip.compress(plain.content))
        else:
            total += len(plain.content)
    assert total <= FIRST_VIEW_BYTES, f"the first view takes {total / 1024:.0f} KB"
