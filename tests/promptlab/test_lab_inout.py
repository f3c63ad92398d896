"""Labs come from elsewhere and go elsewhere, and nothing that is lost on the way is lost silently."""

from __future__ import annotations

import ast
import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from promptlab.importing import read
from providers.errors import InvalidRequest
from tests.harness import Gateway
from tests.promptlab.people import WORDS, Json, Person, column, lab_of, over, person, row, serving, state
from tests.vendor import Vendor
from tests.vendor_words import text

pytestmark = pytest.mark.anyio
NASTY = 'It\'s "quoted" $HOME `id` \\n {{x}} </script> é \U0001f600 \u202e'
PROMPTFOO = """
description: Support replies
prompts:
  - "Answer {{question}} for {{company}}."
  - label: chat
    raw: '[{"role": "system", "content": "You help."}, {"role": "user", "content": "{{question}}"}]'
  - file://prompts/long.txt
providers:
  - openai:chat:gpt-4o-mini
  - id: anthropic:messages:claude-x
    label: claude
    config: {temperature: 0.5, max_tokens: 20, apiKey: sk-secret}
  - file://own.py
  - openai:o3: {config: {seed: 1}}
defaultTest:
  vars: {company: ACME}
tests:
  - vars: {question: "Why?"}
    assert:
      - {type: equals, value: Because}
      - {type: llm-rubric, value: is polite}
  - vars: {question: "How?", company: Other, list: [1, {a: 2}]}
scenarios: []
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with (
        Vendor() as vendor,
        serving(tmp_path_factory.mktemp("inout"), {"good": vendor.url("ok", tokens=WORDS)}) as gateway,
    ):
        yield gateway


async def imported(gateway: Gateway, said: str, **more: Any) -> Json:
    found: Json = await Person(gateway).good("POST", "/api/lab/import", {"text": said, **more})
    return found


async def test_a_promptfoo_configuration_becomes_a_grid(gateway: Gateway) -> None:
    lab = await imported(gateway, PROMPTFOO)
    made = lab["state"]
    assert lab["name"] == "Support replies"
    assert [(each["name"], each["endpoint"]) for each in made["columns"]] == [
        ("prompt 1 / openai:chat:gpt-4o-mini", "openai/gpt-4o-mini"),
        ("prompt 1 / claude", "anthropic/claude-x"),
        ("prompt 1 / openai:o3", "openai/o3"),
        ("chat / openai:chat:gpt-4o-mini", "openai/gpt-4o-mini"),
        ("chat / claude", "anthropic/claude-x"),
        ("chat / openai:o3", "openai/o3"),
    ]
    assert made["columns"][1]["params"] == {"temperature": 0.5, "max_tokens": 20}
    assert made["columns"][2]["params"] == {"seed": 1}
    assert [message["role"] for message in made["columns"][3]["messages"]] == ["system", "user"]
    assert made["rows"][0]["values"] == {"company": "ACME", "question": "Why?"}
    assert made["rows"][0]["expected"] == "Because"
    assert [row["values"] for row in made["rows"][1:]] == [
        {"company": "Other", "question": "How?", "list": 1},
        {"company": "Other", "question": "How?", "list": '{"a":2}'},
    ]
    places = [each.partition(":")[0] for each in lab["left_out"]]
    assert sorted(places) == [
        "prompts[2]",
        "providers[1].config.apiKey",
        "providers[2]",
        "scenarios",
        "tests[0].assert[1]",
    ]
    assert "sk-secret" not in json.dumps(lab)


async def test_what_openais_playground_exports_becomes_a_column(gateway: Gateway) -> None:
    chat = {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}],
        "temperature": 1,
        "response_format": {"type": "json_object"},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    }
    (one,) = (await imported(gateway, json.dumps(chat)))["state"]["columns"]
    assert (one["endpoint"], one["messages"], one["params"]) == ("openai/gpt-4o", chat["messages"], {"temperature": 1})
    assert (one["tools"], one["response_format"]) == (chat["tools"], {"type": "json_object"})
    responses = {
        "model": "gpt-5",
        "instructions": "Be short.",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        "text": {"format": {"type": "json_schema", "name": "s", "schema": {}}},
        "reasoning": {"effort": "low"},
        "max_output_tokens": 50,
        "tools": [{"type": "function", "name": "f", "parameters": {}}],
    }
    (other,) = (await imported(gateway, json.dumps(responses), format="openai"))["state"]["columns"]
    assert other["messages"] == chat["messages"]
    assert other["params"] == {"reasoning_effort": "low", "max_completion_tokens": 50}
    assert other["response_format"]["json_schema"] == {"name": "s", "schema": {}}
    assert other["tools"][0]["function"] == {"name": "f", "parameters": {}}


async def test_a_conversation_of_the_responses_api_becomes_one_of_chat(gateway: Gateway) -> None:
    said = {
        "object": "response",
        "model": "gpt-5",
        "input": [
            {"role": "user", "content": [{"type": "input_file", "filename": "a.pdf", "file_data": "data:x"}]},
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
            {"type": "function_call", "call_id": "c2", "name": "g"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
        ],
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tools": [{"type": "function", "name": "f", "parameters": {}}, {"type": "web_search"}],
        "tool_choice": {"type": "function", "name": "f"},
        "truncation": "auto",
        "usage": {"input_tokens": 1},
        "status": "completed",
    }
    lab = await imported(gateway, json.dumps(said))
    (one,) = lab["state"]["columns"]
    assert one["messages"] == [
        {
            "role": "user",
            "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:x"}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
    ]
    assert one["params"] == {"verbosity": "low"}
    assert [tool["function"]["name"] for tool in one["tools"]] == ["f"]
    assert one["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert [each.partition(":")[0] for each in lab["left_out"]] == ["messages[1]", "tools[1]", "truncation"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("[1, 2]", "it is a list; OpenAI's"),
        ("# nothing", "it is empty"),
        ("a: 1\n  b: 2", "the text is no YAML: line 2, column 4: "),
        ('{"a": 1,\n}', "the text is no JSON: line 1, column 8: trailing comma"),
        ('{"model": "x"}', "it has model; OpenAI's playground has messages"),
        ("prompts: []", "there is no prompt"),
    ],
)
async def test_what_cannot_be_imported_is_told_where_it_is_wrong(said: str, why: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(said, None)
    assert refused.value.message.startswith(why)


@pytest.mark.parametrize(
    "said",
    [
        "!!python/object/apply:os.system ['id']",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "\n".join(f"{y}: &{y} [{','.join(['*' + x] * 10)}]" for x, y in zip("abcdefgh", "bcdefghi", strict=True)),
    ],
)
async def test_what_is_of_neither_format_is_refused(said: str) -> None:
    with pytest.raises(InvalidRequest):
        read(said, None)


@pytest.fixture
async def asked(gateway: Gateway) -> tuple[Person, str]:
    """A lab whose one cell has everything in it that needs quoting."""
    ann = await person(gateway, "ann")
    one = column("a", params={"temperature": 0.5, "stop": None, "x_own": {"a": [True]}}, stream=False)
    made = state([one], [row("1", NASTY, expected="=1+1"), row("2")])
    id = await lab_of(ann, made)
    async with ann.hears(f"/api/lab/{id}/events") as heard:
        await ann.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        await over(heard, 2)
    return ann, id


async def test_the_code_of_a_cell_makes_its_call(gateway: Gateway, asked: tuple[Person, str]) -> None:
    ann, id = asked

    async def code(language: str) -> str:
        found: str = (await ann.good("GET", f"/api/lab/{id}/code", column="a", row="1", language=language))["code"]
        return found

    environ = {"GATELOG_KEY": ann.key or "", "PATH": "/usr/bin:/bin", "NO_PROXY": "*"}
    commands = [["bash", "-c", await code("curl")], [sys.executable, "-c", await code("python")]]
    bodies: list[Json] = []
    for command in commands:
        done = await asyncio.to_thread(
            subprocess.run, command, env=environ, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        assert text(WORDS) in done.stdout.decode()
        newest = await gateway.settled(len(bodies) + 1, filter="tags.lab IS NULL")
        bodies.append((await gateway.run(newest[0]["id"]))["request"])
    assert bodies[0] == bodies[1]
    assert bodies[0]["messages"][0]["content"] == f"You help {NASTY}."
    assert bodies[0]["x_own"] == {"a": [True]}
    for language in ("anthropic", "mlflow"):
        ast.parse(await code(language))
    assert "OpenAI({" in await code("javascript")
    for query in ({"language": "cobol", "column": "a", "row": "1"}, {"column": "a", "row": "1"}, {"language": "curl"}):
        assert (await ann("GET", f"/api/lab/{id}/code", **query)).status_code == 400


async def test_a_grid_is_exported_as_a_table_without_formulas(asked: tuple[Person, str]) -> None:
    ann, id = asked
    answer = await ann("GET", f"/api/lab/{id}/export", format="csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="lab.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(each["row"], each["text"], each["expected"]) for each in lines] == [
        ("1", text(WORDS), "'=1+1"),
        ("2", text(WORDS), ""),
    ]
    assert lines[0]["values.company"] == NASTY
    said = (await ann("GET", f"/api/lab/{id}/export", format="jsonl")).text.splitlines()
    first = orjson.loads(said[0])
    assert (first["expected"], first["values"], first["message"]["role"]) == ("=1+1", {"company": NASTY}, "assistant")
    assert float(first["cost_usd"]) > 0
    assert (await ann("GET", f"/api/lab/{id}/export", format="xls")).status_code == 400
