"""Embeddings as OpenAI speaks them: a request in, a list of vectors out, never a stream."""

from __future__ import annotations

from dataclasses import dataclass

from providers import complaints
from providers.chat import Json
from providers.dialect import Complaint, Relay
from providers.errors import Garbled, InvalidRequest
from providers.habits import Habits
from providers.openai import OPENAI, placed
from providers.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """A surface."""

    habits: Habits = OPENAI
    at: str = "/embeddings"
    PARAMS: frozenset[str] | None = None

    def path(self, model: str, stream: bool) -> str:
        return placed(self.at, model)

    def encode(self, request: Json) -> Json:
        return request

    def decode(self, payload: Json, request: Json) -> Json:
        if "data" not in payload:
            if complaints.complains(payload):
                raise complaints.raised(payload)
            raise Garbled(f"the provider's answer has no data; it has {sorted(payload)!r}")
        return payload

    def usage(self, payload: Json) -> Usage | None:
        return self.habits.usage(payload)

    def relay(self, request: Json) -> Relay:
        raise InvalidRequest("embeddings are not streamed; leave `stream` out", param="stream")

    def complaint(self, payload: object) -> Complaint:
        return complaints.read(payload)
