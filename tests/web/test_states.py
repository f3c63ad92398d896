"""Every view in every state: full, empty, loading, failing, forbidden; light and dark, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from promptlab.page import SECTIONS
from tests.harness import Gateway
from tests.vendor import Vendor
from tests.web import filled
from tests.web.browser import DESK, PHONE, ROOT, Faults, Tabs, audit, shot, wider
from tests.web.conftest import aside
from tests.web.filled import Filled, fill
from tests.web.views import VIEWS, View

UNDONE = "main .mantine-Loader-root, main .mantine-Skeleton-root"
NOTHING = Filled(
    **{name: f"01a20a8fd5fa7482bb345f9541b8c0{n:02x}" for n, name in enumerate(Filled.__slots__)}
    | {"experiment": "999"}
)
"""Names of what is not there."""
AWAY = {"error": {"message": "the store is away", "type": "server_error", "code": "storage_unavailable"}}
ANSWERED = re.compile(r"/(api|admin)/(?!whoami)")
"""What a view asks for, besides who is there."""
DRAWN = "() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 2)))"
PLACED = ("color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block")
"""The rules of axe that may say another thing of the same elements in other colours, or on a smaller screen."""


@pytest.fixture(scope="module")
def config(vendor: Vendor) -> dict[str, Any]:
    return filled.settings(vendor)


@pytest.fixture(scope="module")
def there(gateway: Gateway) -> Filled:
    return fill(gateway)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway as it is when it is started for the first time."""
    started = Gateway(tmp_path_factory.mktemp("bare") / "gateway", {})
    try:
        aside(started.start())
        yield started
    finally:
        if started.process is not None:
            started.kill()


def go(page: Page, path: str) -> None:
    """As a link does it: the page stays, with what it knows."""
    page.evaluate("(path) => history.pushState(null, '', path)", path)


def done(page: Page) -> None:
    expect(page.locator(UNDONE)).to_have_count(0)


class Looks:
    """Looks at a view in both colours and sizes, and keeps what is wrong with it until all were looked at."""

    def __init__(self, page: Page, state: str) -> None:
        self.page, self.state = page, state
        self.wrong: list[str] = []
        page.goto("/gateway/nothing")
        page.get_by_role("navigation", name="Main").wait_for()

    def at(self, view: View, path: str, seen: Callable[[], None]) -> None:
        page, name = self.page, f"{self.state}{re.sub(r'[?].*', '', view.path).replace('/', '-')}"
        try:
            go(page, path)
            seen()
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            self.wrong += [f"{name}: {each}" for each in audit(page)]
            shot(page, f"{name}-light")
            self._other(name)
            if view.use and self.state == "full":
                view.use(page)
                self.wrong += [f"{name}, used, dark: {each}" for each in audit(page)]
                shot(page, f"{name}-used-dark")
        except AssertionError as error:
            shot(page, f"{name}-WRONG")
            self.wrong.append(f"{name}: {error}")
        page.keyboard.press("Escape")
        page.emulate_media(color_scheme="light")
        page.evaluate(DRAWN)

    def _other(self, name: str) -> None:
        page = self.page
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        page.evaluate(DRAWN)
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        if (more := wider(page)) > 0:
            self.wrong.append(f"{name}: {more} px wider than a narrow screen")
        self.wrong += [f"{name}, dark and narrow: {each}" for each in audit(page, *PLACED)]
        shot(page, f"{name}-dark-narrow")
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        shot(page, f"{name}-dark")

    def over(self) -> None:
        assert not self.wrong, "\n".join(self.wrong)


def text(page: Page, said: str) -> Callable[[], None]:
    def seen() -> None:
        expect(page.locator("main").get_by_text(said).first).to_be_visible()
        done(page)

    return seen


