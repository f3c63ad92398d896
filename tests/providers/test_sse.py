"""Server-sent events are cut where the standard says, however the bytes arrive."""

from __future__ import annotations

import time
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import sse
from providers.dialect import Frame
from providers.errors import Garbled


def framed(*pieces: bytes) -> list[Frame]:
    frames = sse.Frames()
    return [frame for piece in pieces for frame in frames.feed(piece)] + list(frames.close())


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_ends_a_line(end: bytes) -> None:
    stream = end.join([b": hello", b"", b"event: first", b"data: 1", b"data:2", b"id: 7", b"", b"data", b"", b""])
    assert framed(stream) == [Frame("first", b"1\n2"), Frame("", b"")]


def test_a_cr_and_its_lf_in_two_pieces_are_one_line_end() -> None:
    assert framed(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [Frame("", b"a\nb")]


def test_a_byte_order_mark_and_comments_are_not_data() -> None:
    assert framed(b"\xef\xbb", b"\xbfdata: a\n\n", b": keep-alive\n\n", b"data: b\n\n") == [
        Frame("", b"a"),
        Frame("", b"b"),
    ]


def test_line_ends_of_text_are_no_line_ends_of_bytes() -> None:
    text = '{"text":"one\u2028two\u0085three\x0b\x0c\x1c"}'.encode()
    assert framed(b"data: " + text + b"\n\n") == [Frame("", text)]


def test_the_last_event_needs_no_blank_line() -> None:
    assert framed(b"data: a\n\ndata: b") == [Frame("", b"a"), Frame("", b"b")]


LINES = st.lists(st.sampled_from([b"data: x", b"data:\xe2\x80\xa8", b"event: e", b": c", b"", b"", b"id: 1", b"data"]))


@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_events_are_the_same_however_they_are_cut(lines: list[bytes], end: bytes, data: st.DataObject) -> None:
    stream = b"".join(line + end for line in lines)
    whole = framed(stream)
    assert framed(*(stream[at : at + 1] for at in range(len(stream)))) == whole
    at = data.draw(st.integers(0, len(stream)))
    assert framed(stream[:at], stream[at:]) == whole
    assert framed(stream.replace(end, b"\n")) == whole


def exhaust(frames: sse.Frames, pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        list(frames.feed(piece))


@pytest.mark.parametrize("line", [b"data: ", b": ", b"nonsense"])
def test_a_line_without_an_end_is_given_up_at_the_limit(line: bytes) -> None:
    frames = sse.Frames()
    list(frames.feed(line))
    pieces = iter([b"x" * 65536] * 1600)
    with pytest.raises(Garbled) as caught:
        exhaust(frames, pieces)
    assert caught.value.code == "upstream_event_too_large"
    assert 1600 - len(list(pieces)) <= sse.LARGEST_EVENT / 65536 + 1


def test_an_event_of_many_lines_is_given_up_at_the_limit() -> None:
    frames = sse.Frames()
    with pytest.raises(Garbled, match="more than 1048576 bytes"):
        exhaust(frames, iter([b"data: " + b"x" * 1000 + b"\n"] * 2000))


def test_what_was_whole_before_an_event_that_is_too_large_is_given() -> None:
    frames = sse.Frames().feed(b"data: a\n\ndata: " + b"x" * (2 << 20))
    assert next(frames) == Frame("", b"a")
    with pytest.raises(Garbled):
        next(frames)


def test_the_cost_of_a_line_does_not_grow_with_what_is_held() -> None:
    def seconds(length: int) -> float:
        frames, began = sse.Frames(), time.process_time()
        for _ in range(length):
            for _ in frames.feed(b"x"):
                pass
        return time.process_time() - began

    seconds(1000)
    assert seconds(400_000) < 40 * max(seconds(40_000), 0.001)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), st.text() | st.integers(0, 9)))
def test_what_is_encoded_is_framed_as_it_was(payload: dict[str, str | int]) -> None:
    [frame] = framed(sse.encode(payload))
    assert orjson.loads(frame.data) == payload
