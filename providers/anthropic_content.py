"""A conversation in Messages' words: turns of blocks, made from OpenAI's messages.

* System messages at the head become `system`. Later ones stay where they were said, because hoisting them would break
  the prompt cache, as text of the user's turn between <system> tags, which every model accepts.
* Messages demands that all results of one turn's tool calls stand together and first in the next user turn, so
  neighbouring messages of tool, user and (later) system make one turn.
* What the model thought, signed, goes back as it came and in its place: an assistant message's `thinking_blocks`
  before its text, or the whole of `extra_content.anthropic.content` where the answer had more than OpenAI has words
  for (see `anthropic_reply`).
* A participant's `name` and an image's `detail` have no counterpart and are left out.
"""

from __future__ import annotations

from providers import parts
from providers.chat import Json
from providers.errors import InvalidRequest
from providers.parts import Content

Block = Json
KEPT = ("cache_control", "citations")
"""Words of Anthropic's that a caller may write on OpenAI's parts."""


def conversation(messages: list[Json]) -> tuple[list[Block], list[Json]]:
    """The system blocks and the turns."""
    system: list[Block] = []
    turns: list[Json] = []
    results = 0  # how many blocks at the head of the open user turn are results of tools
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        role = message["role"]
        if role == "assistant":
            turns.append({"role": "assistant", "content": _said(message, where)})
            continue
        if role in ("system", "developer") and not turns:
            system += _instructions(message, where)
            continue
        if not turns or turns[-1]["role"] != "user":
            turns.append({"role": "user", "content": []})
            results = 0
        blocks = turns[-1]["content"]
        if role == "tool":
            blocks.insert(results, _result(message, where))
            results += 1
        elif role == "user":
            blocks += _blocks(message.get("content"), f"{where}.content")
        elif role in ("system", "developer"):
            blocks += [
                {**block, "text": f"<system>\n{block['text']}\n</system>"} for block in _instructions(message, where)
            ]
        else:
            raise InvalidRequest(
                f"{where}.role is {role!r}, which OpenAI retired; send the result of a function as role 'tool'",
                param=f"{where}.role",
            )
    return system, turns


def spoken(message: Json, where: str) -> list[Block]:
    """An assistant's message by OpenAI's words alone: what it thought, what it said, what it called."""
    thought = message.get("thinking_blocks") or []
    if not isinstance(thought, list):
        raise InvalidRequest(f"{where}.thinking_blocks must be a list, and is {thought!r}", param=where)
    calls = enumerate(message.get("tool_calls") or [])
    return [
        *thought,
        *_blocks(message.get("content"), f"{where}.content"),
        *(_use(call, f"{where}.tool_calls[{number}]") for number, call in calls),
    ]


def _said(message: Json, where: str) -> list[Block]:
    extra = message.get("extra_content") or {}
    if isinstance(extra, dict) and isinstance(ours := extra.get("anthropic"), dict) and ours.get("content"):
        content = ours["content"]
        if not isinstance(content, list):
            raise InvalidRequest(
                f"{where}.extra_content.anthropic.content must be the list that came with the answer",
                param=f"{where}.extra_content",
            )
        return content
    return spoken(message, where)


def _instructions(message: Json, where: str) -> list[Block]:
    parts.text(message.get("content"), f"{where}.content")  # instructions can only be text
    return _blocks(message.get("content"), f"{where}.content")


def _result(message: Json, where: str) -> Block:
    result: Block = {
        "type": "tool_result",
        "tool_use_id": parts.string(message, "tool_call_id", where),
        **{key: message[key] for key in ("is_error", "cache_control") if key in message},
    }
    content = message.get("content")
    if isinstance(content, str):
        result["content"] = content
    elif content:
        result["content"] = _blocks(content, f"{where}.content")
    return result


def _use(call: Json, where: str) -> Block:
    id, name = parts.called(call, where)
    return {"type": "tool_use", "id": id, "name": name, "input": parts.arguments(call, where)}


def _blocks(content: Content, where: str) -> list[Block]:
    blocks = (_block(part, f"{where}[{number}]") for number, part in enumerate(parts.parts(content)))
    return [block for block in blocks if block is not None]


def _block(part: Json, where: str) -> Block | None:
    """None for empty text, which Messages refuses and which says nothing."""
    kept = {key: part[key] for key in KEPT if part.get(key) is not None}
    match part["type"]:
        case "text":
            said = parts.string(part, "text", where)
            return {"type": "text", "text": said, **kept} if said else None
        case "refusal":
            return {"type": "text", "text": parts.string(part, "refusal", where), **kept}
        case "image_url":
            url = parts.image(part, where)
            inline = parts.inline(url, f"{where}.image_url.url")
            return {"type": "image", "source": _base64(inline) if inline else {"type": "url", "url": url}, **kept}
        case "file":
            return {"type": "document", **_document(parts.mapping(part, "file", where), f"{where}.file"), **kept}
        case "input_audio":
            raise InvalidRequest(
                f"{where} is audio, which Anthropic's models do not hear; send text, images or documents", param=where
            )
        case _:  # a block in Anthropic's own words, or a mistake that Anthropic knows best how to name
            return dict(part)


def _document(file: Json, where: str) -> Json:
    title = {"title": file["filename"]} if file.get("filename") else {}
    if file.get("file_id"):
        return {"source": {"type": "file", "file_id": file["file_id"]}, **title}
    url = parts.string(file, "file_data", where)
    inline = parts.inline(url, f"{where}.file_data")
    if inline is None:
        return {"source": {"type": "url", "url": url}, **title}
    if inline.media_type == "application/pdf":
        return {"source": _base64(inline), **title}
    if inline.media_type.startswith("text/"):
        text = parts.decoded(inline.data, f"{where}.file_data").decode(errors="strict")
        return {"source": {"type": "text", "media_type": "text/plain", "data": text}, **title}
    raise InvalidRequest(
        f"{where}.file_data is {inline.media_type!r}; Anthropic reads application/pdf and text",
        param=f"{where}.file_data",
    )


def _base64(inline: parts.Inline) -> Json:
    return {"type": "base64", "media_type": inline.media_type, "data": inline.data}
