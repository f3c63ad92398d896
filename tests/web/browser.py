"""A browser that watches over the page: what it may not do fails the test in which it does it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).parents[2]
AXE = ROOT / "promptlab/web/node_modules/axe-core/axe.min.js"
SHOTS = os.environ.get("GATELOG_SHOTS")
"""Where `shot` puts its pictures, for somebody to look at. Without it none is taken."""
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
DESK, PHONE = (1440, 900), (390, 844)
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`));
"""
AT_REST = """
new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() => Promise.all(
  document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime < 5000)
    .map((each) => each.finished.catch(() => null))))
"""
"""What is still fading in has not its colours yet."""
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")


class Faults:
    """What went wrong on a page. A test may say which statuses it brings about on purpose."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._expected: set[int] = set()
        self._broken = False
        self._thrown: tuple[str, ...] = ()

    def expect(self, *statuses: int) -> None:
        self._expected.update(statuses)

    def expect_broken(self) -> None:
        """The test ends connections: what the browser says of that is no fault."""
        self._broken = True

    def expect_thrown(self, *words: str) -> None:
        """The test breaks a part of the page: it says so to whoever looks into its console."""
        self._thrown = words

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._exception(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        status = REFUSED.match(message.text)
        if status and int(status[1]) in self._expected:
            return
        if self._broken and "net::ERR_" in message.text:
            return
        if any(word in message.text for word in self._thrown):
            return
        self.found.append(f"console: {message.text} ({message.location['url']})")

    def _exception(self, error: str) -> None:
        if not any(word in error for word in self._thrown):
            self.found.append(f"exception: {error}")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname != "127.0.0.1":
            self.found.append(f"left this machine: {request.url}")


class Tabs:
    """Opens pages that are watched over, signed in by a key or not at all."""

    def __init__(self, browser: Browser, url: str, faults: Faults) -> None:
        self._browser, self._url, self._faults = browser, url, faults

    def open(
        self,
        key: str | None,
        *,
        scheme: Scheme = "light",
        size: tuple[int, int] = DESK,
        zone: str = "Europe/Berlin",
        motion: bool = False,
    ) -> Page:
        context = self._browser.new_context(
            base_url=self._url,
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="no-preference" if motion else "reduce",
            timezone_id=zone,
            locale="en-GB",
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(WATCH)
        if key is not None:
            answer = context.request.post("/login", data={"key": key})
            assert answer.ok, answer.text()
        page = context.new_page()
        self._faults.watch(page)
        return page


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def audit(page: Page, *rules: str) -> list[str]:
    """What axe finds, by all its rules or by these. Nothing is under the pointer."""
    if not AXE.is_file():  # the tools of the page's tests, which no build needs
        subprocess.run(
            [sys.executable, str(ROOT / "hatch_web.py"), "npm", "--version"], check=True, capture_output=True
        )
    page.mouse.move(0, 0)
    page.evaluate(AT_REST)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())  # which the page's policy does not apply to, as it does to a script element
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{each['impact']} {each['id']}: {[node['target'] for node in each['nodes'][:4]]} {each['nodes'][0]['html']} "
        f"{each['nodes'][0]['failureSummary']}"
        for each in found["violations"]
    ]


def wider(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def shot(page: Page, name: str, *, full: bool = False) -> None:
    """A picture of the page as it is, where somebody asked for pictures."""
    if SHOTS is not None:
        picture(page, Path(SHOTS) / f"{name}.png", full=full)


def picture(page: Page, path: Path, *, full: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=path, full_page=full)
    return path
