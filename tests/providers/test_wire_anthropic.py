"""Every exchange with Anthropic's Messages that was recorded, read as an independent reading does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers import anthropic
from providers.dialect import Surface
from providers.errors import InvalidRequest, UpstreamError, from_status, reading
from providers.usage import Usage
from tests.providers import recorded
from tests.providers.recorded import Json

SURFACE: Surface = anthropic
EXCHANGES = recorded.exchanges("anthropic", "vertex", "pydantic_gateway", surfaces=frozenset({"messages"}))
FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@pytest.fixture(params=EXCHANGES)
def exchange(request: pytest.FixtureRequest) -> Json:
    found: Json = request.param
    return found


def asked(exchange: Json) -> Json:
    return {"model": exchange["model"], "messages": [], "stream_options": {"include_usage": True}}


def blocks(exchange: Json) -> tuple[list[Json], str, Json]:
    """The content, the stop reason and the raw usage of an exchange, whole or streamed, by a fold of its own."""
    events = recorded.payloads(exchange)
    if not exchange["streaming"]:
        return events[0]["content"], events[0]["stop_reason"], events[0]["usage"]
    content: list[Json] = []
    said: Json = {}
    stop = ""
    for event in events:
        if event["type"] == "message_start":
            said.update(event["message"]["usage"])
        elif event["type"] == "content_block_start":
            content.append(dict(event["content_block"], json=""))
        elif event["type"] == "content_block_delta":
            fold(content[event["index"]], event["delta"])
        elif event["type"] == "message_delta":
            stop = event["delta"]["stop_reason"]
            said.update({key: value for key, value in event["usage"].items() if value is not None})
    return [parsed(block) for block in content], stop, said


def fold(block: Json, delta: Json) -> None:
    pairs = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
    if delta["type"] == "input_json_delta":
        block["json"] += delta["partial_json"]
    elif delta["type"] == "citations_delta":
        block["citations"] = (block.get("citations") or []) + [delta["citation"]]
    else:
        key = pairs[delta["type"]]
        block[key] = block.get(key, "") + delta[key]


def parsed(block: Json) -> Json:
    whole = {key: value for key, value in block.items() if key != "json"}
    return {**whole, "input": json.loads(block["json"])} if block["json"] else whole


def expected_usage(said: Json) -> dict[str, Any]:
    rows = said.get("iterations") or [said]
    totals = {name: sum(row.get(name) or 0 for row in rows) for name in COUNTS}
    return {
        "input": totals["input_tokens"] + totals["cache_read_input_tokens"] + totals["cache_creation_input_tokens"],
        "output": totals["output_tokens"],
        "cache_read": totals["cache_read_input_tokens"],
        "cache_write": totals["cache_creation_input_tokens"],
        "cache_write_1h": sum((row.get("cache_creation") or {}).get("ephemeral_1h_input_tokens", 0) for row in rows),
        "reasoning": (said.get("output_tokens_details") or {}).get("thinking_tokens"),
        "searches": (said.get("server_tool_use") or {}).get("web_search_requests"),
    }


def check_usage(usage: Usage | None, said: Json) -> None:
    assert usage is not None
    assert not usage.suspect
    for name, value in expected_usage(said).items():
        assert (getattr(usage, name) or 0) == (value or 0), name
    assert usage.input is not None
    assert usage.output is not None
    assert (usage.cache_read or 0) + (usage.cache_write or 0) <= usage.input
    assert (usage.reasoning or 0) <= usage.output


def check_message(message: Json, content: list[Json]) -> None:
    assert (message.get("content") or "") == "".join(block["text"] for block in content if block["type"] == "text")
    assert (message.get("reasoning_content") or "") == "".join(block.get("thinking", "") for block in content)
    calls = message.get("tool_calls") or []
    assert [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls] == [
        (block["id"], block["name"], block["input"]) for block in content if block["type"] == "tool_use"
    ]


def check_it_can_be_sent_back(message: Json, content: list[Json]) -> None:
    """Everything that is signed goes back to the byte and in its place; and so does what OpenAI has no words for."""
    sent = SURFACE.encode({"model": "claude-sonnet-4-5", "messages": [{"role": "assistant", **message}]})
    back = sent["messages"][0]["content"]
    assert [bare(block) for block in back] == [bare(block) for block in content if block.get("text") != ""]


def bare(block: Json) -> Json:
    """Without the two words that say nothing: no citations, called by the model itself."""
    silent: list[tuple[str, Any]] = [("citations", None), ("caller", {"type": "direct"})]
    return {key: value for key, value in block.items() if (key, value) not in silent}


def test_an_exchange_is_read_as_it_was_meant(exchange: Json) -> None:
    status = exchange["response"]["status"]
    if status != 200:
        complaint = SURFACE.complaint(exchange["response"]["body"])
        assert complaint.message == exchange["response"]["body"]["error"]["message"]
        assert complaint.status == status
        assert isinstance(from_status(status, complaint.message), UpstreamError)
        with pytest.raises(UpstreamError), reading(InvalidRequest):
            SURFACE.decode({"type": "error", **exchange["response"]["body"]}, asked(exchange))
        return
    content, stop, said = blocks(exchange)
    if exchange["streaming"]:
        given, relay = recorded.played(SURFACE, asked(exchange), recorded.streamed(exchange))
        assert relay.error is None
        assert relay.done
        check_usage(relay.usage, said)
        whole = recorded.added_up(given)
        message, finish, native = (whole["choices"][0][key] for key in ("message", "finish", "native"))
        assert (relay.finish, relay.native_finish) == (finish, native)
        assert whole["usage"]["prompt_tokens"] == expected_usage(said)["input"]
    else:
        answer = SURFACE.decode(exchange["response"]["body"], asked(exchange))
        check_usage(SURFACE.usage(exchange["response"]["body"]), said)
        choice = answer["choices"][0]
        message, finish, native = choice["message"], choice["finish_reason"], choice["native_finish_reason"]
        assert answer["id"] == exchange["response"]["body"]["id"]
        assert answer["model"] == exchange["response"]["body"]["model"]
    assert (finish, native) == (FINISH[stop], stop)
    check_message(message, content)
    check_it_can_be_sent_back(message, content)


@pytest.mark.parametrize(
    "exchange", [param for param in EXCHANGES if param.marks or param.values[0]["streaming"]], indirect=True
)
def test_a_stream_gives_the_same_however_it_is_cut(exchange: Json) -> None:
    recorded.gives_the_same_however_it_is_cut(SURFACE, asked(exchange), recorded.streamed(exchange))


def test_how_many_exchanges_were_read(tell: Callable[[str], None]) -> None:
    if EXCHANGES[0].marks:
        pytest.skip("the recorded exchanges are not beside the repository")
    streams = sum(param.values[0]["streaming"] for param in EXCHANGES)
    tell(f"anthropic messages: {len(EXCHANGES)} exchanges, {streams} of them streams")
    assert len(EXCHANGES) >= 260
