"""What must be known of a Gemini model by its name: where it is, and of which generation."""

from __future__ import annotations

import re
from urllib.parse import quote

from providers.errors import InvalidRequest

GENERATION = re.compile(r"gemini-(\d+)")
NAMED = re.compile(r"(models|tunedModels)/[^/]+")


def address(model: str) -> str:
    """The model's path. `gemini-2.5-pro` and `models/gemini-2.5-pro` are one; tuned models are named in full."""
    if NAMED.fullmatch(model):
        kind, _, name = model.partition("/")
        return f"/{kind}/{quote(name, safe='')}"
    return f"/models/{quote(model, safe='')}"


def name(model: str) -> str:
    """The model as requests inside a batch name it."""
    return model if NAMED.fullmatch(model) else f"models/{model}"


def generation(model: str) -> int | None:
    """None for names without a number, such as `gemini-flash-latest`, which mean the newest."""
    found = GENERATION.search(model)
    return int(found[1]) if found else None


def budgeted(model: str) -> bool:
    """Whether thinking is told in tokens (up to 2.5) and not in levels (from 3 on, which refuses both together)."""
    known = generation(model)
    return known is not None and known < 3


def effort(model: str, said: str) -> dict[str, int | str | bool]:
    """`thinkingConfig` for OpenAI's `reasoning_effort`; Google's own OpenAI endpoint maps the same."""
    table = BUDGETS if budgeted(model) else LEVELS
    if said not in table:
        raise InvalidRequest(
            f"reasoning_effort is {said!r}; for {model} it can be {', '.join(table)}", param="reasoning_effort"
        )
    return dict(table[said])


BUDGETS: dict[str, dict[str, int | str | bool]] = {
    "none": {"thinkingBudget": 0},
    "minimal": {"thinkingBudget": 1024, "includeThoughts": True},
    "low": {"thinkingBudget": 1024, "includeThoughts": True},
    "medium": {"thinkingBudget": 8192, "includeThoughts": True},
    "high": {"thinkingBudget": 24576, "includeThoughts": True},
}
LEVELS: dict[str, dict[str, int | str | bool]] = {
    word: {"thinkingLevel": word, "includeThoughts": True} for word in ("minimal", "low", "medium", "high")
}
"""Not every model takes every level, and says so. None of them can be kept from thinking."""
