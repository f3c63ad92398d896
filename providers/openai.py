"""Chat completions as OpenAI speaks them, and those who follow it: the language in the middle, so little changes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from providers import complaints
from providers.chat import Json
from providers.dialect import Complaint, Relay
from providers.errors import Garbled
from providers.habits import Habits, finish_of
from providers.relay import Passing, with_finish
from providers.usage import Usage

OPENAI = Habits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A surface."""

    habits: Habits = OPENAI
    at: str = "/chat/completions"
    """Where it is under the base URL; `{model}` stands for the model, for those who have it in their URLs."""
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
        return Passing(request, self.habits)

    def complaint(self, payload: object) -> Complaint:
        return complaints.read(payload)


def placed(at: str, model: str) -> str:
    return at.replace("{model}", quote(model, safe=""))


def spelled(request: Json, habits: Habits) -> Json:
    """The request as it is sent. A stream always reports its usage, or nobody would know what it cost."""
    if habits.refuses_in_messages and "messages" in request:
        messages = [_without(message, habits.refuses_in_messages) for message in request["messages"]]
        request = {**request, "messages": messages}
    if habits.spell is not None:
        request = habits.spell(request)
    if not request.get("stream"):
        return request
    options = dict(request.get("stream_options") or {})
    if habits.takes_stream_options:
        return {**request, "stream_options": {**options, "include_usage": True}}
    options.pop("include_usage", None)
    without = {key: value for key, value in request.items() if key != "stream_options"}
    return {**without, "stream_options": options} if options else without


def _without(message: Json, keys: frozenset[str]) -> Json:
    kept = {key: value for key, value in message.items() if key not in keys}
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [{key: value for key, value in call.items() if key not in keys} for call in calls]
    return kept


def answered(payload: Json, habits: Habits) -> Json:
    """A whole answer with its finish reasons in OpenAI's words."""
    choices = payload.get("choices")
    if choices is None:
        if complaints.complains(payload):
            raise complaints.raised(payload)
        raise Garbled(f"the provider's answer has no choices; it has {sorted(payload)!r}")
    if habits.reshape is not None:
        payload = habits.reshape(payload)
    for place, choice in enumerate(choices):
        native = choice.get("finish_reason")
        if native is None:
            continue
        finish = finish_of(native, bool((choice.get("message") or {}).get("tool_calls")), habits)
        if finish != native:
            payload = with_finish(payload, place, finish, native)
    return payload
