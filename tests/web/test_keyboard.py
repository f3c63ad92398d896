"""The main tasks without a mouse: where the focus is can be seen, and it is not lost when a dialog closes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness import Gateway
from tests.vendor import Vendor
from tests.web import filled
from tests.web.filled import Filled, fill

SEEN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "nothing has the focus";
  if (at.id === "main" || at.matches("[role=dialog]")) return null;
  if (at.matches("textarea, [contenteditable=true], input:not([type=checkbox], [type=radio])")) return null;
  const ring = (each) => {
    const { outlineStyle, boxShadow } = each ? getComputedStyle(each) : { outlineStyle: "none", boxShadow: "none" };
    return outlineStyle !== "none" || boxShadow !== "none";
  };
  const up = at.parentElement;
  const near = [at, at.nextElementSibling, up, at.closest("label"), up?.querySelector("label")];
  return near.some(ring) ? null : `it is not seen that this has the focus: ${at.outerHTML.slice(0, 300)}`;
}"""
MOST_TABS = 80


@pytest.fixture(scope="module")
def config(vendor: Vendor) -> dict[str, Any]:
    return filled.settings(vendor)


@pytest.fixture(scope="module")
def there(gateway: Gateway) -> Filled:
    return fill(gateway)


class Keys:
    """Somebody who has no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.goto("/gateway/overview")
        self.heading("Gateway")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def heading(self, name: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def seen(self) -> None:
        assert (wrong := self.page.evaluate(SEEN)) is None, wrong

    def to(self, wanted: Locator, key: str = "Tab") -> None:
        """Goes on until it has the focus, which is seen on all of the way."""
        expect(wanted.first).to_be_visible()
        for _ in range(MOST_TABS):
            if wanted.first.evaluate("(it) => it === document.activeElement"):
                return
            self.press(key)
            if self.page.evaluate("document.activeElement !== document.body"):  # it is after the last thing of the page
                self.seen()
        raise AssertionError(f"{wanted} is not reached by {key}")

    def enter(self, role: Any, name: str | re.Pattern[str]) -> None:
        self.to(self.page.get_by_role(role, name=name, exact=True))
        self.press("Enter")


@pytest.fixture
def keys(page: Page, there: Filled) -> Keys:
    return Keys(page)


def test_a_prompt_is_run_in_the_lab(keys: Keys) -> None:
    keys.press("g", "l")
    keys.heading("Lab")
    keys.press("n")
    keys.heading("Untitled lab")
    field = keys.page.get_by_role("textbox", name="input of row 1")
    keys.to(field)
    keys.type("Where is my parcel?")
    keys.press("Control+Enter")
    expect(keys.page.locator("article[data-status=ok]")).to_have_count(1)
    expect(field).to_be_focused()
    keys.enter("button", "A good answer")
    expect(keys.page.get_by_role("button", name="A good answer")).to_have_attribute("aria-pressed", "true")
    keys.seen()


def test_a_prompt_is_saved_and_promoted(keys: Keys) -> None:
    keys.press("g", "p")
    keys.heading("Prompts")
    keys.enter("button", "New prompt")
    dialog = keys.page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    keys.press("Escape")
    expect(keys.page.get_by_role("button", name="New prompt")).to_be_focused()
    keys.press("Enter")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    keys.type("by-keyboard")
    keys.enter("button", "Save version 1")
    keys.heading("by-keyboard")
    keys.seen()
    expect(keys.page.get_by_role("button", name="Promote version 1")).to_be_visible()
    keys.press("p")
    keys.enter("button", "Promote")
    expect(dialog).to_be_hidden()
    expect(keys.page.get_by_text("is version 1", exact=True)).to_be_visible()
    keys.seen()


def test_a_run_is_found_and_opened_in_the_lab(keys: Keys, there: Filled) -> None:
    keys.press("g", "r")
    keys.heading("Runs")
    keys.press("/")
    keys.type("params.endpoint = 'failing'")
    rows = keys.page.get_by_role("table", name="Runs").get_by_role("row")
    expect(rows).to_have_count(2)
    keys.press("Escape")
    keys.to(rows.nth(1))
    keys.press("Enter")
    keys.heading("failing")
    keys.press("o")
    keys.page.wait_for_url("**/lab/*")
    expect(keys.page.get_by_text("Will not work").first).to_be_visible()
    keys.enter("button", "More for this lab")
    expect(keys.page.get_by_role("menuitem").first).to_be_focused()
    keys.press("Escape")
    expect(keys.page.get_by_role("button", name="More for this lab")).to_be_focused()


def test_the_verdict_of_an_evaluation_is_read(keys: Keys) -> None:
    keys.press("g", "e")
    keys.heading("Evaluations")
    keys.to(keys.page.get_by_role("row", name=re.compile("Capitals with notes")))
    keys.press("Enter")
    keys.heading("Capitals with notes")
    expect(keys.page.get_by_role("heading", name="open book is better than closed book")).to_be_visible()
    improved = keys.page.get_by_role("region", name="Best improvements")
    keys.to(improved.locator("summary").first)
    keys.press("Enter")
    expect(improved.get_by_role("group", name="Answer of open book").first).to_be_visible()
    keys.to(improved.get_by_role("link", name="run", exact=True))
    keys.press("Enter")
    expect(keys.page).to_have_url(re.compile("/runs/"))


def test_a_key_is_made_and_revoked(keys: Keys) -> None:
    page = keys.page
    keys.enter("link", "Keys")
    new = page.get_by_role("button", name="New key")
    keys.to(new)
    keys.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Name")).to_be_focused()
    keys.type("search service")
    keys.press("Enter")
    expect(page.get_by_role("button", name="I have it")).to_be_focused()
    keys.press("Enter")
    expect(new).to_be_focused()
    row = page.get_by_role("row", name="search service")
    keys.enter("button", "Revoke search service")
    expect(page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True)).to_be_focused()
    keys.press("Enter")
    expect(row).to_contain_text("revoked")
    expect(page.get_by_role("dialog")).to_be_hidden()
    keys.seen()


def test_the_palette_finds_what_a_page_can_and_gives_the_focus_back(keys: Keys) -> None:
    page = keys.page
    keys.to(page.get_by_role("link", name="Endpoints"))
    keys.press("Control+k")
    find = page.get_by_role("combobox", name="Find a command")
    expect(find).to_be_focused()
    keys.press("Escape")
    expect(page.get_by_role("link", name="Endpoints")).to_be_focused()
    keys.press("Control+k")
    expect(find).to_be_focused()
    keys.type("prompts")
    keys.press("Enter")
    keys.heading("Prompts")
    keys.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    for group in ("Go to", "Everywhere", "Prompts"):
        expect(sheet.get_by_role("region", name=group)).to_be_visible()
    keys.press("Escape")
    expect(sheet).to_be_hidden()
    keys.seen()
