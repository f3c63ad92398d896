"""Review queues: answers are labelled by the keyboard alone, and a judge is certified by what people said."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.harness import Gateway
from tests.web.browser import PHONE, SCHEMES, Faults, Scheme, Tabs, audit, shot

Json = dict[str, Any]
QUESTIONS = (
    *("Where is my parcel?", "May I pay later?", "Can I send the shoes back?", "When are you open?"),
    *("Is the blue one in stock?", "How do I change my address?"),
)


def ask(gateway: Gateway, method: str, path: str, body: Json | None = None, **query: str) -> Json:
    answer = httpx.request(
        method, f"{gateway.url}{path}", json=body, params=query, headers=gateway.headers, timeout=60, trust_env=False
    )
    assert answer.status_code < 400, answer.text
    said: Json = answer.json()
    return said


@pytest.fixture(scope="module")
def judged(gateway: Gateway) -> str:
    """An evaluation of twelve answers that a judge has judged: helpful, each second one."""
    variants = [
        {"name": name, "endpoint": "demo/echo", "messages": f"{name}: {{{{ question }}}}"} for name in ("short", "warm")
    ]
    spec: Json = {
        "name": "Support replies",
        "rows": [{"inputs": {"question": each}} for each in QUESTIONS],
        "variants": variants,
        "metrics": [{"name": "helpful", "kind": "binary"}, {"name": "tone", "kind": "numeric"}],
        "primary": "helpful",
        "pilot": False,
    }
    id = str(ask(gateway, "POST", "/api/evaluations", spec)["id"])
    until = time.monotonic() + 60
    while ask(gateway, "GET", f"/api/evaluations/{id}")["state"] != "finished":
        assert time.monotonic() < until, gateway.log[-3000:]
        time.sleep(0.05)
    cells = ask(gateway, "GET", f"/api/evaluations/{id}/cells")["cells"]
    scores = [
        {
            **{name: cell[name] for name in ("row", "variant", "repeat")},
            "name": "helpful",
            "value": n % 2 == 0,
            "source": "judge",
        }
        for n, cell in enumerate(cells)
    ]
    judge = {"name": "helpful", "judge": True, "prompt": "helpfulness/2", "model": "demo/words", "params": {}}
    ask(gateway, "POST", f"/api/evaluations/{id}/scores", {"scores": scores, "identities": [judge]})
    return id


def labels(gateway: Gateway, id: str, metric: str) -> int:
    found: list[Json] = ask(gateway, "GET", "/api/reviews", evaluation=id)["queues"]
    return next(int(each["labelled"]) for each in found if each["metric"] == metric)


def test_a_queue_is_worked_through_by_the_keyboard_and_the_judge_is_certified(
    page: Page, gateway: Gateway, judged: str
) -> None:
    verdicts = {
        cell["run_id"]: cell["scores"]["helpful"]["value"]
        for cell in ask(gateway, "GET", f"/api/evaluations/{judged}/cells")["cells"]
    }
    items = ask(gateway, "GET", "/api/reviews", evaluation=judged, metric="helpful", size="200")["items"]
    keys = ["y" if verdicts[item["run_id"]] else "n" for item in items]

    page.goto(f"/evaluations/{judged}")
    judges = page.get_by_role("table", name="Judges")
    expect(judges).to_contain_text("no certificate", timeout=60_000)
    judges.get_by_role("link", name="Review answers for helpful").press("Enter")
    expect(page).to_have_url(re.compile(r"/review\?metric=helpful$"))
    expect(page.get_by_text("0 of 12 answers labelled")).to_be_visible()
    said = page.get_by_role("group", name="The answer")
    expect(said).to_contain_text(items[0]["text"])
    expect(page.get_by_role("main")).not_to_contain_text("short against")

    # A note with the label, one look ahead and back, one that is skipped, one that is taken back.
    page.keyboard.press("c")
    page.keyboard.type("It says where the parcel is.")
    page.keyboard.press("Enter")
    page.keyboard.press(keys[0])
    expect(page.get_by_text("1 of 12 answers labelled")).to_be_visible()
    expect(said).to_contain_text(items[1]["text"])
    page.keyboard.press("j")
    expect(said).to_contain_text(items[2]["text"])
    page.keyboard.press("k")
    expect(said).to_contain_text(items[1]["text"])
    page.keyboard.press("s")
    expect(page.get_by_text("1 of 12 answers labelled, 1 skipped")).to_be_visible()
    page.keyboard.press("y" if keys[2] == "n" else "n")
    expect(page.get_by_text("2 of 12 answers labelled, 1 skipped")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("1 of 12 answers labelled, 1 skipped")).to_be_visible()
    expect(said).to_contain_text(items[2]["text"])
    for at in range(2, 12):
        expect(said).to_contain_text(items[at]["text"])
        page.keyboard.press(keys[at])
    expect(page.get_by_text("All but the skipped are labelled")).to_be_visible()
    page.get_by_role("button", name="Look at the 1 skipped one").press("Enter")
    expect(said).to_contain_text(items[1]["text"])
    page.keyboard.press(keys[1])
    expect(page.get_by_text("Every answer is labelled")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Labelled for helpful")).to_have_attribute("aria-valuenow", "100")

    page.get_by_role("button", name="Certify the judge").press("Enter")
    expect(page.get_by_text("The judge of helpful is certified by 12 labels")).to_be_visible(timeout=60_000)
    assert labels(gateway, judged, "helpful") == 12
    (first,) = [
        each
        for each in ask(gateway, "GET", f"/api/runs/{items[0]['run_id']}/feedback")["feedback"]
        if each["name"] == "helpful" and each["source"] == "HUMAN"
    ]
    assert first["rationale"] == "It says where the parcel is."
    page.get_by_role("link", name="To the verdict").click()
    expect(judges).to_contain_text("valid", timeout=60_000)
    expect(judges).to_contain_text("12 labels of this evaluation")
    shot(page, "judges")
    assert not audit(page)


def test_grades_go_from_one_to_five_and_a_label_that_is_refused_is_not_counted(
    page: Page, gateway: Gateway, judged: str, faults: Faults
) -> None:
    faults.expect(500)
    page.goto(f"/evaluations/{judged}/review?metric=tone")
    expect(page.get_by_text("0 of 12 answers labelled")).to_be_visible()
    for key in "5312":
        page.keyboard.press(key)
    expect(page.get_by_text("4 of 12 answers labelled")).to_be_visible()
    page.keyboard.press("y")
    expect(page.get_by_text("4 of 12 answers labelled")).to_be_visible()

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=500, json={"error": {"message": "the store is away"}})
        else:
            route.continue_()

    page.route("**/api/reviews", refuse)
    page.keyboard.press("4")
    expect(page.get_by_text("The label could not be kept")).to_be_visible()
    expect(page.get_by_text("4 of 12 answers labelled")).to_be_visible()
    # Who comes later goes on where others stopped.
    page.unroute("**/api/reviews")
    page.reload()
    expect(page.get_by_text("4 of 12 answers labelled")).to_be_visible()
    assert labels(gateway, judged, "tone") == 4


def test_an_evaluation_without_answers_has_nothing_to_review(page: Page, gateway: Gateway, tabs: Tabs) -> None:
    variants = [{"name": "a", "endpoint": "demo/echo", "messages": "{{ question }}"}]
    spec = {"name": "Later", "rows": [{"inputs": {"question": "Who?"}}], "variants": variants, "scorers": ["exact"]}
    id = str(ask(gateway, "POST", "/api/evaluations", {**spec, "start": False})["id"])
    page.goto(f"/evaluations/{id}/review")
    expect(page.get_by_text("Nothing to review yet")).to_be_visible()
    viewer = ask(gateway, "POST", "/api/keys", {"name": "viewer", "role": "viewer"})["key"]
    reader = tabs.open(viewer)
    reader.goto(f"/evaluations/{id}/review")
    expect(reader.get_by_text("Answers are labelled with a key that may make calls")).to_be_visible()
    assert not audit(reader)


@pytest.mark.parametrize("scheme", SCHEMES[:1])
def test_the_queue_looks_as_it_should_and_is_open_to_all(
    tabs: Tabs, gateway: Gateway, judged: str, scheme: Scheme
) -> None:
    page = tabs.open(gateway.key, scheme=scheme)
    page.goto(f"/evaluations/{judged}/review?metric=tone")
    expect(page.get_by_role("group", name="The answer")).to_be_visible()
    shot(page, f"review-{scheme}")
    assert not audit(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    expect(page.get_by_role("button", name="Skip")).to_be_visible()
    shot(page, f"review-phone-{scheme}")
