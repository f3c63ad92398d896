"""A conversation in Gemini's words: contents of parts, made from OpenAI's messages.

* System messages at the head become `systemInstruction`; later ones stay where they were said, as text of the user's
  between <system> tags.
* The results of one turn's tool calls stand together in one content right after it; Gemini wants their function's
  name, which is found by the id of the call.
* What Gemini signed goes back as it came: a call's `extra_content.google.thought_signature`, or all parts of an answer
  in the message's `extra_content.google.parts` (see `gemini_reply`).
* A participant's `name`, an image's `detail` and a function's `strict` have no counterpart and are left out.
"""

from __future__ import annotations

import mimetypes

from providers import parts
from providers.chat import Json
from providers.errors import InvalidRequest
from providers.gemini_models import budgeted
from providers.parts import Content

SYNTHESIZED = "call_gl_"
"""How the ids begin that we gave to calls which Gemini left without one. It is not told them."""
UNSIGNED = "skip_thought_signature_validator"
"""What Google documents for calls that another model made: from Gemini 3 on the first call of a turn needs a signature.
https://ai.google.dev/gemini-api/docs/thought-signatures"""


def conversation(messages: list[Json], model: str) -> tuple[list[Json], list[Json]]:
    """The parts of the system instruction, and the contents."""
    system: list[Json] = []
    contents: list[Json] = []
    names: dict[str, str] = {}
    answered = 0  # where the results of the last turn's calls are, or would be
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        match message["role"]:
            case "assistant":
                contents.append({"role": "model", "parts": _said(message, where, model)})
                answered = len(contents)
                for n, call in enumerate(message.get("tool_calls") or []):
                    id, name = parts.called(call, f"{where}.tool_calls[{n}]")
                    names[id] = name
            case "system" | "developer" if not contents:
                system.append({"text": parts.text(message.get("content"), f"{where}.content")})
            case "system" | "developer":
                said = parts.text(message.get("content"), f"{where}.content")
                contents.append({"role": "user", "parts": [{"text": f"<system>\n{said}\n</system>"}]})
            case "tool":
                if answered == len(contents) or not _results(contents[answered]):
                    contents.insert(answered, {"role": "user", "parts": []})
                contents[answered]["parts"].append(_result(message, where, names))
            case "user":
                contents.append({"role": "user", "parts": _parts(message.get("content"), f"{where}.content")})
            case role:
                raise InvalidRequest(
                    f"{where}.role is {role!r}, which OpenAI retired; send the result of a function as role 'tool'",
                    param=f"{where}.role",
                )
    return system, contents


def _said(message: Json, where: str, model: str) -> list[Json]:
    kept = _google(message).get("parts")
    if kept is not None:
        if not isinstance(kept, list):
            raise InvalidRequest(
                f"{where}.extra_content.google.parts must be the list that came with the answer",
                param=f"{where}.extra_content",
            )
        return kept
    calls = [_call(call, f"{where}.tool_calls[{n}]") for n, call in enumerate(message.get("tool_calls") or [])]
    if calls and "thoughtSignature" not in calls[0] and not budgeted(model):
        calls[0]["thoughtSignature"] = UNSIGNED
    return _parts(message.get("content"), f"{where}.content") + calls


def _call(call: Json, where: str) -> Json:
    id, name = parts.called(call, where)
    part: Json = {"functionCall": {"name": name, "args": parts.arguments(call, where), **_id(id)}}
    if signature := _google(call).get("thought_signature"):
        part["thoughtSignature"] = signature
    return part


def _result(message: Json, where: str, names: dict[str, str]) -> Json:
    id = parts.string(message, "tool_call_id", where)
    if id not in names:
        raise InvalidRequest(
            f"{where}.tool_call_id is {id!r}, and no assistant message before it made that call",
            param=f"{where}.tool_call_id",
        )
    said = parts.text(message.get("content"), f"{where}.content")
    return {"functionResponse": {"name": names[id], "response": {"output": said}, **_id(id)}}


def _results(content: Json) -> bool:
    return any("functionResponse" in part for part in content["parts"])


def _id(id: str) -> Json:
    return {} if id.startswith(SYNTHESIZED) else {"id": id}


def _google(carrier: Json) -> Json:
    match carrier.get("extra_content"):
        case {"google": dict(kept)}:
            return kept
        case _:
            return {}


def _parts(content: Content, where: str) -> list[Json]:
    return [_part(part, f"{where}[{number}]") for number, part in enumerate(parts.parts(content))]


def _part(part: Json, where: str) -> Json:
    match part["type"]:
        case "text":
            return {"text": parts.string(part, "text", where)}
        case "refusal":
            return {"text": parts.string(part, "refusal", where)}
        case "image_url":
            return _data(parts.image(part, where), f"{where}.image_url.url")
        case "video_url":
            url = parts.string(parts.mapping(part, "video_url", where), "url", f"{where}.video_url")
            return _data(url, f"{where}.video_url.url")
        case "input_audio":
            audio = parts.mapping(part, "input_audio", where)
            kind = parts.string(audio, "format", f"{where}.input_audio")
            data = parts.string(audio, "data", f"{where}.input_audio")
            return {"inlineData": {"mimeType": f"audio/{kind}", "data": data}}
        case "file":
            file = parts.mapping(part, "file", where)
            key = "file_id" if file.get("file_id") else "file_data"
            return _data(parts.string(file, key, f"{where}.file"), f"{where}.file.{key}")
        case kind:
            raise InvalidRequest(
                f"{where}.type is {kind!r}; Gemini takes text, image_url, video_url, input_audio and file",
                param=f"{where}.type",
            )


def _data(url: str, where: str) -> Json:
    """Data that came along, or the address of a file."""
    if inline := parts.inline(url, where):
        return {"inlineData": {"mimeType": inline.media_type, "data": inline.data}}
    kind, _ = mimetypes.guess_type(url.partition("?")[0])
    return {"fileData": {"fileUri": url, **({"mimeType": kind} if kind else {})}}
