"""What was said in calls that may not be kept, in memory and nowhere else, until somebody has counted it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from providers.chat import Json

MOST_BYTES = 32 << 20
"""Of all that waits to be counted. What comes when it is full is not counted, and its usage stays unknown."""
COUNTS_MOST = 10_000
"""Counts that are remembered, for the case that a batch has to be written again. The largest batch is far smaller."""

Counted = TypeVar("Counted")


class Aside(Generic[Counted]):
    """The engine puts a call here as it ends, and the recorder's thread counts it."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._bytes = 0
        self._waiting: dict[str, tuple[Json, int, bytes]] = {}
        self._counted: dict[str, Counted] = {}

    def put(self, id: str, request: Json, request_bytes: int, response: bytes) -> None:
        size = request_bytes + len(response)
        with self._lock:
            if self._bytes + size <= self._most:
                self._bytes += size
                self._waiting[id] = request, request_bytes, response

    def count(self, id: str, count: Callable[[Json, bytes], Counted]) -> Counted | None:
        """What was counted of a call, now or before. Its bodies are forgotten. None when there is nothing to count."""
        with self._lock:
            waiting = self._waiting.pop(id, None)
            if waiting is None:
                return self._counted.get(id)
            request, request_bytes, response = waiting
            self._bytes -= request_bytes + len(response)
        counted = count(request, response)
        self._counted[id] = counted
        if len(self._counted) > COUNTS_MOST:
            del self._counted[next(iter(self._counted))]
        return counted
