"""Usage by the rule of each provider, in one convention: totals are inclusive, and unsaid is not zero."""

from __future__ import annotations

from typing import Any

import pytest

from providers import openai_usage as rules
from providers.chat import Json
from providers.openai_usage import Rule
from providers.usage import Usage

EVERY = [rules.plain, rules.compatible, rules.deepseek, rules.xai, rules.openrouter, rules.perplexity]


def said(**usage: Any) -> Json:
    return {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **usage}}


@pytest.mark.parametrize("rule", EVERY)
@pytest.mark.parametrize("payload", [{}, {"usage": None}, {"usage": "nonsense"}, {"usage": {}}])
def test_no_usage_is_none(rule: Rule, payload: Json) -> None:
    assert rule(payload) is None


@pytest.mark.parametrize("rule", EVERY)
def test_zero_is_said_and_null_is_not(rule: Rule) -> None:
    details = {"cached_tokens": 0, "audio_tokens": None}
    usage = rule({"usage": {"prompt_tokens": 0, "completion_tokens": None, "prompt_tokens_details": details}})
    assert usage == Usage(input=0, cache_read=0)


@pytest.mark.parametrize("rule", EVERY)
@pytest.mark.parametrize("count", [-1, 1.5, "12", True, 10**10, float("nan"), [], {}])
def test_what_is_no_count_is_unsaid_and_flagged(rule: Rule, count: Any) -> None:
    usage = rule({"usage": {"prompt_tokens": count, "completion_tokens": 5}})
    assert usage == Usage(output=5, suspect=True)


@pytest.mark.parametrize(
    ("rule", "payload", "expected"),
    [
        (rules.plain, said(prompt_tokens_details={"cached_tokens": 4, "cache_write_tokens": 3, "audio_tokens": 2}),
         Usage(input=10, output=5, cache_read=4, cache_write=3, input_audio=2)),
        (rules.plain, said(completion_tokens_details={"reasoning_tokens": 4, "audio_tokens": 1}),
         Usage(input=10, output=5, reasoning=4, output_audio=1)),
        (rules.compatible, said(cached_tokens=6), Usage(input=10, output=5, cache_read=6)),
        (rules.compatible, said(num_cached_tokens=6), Usage(input=10, output=5, cache_read=6)),
        (rules.compatible, said(cached_tokens=6, prompt_tokens_details={"cached_tokens": 0}),
         Usage(input=10, output=5, cache_read=0)),
        (rules.compatible, {"x_groq": {"id": "r", **said()}}, Usage(input=10, output=5)),
        (rules.deepseek, said(prompt_cache_hit_tokens=8, prompt_cache_miss_tokens=2),
         Usage(input=10, output=5, cache_read=8)),
        (rules.xai, said(total_tokens=22, completion_tokens_details={"reasoning_tokens": 7}),
         Usage(input=10, output=12, reasoning=7)),
        (rules.xai, said(completion_tokens_details={"reasoning_tokens": 3}), Usage(input=10, output=5, reasoning=3)),
        (rules.xai, said(cost_in_usd_ticks=25), Usage(input=10, output=5, cost_nanos=2)),
        (rules.xai, said(cost_in_usd_ticks=35), Usage(input=10, output=5, cost_nanos=4)),
        (rules.openrouter, said(cost=0.0000012345), Usage(input=10, output=5, cost_nanos=1234)),
        (rules.openrouter, said(cost=0), Usage(input=10, output=5, cost_nanos=0)),
        (rules.openrouter, said(cost=0.001, is_byok=True, cost_details={"upstream_inference_cost": 0.02}),
         Usage(input=10, output=5, cost_nanos=21_000_000)),
        (rules.openrouter, said(cost=0.001, is_byok=True), Usage(input=10, output=5)),
        (rules.openrouter, said(cost=float("inf")), Usage(input=10, output=5)),
        (rules.perplexity, said(citation_tokens=100, reasoning_tokens=1000, num_search_queries=3),
         Usage(input=10, output=1105, reasoning=1000, searches=3)),
        (rules.perplexity, said(reasoning_tokens=4), Usage(input=10, output=5, reasoning=4)),
        (rules.perplexity, said(cost={"total_cost": 0.005}), Usage(input=10, output=5, cost_nanos=5_000_000)),
    ],
)  # fmt: skip
def test_each_rule_reads_what_its_provider_says(rule: Rule, payload: Json, expected: Usage) -> None:
    assert rule(payload) == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 11}}, Usage(input=10, output=5, suspect=True)),
        ({"prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 1}},
         Usage(input=10, output=5, cache_read=10, suspect=True)),
        ({"completion_tokens_details": {"reasoning_tokens": 6}}, Usage(input=10, output=5, suspect=True)),
    ],
)  # fmt: skip
def test_a_part_larger_than_its_whole_is_unsaid_and_flagged(details: Json, expected: Usage) -> None:
    assert rules.plain(said(**details)) == expected


def test_what_is_written_is_read_again() -> None:
    usage = Usage(input=10, output=5, cache_read=4, cache_write=3, reasoning=2, input_audio=1, output_audio=0)
    written = rules.write(usage)
    assert written["total_tokens"] == 15
    assert rules.plain({"usage": written}) == usage
    assert rules.write(Usage()) == {}
