"""Legacy text completions at a provider that only chats: the prompt is what a user says, the answer is the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from providers import sse
from providers.chat import Json
from providers.dialect import Complaint, Relay, Surface
from providers.errors import InvalidRequest, UnsupportedParameter, UpstreamError
from providers.relay import event
from providers.usage import Usage

NO_WORD = frozenset({"echo", "suffix", "best_of", "logprobs"})
"""What a chat has no word for. `logprobs` has one, but the answers to the two are of different shapes."""


@dataclass(frozen=True, slots=True)
class OverChat:
    """A surface, over that of a provider's chat."""

    chat: Surface

    @property
    def PARAMS(self) -> frozenset[str] | None:
        known = self.chat.PARAMS
        return None if known is None else (known - {"messages"}) | {"prompt"} | NO_WORD

    def path(self, model: str, stream: bool) -> str:
        return self.chat.path(model, stream)

    def encode(self, request: Json) -> Json:
        return self.chat.encode(_asked(request))

    def decode(self, payload: Json, request: Json) -> Json:
        return _answered(self.chat.decode(payload, _asked(request)))

    def usage(self, payload: Json) -> Usage | None:
        return self.chat.usage(payload)

    def relay(self, request: Json) -> Relay:
        return _Retelling(self.chat.relay(_asked(request)))

    def complaint(self, payload: object) -> Complaint:
        return self.chat.complaint(payload)


class _Retelling:
    """A relay that gives the chunks of another as chunks of a text completion."""

    def __init__(self, chat: Relay) -> None:
        self.events = 0
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.native_finish: str | None = None
        self.done = False
        self.error: UpstreamError | None = None
        self._chat = chat
        self._frames = sse.Frames()

    def feed(self, data: bytes) -> bytes:
        return self._retold(self._chat.feed(data))

    def close(self) -> bytes:
        return self._retold(self._chat.close())

    def _retold(self, data: bytes) -> bytes:
        given = b"".join(self._chunks(data))
        chat = self._chat
        self.events, self.usage, self.done, self.error = chat.events, chat.usage, chat.done, chat.error
        self.finish, self.native_finish = chat.finish, chat.native_finish
        return given

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        for frame in self._frames.feed(data):
            yield sse.encode(_answered(event(frame.data)))


def _asked(request: Json) -> Json:
    if wrong := sorted(name for name in NO_WORD if not (request.get(name) is None or request[name] is False)):
        raise UnsupportedParameter(
            f"{', '.join(wrong)}: this model is reached through chat, which has no word for it; leave it out",
            param=wrong[0],
        )
    rest = {key: value for key, value in request.items() if key != "prompt" and key not in NO_WORD}
    return {**rest, "messages": [{"role": "user", "content": _prompt(request["prompt"])}]}


def _prompt(prompt: object) -> str:
    match prompt:
        case str():
            return prompt
        case [str() as only]:
            return only
        case [str(), *_]:
            raise InvalidRequest(
                f"prompt: {len(prompt)} prompts were sent; this model is reached through chat, which takes one a call",
                param="prompt",
            )
        case _:
            raise InvalidRequest(
                f"prompt: {str(prompt)[:80]!r} is no text; this model is reached through chat, which has no word for"
                " token ids; send the text",
                param="prompt",
            )


def _answered(chat: Json) -> Json:
    """A chat completion, or one chunk of it, as a text completion."""
    return {**chat, "object": "text_completion", "choices": [_choice(choice) for choice in chat.get("choices") or []]}


def _choice(choice: Json) -> Json:
    said = choice.get("message") or choice.get("delta") or {}
    kept = {key: value for key, value in choice.items() if key not in {"message", "delta"}}
    return {"logprobs": None, "finish_reason": None, **kept, "text": said.get("content") or ""}
