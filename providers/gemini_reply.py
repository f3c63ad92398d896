"""What a Gemini answered, in OpenAI's words.

Text is `content`, thoughts are `reasoning_content`, function calls are `tool_calls` (with their signature under
`extra_content.google.thought_signature`, Google's own convention), images are `images` as OpenRouter has them. The
rest is kept in the message's `extra_content.google`, under Gemini's names: `groundingMetadata` and its like, and, if
the message would not give them back, all `parts` as they came. Whoever sends `parts` back on the assistant's message
has them used in place of the message.
"""

from __future__ import annotations

from typing import Any

from providers import answers
from providers.chat import FinishReason, Json
from providers.gemini_content import SYNTHESIZED
from providers.usage import Usage, count, suspicious

FINISH: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""All others (MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL, OTHER, those to come) say that it went wrong: `error`."""
NUMBERS = (
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
)
"""Vertex sometimes sends the numbers of its enumeration: seen in recordings of 2025-08."""
EXTRAS = ("groundingMetadata", "urlContextMetadata", "citationMetadata", "safetyRatings", "finishMessage")
AUDIO = ("AUDIO", 4)
SIGNED_CALL = {"functionCall", "thoughtSignature"}


def completion(payload: Json, model: str) -> Json:
    id, version = identity(payload, model)
    candidates = payload.get("candidates") or []
    choices = [_choice(candidate, number, id) for number, candidate in enumerate(candidates)]
    if (blocked := refused(payload)) is not None:
        choices = [answers.choice(0, {"content": None}, "content_filter", blocked)]
    if not choices:
        raise KeyError("neither candidates nor a reason why the prompt was blocked")
    said = payload.get("usageMetadata")
    whole = answers.completion(id, version, choices, usage(said) if said else None)
    return whole | extras(payload, ("promptFeedback",))


def identity(payload: Json, model: str) -> tuple[str, str]:
    return answers.said(payload.get("responseId") or ""), answers.said(payload.get("modelVersion") or model)


def refused(payload: Json) -> str | None:
    """Why the prompt was blocked, where nothing was answered at all."""
    if payload.get("candidates"):
        return None
    reason = (payload.get("promptFeedback") or {}).get("blockReason")
    return None if reason is None else answers.said(reason)


def message(parts: list[Json], candidate: Json, id: str) -> Json:
    said, thought = text(parts)
    message: Json = {"content": said or None}
    if thought:
        message["reasoning_content"] = thought
    if found := calls(parts, id, candidate.get("index") or 0, 0):
        message["tool_calls"] = found
    if seen := images(parts):
        message["images"] = seen
    kept = extras(candidate, EXTRAS)
    if not ordinary(parts):
        kept["parts"] = parts
    if kept:
        message["extra_content"] = {"google": kept}
    return message


def text(parts: list[Json]) -> tuple[str, str]:
    """What it said, and what it thought."""
    spoken = [part for part in parts if "text" in part]
    return (
        "".join(answers.said(part["text"]) for part in spoken if not part.get("thought")),
        "".join(answers.said(part["text"]) for part in spoken if part.get("thought")),
    )


def calls(parts: list[Json], id: str, candidate: int, seen: int) -> list[Json]:
    """Calls, numbered from `seen` on. One without an id gets one that is the same each time the answer is read."""
    found = []
    for number, part in enumerate((part for part in parts if "functionCall" in part), seen):
        function = part["functionCall"]
        given = function.get("id") or f"{SYNTHESIZED}{id}_{candidate}_{number}"
        call = answers.tool_call(
            answers.said(given), answers.said(function["name"]), answers.dumped(function.get("args") or {})
        )
        if signature := part.get("thoughtSignature"):
            call["extra_content"] = {"google": {"thought_signature": signature}}
        found.append(call)
    return found


def images(parts: list[Json]) -> list[Json]:
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    return [
        {"type": "image_url", "image_url": {"url": f"data:{data['mimeType']};base64,{data['data']}"}}
        for data in inline
        if answers.said(data["mimeType"]).startswith("image/")
    ]


def ordinary(parts: list[Json]) -> bool:
    """Whether OpenAI's message gives these parts back: unsigned thoughts (which need not go back), text, then calls."""
    called = False
    for part in parts:
        if "functionCall" in part and part.keys() <= SIGNED_CALL:
            called = True
        elif called or "text" not in part or not part.keys() <= {"text", "thought"}:
            return False
    return True


def native(candidate: Json) -> str:
    reason = candidate["finishReason"]
    return NUMBERS[reason] if type(reason) is int and 0 <= reason < len(NUMBERS) else str(reason)


def finish(native: str, called: bool) -> FinishReason:
    reason = FINISH.get(native, "error")
    return "tool_calls" if called and reason == "stop" else reason


def logprobs(candidate: Json) -> Json | None:
    result = candidate.get("logprobsResult")
    if not result:
        return None
    tops = result.get("topCandidates") or [{}] * len(result["chosenCandidates"])
    return {
        "content": [
            {**_token(chosen), "top_logprobs": [_token(other) for other in top.get("candidates") or []]}
            for chosen, top in zip(result["chosenCandidates"], tops, strict=True)
        ],
        "refusal": None,
    }


def extras(values: Json, names: tuple[str, ...]) -> Json:
    return {name: values[name] for name in names if values.get(name) is not None}


def usage(said: Json) -> Usage:
    """Gemini leaves thinking out of `candidatesTokenCount` (but see below), and tools' prompts out of the prompt's."""
    prompt, tools = count(said.get("promptTokenCount")), count(said.get("toolUsePromptTokenCount"))
    answer, thought = count(said.get("candidatesTokenCount")), count(said.get("thoughtsTokenCount"))
    total = count(said.get("totalTokenCount"))
    input = None if prompt is None else prompt + (tools or 0)
    output: int | None
    if answer is not None and thought is not None and input is not None and input + answer == total:
        output = answer  # some models count thinking into the answer, and then the total tells
    elif answer is not None or thought is not None:
        output = (answer or 0) + (thought or 0)
    else:
        output = total - input if total is not None and input is not None and total >= input else None
    read = count(said.get("cachedContentTokenCount"))
    return Usage(
        input=input,
        output=output,
        cache_read=read,
        reasoning=thought,
        input_audio=_audio(said, "promptTokensDetails", "toolUsePromptTokensDetails"),
        output_audio=_audio(said, "candidatesTokensDetails"),
        suspect=suspicious(*(said.get(name) for name in COUNTS))
        or (read or 0) > (read or 0 if input is None else input)
        or (thought or 0) > (thought or 0 if output is None else output),
    )


COUNTS = frozenset(
    {
        "promptTokenCount",
        "toolUsePromptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
        "cachedContentTokenCount",
    }
)


def _choice(candidate: Json, number: int, id: str) -> Json:
    parts = (candidate.get("content") or {}).get("parts") or []
    said = message(parts, candidate, id)
    reason = native(candidate)
    choice = answers.choice(candidate.get("index", number), said, finish(reason, "tool_calls" in said), reason)
    return choice | {"logprobs": logprobs(candidate)}


def _token(candidate: Json) -> Json:
    token = answers.said(candidate["token"])
    return {"token": token, "logprob": candidate["logProbability"], "bytes": list(token.encode())}


def _audio(said: Json, *lists: str) -> int | None:
    """Tokens of sound. None where Gemini does not split the count by modality."""
    details: list[Any] = [detail for name in lists for detail in said.get(name) or []]
    if not details:
        return None
    heard = [count(detail.get("tokenCount")) for detail in details if detail.get("modality") in AUDIO]
    return sum(tokens or 0 for tokens in heard)
