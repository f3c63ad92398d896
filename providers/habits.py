"""What a provider that speaks OpenAI's language does differently from OpenAI: facts, each named in its table entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from providers import openai_usage
from providers.chat import FINISH_REASONS, Json
from providers.openai_usage import Rule

FINISHES: Mapping[str, str] = {
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    # Snowflake ends every answer with it, whatever the reason was.
    "": "stop",
    "model_length": "length",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "sensitive": "content_filter",
    "insufficient_system_resource": "error",
    "network_error": "error",
}
"""Finish reasons of those who follow OpenAI, in its words; a reason that is in neither list stays as it was said."""


CARRIERS = frozenset({"reasoning_content", "thinking_blocks", "extra_content", "images"})
"""What an answer may carry beyond OpenAI's words, for the model that gave it to see again. Another model can make
nothing of it, and most ignore it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    usage: Rule = openai_usage.plain
    stop_hides_tools: bool = False
    """It says `stop` where OpenAI says `tool_calls`. (OpenAI itself says `stop` when a tool was forced.)"""
    takes_stream_options: bool = True
    """False for one that refuses the parameter. It must then report usage without being asked."""
    sends_done: bool = True
    """False for one whose streams just end after the finish reason. Without that fact such an end is a cut."""
    refuses_in_messages: frozenset[str] = frozenset()
    """Keys of messages and tool calls, from another provider's answer, that it refuses and that are left out for it."""
    spell: Callable[[Json], Json] | None = None
    """The request in its own spelling, never changed in place."""
    reshape: Callable[[Json], Json] | None = None
    """An answer or a chunk that would break an OpenAI client, written as it expects; else the same object."""


def finish_of(native: str, has_tools: bool, habits: Habits) -> str:
    reason = native if native in FINISH_REASONS else FINISHES.get(native, native)
    return "tool_calls" if reason == "stop" and has_tools and habits.stop_hides_tools else reason
