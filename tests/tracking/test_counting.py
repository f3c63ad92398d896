"""What a call used is what its provider said, else what was heard, else the most that it can be, else unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from providers.chat import Json
from tests.tracking.logged import ANSWER, PRICE, REQUEST, WORDS, begin, end
from tracking.aside import Aside
from tracking.calls import Begin, End
from tracking.counting import UNHEARD, Counting

ASKED: Json = orjson.loads(REQUEST)
STREAM = b'data: {"text": "a b"}\n\ndata: {"text": " c d"}\n\n'
ID = "0" * 32
SILENT: Json = {"usage": None, "usage_basis": "none", "cost_nanos": None}


@pytest.fixture
def counting() -> Counting:
    """One with nothing put aside yet."""
    return replace(WORDS, aside=Aside())


def cost(input: int, output: int) -> int:
    return input * PRICE["input"] + output * PRICE["output"]


def silent(**changed: Any) -> End:
    """The end of a call whose provider said nothing of what it used."""
    return end(ID, **{**SILENT, **changed})


def kept(payloads: str, **changed: Any) -> Begin:
    return begin(ID, log_payloads=payloads, **changed)


def test_what_the_provider_said_is_not_counted_again(counting: Counting) -> None:
    assert counting.ended(kept("full"), REQUEST, end(ID), ANSWER) == ({"input": 20, "output": 3}, "provider", 70)


def test_a_silent_provider_is_counted_by_what_was_asked_and_heard(counting: Counting) -> None:
    usage, basis, price = counting.ended(kept("full"), REQUEST, silent(), ANSWER)
    assert (usage["input"], usage["output"], basis, price) == (2, 3, "counted", cost(2, 3))


@pytest.mark.parametrize("payloads", ["redacted", "none"])
def test_what_may_not_be_kept_is_counted_before_it_is_gone(counting: Counting, payloads: str) -> None:
    ended = silent(status="upstream_cut", error_code="upstream_cut", response_type="sse")
    counting.aside.put(ID, ASKED, len(REQUEST), STREAM)
    for _ in range(2):  # a batch that the store did not take is written again
        usage, basis, price = counting.ended(kept(payloads), b'{"messages":"[redacted]"}', ended, b"")
        assert (usage["input"], usage["output"], basis, price) == (2, 4, "counted", cost(2, 4))


@pytest.mark.parametrize("payloads", ["redacted", "none"])
def test_lengths_of_what_was_redacted_are_not_taken_for_its_words(counting: Counting, payloads: str) -> None:
    redacted = REQUEST.replace(b"hello there", b"[redacted: 11 characters]")
    assert counting.ended(kept(payloads), redacted, silent(), ANSWER) == ({}, "none", None)
    usage, basis, price = counting.interrupted(kept(payloads, max_output=10), redacted)
    assert (usage["input"], usage["output"], basis, price) == (None, 10, "reserved", None)


@pytest.mark.parametrize("code", sorted(UNHEARD))
def test_an_answer_that_never_came_may_cost_the_most_that_was_allowed(counting: Counting, code: str) -> None:
    status = "upstream_timeout" if "timeout" in code else "upstream_error"
    ended = silent(status=status, error_code=code, response_type=None)
    usage, basis, price = counting.ended(kept("full", max_output=10), REQUEST, ended, b"")
    assert (usage["input"], usage["output"], basis, price) == (2, 10, "reserved", cost(2, 10))
    usage, basis, price = counting.ended(kept("full"), REQUEST, ended, b"")
    assert (usage["input"], usage["output"], basis, price) == (2, None, "reserved", None), "no limit, no most"


@pytest.mark.parametrize("code", ["upstream_connect", "upstream_auth", "upstream_503", "upstream_timeout_connect"])
def test_a_call_that_was_not_taken_on_used_nothing_that_is_known(counting: Counting, code: str) -> None:
    ended = silent(status="upstream_error", error_code=code, response_type=None)
    assert counting.ended(kept("full", max_output=10), REQUEST, ended, b"") == ({}, "none", None)


def test_what_is_put_aside_has_a_limit_and_makes_room_as_it_is_counted(counting: Counting) -> None:
    aside: Aside[int] = Aside(most=100)
    aside.put("a", ASKED, 40, b"x" * 40)
    aside.put("b", ASKED, 40, b"x" * 40)
    assert aside.count("b", lambda _request, heard: len(heard)) is None, "there was no room for it"
    assert aside.count("a", lambda _request, heard: len(heard)) == 40
    aside.put("c", ASKED, 40, b"x" * 50)
    assert aside.count("c", lambda _request, heard: len(heard)) == 50
    assert aside.count("a", lambda _request, heard: -1) == 40, "it is not counted twice"
