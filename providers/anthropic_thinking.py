"""How hard a Claude is asked to think: OpenAI's `reasoning_effort` in the two ways that Messages has had for it."""

from __future__ import annotations

import re

from providers.chat import Json
from providers.errors import InvalidRequest

BUDGETED = re.compile(r"claude-(3|(opus|sonnet|haiku)-4(-[015](?!\d)|-2025|@|$))")
"""Models that take a budget of tokens and not an effort: all up to 4.5. Opus 4.7 and later refuse a budget, 4.6 calls
it deprecated (docs.aws.amazon.com/bedrock, "Adaptive thinking", read 2026-07; the recordings agree)."""
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32000}
"""Tokens that an effort is worth. 1024 is the least that Anthropic takes."""
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
"""OpenAI's words in Anthropic's. Not every model takes the two highest, and says so."""
DEFAULT_MAX_TOKENS = 4096
"""Messages insists on a limit, and OpenAI's callers rarely send one. It holds for the answer alone: a budget for
thinking comes on top."""


def thinking(request: Json) -> Json:
    """`max_tokens`, and `thinking` and `output_config` if the caller said how hard to think."""
    limit = request.get("max_completion_tokens")
    if limit is None:
        limit = request.get("max_tokens")
    given: Json | None = request.get("thinking")
    effort: str | None = request.get("reasoning_effort")
    if given is not None and effort is not None:
        raise InvalidRequest("send either thinking or reasoning_effort, not both", param="reasoning_effort")
    if given is not None:
        return {"max_tokens": _limit(limit, given.get("budget_tokens") or 0), "thinking": given}
    if effort is None:
        return {"max_tokens": _limit(limit, 0)}
    if effort == "none":
        return {"max_tokens": _limit(limit, 0), "thinking": {"type": "disabled"}}
    if effort not in BUDGETS:
        raise InvalidRequest(
            f"reasoning_effort is {effort!r}; it can be none, {', '.join(BUDGETS)}", param="reasoning_effort"
        )
    model = request["model"]
    if "claude" in model and not BUDGETED.search(model):
        return {
            "max_tokens": _limit(limit, BUDGETS[effort]),
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": EFFORTS[effort]},
        }
    budget = BUDGETS[effort]
    if limit is not None and limit <= budget:
        raise InvalidRequest(
            f"reasoning_effort {effort!r} lets {model} think for {budget} tokens, which the limit of {limit} tokens"
            " has to exceed: raise the limit, or lower the effort",
            param="reasoning_effort",
        )
    return {"max_tokens": _limit(limit, budget), "thinking": {"type": "enabled", "budget_tokens": budget}}


def _limit(given: int | None, budget: int) -> int:
    return DEFAULT_MAX_TOKENS + budget if given is None else given
