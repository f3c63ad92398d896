"""The criteria of a gate, one by one, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluate.gate_file import Ceiling, Floor, Gate, Primary


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Dollars of a thousand calls, of a success, or of everything."""

    per: Literal["1k", "success", "total"]
    max: float | None = None
    max_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    quantile: str
    first_token: bool
    most_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    lower: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    most: float


Criterion = Primary | Floor | Cost | Quantile | Kappa | Pairs | Unanswered


def criteria(gate: Gate) -> tuple[Criterion, ...]:
    """One by one, those that make the evidence worth looking at last."""
    found: list[Criterion] = [*([gate.primary] if gate.primary else []), *gate.floors]
    budget, require = gate.budget, gate.require
    if budget.usd_per_1k is not None:
        found += _ceilings("1k", budget.usd_per_1k)
    if budget.usd_per_success is not None:
        found += _ceilings("success", budget.usd_per_success)
    if budget.usd_total is not None:
        found.append(Cost(per="total", max=budget.usd_total))
    for name, most in gate.latency:
        if most is not None:
            quantile = name.removeprefix("ttft_").removesuffix("_ms")
            found.append(Quantile(quantile=quantile, first_token=name.startswith("ttft_"), most_ms=most))
    if require.judge_kappa_lower is not None:
        found.append(Kappa(lower=require.judge_kappa_lower))
    if require.min_pairs is not None:
        found.append(Pairs(least=require.min_pairs))
    if require.max_missing is not None:
        found.append(Unanswered(most=require.max_missing))
    return tuple(found)


def _ceilings(per: Literal["1k", "success"], ceiling: Ceiling) -> list[Criterion]:
    found: list[Criterion] = []
    if ceiling.max is not None:
        found.append(Cost(per=per, max=ceiling.max))
    if ceiling.max_ratio is not None:
        found.append(Cost(per=per, max_ratio=ceiling.max_ratio))
    return found
