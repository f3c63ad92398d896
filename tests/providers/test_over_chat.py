"""Legacy completions at a provider that only chats: a prompt in, text out, and no for what a chat cannot do."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers import sse
from providers.chat import Json
from providers.errors import InvalidRequest, UnsupportedParameter
from providers.openai import Chat
from providers.over_chat import OverChat

SURFACE = OverChat(Chat())


def test_a_prompt_is_what_a_user_says_and_the_rest_is_as_it_was() -> None:
    request = {"model": "m", "prompt": "Say hi", "max_tokens": 5, "stop": ["."], "echo": False, "suffix": None}
    before = dict(request)
    assert SURFACE.encode(request) == {
        "model": "m",
        "max_tokens": 5,
        "stop": ["."],
        "messages": [{"role": "user", "content": "Say hi"}],
    }
    assert request == before
    assert SURFACE.encode({"model": "m", "prompt": ["one"]})["messages"][0]["content"] == "one"
    assert SURFACE.path("m", stream=False) == "/chat/completions"


@pytest.mark.parametrize(
    ("given", "named"),
    [({"echo": True}, "echo"), ({"suffix": "x"}, "suffix"), ({"best_of": 2}, "best_of"), ({"logprobs": 0}, "logprobs")],
)
def test_what_a_chat_has_no_word_for_is_refused_by_name(given: Json, named: str) -> None:
    with pytest.raises(UnsupportedParameter, match=named) as caught:
        SURFACE.encode({"model": "m", "prompt": "p", **given})
    assert caught.value.param == named


@pytest.mark.parametrize(
    ("prompt", "said"),
    [(["a", "b"], "2 prompts were sent"), ([1, 2], "token ids"), ([[1], [2]], "token ids"), ([], "no text")],
)
def test_prompts_that_are_not_one_text_are_refused(prompt: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        SURFACE.encode({"model": "m", "prompt": prompt})
    assert caught.value.param == "prompt"


def test_an_answer_is_a_text_completion() -> None:
    message = {"role": "assistant", "content": "hi"}
    answer = {
        "id": "c",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    assert SURFACE.decode(answer, {"model": "m", "prompt": "p"}) == {
        **answer,
        "object": "text_completion",
        "choices": [{"index": 0, "text": "hi", "logprobs": None, "finish_reason": "length"}],
    }


def test_a_stream_is_retold_chunk_by_chunk_however_it_comes() -> None:
    def event(delta: Json, finish: str | None = None) -> bytes:
        return sse.encode({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    usage = sse.encode({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})
    stream = (
        b": ping\n\n" + event({"role": "assistant"}) + event({"content": "hi"}) + event({}, "stop") + usage + sse.DONE
    )
    request = {"model": "m", "prompt": "p", "stream": True, "stream_options": {"include_usage": True}}
    for size in (1, 7, len(stream)):
        relay = SURFACE.relay(request)
        given = b"".join(relay.feed(stream[at : at + size]) for at in range(0, len(stream), size)) + relay.close()
        chunks = [orjson.loads(line[6:]) for line in given.splitlines() if line]
        assert [one["text"] for chunk in chunks for one in chunk["choices"]] == ["", "hi", ""]
        assert all(chunk["object"] == "text_completion" for chunk in chunks)
        assert chunks[-1]["usage"]["total_tokens"] == 3
        assert (relay.done, relay.finish, relay.events) == (True, "stop", 3)
        assert relay.usage is not None
        assert relay.usage.output == 2


def test_an_error_in_the_stream_is_told() -> None:
    relay = SURFACE.relay({"model": "m", "prompt": "p", "stream": True})
    assert relay.feed(b'data: {"error":{"message":"no","code":429}}\n\n') == b""
    assert relay.error is not None
    assert relay.error.status == 429
