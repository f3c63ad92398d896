"""A recorded stream is the same stream however it is cut, and none that was cut short looks whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from providers.chat import Json
from tests.providers.openai_recorded import MISSING, STREAMS, asked, each, is_broken, played, surface_of

LONG, EDGE, STRIDE = 20_000, 4096, 101


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
