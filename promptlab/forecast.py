"""What running cells will cost, before it is known: input is counted, output goes by what it was before."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from promptlab.calling import Question, Quote, Quoting
from providers.chat import Json
from providers.errors import GatewayError
from providers.usage import Usage
from tracking.lab_cells import Cell, Place
from tracking.money import Price
from tracking.tokens import count_request

LEVEL, Z = 0.95, 1.959963984540054
SAMPLES_LEAST = 5
"""Fewer answers than these say too little about the next."""
COUNTED_MOST = 100
"""Requests of one column whose tokens are counted; the others are taken to be like them."""

Before = Callable[[str], Awaitable[Sequence[int]]]
"""The tokens of the newest answers of an endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnForecast:
    """Nano-dollars and tokens of all calls of a column together. None is unknown."""

    column: str
    calls: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    basis: str | None = None
    samples: int = 0
    nanos: int | None = None
    low: int | None = None
    high: int | None = None
    why: str | None = None


async def forecast(
    asked: Sequence[tuple[Place, str, Question | GatewayError]],
    answered: Sequence[Cell],
    before: Before,
    quote: Quoting,
) -> Json:
    by_column: dict[str, list[Question]] = defaultdict(list)
    for place, _, question in asked:
        if not isinstance(question, GatewayError):
            by_column[place.column].append(question)
    outputs: dict[str, list[int]] = defaultdict(list)
    for cell in answered:
        tokens = ((cell.result or {}).get("usage") or {}).get("output_tokens")
        if tokens is not None:
            outputs[cell.place.column].append(tokens)
    columns = []
    for id, questions in by_column.items():
        try:
            quotes = [await quote(question) for question in questions[:COUNTED_MOST]]
        except GatewayError as error:
            columns.append(ColumnForecast(column=id, calls=len(questions), why=error.message))
            continue
        samples: Sequence[int] = outputs[id]
        if len(samples) < SAMPLES_LEAST and questions[0].endpoint is not None:
            samples = await before(questions[0].endpoint)
        columns.append(await asyncio.to_thread(_column, id, len(questions), quotes, samples))
    return _shown(columns, len(asked), sum(map(len, by_column.values())))


def _column(id: str, calls: int, quotes: Sequence[Quote], samples: Sequence[int]) -> ColumnForecast:
    counted = [count_request("chat", quote.request, quote.model).tokens for quote in quotes]
    input = round(sum(counted) * calls / len(counted))
    model, request = quotes[0].model, quotes[0].request
    prices = [price for price in quotes[0].prices if price is not None]
    if len(prices) < len(quotes[0].prices):
        why = f"{model} has no known price"
        return ColumnForecast(column=id, calls=calls, input_tokens=input, why=why)
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    most = None if limit is None else limit * calls
    if len(samples) < SAMPLES_LEAST:
        high = None if most is None else _extreme(max, prices, input, most, calls)
        return ColumnForecast(
            column=id,
            calls=calls,
            input_tokens=input,
            basis="limit",
            low=_extreme(min, prices, input, 0, calls),
            high=high,
            why=None if high is not None else "nothing limits its answers, and there are too few to go by",
        )
    mean, spread = _predicted(samples, calls)
    top = max(mean, min(mean + spread, most)) if most is not None else mean + spread
    middle = [_cost(price, input, mean, calls) for price in prices]
    return ColumnForecast(
        column=id,
        calls=calls,
        input_tokens=input,
        output_tokens=round(mean),
        basis="history",
        samples=len(samples),
        nanos=round(statistics.fmean(cost for cost in middle if cost is not None)) if None not in middle else None,
        low=_extreme(min, prices, input, max(0.0, mean - spread), calls),
        high=_extreme(max, prices, input, top, calls),
    )


def _predicted(samples: Sequence[int], calls: int) -> tuple[float, float]:
    """The sum of so many further answers, and how far it may be off: they vary, and so does what was seen of them."""
    deviation = statistics.stdev(samples)
    return statistics.fmean(samples) * calls, Z * deviation * math.sqrt(calls + calls**2 / len(samples))


def _extreme(
    choose: Callable[[Sequence[int]], int], prices: Sequence[Price], input: int, output: float, calls: int
) -> int | None:
    costs = [_cost(price, input, output, calls) for price in prices]
    known = [cost for cost in costs if cost is not None]
    return choose(known) if len(known) == len(costs) else None


def _cost(price: Price, input: int, output: float, calls: int) -> int | None:
    """Of all calls, each taken to be of average size, by which prices with tiers go."""
    one = price.of(Usage(input=round(input / calls), output=round(output / calls)))
    return None if one is None else one * calls


def _shown(columns: Sequence[ColumnForecast], cells: int, calls: int) -> Json:
    unknown = sum(column.calls for column in columns if column.high is None)
    return {
        "cells": cells,
        "calls": calls,
        "cost": None if unknown else _total(columns),
        "unknown_calls": unknown,
        "columns": [
            {
                "column": column.column,
                "calls": column.calls,
                "input_tokens": column.input_tokens,
                "output_tokens": column.output_tokens,
                "basis": column.basis,
                "samples": column.samples,
                "cost": None if column.low is None else _interval(column.nanos, column.low, column.high),
                "why": column.why,
            }
            for column in columns
        ],
    }


def _total(columns: Sequence[ColumnForecast]) -> Mapping[str, int | float | None]:
    """What goes by history is off by chance, each column by itself, so it adds up as squares do; limits just add up."""
    nanos, low, high = 0, 0, 0
    below, above = [], []
    for column in columns:
        at_least, at_most = column.low or 0, column.high or 0
        if column.nanos is None:
            low, high = low + at_least, high + at_most
        else:
            nanos, low, high = nanos + column.nanos, low + column.nanos, high + column.nanos
            below.append(column.nanos - at_least)
            above.append(at_most - column.nanos)
    middle = None if any(column.nanos is None for column in columns) else nanos
    return _interval(middle, max(0, math.floor(low - math.hypot(*below))), math.ceil(high + math.hypot(*above)))


def _interval(nanos: int | None, low: int, high: int | None) -> Mapping[str, int | float | None]:
    return {"nanos": nanos, "low_nanos": low, "high_nanos": high, "level": LEVEL}
