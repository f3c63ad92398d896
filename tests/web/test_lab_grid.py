"""The lab's table: run, stopped and resumed; scored, compared, voted on; with many rows, and rows from elsewhere."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.harness import Gateway
from tests.vendor import Vendor
from tests.web.browser import SCHEMES, audit, shot

ROWS = 20
SCROLL = """async (steps) => {
  const frame = document.querySelector("[aria-label='Table of the lab']");
  for (let step = 0; step < steps; step += 1) {
    frame.scrollTop += 120;
    await new Promise(requestAnimationFrame);
  }
}"""


@pytest.fixture(scope="module")
def config(vendor: Vendor) -> dict[str, Any]:
    def demo(name: str, model: str) -> dict[str, Any]:
        return {"name": name, "type": "chat", "targets": [{"provider": "demo", "model": model}]}

    return {
        "providers": {"scripted": {"dialect": "openai", "base_url": vendor.url("ok", gap=0.02), "api_key": "sk-s"}},
        "endpoints": [
            demo("chat", "words"),
            demo("slow", "words@20"),
            {"name": "scripted", "type": "chat", "targets": [{"provider": "scripted", "model": "gpt-4o-mini"}]},
        ],
    }


def api(gateway: Gateway, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, gateway.url + path, json=body, headers=gateway.headers, trust_env=False)
    assert answer.is_success, answer.text
    return answer.json()


def made(gateway: Gateway, endpoints: tuple[str, ...], rows: list[dict[str, Any]], **more: Any) -> str:
    columns = [
        {"id": "abcd"[n], "name": name, "endpoint": name, "messages": [{"role": "user", "content": "{{question}}"}]}
        for n, name in enumerate(endpoints)
    ]
    state = {"columns": columns, "rows": rows, **more}
    return str(api(gateway, "POST", "/api/lab", {"name": "Parcels", "state": state})["id"])


def questions(count: int) -> list[dict[str, Any]]:
    return [{"id": str(n), "values": {"question": f"Where is parcel {n}?"}} for n in range(1, count + 1)]


def answered(gateway: Gateway, id: str, chosen: Any = "all") -> None:
    """Every cell or these, by the API."""
    api(gateway, "POST", f"/api/lab/{id}/run", {"cells": chosen})
    until = time.monotonic() + 60
    while api(gateway, "GET", f"/api/lab/{id}")["running"]:
        assert time.monotonic() < until
        time.sleep(0.05)


def answers(page: Page, status: str) -> Locator:
    return page.locator(f"article[data-status={status}]")


def cells(gateway: Gateway, id: str) -> dict[tuple[str, str], Any]:
    return {(each["row"], each["column"]): each for each in api(gateway, "GET", f"/api/lab/{id}/cells")["cells"]}


def busy(watch: CDPSession) -> float:
    """Seconds of processor that the page's thread has had: of a busy machine it tells the same as of an idle one."""
    found = {each["name"]: each["value"] for each in watch.send("Performance.getMetrics")["metrics"]}
    return float(found["ThreadTime"])


def looked(page: Page, name: str) -> None:
    """What axe finds is nothing. In dark, `test_states` looks at the lab: to change its colours is no part of these."""
    assert not audit(page)
    for scheme in reversed(SCHEMES):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        shot(page, f"{name}-{scheme}")


