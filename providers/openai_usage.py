"""Usage in OpenAI's words: read from whoever speaks them, each by the rule its entry names, and written for callers."""

from __future__ import annotations

from providers.chat import Json
from providers.usage import Usage


def write(usage: Usage) -> Json:
    """OpenAI's usage object. Counts that nobody said are left out; its three required totals are there if known."""
    prompt = _known(
        cached_tokens=usage.cache_read, cache_write_tokens=usage.cache_write, audio_tokens=usage.input_audio
    )
    completion = _known(reasoning_tokens=usage.reasoning, audio_tokens=usage.output_audio)
    total = None if usage.input is None else usage.input + (usage.output or 0)
    said = _known(prompt_tokens=usage.input, completion_tokens=usage.output, total_tokens=total)
    if prompt:
        said["prompt_tokens_details"] = prompt
    if completion:
        said["completion_tokens_details"] = completion
    return said


def _known(**counts: int | None) -> Json:
    return {name: count for name, count in counts.items() if count is not None}
