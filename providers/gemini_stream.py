"""The stream of streamGenerateContent, answer by growing answer, in OpenAI's chunks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from providers import answers, gemini_reply
from providers.chat import FinishReason, Json
from providers.gemini_errors import complaint
from providers.usage import Usage


class Candidate:
    """One of the answers, so far."""

    __slots__ = ("calls", "extras", "finished", "parts")

    def __init__(self) -> None:
        self.parts: list[Json] = []
        self.calls = 0
        self.extras: Json = {}
        self.finished = False

    def whole(self) -> list[Json]:
        """Pieces of one text are one part again, as they are in an answer that was not streamed."""
        whole: list[Json] = []
        for (plain, thought), run in groupby(self.parts, _kind):
            if plain:
                text = "".join(part["text"] for part in run)
                whole.append({"text": text, "thought": True} if thought else {"text": text})
            else:
                whole += run
        return whole


class Decoder:
    def __init__(self, model: str, expected: int) -> None:
        self.usage: Usage | None = None
        self.finish: FinishReason | None = None
        self.native_finish: str | None = None
        self.done = False
        self._model = model
        self._expected = expected
        self._head: Json = {}
        self._id = ""
        self._candidates: dict[int, Candidate] = {}

    def feed(self, name: str, payload: Json) -> Iterator[Json]:
        if "error" in payload:
            raise answers.failure(complaint(payload))
        if not self._head:
            self._id, version = gemini_reply.identity(payload, self._model)
            self._head = answers.head(self._id, version)
        said = payload.get("usageMetadata") or {}
        if not gemini_reply.COUNTS.isdisjoint(said):
            # Every report counts from the beginning and is whole: one count that it leaves out is none.
            self.usage = gemini_reply.usage(said)
        for number, candidate in enumerate(payload.get("candidates") or []):
            yield from self._grown(candidate.get("index", number), candidate)
        if (blocked := gemini_reply.refused(payload)) is not None and not self._candidates:
            self.finish, self.native_finish, self.done = "content_filter", blocked, True
            yield self._with(answers.last("content_filter", blocked)) | gemini_reply.extras(
                payload, ("promptFeedback",)
            )

    def _grown(self, index: int, candidate: Json) -> Iterator[Json]:
        state = self._candidates.get(index)
        if state is None:
            state = self._candidates[index] = Candidate()
            yield self._with(answers.delta({"role": "assistant", "content": ""}, index))
        parts = (candidate.get("content") or {}).get("parts") or []
        state.parts += parts
        state.extras |= gemini_reply.extras(candidate, gemini_reply.EXTRAS)
        delta = self._delta(parts, index, state)
        logprobs = gemini_reply.logprobs(candidate)
        if delta or logprobs:
            yield self._with(answers.delta(delta, index) | {"logprobs": logprobs})
        if candidate.get("finishReason") is not None and not state.finished:
            yield from self._finished(index, candidate, state)

    def _delta(self, parts: list[Json], index: int, state: Candidate) -> Json:
        said, thought = gemini_reply.text(parts)
        delta: Json = {}
        if thought:
            delta["reasoning_content"] = thought
        if said:
            delta["content"] = said
        if calls := gemini_reply.calls(parts, self._id, index, state.calls):
            delta["tool_calls"] = [{"index": number, **call} for number, call in enumerate(calls, state.calls)]
            state.calls += len(calls)
        if images := gemini_reply.images(parts):
            delta["images"] = images
        return delta

    def _finished(self, index: int, candidate: Json, state: Candidate) -> Iterator[Json]:
        kept = dict(state.extras)
        if not gemini_reply.ordinary(state.parts):
            kept["parts"] = state.whole()
        if kept:
            yield self._with(answers.delta({"extra_content": {"google": kept}}, index))
        native = gemini_reply.native(candidate)
        finish = gemini_reply.finish(native, state.calls > 0)
        if self.finish is None or index == 0:
            self.finish, self.native_finish = finish, native
        yield self._with(answers.last(finish, native, index))
        state.finished = True
        self.done = sum(state.finished for state in self._candidates.values()) >= self._expected

    def _with(self, choice: Json) -> Json:
        return {**self._head, "choices": [choice]}


def _kind(part: Json) -> tuple[bool, bool]:
    """Whether it is a piece of plain text, and whether that was thought."""
    plain = "text" in part and part.keys() <= {"text", "thought"}
    return plain, plain and bool(part.get("thought"))
