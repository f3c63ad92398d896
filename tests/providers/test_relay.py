"""A stream on its way to a caller: what passes, what is changed, what is taken out, and when it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import mistral, openai_usage, sse
from providers.chat import Json
from providers.errors import Failed, Garbled, Rejected, UpstreamError
from providers.habits import Habits
from providers.likeness import Likeness
from providers.relay import Passing, Translating
from providers.usage import Usage

FOLLOWER = Habits(usage=openai_usage.compatible, stop_hides_tools=True)
ASKED: Json = {"stream_options": {"include_usage": True}}


def chunk(delta: Any = None, finish: str | None = None, *, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return sse.encode({"id": "c-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def text(content: str, **more: Any) -> bytes:
    return chunk({"content": content}, **more)


USAGE = sse.encode(
    {"id": "c-1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
)
WHOLE = [chunk({"role": "assistant", "content": ""}), text("a"), text("b"), chunk(finish="stop"), USAGE, sse.DONE]


def passed(*pieces: bytes, request: Json | None = None, habits: Habits = FOLLOWER) -> tuple[bytes, Passing]:
    relay = Passing(request or {}, habits)
    given = b"".join([relay.feed(piece) for piece in pieces])
    return given + relay.close(), relay


def payloads(given: bytes) -> list[Json]:
    return [orjson.loads(line[6:]) for line in given.splitlines() if line]


def test_a_dull_chunk_is_handed_on_as_the_object_that_it_is() -> None:
    relay = Passing({}, FOLLOWER)
    relay.feed(text("a"))
    later = text("something else")
    assert relay.feed(later) is later
    assert relay.events == 2


def test_the_closing_word_is_left_to_the_engine_and_nothing_after_it_passes() -> None:
    given, relay = passed(*WHOLE, text("late"), request=ASKED)
    assert given == b"".join(WHOLE[:-1])
    assert (relay.done, relay.finish, relay.native_finish, relay.error) == (True, "stop", "stop", None)
    assert relay.usage == Usage(input=3, output=2)


def test_usage_that_only_we_asked_for_is_taken_out() -> None:
    given, relay = passed(*WHOLE)
    assert given == b"".join(WHOLE[:-2])
    assert relay.usage == Usage(input=3, output=2)


def test_a_caller_who_asked_gets_usage_that_the_provider_put_elsewhere() -> None:
    aside = chunk(finish="stop", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}})
    given, _ = passed(text("a"), aside, sse.DONE, request=ASKED)
    last = payloads(given)[-1]
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}
    assert last["id"] == "c-1"


def test_reports_of_usage_in_every_chunk_are_not_added_up() -> None:
    reports = [text("a", usage={"prompt_tokens": 3, "completion_tokens": n, "total_tokens": 3 + n}) for n in (0, 1, 2)]
    given, relay = passed(*reports, chunk(finish="stop"), sse.DONE)
    assert given == b"".join(reports) + chunk(finish="stop")
    assert relay.usage == Usage(input=3, output=2)


def test_a_first_chunk_without_choices_passes_and_is_no_event() -> None:
    filtered = sse.encode({"id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
    relay = Passing({}, Habits())
    assert relay.feed(filtered) == filtered
    assert relay.events == 0
    assert relay.feed(text("a")) == text("a")
    assert relay.events == 1


@pytest.mark.parametrize("padding", [{}, {"obfuscation": "xy"}, {"p": "abc"}])
def test_nothing_hides_behind_a_likeness(padding: Json) -> None:
    alike = [text("a", **padding), text("b", **padding)]
    given, relay = passed(*alike, text("c", **padding, error="boom"))
    assert given == b"".join(alike)
    assert relay.error is not None
    assert relay.error.message == "boom"
    _, relay = passed(*alike, text("c", **padding) + chunk(finish="stop", **padding) + text("", **padding))
    assert relay.finish == "stop"


def test_comments_pass_and_are_no_events() -> None:
    relay = Passing({}, FOLLOWER)
    assert relay.feed(b": PROCESSING\n\n") == b": PROCESSING\n\n"
    assert relay.events == 0


@pytest.mark.parametrize("native", ["eos", "model_length", "sensitive", "insufficient_system_resource"])
def test_a_finish_reason_of_its_own_is_said_in_openais_words_and_kept(native: str) -> None:
    given, relay = passed(text("a"), chunk(finish=native), sse.DONE)
    choice = payloads(given)[-1]["choices"][0]
    assert choice["native_finish_reason"] == relay.native_finish == native
    expected = {"eos": "stop", "model_length": "length", "sensitive": "content_filter"}.get(native, "error")
    assert choice["finish_reason"] == relay.finish == expected


def test_stop_after_a_tool_call_becomes_tool_calls_only_at_those_who_are_known_for_it() -> None:
    call = chunk({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]})
    more = chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})
    stream = [call, more, more, chunk(finish="stop"), sse.DONE]
    given, relay = passed(*stream)
    assert (relay.finish, relay.native_finish) == ("tool_calls", "stop")
    assert payloads(given)[-1]["choices"][0]["finish_reason"] == "tool_calls"
    given, relay = passed(*stream, habits=Habits())
    assert relay.finish == "stop"
    assert given == b"".join(stream[:-1])


def test_of_several_choices_only_the_one_with_the_call_finishes_so() -> None:
    call = chunk({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]}, index=1)
    given, relay = passed(
        text("a"), call, chunk(finish="stop"), chunk(finish="stop", index=1), sse.DONE, request={"n": 2}
    )
    reasons = [choice["finish_reason"] for payload in payloads(given) for choice in payload["choices"]]
    assert reasons == [None, None, "stop", "tool_calls"]
    assert relay.finish == "stop"


@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        (b'data: {"error":{"message":"slow down","code":429}}\n\n', "rate_limit_error", 429),
        (b'event: error\ndata: {"message":"no","status_code":400}\n\n', "invalid_request_error", 400),
        (b'data: {"error":{"message":"broken","type":"server_error"}}\n\n', "upstream_error", 502),
        (b'data: {"error":"just words"}\n\n', "upstream_error", 502),
        (b'data: {"object":"error","message":"m","code":404}\n\n', "not_found_error", 404),
        (b'data: {"detail":"Unauthorized"}\n\n', "upstream_error", 502),
    ],
)
def test_an_error_in_the_stream_is_the_status_that_it_would_have_been(event: bytes, kind: str, status: int) -> None:
    for before in ([], [text("a"), text("b")]):
        given, relay = passed(*before, event, sse.DONE)
        assert given == b"".join(before)
        assert relay.error is not None
        assert (relay.error.type, relay.error.status, relay.done) == (kind, status, False)
        assert relay.events == len(before)


def test_null_where_an_error_could_be_is_none() -> None:
    given, relay = passed(text("a", error=None), chunk(finish="stop", error=None), sse.DONE)
    assert relay.done
    assert given.count(b"data:") == 2


@pytest.mark.parametrize("bad", [b"data: {oops}\n\n", b"data: 7\n\n", b'data: {"choices":[7]}\n\n', b"data: \xff\n\n"])
def test_an_event_that_cannot_be_read_ends_the_stream_after_what_came_before(bad: bytes) -> None:
    given, relay = passed(text("a"), text("b") + bad + text("c"), sse.DONE)
    assert given == text("a") + text("b")
    assert isinstance(relay.error, Garbled)
    assert not relay.done


def test_the_code_for_a_bad_event_is_its_own() -> None:
    _, relay = passed(text("a"), b"data: {oops}\n\n")
    assert relay.error is not None
    assert relay.error.code == "upstream_bad_event"


@pytest.mark.parametrize("whole", [True, False])
def test_an_event_beyond_the_limit_ends_the_stream(whole: bool) -> None:
    relay = Passing({}, FOLLOWER)
    relay.feed(text("a"))
    large = b'data: {"choices":[], "x":"' + b"x" * (2 << 20)
    if whole:
        assert relay.feed(large + b'"}\n\n') == b""
    else:
        for at in range(0, len(large), 4096):
            assert relay.feed(large[at : at + 4096]) == b""
    assert relay.error is not None
    assert relay.error.code == "upstream_event_too_large"


def test_an_end_without_the_closing_word_is_not_whole_unless_that_is_known_of_the_provider() -> None:
    unfinished, finished = [text("a"), text("b")], [text("a"), chunk(finish="stop")]
    assert not passed(*finished)[1].done
    never = Habits(sends_done=False)
    assert passed(*finished, habits=never)[1].done
    assert not passed(*unfinished, habits=never)[1].done
    assert not passed(*finished, habits=never, request={"n": 2})[1].done


def test_the_last_event_may_lack_its_blank_line_but_a_piece_of_one_is_dropped() -> None:
    given, relay = passed(text("a"), text("b")[:-2])
    assert given == text("a") + text("b")
    given, relay = passed(text("a"), text("b")[:-6])
    assert given == text("a")
    assert relay.error is None
    assert passed(text("a"), b"data: [DONE]")[1].done
    assert not passed(text("a"), b"data: [DONE")[1].done


def test_thinking_in_a_list_is_said_as_clients_read_it() -> None:
    habits = Habits(reshape=mistral.plain)
    thinking = chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]})
    both = chunk(
        {"content": [*orjson.loads(thinking[6:])["choices"][0]["delta"]["content"], {"type": "text", "text": "1"}]}
    )
    given, _ = passed(text(""), thinking, both, text("44"), chunk(finish="stop"), sse.DONE, habits=habits)
    deltas = [payload["choices"][0]["delta"] for payload in payloads(given)]
    assert deltas == [
        {"content": ""},
        {"content": "", "reasoning_content": "hm"},
        {"content": "1", "reasoning_content": "hm"},
        {"content": "44"},
        {},
    ]


TEXTS = st.text() | st.sampled_from(['"error"', '"usage":{', '\\"', "data: [DONE]", "\u2028", "\n\n"])
EVENTS = st.one_of(
    TEXTS.map(text),
    TEXTS.map(lambda words: text(words, obfuscation="x" * (len(words) % 7))),
    TEXTS.map(lambda words: chunk({"reasoning_content": words})),
    TEXTS.map(lambda words: chunk({"tool_calls": [{"index": 0, "function": {"arguments": words}}]})),
    TEXTS.map(lambda words: text(words, index=1)),
    st.sampled_from(["stop", "eos", "length", ""]).map(lambda reason: chunk(finish=reason)),
    st.just(USAGE),
    st.just(b": ping\n\n"),
    st.just(text("c").replace(b":", b": ")),
    st.just(chunk({"content": "d", "tool_calls": None}, usage=None)),
)


@given(st.lists(EVENTS), st.sampled_from([b"\n", b"\r\n"]), st.data())
def test_a_stream_gives_the_same_however_it_is_cut(events: list[bytes], end: bytes, data: st.DataObject) -> None:
    stream = b"".join([*events, sse.DONE]).replace(b"\n", end)
    whole, relay = passed(stream)
    at = data.draw(st.integers(0, len(stream)))
    for pieces in ([stream[:at], stream[at:]], [stream[at : at + 1] for at in range(len(stream))]):
        given, other = passed(*pieces)
        assert given == whole
        for name in ("events", "usage", "finish", "native_finish", "done"):
            assert getattr(other, name) == getattr(relay, name)
    # Against reading each event by itself, with nothing learnt from those before but whether there was a tool call.
    expected = []
    for place, event in enumerate(events):
        calls = [other for other in events[:place] if b'"tool_calls":[{' in other][:1]
        alone, _ = passed(*calls, event)
        if not event.startswith(b":"):
            expected += payloads(alone.removeprefix(b"".join(calls)))
    assert payloads(whole.replace(b": ping" + end, b"")) == expected


@given(EVENTS, EVENTS)
def test_what_is_like_a_dull_chunk_is_dull(first: bytes, second: bytes) -> None:
    likeness = Likeness()
    learnt = orjson.loads(first[6:]) if first[:1] == b"d" else {}
    if [choice["finish_reason"] for choice in learnt.get("choices", [])] != [None]:
        return
    likeness.learn(first)
    if likeness.matches(second):
        payload = orjson.loads(second[6:])
        assert "usage" not in payload or payload["usage"] is None
        assert [choice["finish_reason"] for choice in payload["choices"]] == [None]


@pytest.mark.parametrize("field", ["created", "sequence"])
def test_a_stream_with_a_count_in_each_chunk_is_read_all_the_same(field: str) -> None:
    stream = [text(str(n), **{field: n}) for n in range(100)]
    given, relay = passed(*stream)
    assert given == b"".join(stream)
    assert relay.events == 100


class Numbers:
    """A decoder: every event is a number of chunks."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.native_finish: str | None = None
        self.done = False

    def feed(self, name: str, payload: Json) -> Iterable[Json]:
        for number in range(payload["chunks"]):
            yield {"id": "n", "choices": [{"index": 0, "delta": {"content": str(number)}}]}
        if "fail" in payload:
            raise Failed("it gave up")
        if name == "end":
            self.finish, self.native_finish, self.done = "stop", "end", True
            self.usage = Usage(input=1, output=2)