def test_sixty_cells_stream_are_stopped_and_are_resumed_after_a_reload_each_by_one_run(
    page: Page, gateway: Gateway
) -> None:
    id = made(gateway, ("slow", "chat", "scripted"), questions(ROWS), concurrency=1)
    page.goto(f"/lab/{id}")
    expect(page.get_by_text("Not asked yet")).to_have_count(3 * ROWS)
    page.keyboard.press("Control+Enter")
    expect(answers(page, "running").first).to_be_visible()
    expect(answers(page, "ok").nth(3)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Stop all")).to_be_hidden()
    finished = {at: each["run_id"] for at, each in cells(gateway, id).items() if each["status"] == "ok"}
    assert 0 < len(finished) < 3 * ROWS
    stored = api(gateway, "GET", f"/api/lab/{id}")
    faster = {**stored["state"], "concurrency": 16}
    api(gateway, "PUT", f"/api/lab/{id}", {"base": stored["version"], "state": faster})
    page.reload()
    expect(answers(page, "ok")).to_have_count(len(finished))
    expect(answers(page, "stopped").first).to_be_visible()
    page.get_by_role("button", name=f"Run {3 * ROWS - len(finished)} without an answer").click()
    page.reload()
    expect(answers(page, "ok")).to_have_count(3 * ROWS, timeout=60_000)
    expect(page.get_by_text(f"{ROWS} of {ROWS}")).to_have_count(3)
    after = cells(gateway, id)
    assert {at: after[at]["run_id"] for at in finished} == finished
    query = {"filter": f"tags.lab = '{id}' AND status = 'ok'", "page_size": "500"}
    until = time.monotonic() + 10
    found: list[Any] = []
    while len(found) < 3 * ROWS and time.monotonic() < until:
        url = f"{gateway.url}/api/runs"
        found = httpx.get(url, params=query, headers=gateway.headers, trust_env=False).json()["runs"]
    assert {run["id"] for run in found} == {each["run_id"] for each in after.values()}


def test_one_cell_is_stopped_and_asked_again(page: Page, gateway: Gateway) -> None:
    page.goto(f"/lab/{made(gateway, ('slow',), questions(1))}")
    page.get_by_role("button", name="Run this cell").click()
    expect(answers(page, "running")).to_contain_text(re.compile(r"\w+ \w+"))
    page.get_by_role("button", name="Stop this cell").click()
    expect(answers(page, "stopped")).to_have_count(1)
    page.get_by_role("button", name="Run this cell again").click()
    expect(answers(page, "ok")).to_have_count(1)


def test_answers_are_scored_held_against_the_baseline_and_noted(page: Page, gateway: Gateway) -> None:
    rows = [{**row, "expected": row["values"]["question"]} for row in questions(8)]
    id = made(gateway, ("chat", "demo/echo"), rows)
    answered(gateway, id)
    page.goto(f"/lab/{id}")
    page.get_by_role("button", name="Score", exact=True).click()
    page.get_by_role("combobox", name="Scorers").fill("exa")
    page.get_by_role("option", name="exact").click()
    page.keyboard.press("Tab")
    page.get_by_role("dialog").get_by_role("button", name="Score", exact=True).click()
    foot = page.locator("tfoot")
    expect(foot.get_by_text("better", exact=True).first).to_be_visible(timeout=120_000)
    expect(foot.get_by_text("baseline", exact=True)).to_be_visible()
    expect(foot.get_by_role("table", name="Scores of demo/echo")).to_contain_text(re.compile(r"100%.* to 100%"))
    expect(page.get_by_role("list", name="Scores").first).to_contain_text("exact")
    cell = answers(page, "ok").nth(1)
    cell.get_by_role("button", name="Write a note").click()
    page.get_by_role("textbox", name="Your note").fill("Only says it again")
    page.get_by_role("button", name="Keep the note").click()
    expect(cell.get_by_role("button", name="Note, written")).to_be_visible()
    looked(page, "lab-scored")
    cell.get_by_role("button", name="Show this answer alone").click()
    alone = page.get_by_role("dialog")
    expect(alone).to_contain_text("Row 1")
    alone.get_by_role("combobox", name="Compare with").click()
    page.get_by_role("option", name="chat").click()
    expect(alone.locator("del").first).to_be_visible()
    expect(alone.locator("ins").first).to_be_visible()
    looked(page, "lab-alone")
    alone.get_by_role("button", name="Next row").click()
    expect(alone).to_contain_text("Row 2")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="8 answers differ, 0 the same")).to_be_visible()
    looked(page, "lab-compare")
    page.get_by_role("dialog").get_by_role("button", name="Show row 3 alone").click()
    expect(page.get_by_text("Row 3 of 8")).to_be_visible()
    expect(answers(page, "ok")).to_have_count(2)
    page.keyboard.press("j")
    expect(page.get_by_text("Row 4 of 8")).to_be_visible()
    looked(page, "lab-row")
    page.get_by_text("Table", exact=True).click()
    expect(answers(page, "ok")).to_have_count(16)


