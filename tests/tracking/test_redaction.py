"""Nothing that anybody said survives redaction; the structure does."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tracking.redaction import redact, redact_json, redact_sse

# Letters that no key and no word of the protocol has, so that what is found again was said.
SAID = st.text("ЖДИЛЮЯФЦЧШЩЪ", min_size=4, max_size=30)
WORDS = st.sampled_from(["role", "type", "id", "name", "model", "content", "extra", "text", "arguments", "", "$"])


def said(*texts: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request and an answer with a text at every place that takes one."""
    a, b, c = (texts * 3)[:3]
    request = {
        "model": "gpt-4o",
        "user": a,
        "stop": [b],
        "seed": 7,
        "metadata": {a: b},
        "messages": [
            {"role": "system", "content": a, "name": b},
            {
                "role": "user",
                "content": [{"type": "text", "text": c}, {"type": "image_url", "image_url": {"url": "data:" + a}}],
            },
            {
                "role": "assistant",
                "reasoning_content": b,
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": a}}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": c},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "look_up",
                    "description": a,
                    "parameters": {
                        "type": "object",
                        "properties": {"q": {"type": "string", "enum": [b], "description": c}},
                    },
                },
            }
        ],
        "prompt": [a, b],
        "input": c,
        "invented_tomorrow": {"deep": [{"deeper": a}]},
    }
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": a,
                    "reasoning": b,
                    "refusal": c,
                    "audio": {"transcript": a},
                },
                "logprobs": {
                    "content": [{"token": b, "logprob": -0.1, "bytes": [1, 2], "top_logprobs": [{"token": c}]}]
                },
            },
            {"text": a, "logprobs": {"tokens": [b], "top_logprobs": [{c: -0.5}]}},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
        "error": {"message": a, "type": "server_error", "code": "upstream_cut"},
    }
    return request, answer


def survives(texts: list[str], kept: bytes) -> bool:
    text = kept.decode()
    return any(said[n : n + 4] in text for said in texts for n in range(len(said) - 3))


@given(st.lists(SAID, min_size=3, max_size=3))
def test_no_part_of_what_was_said_survives(texts: list[str]) -> None:
    for body in said(*texts):
        assert survives(texts, orjson.dumps(body))
        assert not survives(texts, orjson.dumps(redact(body)))
        assert not survives(texts, redact_json(orjson.dumps(body)))
        event = b"event: said\ndata: " + orjson.dumps(body) + b"\n\n"
        stream = b": " + texts[0].encode() + b"\n\n" + event + b"data: " + texts[1].encode() + b"\n\n" + event
        for end in (len(stream), len(stream) - 5, len(stream) // 2):
            assert not survives(texts, redact_sse(stream[:end]))


@given(
    st.recursive(
        st.one_of(SAID, st.integers(-9, 9), st.booleans(), st.none()),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
        max_leaves=25,
    )
)
def test_no_text_survives_wherever_it_stands(body: Any) -> None:
    kept = redact_json(orjson.dumps(body))
    assert not any(letter in kept.decode() for letter in "ЖДИЛЮЯФЦЧШЩЪ")


def test_the_structure_is_as_it_was() -> None:
    request, answer = said("ЖДИЛ", "ЮЯФЦЧ", "ШЩЪЖДИ")
    kept = redact(request)
    assert kept.keys() == request.keys()
    assert kept["model"] == "gpt-4o"
    assert kept["seed"] == 7
    assert kept["messages"][0] == {
        "role": "system",
        "content": "[redacted: 4 characters]",
        "name": "[redacted: 5 characters]",
    }
    assert kept["messages"][1]["content"][1] == {"type": "image_url", "image_url": {"url": "[redacted: 9 characters]"}}
    call = kept["messages"][2]["tool_calls"][0]
    assert call == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "look_up", "arguments": "[redacted: 4 characters]"},
    }
    assert kept["tools"][0]["function"]["parameters"]["properties"]["q"] == {
        "type": "string",
        "enum": ["[redacted: 5 characters]"],
        "description": "[redacted: 6 characters]",
    }
    shown = redact(answer)
    assert shown["usage"] == answer["usage"]
    assert shown["choices"][0]["finish_reason"] == "stop"
    assert shown["error"] == {"message": "[redacted: 4 characters]", "type": "server_error", "code": "upstream_cut"}


def test_texts_spelled_in_numbers_go_too() -> None:
    kept = redact({"model": "m", "input": [[15, 16], [17]], "prompt": [1, 2, 3]})
    assert kept == {
        "model": "m",
        "input": ["[redacted: 2 numbers]", "[redacted: 1 number]"],
        "prompt": "[redacted: 3 numbers]",
    }
    answer = redact({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]})
    assert answer["data"] == [{"object": "embedding", "index": 0, "embedding": "[redacted: 2 numbers]"}]


def test_a_word_of_the_protocol_that_is_a_sentence_is_no_word() -> None:
    kept = redact({"model": "tell me of my tumour", "messages": [{"role": "my password is x", "content": None}]})
    assert kept == {
        "model": "[redacted: 20 characters]",
        "messages": [{"role": "[redacted: 16 characters]", "content": None}],
    }


def test_the_original_is_not_changed() -> None:
    request, _ = said("ЖДИЛ", "ЮЯФЦ", "ШЩЪЖ")
    before = orjson.dumps(request)
    redact(request)
    assert orjson.dumps(request) == before


def test_what_cannot_be_read_is_replaced_whole() -> None:
    assert redact_json(b"not json") == b'"[redacted: 8 bytes]"'
    assert redact_sse(b'data: {"id": "x"}\n\ndata: [DONE]\n\n') == b'data: {"id":"x"}\n\ndata: [DONE]\n\n'
    assert redact_sse(b'data: {"content": "hal') == b'data: "[redacted: 16 bytes]"\n\n'
    assert redact_sse(b"data: " + b"x" * 2_000_000) == b'data: "[redacted: 2000006 bytes]"\n\n'


def test_however_deep_it_is_it_is_redacted() -> None:
    deep = b'{"a":' * 900 + b'"said"' + b"}" * 900
    assert b"said" not in redact_json(deep)
    assert b"said" not in redact_json(b'{"parameters":' + deep + b"}")
