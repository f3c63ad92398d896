"""OpenAI's own client, with only its base URL changed, and a raw HTTP client, against providers of three dialects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from tests.harness import PLAIN, Gateway
from tests.vendor import Vendor
from tests.vendor_words import text

DIALECTS = ("openai", "anthropic", "gemini")
ASKED: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Answer in one line."},
    {"role": "user", "content": "What is the capital of France?"},
]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
WORDS = 8


class Answer(BaseModel):
    answer: int


@pytest.fixture(scope="module")
def gateway(vendor: Vendor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One server in front of a provider of each dialect, and endpoints that are called for them."""

    def endpoint(name: str, kind: str, dialect: str) -> dict[str, Any]:
        return {"name": name, "type": kind, "targets": [{"provider": f"my-{dialect}", "model": "model-1"}]}

    providers = {
        f"my-{dialect}": {"dialect": dialect, "base_url": vendor.url("ok", tokens=WORDS), "api_key": "not-a-secret"}
        for dialect in DIALECTS
    }
    cut = {"dialect": "openai", "base_url": vendor.url("rstmid", after=4), "api_key": "not-a-secret"}
    endpoints = [
        *(endpoint(f"chat-{dialect}", "chat", dialect) for dialect in DIALECTS),
        *(endpoint(f"embed-{dialect}", "embeddings", dialect) for dialect in ("openai", "gemini")),
        endpoint("complete", "completions", "openai"),
        {"name": "cut", "targets": [{"provider": "cut", "model": "model-1"}]},
    ]
    directory = tmp_path_factory.mktemp("openai") / "gateway"
    gateway = Gateway(directory, {"providers": {**providers, "cut": cut}, "endpoints": endpoints})
    try:
        asyncio.run(gateway.start())
        yield gateway
        assert asyncio.run(gateway.stop()) == 0
    finally:
        gateway.kill()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:
        yield client


def run_of(gateway: Gateway, headers: Mapping[str, str]) -> dict[str, Any]:
    return asyncio.run(gateway.run(headers["x-gatelog-run-id"]))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_plain_answer_is_the_providers_words_and_its_run_can_be_read_back(
    gateway: Gateway, client: OpenAI, dialect: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(model=f"chat-{dialect}", messages=ASKED, max_tokens=64)
    completion = raw.parse()
    assert completion.object == "chat.completion"
    assert completion.choices[0].message.content == text(WORDS)
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (10, WORDS)
    assert raw.headers["x-gatelog-provider"] == f"my-{dialect}"
    assert raw.headers["x-gatelog-model"] == "model-1"
    assert raw.headers["x-gatelog-attempts"] == "1"
    assert float(raw.headers["x-gatelog-overhead-ms"]) > 0
    run = run_of(gateway, raw.headers)
    assert (run["status"], run["endpoint"], run["provider"]) == ("ok", f"chat-{dialect}", f"my-{dialect}")
    assert (run["usage"]["input_tokens"], run["usage"]["output_tokens"], run["usage"]["basis"]) == (
        10,
        WORDS,
        "provider",
    )
    assert run["request"]["messages"] == ASKED
    assert run["response"]["choices"][0]["message"]["content"] == text(WORDS)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_adds_up_to_the_same_answer(gateway: Gateway, client: OpenAI, dialect: str) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=f"chat-{dialect}", messages=ASKED, stream=True, stream_options={"include_usage": True}, max_tokens=64
    )
    with raw.parse() as stream:
        chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finishes = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert said == text(WORDS)
    assert finishes == ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (10, WORDS)
    run = run_of(gateway, raw.headers)
    assert (run["status"], run["stream"], run["usage"]["output_tokens"]) == ("ok", True, WORDS)
    assert run["response"]["choices"][0]["message"]["content"] == text(WORDS)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_usage_is_not_sent_to_a_caller_who_did_not_ask_for_it_and_yet_recorded(
    gateway: Gateway, client: OpenAI, dialect: str
) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=f"chat-{dialect}", messages=ASKED, stream=True, max_tokens=64
    )
    with raw.parse() as stream:
        assert all(chunk.usage is None and chunk.choices for chunk in stream)
    run = run_of(gateway, raw.headers)
    assert (run["usage"]["input_tokens"], run["usage"]["output_tokens"], run["usage"]["basis"]) == (
        10,
        WORDS,
        "provider",
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_tools_are_called_plain_and_streamed(client: OpenAI, dialect: str) -> None:
    completion = client.chat.completions.create(
        model=f"chat-{dialect}", messages=ASKED, tools=[WEATHER], tool_choice="auto", max_tokens=64
    )
    calls = completion.choices[0].message.tool_calls
    assert completion.choices[0].finish_reason == "tool_calls"
    assert calls is not None
    assert len(calls) == 1
    assert calls[0].type == "function"
    assert (calls[0].function.name, json.loads(calls[0].function.arguments)) == ("weather", {"city": "Paris"})
    assert calls[0].id

    with client.chat.completions.create(
        model=f"chat-{dialect}", messages=ASKED, tools=[WEATHER], stream=True, max_tokens=64
    ) as stream:
        deltas = [chunk.choices[0] for chunk in stream if chunk.choices]
    parts = [call for choice in deltas for call in choice.delta.tool_calls or ()]
    assert [part.function.name for part in parts if part.function and part.function.name] == ["weather"]
    arguments = "".join(part.function.arguments or "" for part in parts if part.function)
    assert json.loads(arguments) == {"city": "Paris"}
    assert deltas[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_conversation_with_a_tools_result_goes_on(client: OpenAI, dialect: str) -> None:
    call: Any = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    history: list[ChatCompletionMessageParam] = [
        *ASKED,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ]
    completion = client.chat.completions.create(model=f"chat-{dialect}", messages=history, max_tokens=64)
    assert completion.choices[0].message.content == text(WORDS)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_structured_output_is_parsed_into_the_callers_own_type(client: OpenAI, dialect: str) -> None:
    completion = client.chat.completions.parse(
        model=f"chat-{dialect}", messages=ASKED, response_format=Answer, max_tokens=64
    )
    assert completion.choices[0].message.parsed == Answer(answer=42)


@pytest.mark.anyio
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_async_client_has_many_calls_under_way_at_once(gateway: Gateway, dialect: str) -> None:
    async with AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0) as client:

        async def plain() -> str | None:
            completion = await client.chat.completions.create(model=f"chat-{dialect}", messages=ASKED, max_tokens=64)
            return completion.choices[0].message.content

        async def streamed() -> str:
            said = ""
            async with client.chat.completions.stream(model=f"chat-{dialect}", messages=ASKED, max_tokens=64) as stream:
                async for event in stream:
                    if event.type == "content.delta":
                        said += event.delta
            return said

        answers = await asyncio.gather(*(one() for _ in range(10) for one in (plain, streamed)))
    assert set(answers) == {text(WORDS)}


@pytest.mark.parametrize("dialect", ["openai", "gemini"])
def test_embeddings_come_as_floats_and_in_the_order_of_their_inputs(
    gateway: Gateway, client: OpenAI, dialect: str
) -> None:
    raw = client.embeddings.with_raw_response.create(model=f"embed-{dialect}", input=["one", "two", "three"])
    answer = raw.parse()
    assert [one.index for one in answer.data] == [0, 1, 2]
    assert all(one.embedding == [0.5] * 8 for one in answer.data)
    run = run_of(gateway, raw.headers)
    assert (run["status"], run["kind"]) == ("ok", "embeddings")
    assert run["usage"]["input_tokens"] > 0


def test_completions_are_answered_plain_and_streamed(client: OpenAI) -> None:
    assert client.completions.create(model="complete", prompt="Say", max_tokens=64).choices[0].text == text(WORDS)
    with client.completions.create(model="complete", prompt="Say", max_tokens=64, stream=True) as stream:
        assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices) == text(WORDS)


