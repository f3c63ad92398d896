"""What a Claude answered, in OpenAI's words, from the blocks of a whole answer or of a finished stream.

Text is `content`, tools are `tool_calls`, thinking is `reasoning_content`. What OpenAI has no words for is kept so that
it can be sent back:

* `thinking_blocks`: the thinking and redacted blocks with their signatures, as they came.
* `extra_content.anthropic.content`: all blocks as they came, if message and `thinking_blocks` would not give them back
  (tools that Anthropic ran and their results, citations, thinking between calls). Whoever sends it back on the
  assistant's message has it used in place of the message.
"""

from __future__ import annotations

from typing import Any

from providers import answers
from providers.chat import FinishReason, Json
from providers.usage import Usage, count, suspicious

FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "compaction": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    # The answer is not whole: the caller should send it back, so that it goes on. `stop` would say the opposite.
    "pause_turn": "length",
}
STRUCTURED = "structured_output"
"""The tool that a model without structured output is made to call; callers see its arguments as the text."""
THOUGHT = frozenset({"thinking", "redacted_thinking"})
ORDER = {"thinking": 0, "redacted_thinking": 0, "text": 1, "tool_use": 2}
"""The order in which OpenAI's message gives the blocks back."""
EXTRAS = ("stop_details", "container", "context_management")
"""Kept beside the choices under their own names."""


def message(blocks: list[Json], structured: bool) -> Json:
    text = "".join(answers.said(block["text"]) for block in blocks if block["type"] == "text")
    calls = [block for block in blocks if block["type"] == "tool_use"]
    if structured:
        text += "".join(answers.dumped(call["input"]) for call in calls if call["name"] == STRUCTURED)
        calls = [call for call in calls if call["name"] != STRUCTURED]
    message: Json = {"content": text or None}
    if thought := "".join(answers.said(block["thinking"]) for block in blocks if block["type"] == "thinking"):
        message["reasoning_content"] = thought
    if kept := [block for block in blocks if block["type"] in THOUGHT]:
        message["thinking_blocks"] = kept
    if calls:
        message["tool_calls"] = [
            answers.tool_call(answers.said(call["id"]), answers.said(call["name"]), answers.dumped(call["input"]))
            for call in calls
        ]
    if not structured and not ordinary(blocks):
        message["extra_content"] = {"anthropic": {"content": blocks}}
    return message


def ordinary(blocks: list[Json]) -> bool:
    """Whether OpenAI's message gives these blocks back as they are."""
    ranks = [ORDER.get(block["type"], 9) for block in blocks]
    return (
        9 not in ranks
        and ranks == sorted(ranks)
        and ranks.count(1) <= 1
        and not any(block.get("citations") for block in blocks)
        and all((block.get("caller") or {"type": "direct"})["type"] == "direct" for block in blocks)
    )


def finish(native: Any, structured: bool) -> FinishReason:
    reason = FINISH.get(answers.said(native), "stop")
    return "stop" if structured and reason == "tool_calls" else reason


def extras(payload: Json) -> Json:
    return {key: payload[key] for key in EXTRAS if payload.get(key) is not None}


def usage(said: Json) -> Usage:
    """Anthropic's `input_tokens` leaves cached tokens out; ours counts them in.

    `iterations`, where there are any, are the model's turns within one call, and the totals beside them leave some out
    (compaction, a model that was asked for advice); all are billed, so they are added up.
    """
    rows = said.get("iterations") or [said]
    written = _sum(_written(row) for row in rows)
    read = _sum(row.get("cache_read_input_tokens") for row in rows)
    fresh = _sum(row.get("input_tokens") for row in rows)
    reasoning = (said.get("output_tokens_details") or {}).get("thinking_tokens")
    searches = (said.get("server_tool_use") or {}).get("web_search_requests")
    output = _sum(row.get("output_tokens") for row in rows)
    thought = count(reasoning)
    return Usage(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=output,
        cache_read=read,
        cache_write=written,
        cache_write_1h=_sum((row.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") for row in rows),
        reasoning=thought,
        searches=count(searches),
        suspect=suspicious(reasoning, searches, *(row.get(name) for row in rows for name in COUNTS))
        or (thought is not None and output is not None and thought > output),
    )


COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def _written(row: Json) -> Any:
    if (said := row.get("cache_creation_input_tokens")) is not None:
        return said
    return _sum((row.get("cache_creation") or {}).values())


def _sum(values: Any) -> int | None:
    """Of what was said; None where nothing was."""
    counted = [known for value in values if (known := count(value)) is not None]
    return sum(counted) if counted else None
