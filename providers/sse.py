"""Server-sent events, from bytes and back.

Bytes are cut, not text: in text U+2028 and U+0085 are line ends too, and providers send them raw inside JSON strings.
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from providers.chat import Json
from providers.dialect import Frame
from providers.errors import Garbled

DONE = b"data: [DONE]\n\n"
LARGEST_EVENT = 1 << 20
"""Bytes. The largest seen of a real provider is an inline image; beyond this it is a fault, or an attack on memory."""
BOM = b"\xef\xbb\xbf"


def encode(payload: Json) -> bytes:
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def too_large() -> Garbled:
    return Garbled(
        f"the provider sent an event of more than {LARGEST_EVENT} bytes; the stream was given up there",
        code="upstream_event_too_large",
    )


class Frames:
    """A framing. Every byte is looked at once, however the stream is cut, and no event is kept beyond the limit."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0
        self._started = False
        self._after_cr = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        if self._after_cr and data:
            self._after_cr = False
            # The second half of a CR LF whose first half already ended the line.
            data = data.removeprefix(b"\n")
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if end:
            lines = data[:end].splitlines()
            if self._line:
                self._line += lines[0]
                lines[0] = bytes(self._line)
                self._line.clear()
            self._after_cr = data.endswith(b"\r")
            yield from self._take(lines)
        if len(self._line) + len(data) - end + self._size > LARGEST_EVENT:
            self._line.clear()
            raise too_large()
        self._line += data[end:]

    def close(self) -> Iterator[Frame]:
        """The last event of a provider that leaves out the closing blank line."""
        line = bytes(self._line)
        self._line.clear()
        yield from self._take([line, b""])

    def _take(self, lines: list[bytes]) -> Iterator[Frame]:
        for line in lines:
            if not self._started:
                self._started = True
                line = line.removeprefix(BOM)
            if not line:
                if self._data:
                    yield Frame(self._name.decode(errors="replace"), b"\n".join(self._data))
                self._name, self._data, self._size = b"", [], 0
                continue
            field, _, value = line.partition(b":")
            if field == b"data":
                self._data.append(value.removeprefix(b" "))
                self._size += len(value)
                if self._size > LARGEST_EVENT:
                    raise too_large()
            elif field == b"event":
                self._name = value.removeprefix(b" ")
