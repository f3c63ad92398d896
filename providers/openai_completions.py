"""Legacy text completions as OpenAI speaks them: what chat is, but that the text is in the choice itself."""

from __future__ import annotations

from dataclasses import dataclass

from providers import complaints
from providers.chat import Json
from providers.dialect import Complaint, Relay
from providers.habits import Habits
from providers.openai import OPENAI, answered, placed, spelled
from providers.relay import Passing
from providers.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Completions:
    """A surface."""

    habits: Habits = OPENAI
    at: str = "/completions"
    PARAMS: frozenset[str] | None = None

    def path(self, model: str, stream: bool) -> str:
        return placed(self.at, model)

    def encode(self, request: Json) -> Json:
        return spelled(request, self.habits)

    def decode(self, payload: Json, request: Json) -> Json:
        return answered(payload, self.habits)

    def usage(self, payload: Json) -> Usage | None:
        return self.habits.usage(payload)

    def relay(self, request: Json) -> Relay:
        several = request.get("prompt")
        # Each of several prompts has its own n choices.
        prompts = len(several) if isinstance(several, list) and several and not isinstance(several[0], int) else 1
        return Passing({**request, "n": (request.get("n") or 1) * prompts}, self.habits)

    def complaint(self, payload: object) -> Complaint:
        return complaints.read(payload)
