"""Streams on their way from a provider to a caller: one relay lets OpenAI's own bytes pass, the other translates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import orjson

from providers import openai_usage, sse
from providers.chat import Json
from providers.dialect import Frame, Framing
from providers.errors import Garbled, UpstreamError, reading
from providers.usage import Usage


class StreamDecoder(Protocol):
    """Reads the events of one provider's stream, in order, into OpenAI's chunks. It lives as long as one stream.

    What it learns on the way it keeps in the attributes, which the relay reads after each event.
    """

    @property
    def usage(self) -> Usage | None:
        """All that was reported so far, folded. None while nothing was."""

    @property
    def finish(self) -> str | None:
        """OpenAI's finish reason of the first choice."""

    @property
    def native_finish(self) -> str | None: ...

    @property
    def done(self) -> bool:
        """The provider has said that the answer is whole."""

    def feed(self, name: str, payload: Json) -> Iterable[Json]:
        """One event's name and payload, in OpenAI's chunks: none for a ping, several where one event says much.

        Never a chunk with usage: the relay adds it for callers who asked. An error that the provider reports inside
        the stream is raised as the UpstreamError that its status would have been; what cannot be read may raise
        KeyError and its like, which become Garbled.
        """


class Translating:
    """A relay for a provider with a language of its own: bytes to frames to chunks to OpenAI's bytes."""

    def __init__(self, framing: Framing, decoder: StreamDecoder, request: Json) -> None:
        self.events = 0
        self.error: UpstreamError | None = None
        self._framing = framing
        self._decoder = decoder
        self._wants_usage = wants_usage(request)
        self._last: Json = {}

    @property
    def usage(self) -> Usage | None:
        return self._decoder.usage

    @property
    def finish(self) -> str | None:
        return self._decoder.finish

    @property
    def native_finish(self) -> str | None:
        return self._decoder.native_finish

    @property
    def done(self) -> bool:
        return self._decoder.done and self.error is None

    def feed(self, data: bytes) -> bytes:
        if self.error is not None:
            return b""
        given: list[bytes] = []
        try:
            for frame in self._framing.feed(data):
                self._read(frame, given)
        except UpstreamError as error:
            self.error = error
        return b"".join(given)

    def close(self) -> bytes:
        if self.error is not None:
            return b""
        given: list[bytes] = []
        try:
            for frame in self._framing.close():
                # What cannot be read at the very end is a piece of an event: the stream was cut, not garbled.
                if parses(frame.data):
                    self._read(frame, given)
        except UpstreamError as error:
            self.error = error
        if self.done and self._wants_usage and (usage := self._decoder.usage) is not None:
            given.append(sse.encode(usage_chunk(self._last, usage)))
        return b"".join(given)

    def _read(self, frame: Frame, given: list[bytes]) -> None:
        payload = event(frame.data)
        with reading(Garbled):
            chunks = list(self._decoder.feed(frame.name, payload))
        if not chunks:
            return
        self.events += 1
        self._last = chunks[-1]
        given += map(sse.encode, chunks)


def wants_usage(request: Json) -> bool:
    return bool((request.get("stream_options") or {}).get("include_usage"))


def usage_chunk(like: Json, usage: Usage) -> Json:
    """The last chunk of a stream whose caller asked for usage; what identifies the answer is as in the other chunks."""
    same = {key: like[key] for key in ("id", "object", "created", "model") if key in like}
    return {**same, "choices": [], "usage": openai_usage.write(usage)}


def event(data: bytes) -> Json:
    try:
        payload = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise bad_event(data) from exc
    if type(payload) is not dict:
        raise bad_event(data)
    return payload


def bad_event(data: bytes) -> Garbled:
    return Garbled(
        f"the provider sent an event that is no JSON object: {data[:200]!r}",
        code="upstream_bad_event",
    )


def parses(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True