def test_votes_are_blind_come_in_both_orders_and_give_preferences(page: Page, gateway: Gateway) -> None:
    id = made(gateway, ("chat", "demo/echo"), questions(3))
    answered(gateway, id)
    page.goto(f"/lab/{id}")
    page.get_by_role("button", name="Vote blind").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("0 of 6")).to_be_visible()
    expect(dialog).not_to_contain_text("demo/echo")
    looked(page, "lab-blind")
    for number in range(6):
        expect(dialog.get_by_text(f"{number} of 6")).to_be_visible()
        # The echo is the shorter one: it wins, wherever it stands.
        left, right = (dialog.get_by_role("article", name=side).inner_text() for side in ("Left", "Right"))
        page.keyboard.press("1" if len(left) < len(right) else "2")
    expect(dialog).to_contain_text("Of 3 pairs seen in both orders 3 had the same outcome")
    expect(dialog.get_by_role("listitem")).to_contain_text(
        re.compile(r"demo/echo against chat: preferred in 100% of 3 rows")
    )
    looked(page, "lab-preferred")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download preferences (DPO)").click()
    assert len(download.value.path().read_text().splitlines()) == 3


def test_five_hundred_rows_of_four_columns_scroll_smoothly_and_only_those_in_sight_are_drawn(
    page: Page, gateway: Gateway
) -> None:
    id = made(gateway, ("chat", "demo/echo", "demo/words", "demo/echo"), questions(500), concurrency=16)
    ends = [str(n) for n in (*range(1, 16), *range(486, 501))]
    answered(gateway, id, [{"row": row, "column": column} for row in ends for column in "abcd"])
    page.goto(f"/lab/{id}")
    expect(answers(page, "ok").first).to_be_visible()
    expect(page.get_by_text("30 of 500")).to_have_count(4)
    watch = page.context.new_cdp_session(page)
    watch.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = busy(watch)
    page.evaluate(SCROLL, 60)
    assert (busy(watch) - before) / 60 < 0.1, "seconds for each 120 pixels"
    assert page.locator("tbody tr").count() < 40
    last = page.locator("tr[data-index='499']")
    for _ in range(50):  # rows that come into sight may be higher than they were thought to be
        page.get_by_role("group", name="Table of the lab").press("End")
        if last.count():
            break
        page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.get_by_role("textbox", name="question of row 500")).to_have_value("Where is parcel 500?")
    assert page.locator("tbody tr").count() < 40
    page.get_by_role("textbox", name="question of row 500").fill("Where is it now?")
    expect(page.get_by_text("outdated").first).to_be_visible()


def test_rows_come_from_a_spreadsheet_a_dataset_and_logged_calls(page: Page, gateway: Gateway) -> None:
    rows = [{"inputs": {"question": f"Of a dataset {n}"}, "expectations": {"expected_response": "x"}} for n in (1, 2)]
    api(gateway, "POST", "/api/datasets", {"name": "Asked before", "rows": rows})
    said = {"model": "chat", "messages": [{"role": "user", "content": "Of a call"}]}
    api(gateway, "POST", "/v1/chat/completions", said)
    page.goto(f"/lab/{made(gateway, ('chat',), [{'id': '1', 'values': {'question': ''}}])}")

    def brought() -> None:
        page.get_by_role("button", name="Rows from…").click()

    brought()
    page.get_by_role("textbox", name="Cells or lines").fill('question,expected\n"One, two",Yes\nThree,No\n')
    looked(page, "lab-rows-sheet")
    page.get_by_role("button", name="Add 2 rows").click()
    expect(page.get_by_role("textbox", name="question of row 1")).to_have_value("One, two")
    expect(page.get_by_role("textbox", name="What row 2 expects")).to_have_value("No")
    brought()
    page.get_by_role("tab", name="Dataset").click()
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="Asked before").click()
    page.get_by_role("button", name="Add rows").click()
    expect(page.get_by_role("textbox", name="question of row 4")).to_have_value(re.compile("Of a dataset"))
    brought()
    page.get_by_role("tab", name="Logged calls").click()
    page.get_by_role("textbox", name="Which calls").fill("params.requested_model = 'chat'")
    table = page.get_by_role("table", name="Answered calls")
    table.get_by_role("checkbox", name="Select row 1", exact=True).check()
    looked(page, "lab-rows-calls")
    page.get_by_role("button", name="Add 1 row").click()
    expect(page.get_by_role("textbox", name="question of row 5")).to_have_value(re.compile(r"\w"))