def test_every_route_of_the_page_is_looked_at() -> None:
    sections = ROOT / "promptlab/web/src/sections"
    routes = {
        route for file in sections.glob("*/index.tsx") for route in re.findall(r'path="([^"]+)"', file.read_text())
    }
    views = re.findall(r'\{ name: "(\w+)", label', (sections / "gateway/index.tsx").read_text())
    assert len(views) == 5
    wanted = routes - {"/gateway"} | {f"/gateway/{name}" for name in views}  # which leads to the first of them
    looked = [re.sub(r"[?].*", "", view.path) for view in VIEWS]
    missed = [
        each for each in wanted if not any(re.fullmatch(re.sub(r":\w+", r"{\\w+}", each), path) for path in looked)
    ]
    assert not missed, missed


@pytest.mark.parametrize("section", [*SECTIONS, "nothing"])
def test_full(tabs: Tabs, gateway: Gateway, there: Filled, section: str) -> None:
    page = tabs.open(gateway.key)
    looks = Looks(page, "full")
    for view in (each for each in VIEWS if each.path.startswith(f"/{section}")):
        looks.at(view, there.path(view.path), text(page, view.full))
    looks.over()


def test_empty(tabs: Tabs, bare: Gateway, browser: Browser, faults: Faults) -> None:
    faults.expect(404)
    page = Tabs(browser, bare.url, faults).open(bare.key)
    looks = Looks(page, "empty")
    for view in VIEWS:
        looks.at(view, NOTHING.path(view.path), text(page, view.empty if view.asks else view.full))
    looks.over()


def test_loading(tabs: Tabs, gateway: Gateway, there: Filled) -> None:
    page = tabs.open(gateway.key)
    page.route(ANSWERED, lambda route: None)
    looks = Looks(page, "loading")

    def seen() -> None:
        expect(page.locator(UNDONE).first).to_be_visible()
        named = page.locator("main [role=status]").locator("visible=true").first
        expect(named).to_have_attribute("aria-label", re.compile("."))

    for view in VIEWS:
        if view.asks:
            looks.at(view, there.path(view.path), seen)
    looks.over()


def test_failing(tabs: Tabs, gateway: Gateway, there: Filled, faults: Faults) -> None:
    faults.expect(500, 503)
    page = tabs.open(gateway.key)
    statuses = cycle((500, 503))
    page.route(ANSWERED, lambda route: route.fulfill(status=next(statuses), json=AWAY))
    looks = Looks(page, "failing")

    def seen() -> None:
        expect(page.get_by_role("alert").filter(has_text="the store is away").first).to_be_visible()
        expect(page.get_by_role("button", name="Try again").first).to_be_visible()
        done(page)

    for view in VIEWS:
        if view.asks:
            looks.at(view, there.path(view.path), seen)
    page.unroute(ANSWERED)
    page.get_by_role("button", name="Try again").first.click()
    text(page, next(view.full for view in reversed(VIEWS) if view.asks))()
    looks.over()


def test_forbidden(tabs: Tabs, there: Filled, faults: Faults) -> None:
    faults.expect(403, 404)
    page = tabs.open(there.caller)
    looks = Looks(page, "forbidden")
    for view in VIEWS:
        looks.at(view, there.path(view.path), text(page, view.caller if view.asks else view.full))
    looks.over()


def test_signing_in(tabs: Tabs, faults: Faults) -> None:
    faults.expect(401, 503)
    page = tabs.open(None)
    held: list[Route] = []
    page.route("**/api/whoami", lambda route: held.append(route))
    page.goto("/lab")
    expect(page.get_by_role("status", name="Loading Gatelog").locator(".mantine-Loader-root")).to_be_visible()
    held[0].fulfill(status=503, json=AWAY)
    expect(page.get_by_role("alert")).to_contain_text("the store is away")
    assert not audit(page)
    page.unroute("**/api/whoami")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Sign in to Gatelog")).to_be_visible()
    assert not audit(page)
    page.get_by_role("textbox", name="Key").fill("gl-not-a-key")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is no key of this gateway")).to_be_visible()
    assert not audit(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.evaluate(DRAWN)
    assert not audit(page, *PLACED)
    assert wider(page) <= 0
    shot(page, "login-dark-narrow")
