"""Every recorded exchange with a provider that speaks OpenAI's language is read without an error, and read right.

What is expected is worked out here from the recording, not by the code under test.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from providers.assemble import assemble
from providers.chat import FINISH_REASONS, Json, Kind
from providers.dialect import Relay, Surface
from providers.errors import Garbled
from providers.habits import Habits
from providers.openai import Chat
from providers.openai_usage import compatible
from providers.table import DIALECTS, PROVIDERS
from providers.usage import Usage

WIRE = Path(__file__).parents[2].parent / "shared/wire"
BUILT_IN = {
    "openai": "openai",
    "groq": "groq",
    "together": "together",
    "deepseek": "deepseek",
    "xai": "xai",
    "openrouter": "openrouter",
    "mistral": "mistral",
    "perplexity": "perplexity",
    "cerebras": "cerebras",
    "ollama": "ollama",
    "vllm": "vllm",
    "huggingface": "huggingface",
}
OF_CONFIG = [
    "llama_cpp",
    "litellm_proxy",
    "snowflake",
    "zai",
    "gpustack",
    "crusoe",
    "avian",
    "writer",
    "bedrock_mantle",
    "vercel_gateway",
    "portkey_gateway",
    "pydantic_gateway",
]
"""Those that are no entry of ours: a provider of the config file with `dialect: openai`."""
KINDS: dict[str, Kind] = {"chat": "chat", "chat_v1": "chat", "completions": "completions", "embeddings": "embeddings"}
NEVER_SENDS_DONE = Chat(habits=Habits(usage=compatible, sends_done=False))
NOT_OPENAI = {"ollama-embeddings-a3aa502b1f"}
"""Ollama's own API, not the one of OpenAI's that it also has; our surface says so instead of making it up."""
LONG, EDGE, STRIDE = 20_000, 4096, 101
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


def recorded() -> list[Json]:
    if not WIRE.is_dir():
        return []
    lines = (
        line for name in [*BUILT_IN, "azure", *OF_CONFIG] for line in (WIRE / f"{name}.jsonl").read_text().splitlines()
    )
    return [exchange for line in lines if (exchange := json.loads(line))["surface"] in KINDS]


ALL = recorded()
MISSING = pytest.mark.skipif(not WIRE.is_dir(), reason="the recorded exchanges are not beside the repository")
STREAMS = [each for each in ALL if each["response"]["body_type"] == "text"]
WHOLES = [each for each in ALL if each["response"]["body_type"] == "json" and each["response"]["status"] == 200]
ERRORS = [each for each in ALL if each["response"]["status"] != 200]


def each(exchanges: list[Json]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("exchange", exchanges, ids=[exchange["id"] for exchange in exchanges])


def surface_of(exchange: Json) -> Surface:
    provider, kind = exchange["provider"], KINDS[exchange["surface"]]
    if provider == "azure":
        path = exchange["request"]["path"]
        name = "azure-ai" if "/models/" in path else "azure" if "/deployments/" in path else "azure-v1"
        return PROVIDERS[name].surfaces[kind]
    if exchange["surface"] == "chat_v1":
        return NEVER_SENDS_DONE
    return (PROVIDERS[BUILT_IN[provider]] if provider in BUILT_IN else DIALECTS["openai"]).surfaces[kind]


def events_of(exchange: Json) -> list[Json]:
    body = exchange["response"]["body"]
    if isinstance(body, dict):
        return [body]
    return [json.loads(line[5:]) for line in re.split("\r?\n", body) if re.match(r"data: ?\{", line)]


def asked(exchange: Json, *, usage: bool = False) -> Json:
    body: Json = exchange["request"]["body"]
    return {**body, "stream_options": {"include_usage": usage}}


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
@each(STREAMS)
def test_a_stream_is_the_same_cut_at_every_byte(exchange: Json) -> None:
    """Of streams over 20 kB, at every byte of the first and the last 4 kB and at a prime stride between.

    Cut in an event, it must give the same for that event and be in the same state after it as if it had come whole;
    then the rest is the same too.
    """
    data = exchange["response"]["body"].encode()
    whole, final = played(exchange, usage=False)
    ends = [0, *(match.end() for match in re.finditer(rb"\r\n\r\n|\n\n", data))]
    if ends[-1] < len(data):
        ends.append(len(data))
    states: list[dict[str, Any]] = []
    pieces: list[bytes] = []
    relay = surface_of(exchange).relay(asked(exchange))
    for begin, end in pairwise(ends):
        states.append(copied(vars(relay)))
        pieces.append(relay.feed(data[begin:end]))
    states.append(copied(vars(relay)))
    assert b"".join(pieces) + relay.close() == whole
    assert shown(vars(relay)) == shown(vars(final))
    settled = [shown(state) for state in states]
    number = 0
    for at in cuts(len(data)):
        while ends[number + 1] <= at:
            number += 1
        cut = object.__new__(type(relay))
        vars(cut).update(copied(states[number]))
        assert cut.feed(data[ends[number] : at]) + cut.feed(data[at : ends[number + 1]]) == pieces[number], at
        assert shown(vars(cut)) == settled[number + 1], at


@MISSING
@each(STREAMS)
def test_a_stream_is_the_same_one_byte_at_a_time(exchange: Json) -> None:
    data = exchange["response"]["body"].encode()
    whole, final = played(exchange, usage=False)
    relay = surface_of(exchange).relay(asked(exchange))
    given = b"".join([relay.feed(data[at : at + 1]) for at in range(len(data))]) + relay.close()
    assert given == whole
    assert shown(vars(relay)) == shown(vars(final))


@MISSING
@each([each for each in STREAMS if len(each["response"]["body"]) < 5000])
def test_a_stream_that_ends_anywhere_before_its_end_is_not_done(exchange: Json) -> None:
    data = exchange["response"]["body"].encode()
    whole, _ = played(exchange, usage=False)
    # What makes it whole: `[DONE]`, or at those who never send that the event with the finish reason.
    last_word = re.search(rb"data: \[DONE\]", data) or re.search(rb'data: [^\r\n]*"finish_reason":"[^\r\n]*', data)
    assert last_word is not None
    end = last_word.end()
    for at in range(end):
        relay = surface_of(exchange).relay(asked(exchange))
        given = relay.feed(data[:at]) + relay.close()
        assert not relay.done, at
        assert relay.error is None or is_broken(exchange), at
        assert whole.startswith(given.removesuffix(b"\n\n")), at
    relay = surface_of(exchange).relay(asked(exchange))
    relay.feed(data[:end])
    relay.close()
    assert relay.done != is_broken(exchange)


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
def test_none_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(ALL) == len(STREAMS) + len(WHOLES) + len([e for e in ERRORS if e["response"]["body_type"] == "json"])
    counts = Counter(exchange["provider"] for exchange in ALL)
    with capsys.disabled():
        print("\nrecorded exchanges in OpenAI's language:", ", ".join(f"{name} {n}" for name, n in counts.items()))
        print(f"in all {len(ALL)}: {len(WHOLES)} whole answers, {len(STREAMS)} streams, {len(ERRORS)} errors")


def is_broken(exchange: Json) -> bool:
    return any("error" in event for event in events_of(exchange))


def played(exchange: Json, *, usage: bool) -> tuple[bytes, Relay]:
    relay = surface_of(exchange).relay(asked(exchange, usage=usage))
    given = relay.feed(exchange["response"]["body"].encode())
    return given + relay.close(), relay


def events_of_bytes(given: bytes) -> list[Json]:
    return [json.loads(line[5:]) for line in given.splitlines() if line.startswith(b"data:")]


def cuts(length: int) -> Iterator[int]:
    if length <= LONG:
        yield from range(length)
        return
    yield from range(EDGE)
    yield from range(EDGE, length - EDGE, STRIDE)
    yield from range(length - EDGE, length)


def copied(state: dict[str, Any]) -> dict[str, Any]:
    """What changes in place is copied; `copy.copy` would take most of this file's time."""
    fresh = dict(state)
    fresh["_held"] = bytearray(fresh["_held"])
    fresh["_finished"], fresh["_with_tools"] = set(fresh["_finished"]), set(fresh["_with_tools"])
    likeness = fresh["_likeness"]
    fresh["_likeness"] = object.__new__(type(likeness))
    vars(fresh["_likeness"]).update(vars(likeness))
    return fresh


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """What may be compared: which likeness was learnt last makes no difference to what is given."""
    return {**state, "error": str(state["error"]), "_likeness": None}


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
