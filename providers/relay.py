"""Streams on their way from a provider to a caller: one relay lets OpenAI's own bytes pass, the other translates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

import orjson

from providers import complaints, openai_usage, sse
from providers.chat import Json
from providers.dialect import Frame, Framing
from providers.errors import Garbled, UpstreamError, reading
from providers.habits import Habits, finish_of
from providers.likeness import Likeness
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
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.native_finish: str | None = None
        self.done = False
        self.error: UpstreamError | None = None
        self._framing = framing
        self._decoder = decoder
        self._wants_usage = wants_usage(request)
        self._last: Json = {}

    def feed(self, data: bytes) -> bytes:
        if self.error is not None:
            return b""
        given: list[bytes] = []
        try:
            for frame in self._framing.feed(data):
                self._read(frame, given)
        except UpstreamError as error:
            self.error = error.with_traceback(None)
        self._learn()
        return b"".join(given)

    def close(self) -> bytes:
        if self.error is not None:
            return b""
        given: list[bytes] = []
        try:
            for frame in self._framing.close():
                # What cannot be read at the very end is a piece of an event: the stream was cut, not garbled.
                if _parses(frame.data):
                    self._read(frame, given)
        except UpstreamError as error:
            self.error = error.with_traceback(None)
        self._learn()
        if self.done and self._wants_usage and self.usage is not None:
            given.append(sse.encode(_usage_chunk(self._last, self.usage)))
        return b"".join(given)

    def _read(self, frame: Frame, given: list[bytes]) -> None:
        payload = event(frame.data)
        # A generator, so that what an event says before it goes wrong is still given.
        with reading(Garbled):
            for chunk in self._decoder.feed(frame.name, payload):
                given.append(sse.encode(chunk))
                self._last = chunk
                self.events += 1

    def _learn(self) -> None:
        decoder = self._decoder
        self.usage, self.finish, self.native_finish = decoder.usage, decoder.finish, decoder.native_finish
        self.done = decoder.done and self.error is None


_EVENT_END = re.compile(rb"(?>\r\n|\r|\n){2}")


class Passing:
    """A relay for a provider that speaks OpenAI's: bytes pass as they came, and only events that matter are parsed."""

    def __init__(self, request: Json, habits: Habits) -> None:
        self.events = 0
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.native_finish: str | None = None
        self.done = False
        self.error: UpstreamError | None = None
        self._habits = habits
        self._wants_usage = wants_usage(request)
        self._gave_usage = False
        self._choices: int = request.get("n") or 1
        self._finished: set[int] = set()
        self._with_tools: set[int] = set()
        self._likeness = Likeness()
        self._held = bytearray()
        self._has_cr = False
        self._first: Json = {}
        self._closed = False

    def feed(self, data: bytes) -> bytes:
        if not self._held and self._likeness.matches(data):
            self.events += 1
            return data
        return b"" if self._closed else self._carefully(data)

    def close(self) -> bytes:
        given: list[bytes] = []
        if self._held and not self._closed:
            block = bytes(self._held).rstrip(b"\r\n")
            self._held.clear()
            data = _data_of(block)
            # What cannot be read at the very end is a piece of an event: the stream was cut, not garbled.
            if data == b"[DONE]" or _parses(data):
                self._take(block + b"\n\n", given)
        if not self._closed and not self._habits.sends_done and len(self._finished) >= self._choices:
            self._finish_off(given)
        return b"".join(given)

    def _carefully(self, data: bytes) -> bytes:
        held = self._held
        start = max(0, len(held) - 3)
        held += data
        given: list[bytes] = []
        begin = 0
        # Where CR is no line end, as nearly everywhere, finding the end of an event is a search for two bytes.
        self._has_cr = self._has_cr or b"\r" in data
        if not self._has_cr:
            while (end := held.find(b"\n\n", max(start, begin))) >= 0 and not self._closed:
                self._take(bytes(held[begin : end + 2]), given)
                begin = end + 2
        else:
            for match in _EVENT_END.finditer(held, start):
                # A CR at the very end may be half of a CR LF, where those are in use.
                half = match.end() == len(held) and match[0].endswith(b"\r") and b"\n" in match[0]
                if half or self._closed:
                    break
                self._take(bytes(held[begin : match.end()]), given)
                begin = match.end()
        del held[:begin]
        if len(held) > sse.LARGEST_EVENT:
            self._fail(sse.too_large())
        if self._closed:
            held.clear()
        return b"".join(given)

    def _take(self, block: bytes, given: list[bytes]) -> None:
        """One whole event, or a comment, with the blank line that ends it."""
        if self._likeness.matches(block):
            self.events += 1
            given.append(block)
            return
        if len(block) > sse.LARGEST_EVENT:
            self._fail(sse.too_large())
            return
        data = _data_of(block)
        if not data:
            given.append(block)
            return
        if data == b"[DONE]":
            # The caller's comes from the engine, when the call is on record. What follows is no part of the answer.
            self._finish_off(given)
            return
        try:
            payload = event(data)
            if complaints.complains(payload) or _name_of(block) == b"error":
                self._note_usage(payload)
                raise complaints.raised(payload)
            with reading(Garbled):
                changed, dull = self._read(payload)
        except UpstreamError as error:
            self._fail(error)
            return
        self._first = self._first or payload
        if dull and changed is payload:
            self._likeness.learn(block)
        if changed is not None:
            given.append(block if changed is payload else sse.encode(changed))

    def _read(self, payload: Json) -> tuple[Json | None, bool]:
        """The chunk as the caller gets it, None if it does not, and whether there was nothing to learn from it."""
        habits = self._habits
        usage = self._note_usage(payload)
        changed = payload if habits.reshape is None else habits.reshape(payload)
        choices: list[Json] = payload.get("choices") or []
        if choices:
            self.events += 1
        elif usage is not None and not self._wants_usage:
            return None, False
        self._gave_usage = self._gave_usage or bool(payload.get("usage"))
        said = [(place, native) for place, choice in enumerate(choices) if (native := self._finish(choice))]
        for place, native in said:
            choice = choices[place]
            finish = finish_of(native, choice.get("index", 0) in self._with_tools, habits)
            if choice.get("index", 0) == 0:
                self.finish, self.native_finish = finish, choice.get("native_finish_reason") or native
            if finish != native:
                changed = with_finish(changed, place, finish, native)
        return changed, len(choices) == 1 and not said and usage is None

    def _finish(self, choice: Json) -> str | None:
        index: int = choice.get("index", 0)
        if (choice.get("delta") or {}).get("tool_calls"):
            self._with_tools.add(index)
        native: str | None = choice.get("finish_reason")
        if native:
            self._finished.add(index)
        return native

    def _note_usage(self, payload: Json) -> Usage | None:
        usage = self._habits.usage(payload)
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage.latest(usage)
        return usage

    def _finish_off(self, given: list[bytes]) -> None:
        """The answer is whole: a caller who wanted its usage and was not given it by the provider gets it from us."""
        if self._wants_usage and not self._gave_usage and self.usage is not None:
            given.append(sse.encode(_usage_chunk(self._first, self.usage)))
        self.done = True
        self._end()

    def _fail(self, error: UpstreamError) -> None:
        # Without what would hold on to us, and to the call.
        self.error = error.with_traceback(None)
        self._end()

    def _end(self) -> None:
        self._closed = True
        self._likeness.forget()


