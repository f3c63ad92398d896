"""What a model may be made to answer changes nothing but text, in a real browser and under the page's own policy.

The unit tests hold every renderer to the same corpus, entry by entry.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.web.browser import audit
from tests.web.hostile import CORPUS

FOREIGN = "script, iframe, object, embed, form, base, link, meta, video, audio, dialog, template, img, a[href^='http']"
"""What must not come to be within what an answer is shown in."""
SETTINGS: dict[str, Any] = {"answers": CORPUS, **{text[:200]: name for name, text in CORPUS.items()}}


def test_there_are_a_hundred_and_more() -> None:
    assert len(CORPUS) >= 100


def unharmed(page: Page, shown: str) -> None:
    """Nothing ran, nothing was drawn over the page, and there is no element that an answer asked for."""
    assert page.evaluate("window.hurt") is None
    assert page.evaluate("location.origin") == page.url.partition("/gateway")[0]
    there = page.locator(shown)
    assert there.locator(FOREIGN).count() == 0
    assert there.locator("[onclick], [onerror], [onload], [autofocus], [contenteditable=true]").count() == 0
    assert page.title().endswith("Gatelog")
    assert page.get_by_role("navigation", name="Main").is_visible()


def test_answers_shown_as_json_are_text(page: Page) -> None:
    def answer(route: Route) -> None:
        said = route.fetch().json()
        route.fulfill(json={**said, "settings": SETTINGS})

    page.route("**/admin/config", answer)
    page.goto("/gateway/configuration")
    tree = page.get_by_role("group", name="Settings")
    tree.get_by_role("button", name=re.compile('"answers"')).click()
    more = tree.get_by_role("button", name=re.compile(r"^… \d+ more$"))
    expect(more).to_have_count(2)
    while more.count():
        more.first.click()
    tree.get_by_text("<script>window.hurt=1</script>").first.wait_for()
    said = tree.inner_text()
    assert "\\u001b[31mred" in said
    assert "⟨RLO⟩9.99$⟨PDF⟩" in said
    assert "\u202e" not in said
    unharmed(page, '[role=group][aria-label="Settings"]')
    assert not audit(page)


def test_answers_shown_as_a_difference_are_text(page: Page) -> None:
    revisions = [
        {
            "revision": "aaaaaaaaaaaa",
            "first_at": "2026-01-01T00:00:00Z",
            "last_at": "2026-01-01T00:00:00Z",
            "in_use": False,
        },
        {
            "revision": "bbbbbbbbbbbb",
            "first_at": "2026-01-02T00:00:00Z",
            "last_at": "2026-01-02T00:00:00Z",
            "in_use": True,
        },
    ]
    page.route("**/api/gateway/revisions", lambda route: route.fulfill(json={"revisions": revisions}))
    page.route("**/api/gateway/revisions/*", lambda route: route.fulfill(json={**revisions[0], "settings": SETTINGS}))
    page.goto("/gateway/configuration?revision=aaaaaaaaaaaa")
    compared = page.get_by_role("group", name=re.compile("^Then"))
    compared.get_by_text("<script>window.hurt=1</script>").first.wait_for()
    unharmed(page, '[role=group][aria-label^="Then"]')


def test_what_an_endpoint_answers_when_it_is_tried_is_text(page: Page) -> None:
    entries = [(name, text) for name, text in CORPUS.items() if text.strip()][::3]
    texts = iter(entries)

    def answer(route: Route) -> None:
        name, text = next(texts)
        tried = {"run_id": None, "status": 200, "error": None, "provider": name, "model": text, "attempts": 1}
        route.fulfill(json={"ok": True, "total_ms": 1.0, "cost_usd": None, "text": text, **tried})

    page.route("**/api/gateway/test", answer)
    page.goto("/gateway/endpoints")
    chat = page.get_by_role("article", name="chat", exact=True)
    for name, _ in entries:
        chat.get_by_role("button", name="Try").click()
        expect(chat.get_by_role("status")).to_contain_text(f"{name}/")
        unharmed(page, "article[aria-label=chat]")
    assert not audit(page)
