"""Every recorded exchange with a provider that speaks OpenAI's language is read without an error, and read right.

What is expected is worked out here from the recording, not by the code under test.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest

from providers.assemble import assemble
from providers.chat import FINISH_REASONS, Json
from providers.dialect import Relay
from providers.errors import Garbled
from providers.usage import Usage
from tests.providers.openai_recorded import (
    ALL,
    ERRORS,
    KINDS,
    MISSING,
    NOT_OPENAI,
    STREAMS,
    WHOLES,
    each,
    events_of,
    is_broken,
    played,
    surface_of,
)

CONTRADICTS_ITSELF = {
    # Grok on Azure: more tokens from the cache than in the prompt.
    "azure-chat-0facdb905e": "cache_read",
    "azure-chat-28def21a65": "cache_read",
    "azure-chat-33aa77e713": "cache_read",
    "azure-chat-5b7b445568": "cache_read",
    "azure-chat-8f72b94f72": "cache_read",
    "azure-chat-a0d0793e09": "cache_read",
    "azure-chat-b89482c53f": "cache_read",
    "azure-chat-d94ef7c89c": "cache_read",
    # Gemini through Vercel's gateway: more tokens of reasoning than of output, and a total without them.
    "vercel_gateway-chat-086973b916": "reasoning",
    "vercel_gateway-chat-112271d54a": "reasoning",
    "vercel_gateway-chat-681e198b61": "reasoning",
    "vercel_gateway-chat-6a12c659c5": "reasoning",
    "vercel_gateway-chat-741ba42453": "reasoning",
    "vercel_gateway-chat-9383a6911e": "reasoning",
    "vercel_gateway-chat-9431825526": "reasoning",
    "vercel_gateway-chat-a6974826e5": "reasoning",
    "vercel_gateway-chat-fdc0d71298": "reasoning",
    # Through OpenRouter: the same tokens as read from a cache and written to it; one more of reasoning than of output.
    "openrouter-chat-9fe2ae77b0": "cache_write",
    "openrouter-chat-735157d3e6": "reasoning",
}
"""Recordings with a part larger than its whole, and which part it is."""


@MISSING
@each(ERRORS)
def test_an_error_says_something(exchange: Json) -> None:
    complaint = surface_of(exchange).complaint(exchange["response"]["body"])
    words = json.dumps(exchange["response"]["body"], ensure_ascii=False)
    assert complaint.message
    assert json.dumps(complaint.message, ensure_ascii=False)[1:-1] in words
    if complaint.status is not None:
        assert complaint.status == exchange["response"]["status"]


@MISSING
@each([each for each in WHOLES if each["id"] not in NOT_OPENAI])
def test_a_whole_answer_is_read(exchange: Json) -> None:
    surface, answer, request = surface_of(exchange), exchange["response"]["body"], exchange["request"]["body"]
    before = copy.deepcopy(answer)
    decoded = surface.decode(answer, request)
    assert answer == before
    check_usage(exchange, surface.usage(answer), answer.get("usage"))
    if KINDS[exchange["surface"]] == "embeddings":
        assert decoded is answer
        return
    for theirs, ours in zip(answer["choices"], decoded["choices"], strict=True):
        if "finish_reason" not in theirs:
            assert "finish_reason" not in ours
            continue
        assert ours["finish_reason"] in FINISH_REASONS
        if ours["finish_reason"] != theirs["finish_reason"]:
            assert ours["native_finish_reason"] == theirs["finish_reason"]
        said = ours.get("message", ours)
        assert isinstance(said.get("content", ""), str | None)
        if said.get("tool_calls") and exchange["provider"] not in {"openai", "azure"}:
            assert ours["finish_reason"] == "tool_calls"
    strange = not all(
        choice.get("finish_reason", "stop") in FINISH_REASONS
        and isinstance(choice.get("message", {}).get("content"), str | None)
        for choice in answer["choices"]
    )
    assert (decoded is not answer) == strange


@MISSING
@each([each for each in WHOLES if each["id"] in NOT_OPENAI])
def test_an_answer_of_another_api_is_refused(exchange: Json) -> None:
    with pytest.raises(Garbled, match="no data"):
        surface_of(exchange).decode(exchange["response"]["body"], exchange["request"]["body"])


@MISSING
@each(STREAMS)
def test_a_stream_is_read(exchange: Json) -> None:
    given, relay = played(exchange, usage=True)
    events = events_of(exchange)
    errors = [event for event in events if "error" in event]
    if errors:
        assert not relay.done
        assert relay.error is not None
        assert relay.error.message == errors[0]["error"]["message"]
        assert relay.error.status == errors[0]["error"].get("status_code", errors[0]["error"]["code"])
        events = events[: events.index(errors[0])]
    else:
        assert relay.error is None
        assert relay.done
    assert relay.events == sum(bool(event.get("choices")) for event in events)
    told = [usage for event in events + errors if (usage := event.get("usage") or event.get("x_groq", {}).get("usage"))]
    check_usage(exchange, relay.usage, told[-1] if told else None)
    check_stream_finish(exchange, relay, events, broken=bool(errors))
    kind = KINDS[exchange["surface"]]
    whole = assemble(given, kind)
    check_fold(fold(events), whole)
    if told and not errors:
        assert whole["usage"]["prompt_tokens"] == relay.usage.input  # type: ignore[union-attr]  # checked above


@MISSING
@each(STREAMS)
def test_usage_that_the_caller_did_not_ask_for_is_taken_out_and_nothing_else(exchange: Json) -> None:
    given, relay = played(exchange, usage=False)
    asked_for, _ = played(exchange, usage=True)
    without = [event for event in events_of_bytes(asked_for) if event["choices"] or not event.get("usage")]
    assert events_of_bytes(given) == without
    assert relay.usage == played(exchange, usage=True)[1].usage


@MISSING
@each(STREAMS)
def test_what_openai_would_say_passes_to_the_byte(exchange: Json) -> None:
    given, _ = played(exchange, usage=True)
    body = exchange["response"]["body"].encode()
    kept = re.sub(rb"data: \[DONE\]\n\n", b"", body)
    if is_broken(exchange):
        kept = re.sub(rb"(event: error\n)?data: [^\n]*\"error\"[^\n]*\n\n", b"", kept)
    changed = exchange["provider"] == "mistral" or (b"x_groq" in kept and b'"choices":[],"usage"' not in kept)
    if not changed:
        assert given == kept


@MISSING
@each(ALL)
def test_a_request_goes_out_as_it_was_recorded(exchange: Json) -> None:
    surface, request = surface_of(exchange), exchange["request"]["body"]
    before = copy.deepcopy(request)
    sent = surface.encode(request)
    expected = dict(request)
    if request.get("stream") and exchange["provider"] != "mistral":
        expected["stream_options"] = {**(request.get("stream_options") or {}), "include_usage": True}
    assert sent == expected
    assert request == before


@MISSING
@each(ALL)
def test_a_url_is_as_it_was_recorded(exchange: Json) -> None:
    model = exchange["request"]["path"].split("/deployments/")[-1].split("/")[0]
    path = surface_of(exchange).path(model, exchange["streaming"]).split("?")[0]
    if exchange["surface"] != "chat_v1" and exchange["id"] not in NOT_OPENAI | ODD_PATHS:
        assert exchange["request"]["path"].split("?")[0].endswith(path)


ODD_PATHS: set[str] = {
    each["id"] for each in ALL if each["provider"] == "azure" and each["request"]["path"].startswith("//")
}


@MISSING
def test_none_was_left_out(tell: Callable[[str], None]) -> None:
    assert len(ALL) == len(STREAMS) + len(WHOLES) + len([e for e in ERRORS if e["response"]["body_type"] == "json"])
    counts = Counter(exchange["provider"] for exchange in ALL)
    tell(f"recorded exchanges in OpenAI's language: {', '.join(f'{name} {n}' for name, n in counts.items())}")
    tell(f"in all {len(ALL)}: {len(WHOLES)} whole answers, {len(STREAMS)} streams, {len(ERRORS)} errors")


def events_of_bytes(given: bytes) -> list[Json]:
    return [json.loads(line[5:]) for line in given.splitlines() if line.startswith(b"data:")]


def check_usage(exchange: Json, usage: Usage | None, said: Json | None) -> None:
    if said is None:
        assert usage is None
        return
    assert usage is not None
    flat = {**said, **(said.get("prompt_tokens_details") or {}), **(said.get("completion_tokens_details") or {})}
    assert usage.input is not None
    output = usage.output or 0
    assert usage.input == said["prompt_tokens"]
    assert usage.input + output == said["total_tokens"]
    expected = {
        "cache_read": next((flat[name] for name in CACHED if flat.get(name) is not None), None),
        "cache_write": flat.get("cache_write_tokens"),
        "reasoning": flat.get("reasoning_tokens"),
        "input_audio": (said.get("prompt_tokens_details") or {}).get("audio_tokens"),
        "output_audio": (said.get("completion_tokens_details") or {}).get("audio_tokens"),
    }
    if (wrong := CONTRADICTS_ITSELF.get(exchange["id"])) is not None:
        assert expected[wrong] is not None
        expected[wrong] = None
    assert {name: getattr(usage, name) for name in expected} == expected
    assert usage.suspect == (exchange["id"] in CONTRADICTS_ITSELF)
    assert (usage.cache_read or 0) + (usage.cache_write or 0) <= usage.input
    assert (usage.reasoning or 0) <= output
    assert (usage.input_audio or 0) <= usage.input
    assert (usage.output_audio or 0) <= output
    assert usage.cost_nanos == expected_cost(exchange, said)


CACHED = ("cached_tokens", "num_cached_tokens", "prompt_cache_hit_tokens")


def expected_cost(exchange: Json, said: Json) -> int | None:
    """Of those whose word on the price is taken; a proxy of the config file may say what it likes."""
    match exchange["provider"]:
        case "xai" if "cost_in_usd_ticks" in said:
            return int((Decimal(said["cost_in_usd_ticks"]) / 10).to_integral_value(ROUND_HALF_EVEN))
        case "openrouter" if "cost" in said:
            below = said.get("cost_details", {}).get("upstream_inference_cost") if said.get("is_byok") else 0
            return int(
                ((Decimal(repr(said["cost"])) + Decimal(repr(below))) * 10**9).to_integral_value(ROUND_HALF_EVEN)
            )
        case "perplexity":
            return int((Decimal(repr(said["cost"]["total_cost"])) * 10**9).to_integral_value(ROUND_HALF_EVEN))
        case _:
            return None


def check_stream_finish(exchange: Json, relay: Relay, events: list[Json], *, broken: bool) -> None:
    ends = [
        choice
        for event in events
        for choice in event.get("choices") or []
        if choice.get("index", 0) == 0 and choice.get("finish_reason")
    ]
    if not ends:
        assert relay.finish is None
        assert broken or exchange["provider"] == "snowflake"
        return
    assert relay.finish in FINISH_REASONS
    assert relay.native_finish == (ends[-1].get("native_finish_reason") or ends[-1]["finish_reason"])


def fold(events: list[Json]) -> dict[int, dict[str, Any]]:
    """Text, reasoning and tool calls of each choice, added up the plainest way."""
    choices: dict[int, dict[str, Any]] = {}
    for event in events:
        for choice in event.get("choices") or []:
            mine = choices.setdefault(choice.get("index", 0), {"text": "", "reasoning": "", "calls": {}})
            delta = choice.get("delta") or choice
            content = delta.get("content") or choice.get("text") or ""
            if isinstance(content, list):
                for part in content:
                    mine["text"] += part.get("text", "") if part["type"] == "text" else ""
                    mine["reasoning"] += "".join(piece["text"] for piece in part.get("thinking", []))
            else:
                mine["text"] += content
            mine["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
            for call in delta.get("tool_calls") or []:
                known = mine["calls"].setdefault(call.get("index", call.get("id")), {"name": "", "arguments": ""})
                known["name"] += (call.get("function") or {}).get("name") or ""
                known["arguments"] += (call.get("function") or {}).get("arguments") or ""
    return choices


def check_fold(expected: dict[int, dict[str, Any]], whole: Json) -> None:
    assert [choice["index"] for choice in whole["choices"]] == sorted(expected)
    for choice in whole["choices"]:
        mine = expected[choice["index"]]
        said = choice.get("message", choice)
        assert (said.get("content") or said.get("text") or "") == mine["text"]
        assert (said.get("reasoning_content") or said.get("reasoning") or "") == mine["reasoning"]
        calls = [call["function"] for call in said.get("tool_calls") or []]
        assert [(call.get("name") or "", call.get("arguments") or "") for call in calls] == [
            (call["name"], call["arguments"]) for call in mine["calls"].values()
        ]
