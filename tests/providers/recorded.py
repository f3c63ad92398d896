"""Exchanges that real providers had, read from beside the repository, and how to play their streams in pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from providers.dialect import Frame, Relay, Surface
from providers.sse import Frames

Json = dict[str, Any]
WIRE = Path(__file__).parents[2].parent / "shared/wire"
EDGE = 4096
STRIDE = 101
"""Bytes between two cuts in the middle of a long stream; prime, so that no framing is in step with it."""
SPARSE = 13
"""Bytes between two cuts at which a whole relay is run, and not only the framing, in what is longer than this test
has the time for."""
SHORT = 2500
CREATED = re.compile(rb'"created":\d+')


def exchanges(*files: str, surfaces: frozenset[str]) -> list[Any]:
    """Every exchange of these surfaces as a test parameter; where the folder is missing, one that is skipped."""
    if not WIRE.is_dir():
        absent = pytest.mark.skip(reason="the recorded exchanges are not beside the repository")
        return [pytest.param(None, marks=absent)]
    found = [
        pytest.param(exchange, id=exchange["id"])
        for file in files
        for line in (WIRE / f"{file}.jsonl").read_text().splitlines()
        if (exchange := json.loads(line))["surface"] in surfaces
    ]
    assert found
    return found


def payloads(exchange: Json) -> list[Json]:
    """The events of a recorded stream, or the one payload of a plain answer, by a reading of its own."""
    body = exchange["response"]["body"]
    if isinstance(body, dict):
        return [body]
    if isinstance(body, list):
        return body
    return [json.loads(line[5:]) for line in re.split(r"\r\n|\n|\r", body) if line.startswith("data:")]


def streamed(exchange: Json) -> bytes:
    """The bytes of a recorded stream. One that was asked for as a JSON array is what `alt=sse` would have given."""
    body = exchange["response"]["body"]
    if isinstance(body, list):
        return b"".join(b"data: " + orjson.dumps(payload) + b"\r\n\r\n" for payload in body)
    return bytes(body.encode())


def played(surface: Surface, request: Json, *pieces: bytes) -> tuple[bytes, Relay]:
    """What a caller gets of a stream that arrives in these pieces, without the moment at which it was read."""
    relay = surface.relay(request)
    given = [relay.feed(piece) for piece in pieces]
    given.append(relay.close())
    return CREATED.sub(b'"created":0', b"".join(given)), relay


def cuts(whole: bytes) -> Iterator[int]:
    """Every byte of a short stream; of a long one every byte near its ends, and a stride through its middle."""
    yield from range(min(EDGE, len(whole)))
    yield from range(EDGE, len(whole) - EDGE, STRIDE)
    yield from range(max(EDGE, len(whole) - EDGE), len(whole))


def gives_the_same_however_it_is_cut(surface: Surface, request: Json, whole: bytes) -> None:
    """A relay reads frames and nothing else, so that equal frames are an equal answer; which is tried as well, at every
    byte of a short stream and at many of a long one, and byte by byte."""
    expected, _ = played(surface, request, whole)
    frames = framed(whole)
    for at in cuts(whole):
        assert framed(whole[:at], whole[at:]) == frames, at
    for at in range(0, len(whole), 1 if len(whole) <= SHORT else max(SPARSE, len(whole) // 150)):
        given, relay = played(surface, request, whole[:at], whole[at:])
        assert given == expected, at
        assert relay.done
    given, relay = played(surface, request, *(whole[at : at + 1] for at in range(len(whole))))
    assert given == expected
    assert relay.done


def framed(*pieces: bytes) -> list[Frame]:
    framing = Frames()
    return [frame for piece in pieces for frame in framing.feed(piece)] + list(framing.close())


def chunks(given: bytes) -> list[Json]:
    return [json.loads(line[6:]) for line in given.split(b"\n") if line.startswith(b"data: ")]


def added_up(given: bytes) -> Json:
    """What a caller's chunks add up to, by a fold of its own: per choice the message and its finish; usage beside."""
    whole: Json = {"choices": {}, "usage": None}
    for chunk in chunks(given):
        whole["usage"] = chunk.get("usage") or whole["usage"]
        for choice in chunk["choices"]:
            entry = whole["choices"].setdefault(choice["index"], {"finish": None, "native": None, "message": {}})
            _fold(entry["message"], choice["delta"])
            entry["finish"] = choice["finish_reason"] or entry["finish"]
            entry["native"] = choice.get("native_finish_reason") or entry["native"]
    return whole


def _fold(message: Json, delta: Json) -> None:
    for key, value in delta.items():
        if key == "tool_calls":
            calls = message.setdefault(key, [])
            for call in value:
                if call["index"] == len(calls):
                    calls.append({**call, "function": {"name": call["function"]["name"], "arguments": ""}})
                calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
        elif isinstance(value, str) and key != "role":
            message[key] = message.get(key, "") + value
        elif isinstance(value, list):
            message[key] = message.get(key, []) + value
        else:
            message[key] = value
