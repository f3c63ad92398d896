"""A report says what its card says, loads nothing, and lets nothing act that a model wrote."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Browser, sync_playwright

from evaluate.card import Card, Figure
from evaluate.report import FORMS, html, json, markdown, written
from evaluate.report_html import policy
from tests.evaluate.cards import BETTER, arm, card, comparison, known, verdict

CHROMIUM = os.environ.get("GATELOG_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
VOID = {"meta", "link", "br", "img", "line", "rect", "circle", "polyline"}


class Elements(HTMLParser):
    """Which elements a page has; it fails where one is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs), (tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_verdict_comes_first_in_large_words() -> None:
    page = html(card())
    assert '<div class="said">terse is better</div>' in page
    assert '<div class="said">cheap: inconclusive</div>' in page
    assert page.index("terse is better") < page.index("Quality and cost") < page.index("Every metric")


def test_everything_of_the_checklist_is_there() -> None:
    page = html(card())
    for said in (
        "triage version 3",
        "9f86d081884c",
        "seed <b>7</b>",
        "gpt-4o-mini-2024-07-18",
        "{&quot;temperature&quot;:0}",
        "+7.1 pp",
        "+1.9 pp to +12.3 pp",
        "McNemar, exact",
        "adjusted (Holm)",
        "fixed 21, broke 7",
        "could have seen",
        "language = de",
        "$3.40",
        "per success",
        "first token",
        "openai/gpt-4o",
        "0.63 to 0.85",
        "certified by 150 labels",
        "2 calls failed",
        "3 answered from a cache",
        "4 without a score of similarity",
        "the model timed out (2 times)",
        "terse and current share 198 of 200 rows",
        "gatelog eval compare",
    ):
        assert said in page, said


def test_what_a_model_wrote_is_text() -> None:
    page = html(card(), origin="http://127.0.0.1:4000")
    elements = Elements(page)
    assert not {"script", "img", "iframe", "object", "form"} & set(elements.found)
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\\u202e" in page
    assert "&lt;/pre&gt;&lt;img src=" in page
    assert "more characters)" in page


def test_runs_are_links_where_it_is_known_where_the_gateway_is() -> None:
    assert 'href="http://127.0.0.1:4000/runs/0199a0b1c2d3e4f5a6b7c8d9e0f1a2c1"' in html(
        card(), origin="http://127.0.0.1:4000"
    )
    assert "<a href" not in html(card())
    assert "0199a0b1c2d3e4f5a6b7c8d9e0f1a2c1" in html(card())


def test_nothing_is_asked_for_but_its_own_style() -> None:
    assert policy("a").startswith("default-src 'none'; style-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='")
    assert "unsafe" not in html(card())


def test_a_grid_that_fills_says_so_and_shows_e_values() -> None:
    early = comparison(
        "terse", verdict("inconclusive", sentence="400 cells are still to come.", early=True), known(0.05, -0.1, 0.2)
    )
    page = html(card(complete=False, comparisons=(replace(early, p=None, p_adjusted=None),)))
    assert "Cells are still pending" in page
    assert "e-value" in page
    assert "6.1 of 20" in page


def test_one_variant_has_no_verdict_but_its_mean() -> None:
    whole = card()
    page = html(replace(whole, arms=whole.arms[:1], comparisons=(), pareto=whole.pareto[:1], regressions=()))
    assert '<div class="said">80.8 %</div>' in page
    assert "Quality and cost" not in page


def test_what_was_refused_is_not_drawn() -> None:
    nothing = arm("empty", baseline=True, metrics=(), params={}, models={})
    empty = card(
        arms=(nothing,), comparisons=(), slices=(), pareto=(), regressions=(), judges=(), notes=(), reproduce={}
    )
    Elements(html(empty))
    assert markdown(empty).startswith("# Support triage\n")


def test_a_mean_without_an_interval_says_why() -> None:
    whole = card()
    same = replace(whole.arms[0].metrics[0], mean=Figure(refused="all 200 scores are 1: they say nothing"))
    page = html(replace(whole, arms=(replace(whole.arms[0], metrics=(same,)), *whole.arms[1:])))
    assert "<small>all 200 scores are 1</small>" in page


def test_models_that_cost_nothing_have_no_plot_of_cost() -> None:
    free = tuple(replace(each, cost=replace(each.cost, value=0.0, low=0.0, high=0.0)) for each in card().pareto)
    assert "Quality and cost" in html(card())
    assert "Quality and cost" not in html(card(pareto=free))


def test_a_margin_that_is_narrow_in_the_plot_is_labelled_once() -> None:
    assert "± 2.0 pp" not in html(card())
    wide = replace(BETTER, difference=known(0.8, 0.6, 0.9))
    assert "± 2.0 pp" in html(card(comparisons=(wide,)))


def test_markdown_holds_the_same_and_no_markup_of_others() -> None:
    text = markdown(card(), origin="http://127.0.0.1:4000")
    assert "## ✅ terse is better" in text
    assert "## ❔ cheap\\: inconclusive" in text
    assert "[run 0199a0b1c2d3e4f5a6b7c8d9e0f1a2c1](http://127.0.0.1:4000/runs/0199a0b1c2d3e4f5a6b7c8d9e0f1a2c1)" in text
    assert "\u202e" not in text
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "![" not in outside
    assert not re.search(r"(?<!\\)<script", outside)
    width = {line.count(" | ") for line in _table(text, "Latency")}
    assert len(width) == 1


def test_json_is_the_card() -> None:
    found = orjson.loads(json(card()))
    assert found["schema"] == "gatelog.card/1"
    assert found["comparisons"][0]["verdict"]["word"] == "better"
    assert set(FORMS) == {"html", "md", "json"}
    assert written(card(), "md") == markdown(card())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium; Debian's package of that name has one")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_asks_for_nothing_else_and_has_nothing_to_complain_of(
    browser: Browser, tmp_path: Path, scheme: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(html(_busy(), origin="http://127.0.0.1:4000"), "utf-8")
    page = browser.new_page(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 1100, "height": 900}
    )
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    for summary in page.query_selector_all("summary"):
        summary.click()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(14, 17, 20)" if scheme == "dark" else "rgb(246, 247, 248)"
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("window.scripted === undefined")
    if folder := os.environ.get("GATELOG_SHOTS"):
        page.screenshot(path=Path(folder) / f"report-{scheme}.png", full_page=True)
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 25, 29)", "paper is white"
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


def _busy() -> Card:
    """With a distribution of differences, and a name that would run if it could."""
    whole = card()
    similar = replace(whole.comparisons[2], role="primary", candidate="cheap")
    named = {**whole.evaluation, "name": "Support triage<script>window.scripted = 1</script>"}
    return replace(whole, evaluation=named, comparisons=(*whole.comparisons[:2], similar))


def _table(text: str, title: str) -> list[str]:
    part = text.split(f"## {title}\n")[1].split("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("|")]
