"""A road that leaves nowhere: the provider is a function in this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers.inflate import too_large
from providers.roads import cut

if TYPE_CHECKING:
    from providers.target import Target


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    pieces: tuple[bytes, ...]
    gap: float = 0.0
    """Seconds before each piece but the first."""


Respond = Callable[[str, bytes], Answer]
"""A path and a request's body to the answer, at once: it must not block."""


class Inside:
    async def send(self, target: Target, body: bytes, stream: bool) -> Call:
        assert target.provider.inside is not None
        return Call(target, target.provider.inside(target.stream_path if stream else target.path, body))

    async def aclose(self) -> None: ...


class Call:
    """An exchange."""

    __slots__ = ("_closed", "_first", "_gap", "_pieces", "_target", "headers", "status")

    def __init__(self, target: Target, answer: Answer) -> None:
        self.status = answer.status
        self.headers = {b"content-type": answer.content_type.encode()}
        self._pieces = deque(answer.pieces)
        self._gap = answer.gap
        self._first = True
        self._closed = False
        self._target = target

    async def read(self) -> bytes:
        if not self._first and self._gap and self._pieces:
            await asyncio.sleep(self._gap)
        self._first = False
        if self._closed:
            raise cut(self._target)
        return self._pieces.popleft() if self._pieces else b""

    async def whole(self, most: int) -> bytes:
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        body = b"".join(pieces)
        if len(body) > most:
            raise too_large(self._target.provider.name, len(body))
        return body

    def advanced(self) -> None: ...

    def finishing(self) -> None: ...

    def close(self) -> None:
        self._closed = True
        self._pieces.clear()