def test_a_provider_and_model_can_be_called_without_an_endpoint(gateway: Gateway, client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="demo/words", messages=ASKED)
    assert raw.parse().choices[0].message.content
    assert run_of(gateway, raw.headers)["provider"] == "demo"


def test_models_are_listed_and_found(client: OpenAI) -> None:
    names = {model.id for model in client.models.list()}
    assert {"chat-openai", "chat-anthropic", "chat-gemini", "embed-openai", "complete", "demo/words"} <= names
    assert client.models.retrieve("chat-anthropic").id == "chat-anthropic"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nothing")


def test_refusals_are_the_exceptions_that_openais_clients_raise(gateway: Gateway, client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nothing", messages=ASKED)
    assert "nothing" in missing.value.message
    assert set(missing.value.body or ()) == {"message", "type", "param", "code"}  # type: ignore[call-overload]  # object
    with pytest.raises(openai.BadRequestError) as invalid:
        client.chat.completions.create(model="chat-openai", messages=[{"role": "nobody"}])  # type: ignore[typeddict-item]  # on purpose
    assert invalid.value.param == "messages[0].role"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="gl-not-a-key").chat.completions.create(model="chat-openai", messages=ASKED)


def test_a_stream_that_was_cut_never_looks_finished(gateway: Gateway, client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="cut", messages=ASKED, stream=True)
    heard: list[ChatCompletionChunk] = []

    def hear() -> None:
        with raw.parse() as stream:
            heard.extend(stream)

    with pytest.raises(openai.APIError, match="broke off"):
        hear()
    assert 0 < len(heard) <= 4
    assert all(choice.finish_reason is None for chunk in heard for choice in chunk.choices)
    run = run_of(gateway, raw.headers)
    assert (run["status"], run["error"]["code"]) == ("upstream_cut", "upstream_cut")
    assert run["usage"]["basis"] == "counted"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_raw_server_sent_events_are_openais(gateway: Gateway, dialect: str) -> None:
    body = {"model": f"chat-{dialect}", "messages": ASKED, "stream": True, "max_tokens": 64}
    with httpx.stream(
        "POST", f"{gateway.url}/v1/chat/completions", json=body, headers=gateway.headers, trust_env=False
    ) as answer:
        lines = list(answer.iter_lines())
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in lines if line]
    assert all(line.startswith("data: ") for line in lines if line)
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert all(chunk["object"] == "chat.completion.chunk" for chunk in chunks)
    assert chunks[0]["choices"][0]["delta"].get("role") == "assistant"
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == text(WORDS)


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "basic"])
def test_a_key_may_come_the_way_that_each_client_sends_its_own(gateway: Gateway, header: str) -> None:
    ways: dict[str, Any] = {
        "authorization": {"headers": {"authorization": f"Bearer {gateway.key}"}},
        "x-api-key": {"headers": {"x-api-key": gateway.key}},
        "basic": {"auth": ("anyone", gateway.key)},
    }
    assert httpx.get(f"{gateway.url}/v1/models", **PLAIN, **ways[header]).status_code == 200
