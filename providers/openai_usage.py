"""Usage in OpenAI's words: read from whoever speaks them, each by the rule its entry names, and written for callers.

A rule takes a whole answer, or one event of a stream, and gives None where it says nothing about usage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from providers.chat import Json
from providers.usage import MOST, Usage, count, suspicious

Rule = Callable[[Json], Usage | None]


def plain(payload: Json) -> Usage | None:
    """OpenAI's own: its totals are inclusive already."""
    said = _object(payload.get("usage"))
    return _consistent(_read(said)) if said else None


def compatible(payload: Json) -> Usage | None:
    """What those who follow OpenAI are known to say in other places; the rule where nothing else is known."""
    said = _said(payload)
    return _reasoning_added(_read(said, cached=_flat_cached(said)), said) if said else None


def deepseek(payload: Json) -> Usage | None:
    """The older of its two names for cached tokens is the one that every answer has."""
    said = _object(payload.get("usage"))
    return _consistent(_read(said, cached=said.get("prompt_cache_hit_tokens"))) if said else None


def xai(payload: Json) -> Usage | None:
    """Its completion tokens leave out reasoning. The cost is in ticks, of which a dollar has 10 ** 10."""
    said = _object(payload.get("usage"))
    if not said:
        return None
    usage = _reasoning_added(_read(said), said)
    return replace(usage, cost_nanos=_nanos(said.get("cost_in_usd_ticks"), ticks_per_nano=10))


def openrouter(payload: Json) -> Usage | None:
    """`cost` is what it charged. With the caller's own key at the provider below, that one charged the rest."""
    said = _said(payload)
    if not said:
        return None
    usage = _reasoning_added(_read(said, cached=_flat_cached(said)), said)
    cost = _nanos(said.get("cost"), ticks_per_nano=None)
    if cost is not None and said.get("is_byok") is True:
        below = _nanos(_object(said.get("cost_details")).get("upstream_inference_cost"), ticks_per_nano=None)
        cost = None if below is None else cost + below
    return replace(usage, cost_nanos=cost)


def perplexity(payload: Json) -> Usage | None:
    """Deep research counts its reasoning and the citations it wrote beside the answer, not in it."""
    said = _object(payload.get("usage"))
    if not said:
        return None
    usage = _consistent(_read(said))
    reasoning, citations = count(said.get("reasoning_tokens")), count(said.get("citation_tokens"))
    output = usage.output
    if citations is not None and output is not None:
        output += citations + (reasoning or 0)
    return replace(
        usage,
        output=output,
        reasoning=usage.reasoning if reasoning is None else reasoning,
        searches=count(said.get("num_search_queries")),
        cost_nanos=_nanos(_object(said.get("cost")).get("total_cost"), ticks_per_nano=None),
    )


def write(usage: Usage) -> Json:
    """OpenAI's usage object. Counts that nobody said are left out."""
    prompt = _known(
        cached_tokens=usage.cache_read, cache_write_tokens=usage.cache_write, audio_tokens=usage.input_audio
    )
    completion = _known(reasoning_tokens=usage.reasoning, audio_tokens=usage.output_audio)
    total = None if usage.input is None else usage.input + (usage.output or 0)
    said: Json = _known(prompt_tokens=usage.input, completion_tokens=usage.output, total_tokens=total)
    if prompt:
        said["prompt_tokens_details"] = prompt
    if completion:
        said["completion_tokens_details"] = completion
    return said


def _said(payload: Json) -> Json:
    """Groq says it beside the choices of a stream's last chunk, under a name of its own."""
    return _object(payload.get("usage")) or _object(_object(payload.get("x_groq")).get("usage"))


def _flat_cached(said: Json) -> Any:
    flat = said.get("cached_tokens")
    return said.get("num_cached_tokens") if flat is None else flat


def _read(said: Json, *, cached: Any = None) -> Usage:
    """OpenAI's names; `cached` is what the provider says under another, used where OpenAI's is missing."""
    prompt, completion = _object(said.get("prompt_tokens_details")), _object(said.get("completion_tokens_details"))
    read = prompt.get("cached_tokens")
    values = [
        said.get("prompt_tokens"),
        said.get("completion_tokens"),
        cached if read is None else read,
        prompt.get("cache_write_tokens"),
        prompt.get("audio_tokens"),
        completion.get("reasoning_tokens"),
        completion.get("audio_tokens"),
    ]
    suspect = False
    for at, value in enumerate(values):
        # Nearly always a small whole number or nothing, so that is asked here and the rest by who knows.
        if value is not None and not (type(value) is int and 0 <= value <= MOST):
            values[at] = count(value)
            suspect = suspect or suspicious(value)
    input, output, read, written, heard, reasoning, spoken = values
    return Usage(
        input=input,
        output=output,
        cache_read=read,
        cache_write=written,
        input_audio=heard,
        reasoning=reasoning,
        output_audio=spoken,
        suspect=suspect,
    )


def _consistent(usage: Usage) -> Usage:
    """A part that is larger than its whole is taken as unsaid: Grok on Azure says so of its cache, and who subtracts
    such a part to price the rest would get less than nothing."""
    input, output = usage.input, usage.output
    unsaid: Json = {}
    if input is not None:
        if (usage.cache_read or 0) > input:
            unsaid["cache_read"] = None
        if (usage.cache_write or 0) > max(0, input - (usage.cache_read or 0)):
            unsaid["cache_write"] = None
        if (usage.input_audio or 0) > input:
            unsaid["input_audio"] = None
    if output is not None:
        if (usage.reasoning or 0) > output:
            unsaid["reasoning"] = None
        if (usage.output_audio or 0) > output:
            unsaid["output_audio"] = None
    return replace(usage, **unsaid, suspect=True) if unsaid else usage


def _reasoning_added(usage: Usage, said: Json) -> Usage:
    """Reasoning that stands beside the completion tokens is told by the total: only then do all three make it up."""
    if usage.reasoning and usage.input is not None and usage.output is not None:
        inclusive = usage.output + usage.reasoning
        if said.get("total_tokens") == usage.input + inclusive:
            usage = replace(usage, output=inclusive)
    return _consistent(usage)


def _nanos(said: Any, *, ticks_per_nano: int | None) -> int | None:
    """A sum of money as integer nano-dollars, half-even: from dollars, or from the provider's own small coin."""
    if type(said) not in {int, float, str}:
        return None
    try:
        sum_said = Decimal(str(said))
    except InvalidOperation:
        return None
    if not sum_said.is_finite() or sum_said < 0:
        return None
    nanos = sum_said * 10**9 if ticks_per_nano is None else sum_said / ticks_per_nano
    return int(nanos.to_integral_value(ROUND_HALF_EVEN))


def _object(value: Any) -> Json:
    """A part of an answer that ought to be an object and may be null, missing or nonsense."""
    return value if type(value) is dict else {}


def _known(**counts: int | None) -> Json:
    return {name: value for name, value in counts.items() if value is not None}
