"""A stream that a caller was sent becomes one answer again, cut or whole."""

from __future__ import annotations

import gc
import time

import orjson
from hypothesis import given
from hypothesis import strategies as st

from providers import sse
from providers.assemble import assemble
from providers.chat import Json


def streamed(*chunks: Json) -> bytes:
    return b"".join(map(sse.encode, chunks)) + sse.DONE


def choice(delta: Json, finish: str | None = None, index: int = 0, **more: object) -> Json:
    return {
        "id": "c-1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish, **more}],
    }


def test_text_reasoning_and_usage_are_those_of_a_plain_answer() -> None:
    whole = assemble(
        streamed(
            choice({"role": "assistant", "content": "", "refusal": None}),
            choice({"reasoning_content": "let "}),
            choice({"reasoning_content": "me"}),
            choice({"content": "Hel"}),
            choice({"content": "lo"}),
            choice({}, "stop"),
            {"id": "c-1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
        ),
        "chat",
    )
    message = {"role": "assistant", "content": "Hello", "refusal": None, "reasoning_content": "let me"}
    assert whole == {
        "id": "c-1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


def test_tool_calls_come_together_by_their_index() -> None:
    def piece(index: int | None, arguments: str, **more: str) -> Json:
        number = {} if index is None else {"index": index}
        return choice({"tool_calls": [{**number, **more, "function": {"arguments": arguments}}]})

    whole = assemble(streamed(piece(0, "{", id="a"), piece(1, "[", id="b"), piece(1, "]"), piece(0, "}")), "chat")
    calls = whole["choices"][0]["message"]["tool_calls"]
    assert calls == [{"id": "a", "function": {"arguments": "{}"}}, {"id": "b", "function": {"arguments": "[]"}}]
    without_index = assemble(streamed(piece(None, "1", id="a"), piece(None, "2"), piece(None, "3", id="b")), "chat")
    calls = without_index["choices"][0]["message"]["tool_calls"]
    assert [(call["id"], call["function"]["arguments"]) for call in calls] == [("a", "12"), ("b", "3")]


def test_several_choices_log_probabilities_audio_and_function_calls_are_kept_apart() -> None:
    whole = assemble(
        streamed(
            choice({"content": "a"}, logprobs={"content": [{"token": "a"}], "refusal": None}),
            choice({"content": "b"}, logprobs={"content": [{"token": "b"}], "refusal": None}),
            choice({"audio": {"id": "s", "transcript": "he"}}, index=1),
            choice({"audio": {"transcript": "y", "data": "QQ=="}}, index=1),
            choice({"function_call": {"name": "f", "arguments": "{"}}, index=2),
            choice({"function_call": {"arguments": "}"}}, "function_call", index=2),
        ),
        "chat",
    )
    first, second, third = whole["choices"]
    assert first["logprobs"] == {"content": [{"token": "a"}, {"token": "b"}], "refusal": None}
    assert second["message"]["audio"] == {"id": "s", "transcript": "hey", "data": "QQ=="}
    assert third["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert [one["finish_reason"] for one in whole["choices"]] == [None, None, "function_call"]


def test_text_completions_are_added_up_in_the_choice() -> None:
    pieces = [{"object": "text_completion", "choices": [{"index": 0, "text": text}]} for text in "abc"]
    whole = assemble(streamed(*pieces), "completions")
    assert whole["object"] == "text_completion"
    assert whole["choices"] == [{"index": 0, "finish_reason": None, "text": "abc"}]


def test_what_went_wrong_is_kept_beside_what_was_heard() -> None:
    whole = assemble(streamed(choice({"content": "half"}), {"error": {"code": "upstream_cut"}}), "chat")
    assert whole["error"] == {"code": "upstream_cut"}
    assert whole["choices"][0]["message"]["content"] == "half"


def test_events_of_several_lines_and_comments_are_read() -> None:
    spread = b': hello\n\ndata: {"choices":\ndata: [{"index":0,"delta":{"content":"a"}}]}\n\n' + sse.encode(
        choice({"content": "b"})
    )
    assert assemble(spread, "chat")["choices"][0]["message"]["content"] == "ab"


@given(st.lists(st.text()), st.data())
def test_a_cut_anywhere_keeps_a_beginning(words: list[str], data: st.DataObject) -> None:
    stream = streamed(*(choice({"content": word}) for word in words))
    whole = "".join(words)
    at = data.draw(st.integers(0, len(stream)))
    heard = assemble(stream[:at], "chat")["choices"]
    assert whole.startswith(heard[0]["message"]["content"] if heard else "")
    assert (assemble(stream, "chat")["choices"] or [{"message": {"content": ""}}])[0]["message"]["content"] == whole


def test_nothing_heard_is_an_answer_without_choices() -> None:
    assert assemble(b"", "chat") == {"object": "chat.completion", "choices": []}


def test_the_cost_grows_with_the_length_and_not_faster() -> None:
    def seconds(length: int) -> float:
        stream = streamed(*[choice({"content": "word " * 10}, logprobs={"content": [{"token": "w"}]})] * length)
        began = time.process_time()
        assemble(stream, "chat")
        return time.process_time() - began

    # What other tests have left in the process is not ours to be measured by the garbage collector.
    gc.disable()
    try:
        seconds(100)
        assert seconds(20_000) < 40 * max(seconds(2_000), 0.001)
    finally:
        gc.enable()


def test_what_is_assembled_can_be_written_down() -> None:
    assert orjson.dumps(assemble(streamed(choice({"content": "a"})), "chat"))
