"""The section Evaluations: one is watched, stopped, resumed, and its verdict read."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.harness import Gateway
from tests.web.browser import PHONE, SCHEMES, Faults, Scheme, Tabs, audit, shot
from tests.web.hostile import CORPUS

Json = dict[str, Any]
CAPITALS = (
    *("Kenya Nairobi", "Peru Lima", "Cuba Havana", "Japan Tokyo", "Iran Tehran", "Italy Rome", "Latvia Riga"),
    *("Ghana Accra", "Egypt Cairo", "Spain Madrid", "Norway Oslo", "Chile Santiago", "Nepal Kathmandu", "Fiji Suva"),
)


def ask(gateway: Gateway, method: str, path: str, body: Json | None = None) -> Json:
    answer = httpx.request(
        method, f"{gateway.url}{path}", json=body, headers=gateway.headers, timeout=60, trust_env=False
    )
    assert answer.status_code < 400, answer.text
    said: Json = answer.json()
    return said


def rows(times: int = 3) -> list[Json]:
    found = []
    for n in range(times):
        for each in CAPITALS:
            country, capital = each.split()
            found.append(
                {
                    "inputs": {
                        "question": f"Which is the capital of {country}? ({n + 1})",
                        # Of a few countries the notes are wrong.
                        "notes": f"It is {'unknown' if country in ('Fiji', 'Peru') else capital}.",
                    },
                    "expectations": {"expected_response": capital},
                    "tags": {"length": "short" if len(capital) < 5 else "long"},
                }
            )
    return found


def made(gateway: Gateway, **more: Any) -> str:
    spec = {
        "name": "Capitals with notes",
        "rows": rows(),
        "variants": [
            {"name": "closed book", "endpoint": "demo/echo", "messages": "{{ question }}", "baseline": True},
            {"name": "open book", "endpoint": "demo/echo", "messages": "{{ question }} {{ notes }}"},
        ],
        "scorers": ["contains"],
        **more,
    }
    return str(ask(gateway, "POST", "/api/evaluations", spec)["id"])


def slow(gateway: Gateway, **more: Any) -> str:
    """One that takes its time: every answer is streamed word by word."""
    variants = [
        {"name": "a", "endpoint": "demo/echo@60", "messages": "{{ question }}", "baseline": True},
        {"name": "b", "endpoint": "demo/echo@60", "messages": "{{ question }} {{ notes }}"},
    ]
    return made(gateway, **{"name": "Slow capitals", "variants": variants, "stream": True, "concurrency": 2, **more})


@pytest.fixture(scope="module")
def config(config: Json) -> Json:
    """With two endpoints that cost something."""
    for name, model, price in (("dear", "words", 4), ("cheap", "echo", 1)):
        target = {"provider": "demo", "model": model, "price": {"input": price, "output": price * 3}}
        config["endpoints"].append({"name": name, "type": "chat", "targets": [target]})
    return config


@pytest.fixture(scope="module")
def finished(gateway: Gateway) -> str:
    id = made(gateway)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if ask(gateway, "GET", f"/api/evaluations/{id}")["state"] == "finished":
            return id
        time.sleep(0.2)
    raise AssertionError(gateway.log[-3000:])


def test_one_is_watched_stopped_resumed_and_its_verdict_read(page: Page, gateway: Gateway) -> None:
    id = slow(gateway)
    page.goto("/evaluations")
    row = page.get_by_role("table", name="Evaluations").get_by_role("row", name=re.compile("Slow capitals"))
    expect(row).to_contain_text("running")
    row.focus()
    row.press("Enter")
    expect(page.get_by_role("heading", name="Slow capitals", level=1)).to_be_visible()
    bar = page.get_by_role("progressbar", name=re.compile("Slow capitals"))
    expect(bar).to_be_in_viewport()
    before = float(bar.get_attribute("aria-valuenow") or "0")
    expect(page.get_by_role("region", name="Progress")).to_contain_text("of 84 cells done")
    page.wait_for_function(
        "before => Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) > before",
        arg=before,
    )
    shot(page, "evaluation-live")
    page.get_by_role("button", name="Stop").click()
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_be_visible(timeout=30_000)
    assert ask(gateway, "GET", f"/api/evaluations/{id}")["state"] == "stopped"
    page.reload()
    resume.click()
    expect(page.get_by_role("heading", name="b is better than a", level=2)).to_be_visible(timeout=90_000)
    assert ask(gateway, "GET", f"/api/evaluations/{id}")["progress"]["ok"] == 84


def test_a_card_says_the_verdict_first_and_links_to_the_runs_it_rests_on(page: Page, finished: str) -> None:
    page.goto(f"/evaluations/{finished}")
    verdict = page.get_by_role("region", name="Verdict on open book")
    expect(verdict.get_by_role("heading", name="open book is better than closed book")).to_be_visible(timeout=60_000)
    expect(verdict).to_contain_text("95 % interval")
    expect(page.get_by_role("img", name=re.compile("contains of each variant"))).to_be_visible()
    expect(page.get_by_role("table", name="Every metric")).to_contain_text("latency")
    expect(page.get_by_role("table", name="Slices")).to_contain_text("length = long")
    improved = page.get_by_role("region", name="Best improvements")
    improved.get_by_text("Which is the capital of").first.click()
    expect(improved.get_by_role("group", name="Answer of open book").first).to_contain_text("It is")
    report = page.get_by_role("link", name="Report")
    assert str(report.get_attribute("href")).endswith(f"{finished}/report")
    improved.get_by_role("link", name="run").first.click()
    expect(page).to_have_url(re.compile("/runs/"))


def test_the_list_has_the_verdict_of_what_is_finished(page: Page, finished: str) -> None:
    page.goto("/evaluations")
    row = page.get_by_role("table", name="Evaluations").get_by_role("row", name=re.compile("Capitals with notes"))
    expect(row).to_contain_text("open book better", timeout=60_000)
    expect(row).to_contain_text("finished")


def test_without_any_the_page_says_how_to_start_one(page: Page) -> None:
    page.route(
        "**/api/evaluations?*",
        lambda route: route.fulfill(json={"evaluations": [], "next_page_token": None}),
    )
    page.goto("/evaluations")
    expect(page.get_by_text("No evaluations yet")).to_be_visible()
    expect(page.get_by_text("gatelog eval run capitals")).to_be_visible()
    shot(page, "evaluations-empty")
    assert not audit(page)


def test_what_fails_says_so_and_is_tried_again(page: Page, faults: Faults, finished: str) -> None:
    faults.expect(500)
    broken = [True]

    def answer(route: Route) -> None:
        if broken[0]:
            route.fulfill(status=500, json={"error": {"message": "the store is away"}})
        else:
            route.continue_()

    page.route("**/api/evaluations?*", answer)
    page.goto("/evaluations")
    expect(page.get_by_role("alert")).to_contain_text("the store is away")
    assert not audit(page)
    broken[0] = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("table", name="Evaluations")).to_be_visible()


def test_one_that_is_not_there_is_said_to_be_none(page: Page, faults: Faults) -> None:
    faults.expect(404)
    page.goto("/evaluations/01a20a8fd5fa7482bb345f9541b8c0aa")
    expect(page.get_by_text("There is no such thing")).to_be_visible()


def test_calls_that_fail_are_told_with_their_reason(page: Page, gateway: Gateway) -> None:
    variants = [{"name": "broken", "endpoint": "failing", "messages": "{{ question }}"}]
    id = slow(gateway, name="Nothing works", rows=rows(1)[:3], variants=variants, pilot=False, stream=False)
    page.goto(f"/evaluations/{id}")
    missing = page.get_by_role("region", name="What is missing, and what to know")
    expect(missing).to_contain_text(re.compile("3 of 3 calls of broken failed: .*upstream_500"), timeout=60_000)
    shot(page, "evaluation-failing")
    assert not audit(page)


def test_hostile_words_are_words_in_a_card(page: Page, gateway: Gateway) -> None:
    variants = [
        {"name": "plain", "endpoint": "demo/echo", "messages": "{{ question }}", "baseline": True},
        {"name": "<img src=x onerror=hurt=1>", "endpoint": "demo/echo", "messages": "no {{ question }}"},
    ]
    texts = [text for text in CORPUS.values() if "\x00" not in text]  # which no dataset takes
    hostile = [{"inputs": {"question": text}, "expectations": {"expected_response": text}} for text in texts]
    id = made(gateway, name="<script>hurt=1</script>", rows=hostile, variants=variants, scorers=["exact"])
    page.goto(f"/evaluations/{id}")
    expect(page.get_by_role("region", name="Worst regressions")).to_be_visible(timeout=90_000)
    for each in page.locator("details").all():
        each.locator("summary").click()
    assert page.evaluate("window.hurt") is None
    assert page.locator("main script, main iframe, main img").count() == 0
    for view, shown in (("cells", page.get_by_role("table", name="Cells")), ("review", page.get_by_role("group"))):
        page.goto(f"/evaluations/{id}/{view}")
        expect(shown.first).to_be_visible()
        for _ in range(20):
            page.keyboard.press("s")
        assert page.evaluate("window.hurt") is None
        assert page.locator("main script, main iframe, main img").count() == 0


def test_numbers_are_drawn_by_their_differences_and_weighed_against_what_they_cost(
    page: Page, gateway: Gateway
) -> None:
    variants = [
        {"name": name, "endpoint": endpoint, "messages": text, "params": {"max_tokens": 200}}
        for name, endpoint, text in (
            ("dear", "dear", "{{ question }}"),
            ("cheap", "cheap", "{{ question }}"),
            ("dear, open book", "dear", "{{ question }} {{ notes }}"),
        )
    ]
    more = {"budget_usd": 10, "pilot": False}
    scorers = [{"scorer": "length", "name": "words", "unit": "words"}]
    id = made(gateway, name="How long they are", rows=rows(1), variants=variants, scorers=scorers, **more)
    page.goto(f"/evaluations/{id}")
    expect(page.get_by_role("img", name=re.compile("Differences of words: .* alike")).first).to_be_visible(
        timeout=90_000
    )
    expect(page.get_by_role("group", name="Quality and cost of each variant")).to_be_visible()
    shot(page, "evaluation-numbers", full=True)
    assert not audit(page)


def preferred(route: Route) -> None:
    """The card, as if a judge had also compared the answers in both orders."""
    card = route.fetch().json()

    def figure(value: float, low: float, high: float) -> Json:
        return {
            "interval": {"value": value, "low": low, "high": high, "level": 0.95, "method": "wilson", "n": 40},
            "refused": None,
        }

    card["preferences"] = [
        {
            "metric": "preferred",
            "candidate": "open book",
            "baseline": "closed book",
            "judged": 40,
            "wins": 25,
            "ties": 6,
            "losses": 9,
            "position": {"test": "binomial", "value": 0.041, "n": 62},
            "flips": figure(0.15, 0.07, 0.29),
            "first_wins": figure(0.63, 0.5, 0.74),
            "at_equal_length": {"interval": None, "refused": "all pairs differ by the same length"},
        }
    ]
    strengths = (("open book", 1090, 1031, 1162), ("closed book", 910, 838, 969))
    arms = [{"arm": arm, "elo": elo, "low": low, "high": high} for arm, elo, low, high in strengths]
    card["rankings"] = [{"metric": "preferred", "level": 0.95, "prompts": 42, "arms": arms, "refused": None}]
    route.fulfill(json=card)


@pytest.mark.parametrize("scheme", SCHEMES[:1])
def test_the_pages_are_open_to_all_and_look_as_they_should(
    tabs: Tabs, gateway: Gateway, finished: str, scheme: Scheme
) -> None:
    page = tabs.open(gateway.key, scheme=scheme)
    page.route("**/card", preferred)
    page.goto("/evaluations")
    expect(page.get_by_role("table", name="Evaluations")).to_contain_text("open book better", timeout=60_000)
    shot(page, f"evaluations-{scheme}")
    assert not audit(page)
    page.goto(f"/evaluations/{finished}")
    expect(page.get_by_role("region", name="Verdict on open book")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("region", name="Make it again")).to_be_visible()
    expect(page.get_by_role("img", name="Of 40 pairs 9 lost, 6 ties, 25 won")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("1. open book: 1,090, between 1,031 and 1,162"))).to_be_visible()
    shot(page, f"evaluation-{scheme}", full=True)
    assert not audit(page)
    page.get_by_role("region", name="Best improvements").get_by_text("Which is the capital of").first.click()
    assert not audit(page)
    small = tabs.open(gateway.key, scheme=scheme, size=PHONE)
    small.goto(f"/evaluations/{finished}")
    expect(small.get_by_role("region", name="Make it again")).to_be_visible(timeout=60_000)
    shot(small, f"evaluation-phone-{scheme}", full=True)


def test_one_is_made_on_the_page_and_its_cost_is_told_before_it_starts(
    page: Page, gateway: Gateway, faults: Faults
) -> None:
    faults.expect(400)
    page.goto("/evaluations")
    expect(page.get_by_role("heading", name="Evaluations", level=1)).to_be_visible()
    page.keyboard.press("n")
    page.get_by_role("textbox", name="Name").first.fill("Made on the page")
    cost = page.get_by_role("region", name="What it will cost")
    expect(cost).to_contain_text("Choose a dataset, or write rows.")
    page.get_by_text("Rows written here").click()
    page.get_by_role("textbox", name="Rows", exact=True).fill("question\texpected\nSay one\tone\nSay two\ttwo")
    for n, text in (("1", "{{question}}"), ("2", "{{question}}, and {{question}} again")):
        variant = page.get_by_role("group", name=f"Variant {n}")
        variant.get_by_role("combobox", name="Endpoint").click()
        page.get_by_role("option", name="cheap").click()
        variant.get_by_role("textbox", name="Text").fill(text)
        variant.get_by_role("textbox", name="Most tokens").fill("50")
    page.get_by_role("combobox", name="Scorer").fill("contains")
    page.get_by_role("option", name="contains").click()
    page.get_by_role("textbox", name="Budget, in dollars").fill("0.5")
    expect(cost).to_contain_text("4 calls: 2 rows")
    expect(cost).to_contain_text(re.compile(r"(Between|About) ?\$0"))
    assert not any(
        each["name"] == "Made on the page" for each in ask(gateway, "GET", "/api/evaluations")["evaluations"]
    )
    shot(page, "evaluation-making", full=True)
    assert not audit(page)
    # What is wrong is said in the server's words, and nothing can be started.
    page.get_by_role("group", name="Variant 2").get_by_role("textbox", name="Text").fill("{{nothing}}")
    with page.expect_response("**/api/evaluations/forecast") as answer:
        pass
    assert answer.value.status == 400
    expect(cost.get_by_role("alert")).to_contain_text("nothing")
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    page.get_by_role("group", name="Variant 2").get_by_role("textbox", name="Text").fill("{{question}}!")
    # It is still there after a reload.
    page.reload()
    expect(cost).to_contain_text("4 calls")
    expect(page.get_by_role("button", name="Start")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Made on the page", level=1)).to_be_visible()
    expect(page.get_by_text("finished", exact=True).first).to_be_visible(timeout=60_000)
    made = ask(gateway, "GET", f"/api/evaluations/{page.url.rsplit('/', 1)[1]}")
    assert (made["name"], made["budget_nanos"], made["progress"]["ok"]) == ("Made on the page", 500_000_000, 4)


def test_cells_are_found_by_what_got_worse_and_lead_to_their_runs_and_the_lab(page: Page, finished: str) -> None:
    page.goto(f"/evaluations/{finished}")
    page.get_by_role("link", name="Cells").click()
    table = page.get_by_role("table", name="Cells")
    expect(page.get_by_text("84 cells.")).to_be_visible()
    page.get_by_role("combobox", name="Against closed book").click()
    page.get_by_role("option", name="Improvements").click()
    expect(page).to_have_url(re.compile("change=better"))
    expect(page.get_by_text("36 of 84 cells")).to_be_visible()
    page.get_by_role("combobox", name="Score").click()
    page.get_by_role("option", name="Failed").click()
    expect(page.get_by_text("No such cell")).to_be_visible()
    page.get_by_role("button", name="Show all cells").click()
    expect(page.get_by_text("84 cells.")).to_be_visible()
    row = table.get_by_role("row").nth(2)
    row.focus()
    row.press("Enter")
    drawer = page.get_by_role("dialog", name="Row")
    expect(drawer.get_by_role("region", name="Asked")).to_contain_text("Which is the capital of")
    expect(drawer.get_by_role("region", name="Answer of open book")).to_contain_text("pass")
    shot(page, "evaluation-row")
    assert not audit(page)
    drawer.get_by_role("button", name="Open in the lab").first.click()
    expect(page).to_have_url(re.compile("/lab/"))
    page.go_back()
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    shot(page, "evaluation-cells")
    assert not audit(page)
    table.get_by_role("link", name="run").first.click()
    expect(page).to_have_url(re.compile("/runs/"))
