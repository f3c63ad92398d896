"""Columns of a lab: calls opened as they were, prompts linked and saved, tools, formats, chats, imports and code."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness import Gateway
from tests.vendor import Call, Vendor
from tests.web.browser import PHONE, SCHEMES, Faults, Scheme, Tabs, audit, shot
from tests.web.picture import IMAGE, png

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
PROMPTFOO = """
description: Replies
prompts:
  - "Answer {{question}} for {{company}}."
  - file://long.txt
providers:
  - id: demo:words
    config: {temperature: 0.5, apiKey: sk-of-somebody}
tests:
  - vars: {question: "Why?", company: [ACME, Globex]}
"""


def api(gateway: Gateway, method: str, path: str, body: Any = None) -> Any:
    answer = httpx.request(method, f"{gateway.url}{path}", json=body, headers=gateway.headers, trust_env=False)
    assert answer.is_success, answer.text
    return answer.json()


def lab(gateway: Gateway, columns: list[dict[str, Any]], values: dict[str, str], **more: Any) -> str:
    state = {"columns": columns, "rows": [{"id": "1", "values": values}], **more}
    return str(api(gateway, "POST", "/api/lab", {"name": "Columns", "state": state})["id"])


def column(id: str, endpoint: str, said: str = "{{question}}", **more: Any) -> dict[str, Any]:
    return {"id": id, "name": id.upper(), "endpoint": endpoint, "messages": [{"role": "user", "content": said}], **more}


def prompt(gateway: Gateway, name: str, *texts: str) -> None:
    """With a version of each text."""
    for number, text in enumerate(texts):
        messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": text}]
        version = {"messages": messages, "model": "chat", "commit_message": f"Draft {number + 1}"}
        if number:
            api(gateway, "POST", f"/api/prompts/{name}/versions", version)
        else:
            api(gateway, "POST", "/api/prompts", {"name": name, "version": version})


def opened(page: Page, id: str) -> None:
    page.goto(f"/lab/{id}")
    expect(page.get_by_label("Forecast")).to_be_visible()


def stored(page: Page, gateway: Gateway) -> Any:
    """The state of the lab that the page shows, once it is saved."""
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    id = page.url.partition("/lab/")[2].partition("?")[0]
    return api(gateway, "GET", f"/api/lab/{id}")["state"]


def answers(page: Page, status: str = "ok") -> Locator:
    return page.locator(f"article[data-status={status}]")


def fill(page: Page, label: str, text: str) -> None:
    """What an editor holds, anew."""
    editor = page.locator(f".cm-content[aria-label='{label}']")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def menu(page: Page, column: str, item: str) -> None:
    page.get_by_role("button", name=f"More for column {column}").click()
    page.get_by_role("menuitem", name=item).click()


@contextmanager
def received(page: Page, vendor: Vendor) -> Iterator[list[Call]]:
    """What the provider is sent because of what is done."""
    before, found = len(vendor.calls), list[Call]()
    yield found
    until = time.monotonic() + 15
    while len(vendor.calls) == before and time.monotonic() < until:
        page.wait_for_timeout(20)
    found += vendor.calls[before:]


def test_a_logged_call_with_tools_is_asked_again_from_the_lab_to_the_byte_and_goes_on(
    page: Page, gateway: Gateway, vendor: Vendor
) -> None:
    body = (
        '{"temperature":1.0,"messages":[{"content":"Say {{this}}.","role":"system","name":null},{"role":"user",'
        '"content":'
        '[{"text":"Look \\u00e9","type":"text"},{"type":"image_url","image_url":{"url":"'
        + IMAGE
        + '","detail":"low"}}]}],'
        '"seed":9007199254740993,"tools":[{"function":{"parameters":{"type":"object","properties":{"b":{"maximum":1e3},'
        '"a":{}}},"name":"get_weather"},"type":"function"}],"tool_choice":"auto","response_format":{"json_schema":'
        '{"schema":{"type":"object"},"name":"report"},"type":"json_schema"},"logit_bias":{"50256":-100.0},"x_own":[1.50],'
        '"model":"scripted","stream":true}'
    )
    with httpx.stream(
        "POST",
        f"{gateway.url}/v1/chat/completions",
        content=body,
        headers={**gateway.headers, "content-type": "application/json"},
        trust_env=False,
    ) as answer:
        answer.read()
        run = answer.headers["x-gatelog-run-id"]
    before = vendor.calls[-1].body
    until = time.monotonic() + 20
    while httpx.get(f"{gateway.url}/api/runs/{run}", headers=gateway.headers, trust_env=False).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Open in the lab").click()
    page.wait_for_url("**/lab/*")
    expect(page.get_by_role("button", name="format: report")).to_be_visible()
    expect(page.get_by_role("button", name="1 tool")).to_be_visible()
    expect(page.get_by_role("img", name="An image that is shown to the model")).to_be_visible()
    page.get_by_role("button", name="Run all").click()
    expect(answers(page)).to_contain_text("get_weather")
    assert vendor.calls[-1].body == before
    # What the page saves of it is not what was sent, and yet the same is sent.
    page.get_by_label("Name of column a").fill("As it was")
    page.get_by_label("Name of column a").press("Enter")
    assert stored(page, gateway)["columns"][0]["origin"] == {"run_id": run}
    with received(page, vendor) as again:
        answers(page).get_by_role("button", name="Run this cell again").click()
    assert [call.body for call in again] == [before]
    # The tool's result is typed by hand, and the conversation goes on.
    answers(page).get_by_role("button", name="Give the tools' results").click()
    page.get_by_role("textbox", name="Result of call 1, get_weather").fill('{"celsius": 20}')
    with received(page, vendor) as further:
        page.keyboard.press("Control+Enter")
    said = page.get_by_role("group", name="What was said before")
    expect(said).to_contain_text("celsius")
    expect(answers(page)).to_be_visible()
    sent = further[0].json
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "tool"]
    call, result = sent["messages"][2]["tool_calls"][0], sent["messages"][3]
    assert (result["tool_call_id"], result["content"]) == (call["id"], '{"celsius": 20}')
    assert sent["messages"][:2] == json.loads(before)["messages"]
    shot(page, "column-call")
    assert not audit(page)
    said.get_by_role("button", name="Go back to answer 1").click()
    expect(said).to_be_hidden()
    assert stored(page, gateway)["threads"] == {}


def test_the_same_is_said_to_all_columns_and_each_conversation_goes_on(page: Page, gateway: Gateway) -> None:
    opened(page, lab(gateway, [column("a", "chat"), column("b", "demo/echo")], {"question": "Where is my parcel?"}))
    page.get_by_role("button", name="Run all").click()
    expect(answers(page)).to_have_count(2)
    answers(page).nth(1).get_by_role("button", name="Reply").click()
    page.get_by_role("textbox", name="Reply").fill("And my letter?")
    page.get_by_role("button", name="Send to all columns").click()
    before = page.get_by_role("group", name="What was said before")
    expect(before).to_have_count(2)
    expect(before.nth(1)).to_contain_text("Where is my parcel?")
    expect(answers(page).nth(1)).to_contain_text("And my letter?")
    state = stored(page, gateway)
    assert [[said["role"] for said in each] for each in state["threads"].values()] == [["assistant", "user"]] * 2
    before.nth(1).get_by_role("button", name="Edit the conversation").click()
    fill(page, "Message 2 of the conversation in 1/b/0", "And my letters?")
    before.nth(1).get_by_role("button", name="Done").click()
    expect(page.get_by_text("outdated")).to_have_count(1)
    page.reload()  # and in the answer alone
    answers(page).nth(1).get_by_role("button", name="Show this answer alone").click()
    alone = page.get_by_role("dialog")
    expect(alone.get_by_role("group", name="What was said before")).to_contain_text("And my letters?")
    alone.get_by_role("button", name="Reply").click()
    alone.get_by_role("textbox", name="Reply").fill("And my bill?")
    page.keyboard.press("Escape")
    alone.get_by_role("button", name="Reply").click()
    expect(alone.get_by_role("textbox", name="Reply")).to_have_value("And my bill?")
    alone.get_by_role("button", name="Send", exact=True).click()
    expect(alone.get_by_role("article", name="The answer")).to_contain_text("And my bill?")
    expect(alone.get_by_role("textbox", name="Reply")).to_be_focused()
    assert not audit(page)
    alone.get_by_role("button", name="Close").click()
    before.nth(0).get_by_role("button", name="Start over").click()
    expect(before).to_have_count(1)


def test_a_prompt_is_opened_in_the_lab_changed_there_saved_and_promoted(page: Page, gateway: Gateway) -> None:
    prompt(gateway, "greeting", "Greet {{who}}.")
    prompt(gateway, "greeting-formal", "Greet {{who}} from {{company}}.", "Greet {{who}} of {{company}}, formally.")
    api(gateway, "PUT", "/api/prompts/greeting-formal/aliases/production", {"version": 2})
    page.goto("/prompts/greeting")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Open in the lab").click()
    page.wait_for_url("**/lab/*")
    linked = page.get_by_role("group", name="Prompt of greeting 1")
    expect(linked).to_contain_text("Greet {{who}}.")
    page.get_by_role("textbox", name="who of row 1").fill("Ann")
    page.get_by_role("button", name="Run all").click()
    expect(answers(page)).to_have_count(1)
    linked.get_by_role("button", name="Detach greeting 1 from its prompt").click()
    expect(linked).to_be_hidden()
    fill(page, "Message 2 of greeting 1", "Greet {{who}} warmly.")
    page.get_by_role("button", name="Save as a version").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Prompt", exact=True)).to_have_value("greeting")
    expect(dialog).to_contain_text("This will be version 2 of it")
    dialog.get_by_text("What changes since version 1").click()
    expect(dialog).to_contain_text("warmly")
    dialog.get_by_role("textbox", name="What changed").fill("Warmer")
    dialog.get_by_role("checkbox", name="Promote it").check()
    assert not audit(page)
    shot(page, "column-save")
    dialog.get_by_role("button", name="Save and promote").click()
    expect(page.get_by_text("Version 2 of greeting is saved, and production stands for it")).to_be_visible()
    expect(linked).to_contain_text("warmly")
    found = api(gateway, "GET", "/api/prompts/greeting")
    assert found["aliases"] == {"production": 2}
    assert (found["versions"][0]["commit_message"], found["versions"][0]["model"]) == ("Warmer", "chat")
    # Another prompt, by its alias: its variables become fields.
    menu(page, "greeting 1", "Use another prompt")
    dialog.get_by_role("textbox", name="Search prompts").fill("formal")
    dialog.get_by_role("button", name="greeting-formal").click()
    expect(dialog.get_by_text("Takes {{company}}, {{who}}")).to_be_visible()
    assert not audit(page)
    shot(page, "column-pick")
    dialog.get_by_role("button", name="Ask with it").click()
    expect(linked).to_contain_text("formally")
    page.get_by_role("textbox", name="company of row 1").fill("ACME")
    state = stored(page, gateway)
    assert state["columns"][0]["prompt"] == {"name": "greeting-formal", "version": None, "alias": "production"}
    page.get_by_role("button", name="Run all").click()
    expect(answers(page)).to_have_count(1)
    page.get_by_role("combobox", name="Version of the prompt of greeting 1").click()
    page.get_by_role("option", name="version 1: Draft 1").click()
    expect(linked).to_contain_text("from {{company}}")
    assert stored(page, gateway)["columns"][0]["prompt"]["version"] == 1


def test_tools_formats_and_parameters_are_taken_when_they_are_right(page: Page, gateway: Gateway) -> None:
    opened(page, lab(gateway, [column("a", "chat", params={"top_k": 4})], {"question": "Why?"}))
    page.get_by_role("button", name="Parameters, tools and format of A").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Top p").fill("0.5")
    dialog.get_by_label("Stop at").fill("END\n---")
    take = dialog.get_by_role("button", name="Take it")
    dialog.get_by_role("tab", name="Tools").click()
    fill(page, "Tools", '[{"type": "function"\n "name": 1}]')
    expect(dialog.get_by_role("alert")).to_have_text("Line 2, column 2: a comma is missing")
    expect(take).to_be_disabled()
    fill(page, "Tools", json.dumps([{"type": "function", "name": "f"}]))
    expect(dialog.get_by_role("alert")).to_contain_text("tools[0].function is missing")
    shot(page, "column-tools-wrong")
    assert not audit(page)
    fill(page, "Tools", json.dumps([WEATHER]))
    expect(dialog.get_by_role("alert")).to_be_empty()
    dialog.get_by_role("combobox", name="Tool choice").click()
    page.get_by_role("option", name="get_weather: this one").click()
    dialog.get_by_label("What get_weather gives").fill('{"celsius": 20}')
    dialog.get_by_role("tab", name="Answer format").click()
    fill(page, "Answer format", '{"title": "Report", "type": "object", "properties": {"a": {"type": "string"}}}')
    expect(dialog.get_by_role("alert")).to_contain_text("JSON Schema alone")
    dialog.get_by_role("button", name="Wrap it as a format").click()
    expect(dialog.get_by_role("alert")).to_be_empty()
    take.click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="format: Report")).to_be_visible()
    (one,) = stored(page, gateway)["columns"]
    assert one["params"] == {"top_k": 4, "top_p": 0.5, "stop": ["END", "---"]}
    assert (one["tools"], one["mocks"]) == ([WEATHER], {"get_weather": '{"celsius": 20}'})
    assert one["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert one["response_format"]["json_schema"]["name"] == "Report"
    page.get_by_role("button", name="Run all").click()
    answers(page).get_by_role("button", name="Give the tools' results").click()
    expect(page.get_by_role("textbox", name="Result of call 1, get_weather")).to_have_value('{"celsius": 20}')


def test_an_image_is_shown_to_the_model_and_a_text_is_read_to_it(page: Page, gateway: Gateway, vendor: Vendor) -> None:
    opened(page, lab(gateway, [column("a", "scripted", "What is this?")], {}))

    def attach(button: str, name: str, kind: str, data: bytes) -> None:
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name=button).click()
        chooser.value.set_files({"name": name, "mimeType": kind, "buffer": data})

    attach("Attach a file to message 1 of A", "x.png", "image/png", png())
    expect(page.get_by_role("img", name="An image that is shown to the model")).to_be_visible()
    attach("Attach a file to row 1", "notes.md", "text/markdown", b"Some notes")
    expect(page.get_by_role("textbox", name="Message 1 of row 1, part 1")).to_contain_text("Some notes")
    page.get_by_role("button", name="Run all").click()
    expect(answers(page)).to_have_count(1)
    first, second = vendor.calls[-1].json["messages"]
    assert first["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": IMAGE}},
    ]
    assert second["content"] == [{"type": "text", "text": "Some notes"}]
    attach("Attach a file to message 1 of A", "x.exe", "application/x-msdownload", b"MZ")
    expect(page.get_by_text("x.exe is of type")).to_be_visible()
    page.get_by_role("button", name="Remove part 2 of message 1 of A").click()
    assert stored(page, gateway)["columns"][0]["messages"] == [{"role": "user", "content": "What is this?"}]


def test_what_others_keep_is_imported_and_a_column_is_taken_away_as_code(
    page: Page, gateway: Gateway, faults: Faults
) -> None:
    faults.expect(400)
    page.goto("/lab")
    page.get_by_role("button", name="Import").first.click()
    dialog = page.get_by_role("dialog", name="Import a lab")
    fill(page, "What is imported", "a: 1\n  b: 2")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("line 2, column 4")
    assert not audit(page)
    shot(page, "lab-import-wrong")
    fill(page, "What is imported", PROMPTFOO)
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_contain_text("1 column and 2 rows are taken over")
    expect(dialog.get_by_role("list", name="Left out")).to_contain_text("'file://long.txt' is a file")
    expect(dialog.get_by_role("list", name="Left out")).to_contain_text("providers[0].config.apiKey")
    shot(page, "lab-imported")
    dialog.get_by_role("button", name="Open the lab").click()
    expect(page.get_by_role("heading", name="Replies", level=1)).to_be_visible()
    expect(page.get_by_role("textbox", name="company of row 2")).to_have_value("Globex")
    menu(page, "demo:words", "Show as code")
    code = page.get_by_role("dialog")
    expect(code.get_by_role("textbox", name="Code")).to_contain_text("Answer Why? for ACME.")
    shot(page, "column-code")
    assert not audit(page)
    for name, word in (("OpenAI, Python", "OpenAI("), ("OpenAI, JS", "new OpenAI"), ("MLflow", "get_deploy_client")):
        code.get_by_text(name).click()
        expect(code.get_by_role("textbox", name="Code")).to_contain_text(word)
        assert gateway.key not in code.inner_text()
    code.get_by_role("combobox", name="Row").click()
    page.get_by_role("option", name="Row 2").click()
    expect(code.get_by_role("textbox", name="Code")).to_contain_text("for Globex.")
    code.get_by_role("button", name="Copy the code").click()
    assert "Answer Why? for Globex." in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("scheme", SCHEMES[:1])
def test_columns_look_as_they_should(tabs: Tabs, gateway: Gateway, scheme: Scheme) -> None:
    name = f"support-{scheme}"
    prompt(gateway, name, "Answer {{question}} in one sentence.")
    tool = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    thread = [
        {"role": "assistant", "content": None, "tool_calls": [tool]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"celsius": 20}'},
    ]
    asked = [
        {"role": "system", "content": "You answer customers of {{company}}."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "{{question}}"}, {"type": "image_url", "image_url": {"url": IMAGE}}],
        },
    ]
    columns = [
        {"id": "a", "name": "Linked", "prompt": {"name": name, "version": 1}},
        column(
            "b",
            "chat",
            params={"temperature": 0.3, "seed": 7},
            tools=[WEATHER],
            response_format={"type": "json_object"},
        ),
        {"id": "c", "name": "With an image", "endpoint": "chat", "messages": asked},
    ]
    id = lab(gateway, columns, {"question": "Where is my parcel?", "company": "ACME"}, threads={"1/b/0": thread})
    page = tabs.open(gateway.key, scheme=scheme)
    opened(page, id)
    page.get_by_role("button", name="Run all").click()
    expect(answers(page)).to_have_count(3)
    answers(page).nth(1).get_by_role("button", name="Reply").click()
    shot(page, f"columns-{scheme}")
    assert not audit(page)
    page.get_by_role("button", name="seed: 7").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    shot(page, f"column-parameters-{scheme}")
    assert not audit(page)
    if scheme == "light":
        small = tabs.open(gateway.key, scheme=scheme, size=PHONE)
        small.goto(f"/lab/{id}")
        expect(answers(small)).to_have_count(3)
        shot(small, "columns-phone")
        assert not audit(small)
