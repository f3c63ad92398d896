"""What a judge is shown of a sample, as text under headings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from evaluate.scorers.answer import as_text
from evaluate.scorers.scorer import Document, Sample, Unscored


def question(sample: Sample, name: str | None) -> str:
    """What was asked: the input of that name, or the conversation, or all inputs but the context."""
    inputs = sample.inputs
    if name is not None:
        if name not in inputs:
            there = ", ".join(map(repr, inputs)) or "none"
            raise Unscored(f"the row has no input {name!r}; its inputs: {there}")
        return as_text(inputs[name])
    if isinstance(inputs.get("messages"), list):
        return "\n\n".join(_spoken(message) for message in inputs["messages"])
    said = {key: value for key, value in inputs.items() if key != "context" or sample.context is None}
    if not said:
        raise Unscored("the row has no inputs")
    if len(said) == 1:
        return as_text(next(iter(said.values())))
    return "\n".join(f"{key}: {as_text(value)}" for key, value in said.items())


def answer(sample: Sample) -> str:
    """What was answered: text, refusal and calls of tools."""
    return spoken(sample.output, sample.text)


def spoken(output: Any, text: str) -> str:
    message = output if isinstance(output, dict) else {}
    pieces = [text] if text else []
    if message.get("refusal"):
        pieces.append(f"[refuses: {message['refusal']}]")
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        pieces.append(f"[calls {function.get('name')} with {function.get('arguments')}]")
    return "\n".join(pieces) or "[nothing]"


def _spoken(message: Any) -> str:
    if not isinstance(message, dict):
        return as_text(message)
    content = message.get("content")
    match content:
        case str():
            text = content
        case list():
            text = "\n".join(_part(part) for part in content)
        case _:
            text = ""
    return f"{message.get('role', 'user')}: {spoken(message, text)}"


def _part(part: Any) -> str:
    match part:
        case {"type": "text", "text": str() as text}:
            return text
        case {"type": str() as kind}:
            return f"[{kind}]"
    return as_text(part)


def numbered(documents: Iterable[Document]) -> str:
    return "\n\n".join(f"[{document.id}] {document.text}" for document in documents) or "[none]"


def tools(sample: Sample) -> str:
    return "\n".join(orjson.dumps(tool.get("function", tool)).decode() for tool in sample.tools or ()) or "[none]"


def listed(value: Any, where: str) -> str:
    """Texts as a list, one a line."""
    several = value if isinstance(value, list | tuple) else [value]
    if not several:
        raise Unscored(f"{where} is an empty list")
    return as_text(several[0]) if len(several) == 1 else "\n".join(f"- {as_text(each)}" for each in several)
