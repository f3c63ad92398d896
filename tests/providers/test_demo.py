"""The provider inside the process: deterministic, honest about its usage, and through the same client as all others."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import demo
from providers.chat import Kind
from providers.client import Client
from providers.errors import Rejected
from providers.table import PROVIDERS
from providers.target import Target

pytestmark = pytest.mark.anyio
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How far is the moon?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "distance",
        "parameters": {
            "type": "object",
            "properties": {"of": {"type": "string"}, "unit": {"enum": ["km", "miles"]}, "digits": {"type": "integer"}},
            "required": ["of", "unit"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(tls=ssl.create_default_context())
    yield client
    await client.aclose()


def target(model: str = "words", kind: Kind = "chat") -> Target:
    return Target.build(PROVIDERS["demo"], kind, model, credential=None)


async def ask(client: Client, model: str = "words", **more: Any) -> Any:
    return (await client.complete(target(model), {"model": "m", "messages": ASK, **more})).payload


async def streamed(client: Client, model: str = "words@0", kind: Kind = "chat", **more: Any) -> list[Any]:
    request = {"model": "m", "messages": ASK, "stream": True, "stream_options": {"include_usage": True}, **more}
    flow = await client.stream(target(model, kind), request)
    said = b""
    while piece := await flow.read():
        said += piece
    assert flow.done
    assert flow.relay.usage is not None
    return [orjson.loads(line[6:]) for line in said.split(b"\n\n") if line.startswith(b"data: {")]


async def test_echo_says_what_the_user_said_last(client: Client) -> None:
    payload = await ask(client, "echo")
    assert payload["choices"][0]["message"]["content"] == "How far is the moon?"
    assert payload["usage"] == {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


async def test_words_are_the_same_for_the_same_request_and_others_for_another(client: Client) -> None:
    first, again = await ask(client), await ask(client)
    assert first["choices"] == again["choices"]
    assert first["choices"] != (await ask(client, seed=7))["choices"]


async def test_a_stream_sums_to_the_plain_answer(client: Client) -> None:
    plain = await ask(client)
    chunks = await streamed(client)
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    assert text == plain["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == plain["usage"]


async def test_a_number_after_the_models_name_sets_the_pause_between_words(client: Client) -> None:
    began = time.monotonic()
    chunks = await streamed(client, "echo@20")
    # The role, five words and the finish: six pauses.
    assert time.monotonic() - began > 0.1
    assert len(chunks) == 8


async def test_n_stop_and_max_tokens_are_honoured(client: Client) -> None:
    payload = await ask(client, n=3, max_tokens=4)
    assert [choice["index"] for choice in payload["choices"]] == [0, 1, 2]
    assert {choice["finish_reason"] for choice in payload["choices"]} == {"length"}
    assert payload["usage"]["completion_tokens"] == 12
    stopped = await ask(client, "echo", stop=["moon"])
    assert stopped["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "How far is the ", "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "distance"}}])
async def test_a_demanded_tool_is_called_with_arguments_of_its_schema(client: Client, choice: Any) -> None:
    payload = await ask(client, tools=[TOOL], tool_choice=choice)
    call = payload["choices"][0]["message"]["tool_calls"][0]
    assert payload["choices"][0]["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "distance"
    parameters: Any = TOOL["function"]
    jsonschema.validate(orjson.loads(call["function"]["arguments"]), parameters["parameters"])
    chunks = await streamed(client, tools=[TOOL], tool_choice=choice)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    arguments = "".join(part["function"]["arguments"] for delta in deltas for part in delta.get("tool_calls", []))
    assert arguments == call["function"]["arguments"]


async def test_a_tool_that_is_only_offered_is_not_called(client: Client) -> None:
    payload = await ask(client, tools=[TOOL], tool_choice="auto")
    assert payload["choices"][0]["message"]["content"]


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 4}}, "required": ["a"]},
    {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 5},
    {"anyOf": [{"type": "string", "minLength": 30}, {"type": "null"}]},
    {"type": ["string", "null"], "maxLength": 3},
    {"type": "string", "format": "date-time"},
    {"const": {"x": [1]}},
    {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}}, {"required": ["a", "b"]}]},
    {"type": "integer", "multipleOf": 7, "minimum": 10},
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "boolean"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2},
                },
                "required": ["value", "next"],
                "additionalProperties": False,
            }
        },
        "$ref": "#/$defs/node",
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
@given(seed=st.integers(0, 10_000))
def test_an_instance_of_a_schema_conforms_to_it(schema: dict[str, Any], seed: int) -> None:
    body = {
        "model": "words",
        "messages": ASK,
        "seed": seed,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}},
    }
    answer = demo.respond("/v1/chat/completions", orjson.dumps(body))
    assert answer.status == 200
    content = orjson.loads(answer.pieces[0])["choices"][0]["message"]["content"]
    jsonschema.validate(orjson.loads(content), schema)


async def test_embeddings_are_unit_vectors_that_the_text_decides(client: Client) -> None:
    at = target("words", "embeddings")
    first = (await client.complete(at, {"model": "m", "input": ["a", "b", "a"], "dimensions": 16})).payload
    vectors = [item["embedding"] for item in first["data"]]
    assert vectors[0] == vectors[2] != vectors[1]
    assert all(len(vector) == 16 and math.isclose(math.hypot(*vector), 1.0) for vector in vectors)
    assert first["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    packed = (await client.complete(at, {"model": "m", "input": "a", "encoding_format": "base64"})).payload
    assert isinstance(packed["data"][0]["embedding"], str)


async def test_completions_answer_every_prompt(client: Client) -> None:
    at = target("echo", "completions")
    payload = (await client.complete(at, {"model": "m", "prompt": ["one two", "three"], "max_tokens": 16})).payload
    assert [choice["text"] for choice in payload["choices"]] == ["one two", "three"]
    assert payload["usage"]["completion_tokens"] == 3
    chunks = await streamed(client, "echo", "completions", prompt="one two")
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks if chunk["choices"]) == "one two"


async def test_a_model_that_it_does_not_have_is_not_found(client: Client) -> None:
    with pytest.raises(Rejected, match="no demo model 'gpt'") as caught:
        await ask(client, "gpt")
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"n": "many"},
        {"tool_choice": {"type": "function", "function": {"name": "other"}}, "tools": [TOOL]},
        {"tools": ["x"], "tool_choice": "required"},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/$defs/none"}}}},
    ],
)
async def test_what_makes_no_sense_is_the_callers_fault(client: Client, wrong: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        await ask(client, **wrong)
    assert caught.value.status == 400
