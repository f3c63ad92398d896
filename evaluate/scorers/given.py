"""What scorers outside of this program are given, and what may come back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evaluate.cells import Value
from evaluate.scorers.scorer import Kind, Sample


class Failed(Exception):
    """A sample that the scorer gave no value for. The message says why."""


def shown(sample: Sample) -> Mapping[str, Any]:
    """A sample as custom scorers get it."""
    context = None if sample.context is None else [{"id": each.id, "text": each.text} for each in sample.context]
    return {
        "row": sample.row,
        "variant": sample.variant,
        "repeat": sample.repeat,
        "inputs": sample.inputs,
        "expectations": sample.expectations,
        "output": sample.output,
        "text": sample.text,
        "tools": None if sample.tools is None else list(sample.tools),
        "context": context,
        "latency_us": sample.latency_us,
        "ttft_us": sample.ttft_us,
        "cost_nanos": sample.cost_nanos,
        "cached": sample.cached,
        "prompt_tokens": sample.prompt_tokens,
        "completion_tokens": sample.completion_tokens,
        "model": sample.model,
        "baseline_text": sample.rival,
    }


def value_of(said: Any, kind: Kind) -> tuple[Value, str | None]:
    """What a scorer gave: a value, a value and its reason, or both in an object."""
    rationale: Any = None
    match said:
        case [value, rationale]:
            pass
        case {"value": value, **more} if more.keys() <= {"rationale"}:
            rationale = more.get("rationale")
        case value:
            pass
    if rationale is not None and not isinstance(rationale, str):
        raise Failed(f"it gave a reason that is no text: {rationale!r:.100}")
    match kind, value:
        case _, None:
            raise Failed(f"it gave no value{f': {rationale}' if rationale else ''}")
        case "binary", bool():
            return value, rationale
        case "numeric", int() | float() if not isinstance(value, bool) and math.isfinite(value):
            return float(value), rationale
        case "category", str():
            return value, rationale
    wanted = {"binary": "True or False", "numeric": "a finite number", "category": "a text"}[kind]
    raise Failed(f"it gave {value!r:.100}; a scorer of kind {kind!r} gives {wanted}")
