"""What a model, or somebody else, may have written changes nothing but text in any section."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness import Gateway
from tests.vendor import Vendor
from tests.web import filled
from tests.web.filled import answered, ask, asked, evaluation, lab, prompt, recorded
from tests.web.hostile import CORPUS

SCRIPT = "<script>window.hurt=1</script>"
NAME = '<img src=x onerror="window.hurt=1">\u202egnp.exe'
TEXTS = [text for text in CORPUS.values() if text.strip()]
KEPT = [text for text in TEXTS if "\x00" not in text]
"""Those that a database takes."""
HARM = """async () => {
  const harm = "script, iframe, object, embed, form[action], base, link, meta, video, audio, template, portal, "
    + "marquee, math, foreignObject, svg image, svg use, svg animate, svg set, style:not([data-mantine-styles]), "
    + "img:not([src^='data:image/']), [onclick], [onerror], [onload], [onfocus], [ontoggle], [autofocus], [srcdoc], "
    + "a[href^='javascript' i], a[href^='data' i], a[target]:not([rel~=noopener])";
  const unseen = /[\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]/;
  const main = document.getElementById("main");
  const wrong = new Set();
  const look = () => {
    for (const each of main.querySelectorAll(harm)) wrong.add(`an element: ${each.outerHTML.slice(0, 200)}`);
    const texts = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { data, parentElement } = texts.currentNode;
      if (unseen.test(data) && !parentElement.closest("textarea, .cm-editor"))
        wrong.add(`a control: ${JSON.stringify(data.slice(0, 200))}`);
    }
    if (!document.elementFromPoint(20, 300)?.closest("nav")) wrong.add("something lies over the page");
  };
  const longer = (each) => each.scrollHeight > each.clientHeight + 80;
  const scrolls = (each) => longer(each) && getComputedStyle(each).overflowY !== "visible";
  const scrolled = [document.scrollingElement, ...[...main.querySelectorAll("*")].filter(scrolls)];
  look();
  for (const each of scrolled.slice(0, 12))
    for (let step = 1; step < 80 && each.scrollTop + each.clientHeight < each.scrollHeight - 1; step++) {
      each.scrollTop = step * each.clientHeight * 0.9;
      await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      look();
    }
  if (window.hurt !== undefined) wrong.add("it ran");
  if (!document.title.endsWith("Gatelog")) wrong.add(`the title is ${document.title}`);
  return [...wrong];
}"""


@pytest.fixture(scope="module")
def config(vendor: Vendor) -> dict[str, Any]:
    return filled.settings(vendor)


def said(gateway: Gateway) -> str:
    """A run in which every text is a message of its own, with tags that are some of them."""
    tags = {f"tag {n}": text[:100] for n, text in enumerate(TEXTS[::8])}
    return filled.call(gateway, "echo", *TEXTS, SCRIPT, tags=json.dumps(tags))


def harmless(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.locator("main").get_by_text(text).first).to_be_visible()
    expect(page.locator("main .mantine-Loader-root, main .mantine-Skeleton-root")).to_have_count(0)
    assert not (wrong := page.evaluate(HARM)), "\n".join(wrong)


def test_answers_in_the_cells_of_a_lab(page: Page, gateway: Gateway) -> None:
    id = lab(gateway, ("echo",), tuple(TEXTS), name=NAME)
    answered(gateway, id)
    page.goto("/lab")
    harmless(page, "onerror")
    page.get_by_role("link", name="onerror").click()
    harmless(page, SCRIPT)


def test_a_run_and_two_beside_each_other(page: Page, gateway: Gateway) -> None:
    one, two = said(gateway), said(gateway)
    refused = ask(gateway, "POST", "/v1/chat/completions", {"model": NAME, "messages": []})
    assert refused.is_client_error
    recorded(gateway, two)
    page.goto(f"/runs/{one}")
    harmless(page, SCRIPT)
    page.get_by_role("tab", name="Request").click()
    harmless(page, "messages")
    page.goto("/runs")
    harmless(page, "echo")
    page.goto(f"/runs/compare?id={one}&id={two}")
    harmless(page)


def test_a_prompt_its_versions_and_their_names(page: Page, gateway: Gateway) -> None:
    name = prompt(gateway)
    messages = [{"role": "user", "content": text} for text in KEPT]
    version = {"messages": messages, "commit_message": NAME, "tags": {"harm": NAME}}
    asked(gateway, "POST", f"/api/prompts/{name}/versions", version)
    asked(gateway, "PATCH", f"/api/prompts/{name}", {"description": NAME, "tags": {"harm": SCRIPT}})
    asked(gateway, "PUT", f"/api/prompts/{name}/aliases/production", {"version": 3, "note": SCRIPT})
    page.goto("/prompts")
    harmless(page, "onerror")
    page.goto(f"/prompts/{name}")
    harmless(page, SCRIPT)
    page.goto(f"/prompts/{name}?view=changes")
    harmless(page, SCRIPT)


def test_an_evaluation_of_them(page: Page, gateway: Gateway) -> None:
    rows = [{"inputs": {"question": text}, "expectations": {"expected_response": text}} for text in KEPT]
    variants = [
        {"name": "plain", "endpoint": "echo", "messages": "{{ question }}", "baseline": True},
        {"name": NAME, "endpoint": "echo", "messages": "no {{ question }}"},
    ]
    id = evaluation(gateway, rows, name=SCRIPT, variants=variants, scorers=["exact"])
    page.goto("/evaluations")
    harmless(page, SCRIPT)
    page.goto(f"/evaluations/{id}")
    expect(page.get_by_role("region", name="Worst regressions")).to_be_visible()
    for each in page.locator("main details").all():
        each.locator("summary").click()
    harmless(page)


def test_names_of_keys(page: Page, gateway: Gateway) -> None:
    for text in TEXTS[::4]:
        ask(gateway, "POST", "/api/keys", {"name": text[:200]})
    asked(gateway, "POST", "/api/keys", {"name": SCRIPT})
    page.goto("/gateway/keys")
    harmless(page, SCRIPT)
