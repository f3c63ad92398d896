"""Callers that put a gateway under load, and know word for word what each of them should hear."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httptools

Json = dict[str, Any]
ASKED = re.compile(r"(?P<nonce>\S+) words=(?P<words>\d+) cut=(?P<cut>-?\d+) usage=(?P<usage>yes|no)")
PROMPT_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Script:
    """What a caller asks the pretend provider to do. The nonce ties call, answer and run together."""

    nonce: str
    words: int
    cut: int = -1
    """After how many words the provider breaks off; -1: it does not."""
    usage: bool = True
    """Whether the provider says at the end of a stream what was used."""

    def __str__(self) -> str:
        return f"{self.nonce} words={self.words} cut={self.cut} usage={'yes' if self.usage else 'no'}"

    @classmethod
    def read(cls, request: Json) -> Script:
        found = ASKED.fullmatch(request["messages"][-1]["content"])
        assert found is not None, f"not one of ours: {request!r}"
        return cls(found["nonce"], int(found["words"]), int(found["cut"]), found["usage"] == "yes")

    @property
    def said(self) -> list[str]:
        """The words that the provider says, in pieces as it streams them."""
        return [f"{self.nonce}.{index} " for index in range(self.words)]

    @property
    def text(self) -> str:
        return "".join(self.said)

    @property
    def used(self) -> Json:
        return {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": self.words,
            "total_tokens": PROMPT_TOKENS + self.words,
        }

    def request(self, model: str, stream: bool) -> bytes:
        body: Json = {"model": model, "messages": [{"role": "user", "content": str(self)}], "max_tokens": 512}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(body).encode()

    def completion(self) -> Json:
        """The provider's plain answer."""
        message = {"role": "assistant", "content": self.text, "refusal": None}
        return {
            "id": f"chatcmpl-{self.nonce}",
            "object": "chat.completion",
            "created": 1763900000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": self.used,
        }

    def events(self) -> list[bytes]:
        """The provider's stream, event by event; where it is cut, as far as it comes."""
        deltas: list[Json] = [{"role": "assistant", "content": ""}, *({"content": word} for word in self.said)]
        if self.cut >= 0:
            return [self._event([_choice(delta)]) for delta in deltas[: self.cut + 1]]
        events = [*(self._event([_choice(delta)]) for delta in deltas), self._event([_choice({}, "stop")])]
        if self.usage:
            events.append(self._event([], self.used))
        return [*events, b"data: [DONE]\n\n"]

    def _event(self, choices: list[Json], usage: Json | None = None) -> bytes:
        chunk = {
            "id": f"chatcmpl-{self.nonce}",
            "object": "chat.completion.chunk",
            "created": 1763900000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": choices,
        }
        return b"data: %b\n\n" % json.dumps(chunk | ({"usage": usage} if usage else {})).encode()


def _choice(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


@dataclass(slots=True)
class Heard:
    """What one caller got."""

    script: Script
    stream: bool
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    """HTTP's own end of the message has arrived."""
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """The caller has every reason to believe that it was answered."""
        return self.status == 200 and self.ended and (not self.stream or self.body.endswith(b"data: [DONE]\n\n"))

    @property
    def text(self) -> str:
        if not self.stream:
            content: str = json.loads(self.body)["choices"][0]["message"]["content"]
            return content
        return "".join(
            choice["delta"].get("content") or ""
            for event in self.body.split(b"\n\n")
            if event.startswith(b"data: {") and event.endswith(b"}")
            for choice in json.loads(event[6:]).get("choices", ())
        )

    # What httptools calls as it reads.
    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.ended = True


class Caller:
    """One application with one kept connection: a socket and a parser, cheap enough for hundreds of them."""

    def __init__(self, port: int, key: str, model: str, headers: dict[str, str] | None = None) -> None:
        self._port, self._model = port, model
        sent = {"host": f"127.0.0.1:{port}", "authorization": f"Bearer {key}", "content-type": "application/json"}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in {**sent, **(headers or {})}.items())
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, script: Script, stream: bool, hang_up_after: int | None = None) -> Heard:
        """Make one call and hear it to its end, or leave after so many events.

        A connection that breaks raises nothing: what was heard until then is the answer.
        """
        heard = Heard(script, stream)
        parser = httptools.HttpResponseParser(heard)
        body, loop = script.request(self._model, stream), asyncio.get_running_loop()
        own = f"x-gatelog-tags: {json.dumps({'nonce': script.nonce})}\r\ncontent-length: {len(body)}\r\n"
        head = f"POST /v1/chat/completions HTTP/1.1\r\n{self._head}{own}\r\n"
        began = loop.time()
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writer.write(head.encode() + body)
            while not heard.ended and (data := await self._reader.read(65536)):
                parser.feed_data(data)
                heard.status = parser.get_status_code()
                if hang_up_after is not None and heard.body.count(b"data:") >= hang_up_after:
                    break
        except OSError:
            pass
        heard.seconds = loop.time() - began
        if not heard.ended or not parser.should_keep_alive():
            self.close()
        return heard

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
