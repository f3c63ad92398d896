"""Chat over Messages, where it is more than a change of names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers import anthropic
from providers.errors import InvalidRequest, UnsupportedParameter
from tests.providers.recorded import Json, added_up, played

MODEL = "claude-sonnet-4-5"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}


def encoded(*messages: Json, model: str = MODEL, **params: Any) -> Json:
    return anthropic.encode({"model": model, "messages": list(messages) or [user("hi")], **params})


def user(content: Any) -> Json:
    return {"role": "user", "content": content}


def answer(*blocks: Json, stop: str = "end_turn") -> Json:
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {"id": "m", "model": MODEL, "content": list(blocks), "stop_reason": stop, "usage": usage}


def events(*payloads: Json) -> bytes:
    return b"".join(f"event: {p['type']}\ndata: {json.dumps(p)}\n\n".encode() for p in payloads)


def test_only_leading_system_messages_are_hoisted() -> None:
    sent = encoded(
        {"role": "system", "content": "one"},
        {"role": "developer", "content": [{"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}}]},
        user("hi"),
        {"role": "assistant", "content": "hello"},
        {"role": "system", "content": "three"},
    )
    assert sent["system"] == [
        {"type": "text", "text": "one"},
        {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}},
    ]
    assert sent["messages"][2] == {
        "role": "user",
        "content": [{"type": "text", "text": "<system>\nthree\n</system>"}],
    }


def test_results_of_tools_stand_together_and_first_even_with_a_system_message_between() -> None:
    calls = [{"id": id, "function": {"name": "f", "arguments": "{}"}} for id in ("a", "b")]
    sent = encoded(
        user("go"),
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "system", "content": "careful"},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        user("so?"),
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
    )
    last = sent["messages"][-1]["content"]
    assert [block["type"] for block in last] == ["tool_result", "tool_result", "text", "text"]
    assert [block.get("tool_use_id") for block in last[:2]] == ["a", "b"]


def test_arguments_that_are_no_json_are_told_by_their_place() -> None:
    call = {"id": "a", "function": {"name": "f", "arguments": "{oops"}}
    with pytest.raises(InvalidRequest) as caught:
        encoded(user("x"), {"role": "assistant", "tool_calls": [call]})
    assert caught.value.param == "messages[1].tool_calls[0].function.arguments"
    assert "'{oops'" in caught.value.message


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"temperature": 1.2}, "temperature"),
        ({"n": 2}, "n"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"reasoning_effort": "high", "max_tokens": 1000}, "reasoning_effort"),
        ({"reasoning_effort": "high", "thinking": {"type": "disabled"}}, "reasoning_effort"),
        ({"tools": [TOOL], "tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0]"),
        ({"model": "claude-3-5-haiku-latest", "response_format": FORMAT, "tools": [TOOL]}, "response_format"),
    ],
)
def test_what_it_cannot_do_is_refused_and_not_bent(params: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoded(**{"model": MODEL, **params})
    assert caught.value.param == param


def test_audio_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidRequest, match=r"messages\[0\].content\[0\] is audio"):
        encoded(user([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]))


def test_several_answers_are_refused_as_a_parameter() -> None:
    with pytest.raises(UnsupportedParameter):
        encoded(n=3)
    assert "n" not in encoded(n=1)


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("required", None, {"type": "any"}),
        ("none", False, {"type": "none"}),
        ({"type": "function", "function": {"name": "f"}}, None, {"type": "tool", "name": "f"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
    ],
)
def test_the_choice_of_tools(choice: Any, parallel: Any, sent: Any) -> None:
    body = encoded(
        tools=[TOOL, {"type": "web_search_20250305", "name": "web_search"}],
        tool_choice=choice,
        parallel_tool_calls=parallel,
    )
    assert body.get("tool_choice") == sent
    assert body["tools"][0] == {"name": "f", "strict": True, "input_schema": SCHEMA}
    assert body["tools"][1] == {"type": "web_search_20250305", "name": "web_search"}


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("claude-sonnet-4-5", None, {"max_tokens": 4096}),
        ("claude-sonnet-4-5", "low", {"max_tokens": 6144, "thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("claude-3-7-sonnet-20250219", "none", {"max_tokens": 4096, "thinking": {"type": "disabled"}}),
        (
            "claude-opus-4-6",
            "minimal",
            {"max_tokens": 5120, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            "claude-sonnet-5",
            "xhigh",
            {"max_tokens": 28672, "thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
        ),
        ("kimi-k2", "low", {"max_tokens": 6144, "thinking": {"type": "enabled", "budget_tokens": 2048}}),
    ],
)
def test_effort_is_a_budget_or_an_effort_as_the_model_takes_it(model: str, effort: Any, sent: Json) -> None:
    body = encoded(model=model, reasoning_effort=effort)
    assert {key: body[key] for key in ("max_tokens", "thinking", "output_config") if key in body} == sent


def test_a_schema_is_native_where_the_model_has_it() -> None:
    body = encoded(response_format=FORMAT, output_config={"effort": "low"})
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}


def test_a_schema_is_a_tool_that_nobody_sees_where_the_model_has_none() -> None:
    request = {"model": "claude-3-5-haiku-latest", "messages": [user("hi")], "response_format": FORMAT}
    sent = anthropic.encode(request)
    name = sent["tools"][0]["name"]
    assert sent["tool_choice"] == {"type": "tool", "name": name}
    use = {"type": "tool_use", "id": "t", "name": name, "input": {"a": "b"}}
    choice = anthropic.decode(answer(use, stop="tool_use"), request)["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ('{"a":"b"}', "stop")
    assert choice["native_finish_reason"] == "tool_use"
    assert "tool_calls" not in choice["message"]
    stream = events(
        {"type": "message_start", "message": answer()},
        {"type": "content_block_start", "index": 0, "content_block": {**use, "input": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a":"b"}'}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )
    given, relay = played(anthropic, request, stream)
    assert added_up(given)["choices"][0]["message"] == {"role": "assistant", "content": '{"a":"b"}'}
    assert relay.finish == "stop"


def test_files_become_documents() -> None:
    pdf = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERg=="}}
    text = {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk="}}
    kept = {"type": "file", "file": {"file_id": "file_1"}, "cache_control": {"type": "ephemeral"}}
    blocks = encoded(user([pdf, text, kept]))["messages"][0]["content"]
    assert blocks[0]["source"] == {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
    assert blocks[0]["title"] == "a.pdf"
    assert blocks[1]["source"] == {"type": "text", "media_type": "text/plain", "data": "hi"}
    assert blocks[2] == {
        "type": "document",
        "source": {"type": "file", "file_id": "file_1"},
        "cache_control": {"type": "ephemeral"},
    }
    with pytest.raises(InvalidRequest, match="application/zip"):
        encoded(user([{"type": "file", "file": {"file_data": "data:application/zip;base64,UEs="}}]))


def test_what_another_provider_signed_is_not_sent() -> None:
    message = {
        "role": "assistant",
        "content": "hi",
        "extra_content": {"google": {"parts": [{"text": "hi", "thoughtSignature": "x"}]}},
    }
    assert encoded(user("a"), message)["messages"][1]["content"] == [{"type": "text", "text": "hi"}]


def test_a_pause_is_no_end_and_can_be_gone_on_with() -> None:
    blocks: list[Json] = [
        {"type": "text", "text": "searching"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
    ]
    choice = anthropic.decode(answer(*blocks, stop="pause_turn"), {"model": MODEL})["choices"][0]
    assert (choice["finish_reason"], choice["native_finish_reason"]) == ("length", "pause_turn")
    assert encoded(user("a"), choice["message"])["messages"][1]["content"] == blocks


def test_a_call_that_was_cut_by_the_limit_is_given_as_far_as_it_went() -> None:
    stream = events(
        {"type": "message_start", "message": answer()},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )
    given, relay = played(anthropic, {"model": MODEL}, stream)
    message = added_up(given)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == '{"a":'
    assert (relay.finish, relay.done, relay.error) == ("length", True, None)


def test_usage_of_iterations_is_added_up_and_reports_of_a_stream_are_not() -> None:
    row = {"input_tokens": 10, "output_tokens": 3, "cache_read_input_tokens": 5}
    said = {"input_tokens": 1, "output_tokens": 1, "iterations": [row, row]}
    usage = anthropic.usage({"usage": said})
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read, usage.cache_write) == (30, 6, 10, None)
    start = {**answer(), "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 1}}
    stream = events(
        {"type": "message_start", "message": start},
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"input_tokens": 10, "output_tokens": 4}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    )
    _, relay = played(anthropic, {"model": MODEL}, stream)
    assert relay.usage is not None
    assert (relay.usage.input, relay.usage.output, relay.usage.cache_read) == (100, 7, 90)


def test_zero_is_not_unknown() -> None:
    usage = anthropic.usage({"usage": {"input_tokens": 0, "output_tokens": 0}})
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read, usage.reasoning) == (0, 0, None, None)
    assert anthropic.usage({"usage": {"input_tokens": -1, "output_tokens": "many"}}).suspect  # type: ignore[union-attr]  # it is there


def test_a_finish_reason_is_only_given_once_the_message_has_stopped() -> None:
    stream = events(
        {"type": "message_start", "message": answer()},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    )
    given, relay = played(anthropic, {"model": MODEL}, stream)
    assert added_up(given)["choices"][0]["finish"] is None
    assert not relay.done
