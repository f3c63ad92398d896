"""Every exchange with Gemini that was recorded (generateContent, embeddings), read as an independent reading does."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from providers import gemini, gemini_embeddings
from providers.dialect import Surface
from providers.errors import InvalidRequest, UpstreamError, from_status, reading
from providers.usage import Usage
from tests.providers import recorded
from tests.providers.recorded import Json

CHAT: Surface = gemini
EMBEDDINGS: Surface = gemini_embeddings
EXCHANGES = recorded.exchanges("gemini", "vertex", "pydantic_gateway", surfaces=frozenset({"generate_content"}))
EMBEDDED = recorded.exchanges("gemini", surfaces=frozenset({"embeddings"}))
NATIVE = {1: "STOP", 2: "MAX_TOKENS"}
FINISH = {"STOP": "stop", "MAX_TOKENS": "length", "MODEL_ARMOR": "content_filter", "UNEXPECTED_TOOL_CALL": "error"}


@pytest.fixture(params=EXCHANGES)
def exchange(request: pytest.FixtureRequest) -> Json:
    found: Json = request.param
    return found


def asked(exchange: Json) -> Json:
    return {"model": exchange["model"], "messages": [], "stream_options": {"include_usage": True}}


def answered(exchange: Json) -> tuple[list[Json], str, Json]:
    """The parts, the reason and the raw usage of an exchange, whole or streamed, by a fold of its own."""
    parts: list[Json] = []
    reason: Any = None
    said: Json = {}
    for event in recorded.payloads(exchange):
        if "totalTokenCount" in event.get("usageMetadata", {}) or not said:
            said = event.get("usageMetadata", {})
        for candidate in event["candidates"]:
            parts += candidate.get("content", {}).get("parts", [])
            reason = candidate.get("finishReason", reason)
    return parts, NATIVE.get(reason, reason), said


def check_usage(usage: Usage | None, said: Json) -> None:
    assert usage is not None
    assert not usage.suspect
    prompt, tools = said.get("promptTokenCount"), said.get("toolUsePromptTokenCount", 0)
    answer, thought = said.get("candidatesTokenCount", 0), said.get("thoughtsTokenCount", 0)
    inside = prompt is not None and prompt + tools + answer == said.get("totalTokenCount")
    assert usage.input == (None if prompt is None else prompt + tools)
    assert (usage.output or 0) == answer + (0 if inside else thought)
    assert (usage.reasoning or 0) == thought
    assert (usage.cache_read or 0) == said.get("cachedContentTokenCount", 0)
    heard = [
        detail["tokenCount"]
        for name in ("promptTokensDetails", "toolUsePromptTokensDetails")
        for detail in said.get(name, [])
        if detail["modality"] == "AUDIO"
    ]
    assert (usage.input_audio or 0) == sum(heard)
    assert usage.output is not None
    assert (usage.reasoning or 0) <= usage.output
    if usage.input is not None:
        assert (usage.cache_read or 0) <= usage.input
        assert usage.input + usage.output == said["totalTokenCount"]


def check_message(message: Json, parts: list[Json]) -> None:
    texts = [(part["text"], bool(part.get("thought"))) for part in parts if "text" in part]
    assert (message.get("content") or "") == "".join(text for text, thought in texts if not thought)
    assert (message.get("reasoning_content") or "") == "".join(text for text, thought in texts if thought)
    functions = [part["functionCall"] for part in parts if "functionCall" in part]
    calls = message.get("tool_calls") or []
    assert [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls] == [
        (function["name"], function["args"]) for function in functions
    ]
    assert len({call["id"] for call in calls}) == len(calls)
    assert all(function.get("id") in (None, call["id"]) for function, call in zip(functions, calls, strict=True))


def check_what_is_signed_can_be_sent_back(message: Json, parts: list[Json]) -> None:
    sent = CHAT.encode({"model": "gemini-2.5-pro", "messages": [{"role": "assistant", **message}]})
    back = sent["contents"][0]["parts"]
    signatures = [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]
    assert [part["thoughtSignature"] for part in back if "thoughtSignature" in part] == signatures
    signed = [part for part in parts if part.keys() & {"thoughtSignature", "executableCode", "codeExecutionResult"}]
    assert [part for part in back if part in signed] == signed
    if any("functionCall" not in part for part in signed):
        assert merged(back) == merged(parts)


def merged(parts: list[Json]) -> list[Json]:
    """Neighbouring pieces of one text as one, as they are in an answer that was not streamed."""
    whole: list[Json] = []
    for part in parts:
        before = whole[-1] if whole else {"none": True}
        plain = before.keys() | part.keys() <= {"text", "thought"} and before.get("thought") == part.get("thought")
        if plain:
            whole[-1] = {**before, "text": before["text"] + part["text"]}
        else:
            whole.append(part)
    return whole


def test_an_exchange_is_read_as_it_was_meant(exchange: Json) -> None:
    status, body = exchange["response"]["status"], exchange["response"]["body"]
    if status != 200:
        check_refusal(CHAT, status, body, asked(exchange))
        return
    parts, native, said = answered(exchange)
    if exchange["streaming"]:
        given, relay = recorded.played(CHAT, asked(exchange), recorded.streamed(exchange))
        assert relay.error is None
        assert relay.done
        check_usage(relay.usage, said)
        whole = recorded.added_up(given)
        choice = whole["choices"][0]
        message, finish = choice["message"], choice["finish"]
        assert (relay.finish, relay.native_finish) == (finish, choice["native"]) == (finish, native)
        assert whole["usage"]["completion_tokens"] == (relay.usage.output if relay.usage else None)
    else:
        answer = CHAT.decode(body, asked(exchange))
        check_usage(CHAT.usage(body), said)
        choice = answer["choices"][0]
        message, finish = choice["message"], choice["finish_reason"]
        assert choice["native_finish_reason"] == native
        assert answer["model"] == body["modelVersion"]
    called = any("functionCall" in part for part in parts) and native == "STOP"
    assert finish == ("tool_calls" if called else FINISH[native])
    check_message(message, parts)
    check_what_is_signed_can_be_sent_back(message, parts)


def check_refusal(surface: Surface, status: int, body: Json, request: Json) -> None:
    complaint = surface.complaint(body)
    assert complaint.message == body["error"]["message"]
    assert complaint.status == (401 if "API_KEY_INVALID" in json.dumps(body) else status)
    assert surface.complaint([body]) == complaint
    assert isinstance(from_status(status, complaint.message), UpstreamError)
    if "Please retry in" in complaint.message:
        assert complaint.retry_after == 48.0
    with pytest.raises(UpstreamError), reading(InvalidRequest):
        surface.decode(body, request)


@pytest.mark.parametrize(
    "exchange",
    [
        param
        for param in EXCHANGES
        if param.marks or (param.values[0]["streaming"] and param.values[0]["response"]["status"] == 200)
    ],
    indirect=True,
)
def test_a_stream_gives_the_same_however_it_is_cut(exchange: Json) -> None:
    recorded.gives_the_same_however_it_is_cut(CHAT, asked(exchange), recorded.streamed(exchange))


@pytest.mark.parametrize("exchange", EMBEDDED, indirect=True)
def test_embeddings_are_read_in_order(exchange: Json) -> None:
    sent, status, body = exchange["request"]["body"], exchange["response"]["status"], exchange["response"]["body"]
    texts = [request["content"]["parts"][0]["text"] for request in sent["requests"]]
    request = {"model": exchange["model"], "input": texts}
    if status != 200:
        check_refusal(EMBEDDINGS, status, body, request)
        return
    answer = EMBEDDINGS.decode(body, request)
    assert [item["index"] for item in answer["data"]] == list(range(len(texts)))
    assert [item["embedding"] for item in answer["data"]] == [vector["values"] for vector in body["embeddings"]]
    counted = body.get("usageMetadata", {}).get("promptTokenCount")
    usage = EMBEDDINGS.usage(body)
    assert (usage.input if usage else None) == counted
    asked_again = {**sent["requests"][0]}
    dimensions = {"dimensions": asked_again["outputDimensionality"]} if "outputDimensionality" in asked_again else {}
    task = {"taskType": asked_again["taskType"]} if "taskType" in asked_again else {}
    assert EMBEDDINGS.encode({**request, **dimensions, **task}) == sent


@pytest.mark.parametrize("exchange", EMBEDDED, indirect=True)
def test_embeddings_in_base64_are_little_endian_floats(exchange: Json) -> None:
    if exchange["response"]["status"] != 200:
        return
    body = exchange["response"]["body"]
    texts = ["text"] * len(body["embeddings"])
    answer = EMBEDDINGS.decode(body, {"model": "m", "input": texts, "encoding_format": "base64"})
    for item, vector in zip(answer["data"], body["embeddings"], strict=True):
        packed = base64.b64decode(item["embedding"])
        assert struct.unpack(f"<{len(packed) // 4}f", packed) == pytest.approx(vector["values"], abs=1e-7)


def test_how_many_exchanges_were_read(tell: Callable[[str], None]) -> None:
    if EXCHANGES[0].marks:
        pytest.skip("the recorded exchanges are not beside the repository")
    streams = sum(param.values[0]["streaming"] for param in EXCHANGES)
    tell(
        f"gemini generate_content: {len(EXCHANGES)} exchanges, {streams} of them streams;"
        f" embeddings: {len(EMBEDDED)} exchanges"
    )
    assert len(EXCHANGES) >= 270
