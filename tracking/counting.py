"""What a call used when its provider did not say: its text counted, or the most that it can have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol, cast

import orjson

from providers.chat import Json, Kind
from providers.errors import Garbled, reading
from providers.usage import Usage
from tracking.aside import Aside
from tracking.calls import Basis, Begin, End

HEARD = frozenset({"ok", "client_cancelled", "upstream_cut", "interrupted"})
"""Ends of calls that a provider bills, whether or not it could say for what."""
UNHEARD = frozenset(
    {
        "upstream_cut",
        "upstream_timeout_first_byte",
        "upstream_timeout_first_token",
        "upstream_timeout_idle",
        "upstream_timeout_total",
        "upstream_too_large",
    }
)
"""Errors of calls that a provider had taken on and may bill, of whose answer nothing reached the caller."""

Used = Mapping[str, Any]
"""What of `providers.usage.Usage` is known."""
Counted = tuple[Used, Basis, int | None]
"""Usage, where it is from, and its cost."""


class Count(Protocol):
    @property
    def tokens(self) -> int: ...


class Priced(Protocol):
    def of(self, usage: Usage) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How text is counted and usage priced; handed in, so that recording depends on neither."""

    request: Callable[[Kind, Json, str], Count]
    text: Callable[[str, str], Count]
    assemble: Callable[[bytes, Kind], Json]
    """A caller's stream, as far as it came, as one completion."""
    price: Callable[[Json], Priced]
    """A price from its snapshot."""
    aside: Aside[Counted] = field(default_factory=Aside)
    """Where calls are put whose bodies may not be kept and whose provider did not say what they used."""

    def ended(self, begin: Begin, request: bytes, end: End, response: bytes) -> Counted:
        """What a provider said stays; the rest is counted if it can be."""
        if end["usage_basis"] == "provider":
            return end.get("usage") or {}, "provider", end.get("cost_nanos")
        if begin.get("log_payloads", "full") == "full":
            return self._counted(begin, _object(request), end, response)
        counted = self.aside.count(end["id"], lambda asked, heard: self._counted(begin, asked, end, heard))
        # The process died before they were counted, so nobody can know.
        return counted or (end.get("usage") or {}, "none", end.get("cost_nanos"))

    def interrupted(self, begin: Begin, request: bytes) -> Counted:
        """The most that a call can have used whose process died: nobody knows how far it came."""
        kept = begin.get("log_payloads", "full") == "full"
        return self._reserved(begin, _object(request) if kept else None, begin.get("model"), begin.get("price"))

    def _counted(self, begin: Begin, asked: Json | None, end: End, response: bytes) -> Counted:
        counts: Used = end.get("usage") or {}
        cost = end.get("cost_nanos")
        if end.get("response_type") is None and end.get("error_code") in UNHEARD:
            return self._reserved(begin, asked, end.get("model"), end.get("price"))
        if not (response or end["status"] in HEARD):
            return counts, end["usage_basis"], cost
        said = Usage(**counts)
        kind, model = cast(Kind, begin.get("kind") or "chat"), end.get("model") or begin.get("model") or ""
        try:
            with reading(Garbled):
                spoken = self._spoken(kind, response, end.get("response_type"), model)
                input = said.input if said.input is not None else self._asked(kind, asked, model)
        except Garbled:
            return counts, "none", cost
        if spoken is None or input is None:  # the bodies are not kept, so nobody can know
            return counts, "none", cost
        # A stream that broke off had said what it held so far; what was heard may be more, and never less.
        usage = replace(said, input=input, output=max(spoken, said.output or 0))
        return asdict(usage), "counted", self._cost(end.get("price"), usage)

    def _reserved(self, begin: Begin, asked: Json | None, model: str | None, price: Json | None) -> Counted:
        kind = cast(Kind, begin.get("kind") or "chat")
        output = 0 if kind == "embeddings" else begin.get("max_output")
        try:
            with reading(Garbled):
                usage = Usage(input=self._asked(kind, asked, model or begin.get("model") or ""), output=output)
        except Garbled:
            usage = Usage(output=output)
        known = usage.input is not None or usage.output is not None
        return asdict(usage), "reserved" if known else "none", self._cost(price, usage)

    def _cost(self, snapshot: Json | None, usage: Usage) -> int | None:
        return self.price(snapshot).of(usage) if snapshot is not None else None

    def _asked(self, kind: Kind, asked: Json | None, model: str) -> int | None:
        return self.request(kind, asked, model).tokens if asked is not None else None

    def _spoken(self, kind: Kind, response: bytes, response_type: str | None, model: str) -> int | None:
        """Tokens of what the caller was sent. None where there was an answer and it was not kept."""
        if kind == "embeddings" or response_type is None:
            return 0
        if not response:
            return None
        answer = self.assemble(response, kind) if response_type == "sse" else _object(response)
        return self.text(said(answer), model).tokens if answer is not None else None


def said(answer: Json) -> str:
    """Everything in a completion that a model had to write."""
    parts: list[Any] = []
    for choice in answer.get("choices") or ():
        message = choice.get("message") or {}
        parts += [message.get("reasoning_content"), message.get("content"), message.get("refusal"), choice.get("text")]
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {}
            parts += [function.get("name"), function.get("arguments")]
    return "".join(part for part in parts if isinstance(part, str))


def _object(body: bytes) -> Json | None:
    try:
        value: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