def translated(*pieces: bytes, request: Json | None = None) -> tuple[bytes, Translating]:
    relay = Translating(sse.Frames(), Numbers(), request or {})
    given = b"".join([relay.feed(piece) for piece in pieces])
    return given + relay.close(), relay


def test_a_translation_gives_chunks_and_then_usage_to_who_asked() -> None:
    stream = b'data: {"chunks":2}\n\nevent: end\ndata: {"chunks":0}\n\n'
    given, relay = translated(stream)
    assert [payload["choices"][0]["delta"]["content"] for payload in payloads(given)] == ["0", "1"]
    assert (relay.events, relay.done, relay.finish, relay.native_finish) == (2, True, "stop", "end")
    asked, _ = translated(*(stream[at : at + 1] for at in range(len(stream))), request=ASKED)
    assert asked.startswith(given)
    last = payloads(asked)[-1]
    assert (last["id"], last["choices"], last["usage"]["total_tokens"]) == ("n", [], 3)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [(b"{", Garbled), (b"[1]", Garbled), (b'{"other":1}', Garbled), (b'{"chunks":1,"fail":1}', UpstreamError)],
)
def test_a_translation_gives_what_came_before_the_fault(bad: bytes, expected: type[UpstreamError]) -> None:
    given, relay = translated(b'data: {"chunks":1}\n\ndata: ' + bad + b'\n\nevent: end\ndata: {"chunks":1}\n\n')
    assert isinstance(relay.error, expected)
    assert not relay.done
    assert len(payloads(given)) == (2 if b"fail" in bad else 1)


def test_a_translation_that_was_cut_in_an_event_is_not_done_and_not_garbled() -> None:
    _, relay = translated(b'data: {"chunks":1}\n\nevent: end\ndata: {"chu')
    assert (relay.done, relay.error) == (False, None)


def test_the_providers_words_reach_a_caller_whose_fault_it_was() -> None:
    said = {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded", "param": "n"}
    _, relay = passed(sse.encode({"error": said}))
    assert isinstance(relay.error, Rejected)
    assert (relay.error.message, relay.error.param, relay.error.code) == (
        "too long",
        "n",
        "context_length_exceeded",
    )