def with_finish(payload: Json, place: int, finish: str, native: str) -> Json:
    """The same answer or chunk with one choice's finish reason in OpenAI's words and its own kept beside it."""
    choices = list(payload["choices"])
    choices[place] = {"native_finish_reason": native, **choices[place], "finish_reason": finish}
    return {**payload, "choices": choices}


def wants_usage(request: Json) -> bool:
    return bool((request.get("stream_options") or {}).get("include_usage"))


def _usage_chunk(like: Json, usage: Usage) -> Json:
    """The last chunk of a stream whose caller asked for usage; what identifies the answer is as in the other chunks."""
    same: Json = {key: like[key] for key in ("id", "object", "created", "model") if key in like}
    return {**same, "choices": [], "usage": openai_usage.write(usage)}


def event(data: bytes) -> Json:
    try:
        payload: Any = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise _bad_event(data) from exc
    if type(payload) is not dict:
        raise _bad_event(data)
    return payload


def _bad_event(data: bytes) -> Garbled:
    return Garbled(
        f"the provider sent an event that is no JSON object: {data[:200]!r}",
        code="upstream_bad_event",
    )


def _parses(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def _data_of(block: bytes) -> bytes:
    if block.startswith(b"data: ") and block.count(b"\n") == 2 and b"\r" not in block:
        return block[6:-2]
    lines = (line.removeprefix(sse.BOM) for line in block.splitlines())
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))


def _name_of(block: bytes) -> bytes:
    names = [line[6:].strip() for line in block.splitlines() if line.startswith(b"event:")]
    return names[-1] if names else b""
