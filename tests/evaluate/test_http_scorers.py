"""Scorers that are services: what they are sent, what may come back, and where they may not be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from evaluate.scorers.options import Means
from evaluate.scorers.scorer import Scorer
from evaluate.scorers.table import InvalidScorer, build
from providers.chat import Json
from tests.evaluate.scoring import sample

pytestmark = pytest.mark.anyio


class Service:
    """Answers with what it was given, one after the other, the last one for ever; (status, body) or None to hang up."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes] | None] = [(200, b"1")]
        self.heads: list[bytes] = []
        self.bodies: list[Json] = []
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        self.heads.append(head)
        self.bodies.append(orjson.loads(await reader.readexactly(length)))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            status, body = answer
            writer.write(
                b"HTTP/1.1 %d Said\r\nretry-after: 0\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)
            )
            await writer.drain()
        writer.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """On this machine, so `private`."""
    served = Service()
    server = await asyncio.start_server(served, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/score"
    async with server:
        yield served


def at(service: Service, **options: Any) -> Scorer:
    entry = {"scorer": "http", "url": service.url, "private": True, **options}
    return build([entry], Means(directory=Path()))[0]


async def test_a_sample_is_posted_and_the_answer_is_its_score(service: Service) -> None:
    service.answers = [(200, b'{"value": 0.5, "rationale": "half"}')]
    scorer = at(service, headers={"authorization": "Bearer s3cret"}, options={"strict": True}, name="theirs")
    score = await scorer.score(sample("hello", "hi", inputs={"q": "?"}))
    await scorer.aclose()
    assert (score.name, score.value, score.rationale, score.cost_nanos) == ("theirs", 0.5, "half", None)
    assert b"authorization: Bearer s3cret" in service.heads[0]
    (body,) = service.bodies
    assert body["options"] == {"strict": True}
    assert body["sample"]["text"] == "hello"
    assert body["sample"]["expectations"] == {"expected_response": "hi"}
    assert "s3cret" not in repr(scorer.identity)


async def test_what_may_pass_is_tried_again(service: Service) -> None:
    service.answers = [(503, b"later"), None, (429, b"slow down"), (200, b'[true, "fine"]')]
    scorer = at(service, kind="binary", attempts=4)
    score = await scorer.score(sample("x"))
    assert (score.value, score.rationale, len(service.bodies)) == (True, "fine", 4)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((400, b"no such thing"), "it answered 400: no such thing"),
        ((302, b""), "it answered 302: "),
        ((200, b"<html>"), "its answer is not JSON: '<html>'"),
        ((200, b'"good"'), "it gave 'good'; a scorer of kind 'numeric' gives a finite number"),
        ((200, b"null"), "it gave no value"),
        ((200, b"1" * (2 << 20)), "it answered more than 1048576 bytes"),
    ],
)
async def test_whatever_goes_wrong_is_an_error_and_is_asked_once(
    service: Service, answer: tuple[int, bytes], why: str
) -> None:
    service.answers = [answer]
    score = await at(service).score(sample("x"))
    assert (score.value, score.error, len(service.bodies)) == (None, why, 1)


async def test_a_service_that_says_its_secrets_again_shows_them_to_nobody(service: Service) -> None:
    service.answers = [(403, b"Bearer s3cret-token is not s3cret-token of ours")]
    score = await at(service, headers={"authorization": "Bearer s3cret-token"}).score(sample("x"))
    assert score.error == "it answered 403: *** is not *** of ours"


async def test_one_that_does_not_answer_is_given_up(service: Service) -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        score = await at(service, seconds=0.2, attempts=1).score(sample("x"))
    assert score.error == "it did not answer within 0.2 s"


async def test_it_leads_nowhere_private(service: Service) -> None:
    port = service.url.rpartition(":")[2].partition("/")[0]
    (scorer,) = build([{"scorer": "http", "url": f"https://localhost:{port}/", "attempts": 1}], Means())
    score = await scorer.score(sample("x"))
    assert score.error is not None
    assert "must not resolve to a non-public IP address" in score.error
    assert service.bodies == []
    with pytest.raises(InvalidScorer, match="is asked for without HTTPS; where `gatelog eval` runs, `private: true`"):
        build([{"scorer": "http", "url": "http://example.com/"}], Means())
    with pytest.raises(InvalidScorer, match="`private` may be said only where `gatelog eval` runs"):
        build([{"scorer": "http", "url": service.url, "private": True}], Means())
    with pytest.raises(InvalidScorer, match="is no URL"):
        build([{"scorer": "http", "url": "nowhere"}], Means())
