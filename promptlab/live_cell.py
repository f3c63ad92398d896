"""One cell while it is answered: what has come so far, told on in pieces that are not too small."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson

from promptlab.lab_events import Channel
from providers import sse
from providers.assemble import assemble
from providers.chat import Json
from tracking.lab_cells import Place

FLUSH_SECONDS = 0.04
"""Between what is told of one cell: more often, and a page would draw nothing else."""
KEPT_MOST = 8 << 20
LARGE = 256 << 10
"""Bytes of an answer, from which on putting it together is no work for the event loop."""
Delta = dict[str, Any]


class LiveCell:
    """A listener to one call."""

    def __init__(self, channel: Channel, place: Place) -> None:
        self._channel, self._place = channel, place
        self._frames = sse.Frames()
        self._kept: list[bytes] = []
        self._size = 0
        self._streams = False
        self._text: list[str] = []
        self._delta: Delta = {}
        self._timer: asyncio.TimerHandle | None = None
        self._began = time.perf_counter()
        self.run_id: str | None = None

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._text)

    def head(self, run_id: str, provider: str, model: str) -> None:
        self.run_id = run_id
        waited = round((time.perf_counter() - self._began) * 1000, 3)
        said = {"run_id": run_id, "provider": provider, "model": model, "ttft_ms": waited}
        self._channel.tell("head", {**self._place.shown(), **said})

    def data(self, data: bytes) -> None:
        if self._size + len(data) > KEPT_MOST:
            return
        if not self._kept:
            self._streams = not data.lstrip().startswith(b"{")
        self._size += len(data)
        self._kept.append(data)
        if self._streams:
            for frame in self._frames.feed(data):
                self._add(frame.data)

    def close(self) -> None:
        """Nothing more will come."""
        if self._timer is not None:
            self._timer.cancel()
        self._flush()

    async def message(self) -> Json | None:
        """The whole message, as far as it came."""
        body = b"".join(self._kept)
        if not body:
            return None
        read = _plain if not self._streams else _assembled
        return await asyncio.to_thread(read, body) if len(body) > LARGE else read(body)

    def _add(self, data: bytes | str) -> None:
        try:
            chunk = orjson.loads(data)
        except orjson.JSONDecodeError:
            return  # [DONE]
        match chunk:
            case {"choices": [{"delta": {} as delta}, *_]}:
                self._take(delta)

    def _take(self, delta: Delta) -> None:
        pending = self._delta
        if text := delta.get("content"):
            self._text.append(text)
            pending["text"] = pending.get("text", "") + text
        if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
            pending["reasoning"] = pending.get("reasoning", "") + str(reasoning)
        if calls := delta.get("tool_calls"):
            pending.setdefault("tool_calls", []).extend(calls)
        if pending and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        if self._delta:
            self._channel.tell("delta", {**self._place.shown(), **self._delta})
            self._delta = {}


def text_of(message: Json | None) -> str | None:
    """What of a message is text."""
    content = None if message is None else message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _plain(body: bytes) -> Json | None:
    try:
        return _first(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None


def _assembled(body: bytes) -> Json | None:
    return _first(assemble(body, "chat"))


def _first(answer: Any) -> Json | None:
    match answer:
        case {"choices": [{"message": {} as message}, *_]}:
            found: Json = message
            return found
        case _:
            return None
