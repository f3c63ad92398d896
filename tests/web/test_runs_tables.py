"""What is done with the list of runs: words completed, views saved, columns chosen, runs held together and kept."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.web.browser import PHONE, SCHEMES, Tabs, audit, shot
from tests.web.hostile import CORPUS

WAIT = 20.0


def call(gateway: Gateway, text: str, model: str = "chat", **more: object) -> str:
    body = {"model": model, "messages": [{"role": "system", "content": "You help."}, {"role": "user", "content": text}]}
    answer = httpx.post(
        f"{gateway.url}/v1/chat/completions",
        json={**body, **more},
        headers={**gateway.headers, "x-gatelog-tags": '{"team": "blue", "plain words": "x"}'},
        timeout=30,
        trust_env=False,
    )
    id: str = answer.headers["x-gatelog-run-id"]
    return id


def recorded(gateway: Gateway, *ids: str) -> None:
    until = time.monotonic() + WAIT
    for id in ids:
        while httpx.get(f"{gateway.url}/api/runs/{id}", headers=gateway.headers, trust_env=False).status_code != 200:
            assert time.monotonic() < until, f"run {id} is not recorded"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def made(gateway: Gateway) -> list[str]:
    """Ids of calls, the oldest first: two of one endpoint that differ a little, one of another, one that is hostile."""
    ids = [
        call(gateway, "Name three colours of the sea.", temperature=0),
        call(gateway, "Name three colours of the sky.", temperature=0.7, max_tokens=50),
        call(gateway, "Say hello.", "scripted"),
        call(gateway, "\n".join(CORPUS.values())),
    ]
    recorded(gateway, *ids)
    return ids


def test_the_search_box_completes_what_is_written(page: Page, made: list[str]) -> None:
    page.goto("/runs")
    table = page.get_by_role("table", name="Runs", exact=True)
    expect(table.get_by_role("row")).to_have_count(5)
    box = page.get_by_role("combobox", name="Search runs")
    page.keyboard.press("/")
    page.keyboard.type("endp")
    options = page.get_by_role("listbox", name="Key")
    expect(options.get_by_role("option").first).to_contain_text("params.endpoint")
    assert not audit(page)
    shot(page, "runs-completion")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("params.endpoint ")
    expect(page.get_by_role("listbox", name="Operator")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    values = page.get_by_role("listbox", name="Value")
    expect(values.get_by_role("option", name="scripted")).to_be_visible()
    page.keyboard.type("scr")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("params.endpoint = 'scripted' ")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("listbox", name="Then")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    page.keyboard.type("AND tags.")
    expect(page.get_by_role("option", name="tags.`plain words`")).to_be_visible()
    page.keyboard.press("Escape")
    box.fill("params.model = gpt AND status = 'ok'")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Column 16")
    expect(told.locator("mark")).to_have_text("gpt")
    shot(page, "runs-wrong")


def test_columns_and_order_are_chosen_and_a_view_keeps_them(
    page: Page, tabs: Tabs, made: list[str], gateway: Gateway
) -> None:
    page.goto("/runs?filter=params.endpoint+%3D+'chat'")
    table = page.get_by_role("table", name="Runs", exact=True)
    expect(table.get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Tags").check()
    page.get_by_role("checkbox", name="First token").uncheck()
    page.keyboard.press("Escape")
    expect(table.get_by_role("columnheader", name="Tags")).to_be_visible()
    expect(table.get_by_role("columnheader", name="First token")).to_have_count(0)
    expect(table.get_by_role("row").nth(1)).to_contain_text("team: blue")
    table.get_by_role("columnheader", name="Output tokens").get_by_role("button").click()
    expect(table.get_by_role("columnheader", name="Output tokens")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save this search").click()
    page.get_by_role("textbox", name="Name").fill("Chats by length")
    page.get_by_role("checkbox", name="Everybody who may read here sees it").check()
    shot(page, "runs-save-view")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Chats by length")).to_be_visible()
    view = re.search(r"view=(v-\w+)", page.url)
    assert view is not None
    # Somebody else has nothing but the link.
    made_key = httpx.post(
        f"{gateway.url}/api/keys", json={"name": "ann", "role": "viewer"}, headers=gateway.headers, trust_env=False
    ).json()
    other = tabs.open(made_key["key"])
    other.goto(f"/runs?view={view[1]}")
    theirs = other.get_by_role("table", name="Runs", exact=True)
    expect(theirs.get_by_role("row")).to_have_count(4)
    expect(theirs.get_by_role("columnheader", name="Tags")).to_be_visible()
    assert "sort=out.down" in other.url
    other.close()
    page.get_by_role("combobox", name="Search runs").fill("")
    expect(table.get_by_role("row")).to_have_count(5)
    page.get_by_role("button", name="Save the changes of the view").click()
    expect(page.get_by_text("is now this search")).to_be_visible()
    page.goto("/runs")
    page.get_by_role("button", name="Views").click()
    shot(page, "runs-views")
    page.get_by_role("menuitem", name="Chats by length").click()
    expect(table.get_by_role("columnheader", name="Tags")).to_be_visible()
    assert "filter=" not in page.url
    page.get_by_role("button", name="Chats by length").click()
    page.get_by_role("menuitem", name="Delete this view").click()
    expect(page.get_by_role("button", name="Views")).to_be_visible()


def test_runs_that_are_ticked_are_compared(page: Page, tabs: Tabs, made: list[str], gateway: Gateway) -> None:
    page.goto("/runs")
    table = page.get_by_role("table", name="Runs", exact=True)
    expect(table.get_by_role("row")).to_have_count(5)
    bar = page.get_by_role("toolbar", name="The selected runs")
    expect(page.get_by_role("complementary", name="Facets")).to_contain_text("runs")
    row = table.get_by_role("row").nth(3)
    row.focus()
    expect(row).to_be_focused()
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 run selected")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("2 runs selected")
    shot(page, "runs-selected")
    assert not audit(page)
    bar.get_by_role("link", name="Compare").click()
    page.wait_for_url(f"**/runs/compare?id={made[1]}&id={made[0]}")
    side = page.get_by_role("table", name="Runs side by side")
    expect(side.get_by_role("row", name="temperature")).to_contain_text("0.7")
    expect(side.get_by_role("row", name="max_tokens")).to_contain_text("50")
    expect(side.get_by_role("row", name="Provider")).to_be_visible()
    page.get_by_role("checkbox", name="Only what differs").check()
    expect(side.get_by_role("row", name="Provider")).to_have_count(0)
    prompts = page.get_by_role("region", name="Prompts")
    expect(prompts.locator("ins mark")).to_have_text(["sea"])
    expect(page.get_by_role("region", name="Answers")).to_be_visible()
    assert "differing=1" in page.url
    for scheme in SCHEMES:
        seen = tabs.open(gateway.key, scheme=scheme)
        seen.goto("/runs/compare?" + "&".join(f"id={id}" for id in made))
        expect(seen.get_by_role("region", name="Answers").get_by_role("group")).to_be_visible()
        shot(seen, f"runs-compare-{scheme}", full=True)
        assert not audit(seen)
    small = tabs.open(gateway.key, size=PHONE)
    small.goto("/runs/compare?" + "&".join(f"id={id}" for id in made[:2]))
    expect(small.get_by_role("region", name="Answers")).to_be_visible()
    shot(small, "runs-compare-phone")
    assert page.evaluate("window.hurt") is None


def test_runs_become_rows_of_a_dataset_from_the_list_and_from_their_page(page: Page, made: list[str]) -> None:
    page.goto("/runs?filter=params.endpoint+%3D+'chat'")
    table = page.get_by_role("table", name="Runs", exact=True)
    expect(table.get_by_role("row")).to_have_count(4)
    page.get_by_role("checkbox", name="Select all rows that are loaded").check()
    page.get_by_role("button", name="Add to dataset").click()
    page.get_by_role("textbox", name="Name of the new dataset").fill("seas")
    shot(page, "runs-add")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("3 rows added.")).to_be_visible()
    page.goto(f"/runs/{made[2]}")
    page.get_by_role("button", name="Add to dataset").click()
    page.get_by_role("combobox", name="Dataset").click()
    page.get_by_role("option", name="seas").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("1 row added.")).to_be_visible()
    rows = page.request.get("/api/datasets/seas/rows").json()["rows"]
    assert len(rows) == 4


def test_calls_appear_as_they_end_while_it_is_live(page: Page, made: list[str], gateway: Gateway) -> None:
    page.goto("/runs?filter=tags.team+%3D+'blue'")
    table = page.get_by_role("table", name="Runs", exact=True)
    expect(table.get_by_role("row")).to_have_count(5)
    page.get_by_role("switch", name="Live").click()
    expect(page.get_by_text("following")).to_be_visible()
    assert "live=1" in page.url
    call(gateway, "And now?", "scripted")
    expect(table.get_by_role("row")).to_have_count(6)
    expect(table.get_by_role("row").nth(1)).to_contain_text("scripted")
    page.get_by_role("switch", name="Live").click()
    expect(page.get_by_text("following")).to_have_count(0)
