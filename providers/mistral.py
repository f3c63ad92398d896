"""What Mistral spells differently from OpenAI: seeds, limits, and thinking that stands in a list of content parts.

An OpenAI client adds up the strings of `delta.content`; a list in their place breaks it. So the text goes to `content`
and the thinking to `reasoning_content`, and comes back as Mistral wants it when the caller sends it again.
"""

from __future__ import annotations

from providers.chat import Json

RENAMES = {"seed": "random_seed", "max_completion_tokens": "max_tokens"}
_HOLDERS = ("message", "delta")


def spell(request: Json) -> Json:
    messages = request.get("messages")
    if messages is not None and any(_thought(message) for message in messages):
        request = {**request, "messages": [_with_thinking(message) for message in messages]}
    if not RENAMES.keys() & request.keys():
        return request
    return {RENAMES.get(key, key): value for key, value in request.items()}


def plain(payload: Json) -> Json:
    choices = payload.get("choices") or []
    if not any(isinstance((choice.get(key) or {}).get("content"), list) for choice in choices for key in _HOLDERS):
        return payload
    return {**payload, "choices": [_plain_choice(choice) for choice in choices]}


def _plain_choice(choice: Json) -> Json:
    return {**choice, **{key: _plain_message(choice[key]) for key in _HOLDERS if choice.get(key)}}


def _plain_message(message: Json) -> Json:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    text = "".join(part["text"] for part in content if part["type"] == "text")
    thinking = [piece["text"] for part in content if part["type"] == "thinking" for piece in part["thinking"]]
    others = [part for part in content if part["type"] not in {"text", "thinking"}]
    message = {**message, "content": text}
    if thinking:
        message["reasoning_content"] = "".join(thinking)
    if others:
        message["content_parts"] = others
    return message


def _thought(message: Json) -> bool:
    return message["role"] == "assistant" and isinstance(message.get("reasoning_content"), str)


def _with_thinking(message: Json) -> Json:
    if not _thought(message):
        return message
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": message["reasoning_content"]}]}
    content = message.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    kept = {key: value for key, value in message.items() if key != "reasoning_content"}
    return {**kept, "content": [thinking, *parts]}
