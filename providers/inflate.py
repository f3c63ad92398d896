"""Answers that a provider compresses although it was asked not to, with a bound on what they may become."""

from __future__ import annotations

import zlib

from providers.errors import Garbled

PIECE = 256 << 10
FREE = 1 << 20
"""Decoded bytes that are not held against a body, however small it was."""
MOST_RATIO = 100
"""Text and JSON compress 3 to 20 times; what grows a hundredfold is an attack on memory."""
WINDOWS = {b"gzip": zlib.MAX_WBITS | 16, b"x-gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}


class Inflate:
    """Fed what came, gives what it decodes to."""

    __slots__ = ("_came", "_decoder", "_gave", "_most", "_who")

    def __init__(self, encoding: bytes, who: str, most: int | None = None) -> None:
        window = WINDOWS.get(encoding.strip().lower())
        if window is None:
            raise Garbled(
                f"{who} answered with content-encoding {encoding.decode('latin-1')!r}, having been asked for none",
                code="upstream_bad_encoding",
            )
        self._decoder = zlib.decompressobj(window)
        self._came = self._gave = 0
        self._who = who
        self._most = most

    def feed(self, data: bytes) -> bytes:
        self._came += len(data)
        pieces = []
        while not self._decoder.eof:
            try:
                piece = self._decoder.decompress(data, PIECE)
            except zlib.error as exc:
                raise Garbled(
                    f"{self._who} sent a body that does not decompress: {exc}", code="upstream_bad_encoding"
                ) from exc
            self._gave += len(piece)
            if self._gave > max(FREE, MOST_RATIO * self._came) or (self._most is not None and self._gave > self._most):
                raise too_large(self._who, self._gave)
            pieces.append(piece)
            data = self._decoder.unconsumed_tail
            if not data and len(piece) < PIECE:
                break
        return b"".join(pieces)

    def close(self) -> None:
        """The body is over: it must have been whole."""
        if not self._decoder.eof:
            raise Garbled(f"{self._who} sent a compressed body that breaks off", code="upstream_bad_encoding")


def too_large(who: str, size: int) -> Garbled:
    error = Garbled(f"{who} sent an answer that is too large: {size} bytes and more", code="upstream_too_large")
    # It has been answered, and charged for; the next answer would be as large.
    error.retryable = False
    return error
