"""A logged call that is opened in a lab and asked again unchanged sends a provider the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from promptlab.reopening import as_before
from tests.harness import Gateway
from tests.promptlab.people import over, person, serving
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def vendor_here() -> Iterator[Vendor]:
    with Vendor() as vendor:
        yield vendor


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, vendor_here: Vendor) -> Iterator[Gateway]:
    with serving(tmp_path_factory.mktemp("exact"), {"exact": vendor_here.url("ok", tokens=1)}) as gateway:
        yield gateway


def through_a_browser(value: Any) -> Any:
    """As JavaScript gives JSON back: 1.0 is 1."""
    match value:
        case dict():
            return {name: through_a_browser(each) for name, each in value.items()}
        case list():
            return [through_a_browser(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


@pytest.mark.parametrize("stream", [b"true", b"false", b"null", None])
async def test_a_call_that_is_opened_and_asked_again_is_the_same_to_the_byte(
    gateway: Gateway, vendor_here: Vendor, stream: bytes | None
) -> None:
    ann = await person(gateway, "ann")
    said = b'"stream":' + stream + b"," if stream else b""
    body = (
        b'{"temperature":1.0,"messages":[{"content":"Say {{this}} {% and %} \\u00e9\\ud83d\\ude00.","role":"system",'
        b'"name":null},{"role":"user","content":[{"text":"Hi","type":"text"},{"type":"image_url",'
        b'"image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]}],"seed":9007199254740991,'
        + said
        + b'"tools":'
        b'[{"function":{"parameters":{"type":"object","properties":{"b":{"maximum":1e3},"a":{}}},"name":"f"},'
        b'"type":"function"}],"model":"exact","tool_choice":"auto","logit_bias":{"50256":-100.0},"x_own":[1.50,null],'
        b'"response_format":null,"max_tokens":20}'
    )
    received = vendor_here.calls
    run = await ann.calls("exact", body)
    before = received[-1].body
    opened = await ann.good("POST", "/api/lab", {"from_run": run})
    found = through_a_browser((await ann.good("GET", f"/api/lab/{opened['id']}"))["state"])
    found["columns"][0] = dict(sorted(found["columns"][0].items()))
    await ann.good("PUT", f"/api/lab/{opened['id']}", {"base": 1, "state": found})
    async with ann.hears(f"/api/lab/{opened['id']}/events") as heard:
        await ann.good("POST", f"/api/lab/{opened['id']}/run", {"cells": "all"})
        cell = (await over(heard, 1))[-1]["data"]
        assert cell["status"] == "ok", cell
        assert received[-1].body == before
        found["columns"][0]["params"]["temperature"] = 0.5
        await ann.good("PUT", f"/api/lab/{opened['id']}", {"base": 2, "state": found})
        await ann.good("POST", f"/api/lab/{opened['id']}/run", {"cells": "missing"})
        await over(heard, 1)
    assert received[-1].body == before.replace(b'"temperature":1.0', b'"temperature":0.5')
    exact = await ann.good("GET", f"/api/runs/{run}/exact")
    assert (exact["exact"], exact["column"]["endpoint"], exact["column"]["render"]) == (True, "exact", False)
    bob = await person(gateway, "bob")
    assert (await bob("POST", "/api/lab", {"from_run": run})).status_code == 404
    assert (await bob("GET", f"/api/runs/{run}/exact")).status_code == 404


async def test_several_calls_are_rows_of_one_lab(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    ids = [await ann.calls("exact", messages=[{"role": "user", "content": word}]) for word in ("one", "two")]
    made = (await ann.good("POST", "/api/lab", {"from_runs": ids}))["state"]
    assert [row["messages"][0]["content"] for row in made["rows"]] == ["one", "two"]
    assert [row["source"]["run_id"] for row in made["rows"]] == ids
    assert (made["columns"][0]["messages"], made["columns"][0]["endpoint"]) == ([], "exact")


@pytest.mark.parametrize(
    ("before", "now", "asked"),
    [
        ({"a": 1.0, "b": [1, 2.0]}, {"b": [1, 2], "a": 1}, {"a": 1.0, "b": [1, 2.0]}),
        ({"a": None, "stream": False}, {}, {"a": None, "stream": False}),
        ({"a": 1, "b": 2}, {"b": 2}, {"b": 2}),
        ({"a": True}, {"a": 1}, {"a": 1}),
        ([{"x": 1.0}], [{"x": 1}, {"x": 2}], [{"x": 1.0}, {"x": 2}]),
        ([1.0, 2.0], [1], [1.0]),
        ({"seed": 9007199254740993}, {"seed": 9007199254740992}, {"seed": 9007199254740993}),
        ({"seed": 9007199254740993}, {"seed": 9007199254740994}, {"seed": 9007199254740994}),
        ({"seed": 5}, {"seed": 6}, {"seed": 6}),
    ],
)
async def test_what_is_as_it_was_is_what_it_was(before: Any, now: Any, asked: Any) -> None:
    found = as_before(before, now)
    assert repr(found) == repr(asked)
