"""The stream of Messages, event by event, in OpenAI's chunks.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from providers import answers, anthropic_reply
from providers.anthropic_errors import complaint
from providers.chat import FinishReason, Json
from providers.usage import Usage


class Open:
    """A block whose deltas are still coming."""

    __slots__ = ("block", "call", "pieces")

    def __init__(self, block: Json, call: int | None) -> None:
        self.block = block
        self.call = call
        """Which of the answer's tool calls it is: calls are numbered among themselves, not among the blocks."""
        self.pieces: dict[str, list[str]] = {}

    def add(self, key: str, piece: Any) -> str:
        self.pieces.setdefault(key, []).append(answers.said(piece))
        return piece  # type: ignore[no-any-return]  # said() has seen that it is a string

    def arguments(self) -> str:
        return "".join(self.pieces.pop("partial_json", ()))

    def closed(self) -> Json:
        for key, pieces in self.pieces.items():
            self.block[key] = (self.block.get(key) or "") + "".join(pieces)
        return self.block


class Decoder:
    def __init__(self, structured: bool) -> None:
        self.usage: Usage | None = None
        self.finish: FinishReason | None = None
        self.native_finish: str | None = None
        self.done = False
        self._structured = structured
        self._head: Json | None = None
        self._said: Json = {}
        self._open: dict[int, Open] = {}
        self._blocks: list[Json] = []
        self._calls = 0
        self._readable = True
        self._extras: Json = {}

    def feed(self, name: str, payload: Json) -> Iterator[Json]:
        match payload["type"]:
            case "message_start":
                started = payload["message"]
                self._head = answers.head(answers.said(started["id"]), answers.said(started["model"]))
                self._count(started.get("usage"))
                yield self._chunk({"role": "assistant", "content": ""})
            case "content_block_start":
                yield from self._started(payload["index"], payload["content_block"])
            case "content_block_delta":
                yield from self._continued(self._open[payload["index"]], payload["delta"])
            case "content_block_stop":
                yield from self._stopped(self._open.pop(payload["index"]))
            case "message_delta":
                self._extras |= anthropic_reply.extras(payload) | anthropic_reply.extras(payload["delta"])
                self._count(payload.get("usage"))
                if (native := payload["delta"].get("stop_reason")) is not None:
                    self.finish = anthropic_reply.finish(native, self._structured)
                    self.native_finish = native
            case "message_stop" if not self.done:
                yield from self._ended()
            case "error":
                raise answers.failure(complaint(payload))

    def _started(self, index: int, block: Json) -> Iterator[Json]:
        call = None
        match block["type"]:
            case "text" if block.get("text"):
                yield self._chunk({"content": answers.said(block["text"])})
            case "tool_use" if not self._is_answer(block):
                call, self._calls = self._calls, self._calls + 1
                started = answers.tool_call(answers.said(block["id"]), answers.said(block["name"]), "")
                yield self._chunk({"tool_calls": [{"index": call, **started}]})
            case "thinking" if block.get("thinking"):
                yield self._chunk({"reasoning_content": answers.said(block["thinking"])})
        self._open[index] = Open(dict(block), call)

    def _continued(self, open: Open, delta: Json) -> Iterator[Json]:
        match delta["type"]:
            case "text_delta":
                yield self._chunk({"content": open.add("text", delta["text"])})
            case "thinking_delta":
                yield self._chunk({"reasoning_content": open.add("thinking", delta["thinking"])})
            case "input_json_delta":
                piece = open.add("partial_json", delta["partial_json"])
                if piece and open.block["type"] == "tool_use":
                    yield self._chunk(self._arguments(open, piece))
            case "citations_delta":
                open.block["citations"] = [*(open.block.get("citations") or []), delta["citation"]]
            case _:  # signature_delta, compaction_delta, and those to come: text is continued, the rest replaced
                for key, value in delta.items():
                    if isinstance(value, str) and key != "type":
                        open.add(key, value)
                    elif key != "type":
                        open.block[key] = value

    def _stopped(self, open: Open) -> Iterator[Json]:
        arguments = open.arguments()
        block = open.closed()
        if arguments:
            try:
                block["input"] = orjson.loads(arguments)
            except orjson.JSONDecodeError:
                self._readable = False  # cut by max_tokens: the caller has the text, it cannot be sent back as blocks
        elif block["type"] == "tool_use":
            yield self._chunk(self._arguments(open, answers.dumped(block["input"])))
        elif block["type"] in anthropic_reply.THOUGHT:
            yield self._chunk({"thinking_blocks": [block]})
        self._blocks.append(block)

    def _ended(self) -> Iterator[Json]:
        if self.finish is None:
            raise KeyError("message_stop before any stop_reason")
        if self._readable and not self._structured and not anthropic_reply.ordinary(self._blocks):
            yield self._chunk({"extra_content": {"anthropic": {"content": self._blocks}}})
        # Held back until now, so that a stream which is cut after its stop_reason does not look finished.
        yield self._with(answers.last(self.finish, self.native_finish)) | self._extras
        self.done = True

    def _is_answer(self, block: Json) -> bool:
        return self._structured and block["name"] == anthropic_reply.STRUCTURED

    def _arguments(self, open: Open, piece: str) -> Json:
        if open.call is None:
            return {"content": piece}
        return {"tool_calls": [{"index": open.call, "function": {"arguments": piece}}]}

    def _count(self, said: Json | None) -> None:
        """Reports are cumulative and later ones leave out what has not changed: fields are replaced, never added."""
        if said:
            self._said |= {key: value for key, value in said.items() if value is not None}
            self.usage = anthropic_reply.usage(self._said)

    def _chunk(self, values: Json) -> Json:
        return self._with(answers.delta(values))

    def _with(self, choice: Json) -> Json:
        if self._head is None:
            raise KeyError("an event of the answer before message_start")
        return {**self._head, "choices": [choice]}
