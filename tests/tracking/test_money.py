"""What a usage costs, to the last nano-dollar."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.usage import Usage
from tracking.money import FREE, RATES, Price, Rates, amount, dollars, inconsistent


def price(**stated: Any) -> Price:
    return Price.from_snapshot(stated)


@pytest.mark.parametrize(
    ("stated", "usage", "nanos"),
    [
        ({"input": "0.15", "output": "0.6"}, Usage(input=1000, output=500), 450_000),
        (
            {"input": "2.5", "output": 10, "cache_read": "1.25"},
            Usage(input=1200, output=300, cache_read=1024, reasoning=100),
            4_720_000,
        ),
        (
            {"input": 3, "output": 15, "cache_read": "0.3", "cache_write": "3.75", "cache_write_1h": 6},
            Usage(input=1000, output=10, cache_read=100, cache_write=500, cache_write_1h=200),
            400 * 3000 + 100 * 300 + 300 * 3750 + 200 * 6000 + 10 * 15000,
        ),
        ({"input": 1, "output": 2}, Usage(input=10, output=1, cache_read=4, cache_write=4), 12_000),
        (
            {"input": 1, "output": 2, "cache_write": 3},
            Usage(input=9, output=0, cache_write=9, cache_write_1h=9),
            27_000,
        ),
        (
            {"input": 1, "output": 2, "input_audio": 10, "output_audio": 20},
            Usage(input=10, output=10, input_audio=4, output_audio=5),
            6_000 + 40_000 + 10_000 + 100_000,
        ),
        ({"input": 2, "output": 8, "reasoning": 3}, Usage(input=0, output=10, reasoning=4), 48_000 + 12_000),
        ({"input": 1, "output": 1, "search": "0.01"}, Usage(input=1, output=1, searches=3), 30_002_000),
        ({"input": 1, "output": 1, "request": "0.005"}, Usage(input=1, output=1, searches=3), 5_002_000),
        ({"input": "0.02"}, Usage(input=1000), 20_000),
        ({"input": "0.02"}, Usage(input=1000, output=0), 20_000),
        ({"input": 1, "output": 2}, Usage(input=5, output=5, cost_nanos=7), 7),
        ({"input": 1, "output": 2}, Usage(cost_nanos=0), 0),
    ],
)
def test_a_usage_costs_what_the_price_page_says(stated: dict[str, Any], usage: Usage, nanos: int) -> None:
    assert price(**stated).of(usage) == nanos


@pytest.mark.parametrize(
    "usage",
    [
        Usage(),
        Usage(input=1),
        Usage(output=1),
        Usage(input=10, output=1, cache_read=11),
        Usage(input=10, output=1, cache_read=6, cache_write=5),
        Usage(input=10, output=1, cache_write=2, cache_write_1h=3),
        Usage(input=10, output=1, reasoning=2),
        Usage(input=10, output=1, cache_write_1h=1),
    ],
)
def test_a_usage_that_says_too_little_or_contradicts_itself_has_an_unknown_cost(usage: Usage) -> None:
    assert price(input=1, output=2).of(usage) is None


def test_counts_that_contradict_each_other_can_be_told_from_counts_that_are_missing() -> None:
    assert inconsistent(Usage(input=10, output=1, cache_read=11))
    assert inconsistent(Usage(input=10, output=1, input_audio=11))
    assert inconsistent(Usage(input=10, output=1, output_audio=2))
    assert not inconsistent(Usage())
    assert not inconsistent(Usage(input=10, cache_read=10, input_audio=10, output=1, reasoning=1, output_audio=1))


def test_an_output_or_a_search_without_a_price_makes_the_cost_unknown_and_not_smaller() -> None:
    assert price(input=1).of(Usage(input=1, output=1)) is None
    assert price(output=1).of(Usage(input=1, output=1)) is None
    assert price(input=1, output=1).of(Usage(input=1, output=1, searches=1)) is None
    assert price(input=1, output=1).of(Usage(input=1, output=1, searches=0)) == 2000


def test_what_is_free_is_free_whatever_was_or_was_not_said() -> None:
    assert FREE.of(Usage()) == 0
    assert FREE.of(Usage(input=10, output=20, cache_read=5)) == 0
    assert price(input=0, output=1).of(Usage(output=1)) == 1000


def test_a_tier_replaces_the_rates_of_the_whole_call_once_the_input_is_larger() -> None:
    tiered = price(
        input=1,
        output=10,
        cache_read="0.1",
        tiers=[{"above": 500, "input": 4}, {"above": 200, "input": 2, "output": 20}],
    )
    assert tiered.of(Usage(input=200, output=1)) == 200_000 + 10_000
    assert tiered.of(Usage(input=201, output=1)) == 402_000 + 20_000
    assert tiered.of(Usage(input=501, output=1)) == 4 * 501_000 + 10_000
    assert tiered.of(Usage(input=300, output=0, cache_read=300)) == 30_000
    assert tiered.of(Usage(output=1)) is None


@pytest.mark.parametrize(
    ("per_million", "tokens", "nanos"),
    [
        ("0.0005", 1, 0),
        ("0.0005", 3, 2),
        ("0.0005", 5, 2),
        ("0.0005", 7, 4),
        ("0.000501", 1, 1),
        ("0.000499", 1, 0),
        ("0.000000000000000001", 10**9, 0),
        ("0.000500000000000001", 1, 1),
    ],
)
def test_half_a_nano_dollar_is_rounded_to_even(per_million: str, tokens: int, nanos: int) -> None:
    assert price(input=per_million).of(Usage(input=tokens)) == nanos


rates = st.none() | st.decimals(0, 1000, allow_nan=False, places=6) | st.decimals(0, 10, allow_nan=False, places=15)
counts = st.none() | st.integers(0, 5_000_000)


@given(
    st.fixed_dictionaries(dict.fromkeys(RATES, rates)),
    st.fixed_dictionaries(
        {name: st.none() | st.decimals(0, 1, allow_nan=False, places=6) for name in ("search", "request")}
    ),
    st.builds(
        Usage,
        input=st.integers(0, 10**9),
        output=st.integers(0, 10**9),
        cache_read=counts,
        cache_write=counts,
        cache_write_1h=counts,
        reasoning=counts,
        input_audio=counts,
        output_audio=counts,
        searches=st.none() | st.integers(0, 9),
    ),
)
def test_integers_give_what_unbounded_decimals_give(
    stated: dict[str, Decimal | None], extras: dict[str, Decimal | None], usage: Usage
) -> None:
    stated = {**stated, "input": stated["input"] or Decimal(1), "output": stated["output"] or Decimal(2)}
    exact = Price(base=Rates(**stated), search=extras["search"], request=extras["request"])
    assert exact.of(usage) == by_decimals(stated, extras, usage)
    assert Price.from_snapshot(orjson.loads(orjson.dumps(exact.snapshot()))).of(usage) == exact.of(usage)


def by_decimals(stated: dict[str, Decimal | None], extras: dict[str, Decimal | None], usage: Usage) -> int | None:
    """The same, written as a page of arithmetic."""

    def rate(name: str, otherwise: str) -> Decimal:
        own = stated[name]
        if own is None:
            own = stated[otherwise]
        assert own is not None
        return own

    assert usage.input is not None
    assert usage.output is not None
    read, written, hour = usage.cache_read or 0, usage.cache_write or 0, usage.cache_write_1h or 0
    heard = (usage.input_audio or 0) if stated["input_audio"] is not None else 0
    spoken = (usage.output_audio or 0) if stated["output_audio"] is not None else 0
    thought = (usage.reasoning or 0) if stated["reasoning"] is not None else 0
    fresh, plain = usage.input - read - written - heard, usage.output - spoken - thought
    if fresh < 0 or plain < 0 or hour > written or (usage.reasoning or 0) > usage.output:
        return None
    if usage.searches and extras["search"] is None and extras["request"] is None:
        return None
    write = rate("cache_write", "input")
    per_million = (
        fresh * rate("input", "input")
        + read * rate("cache_read", "input")
        + (written - hour) * write
        + hour * (stated["cache_write_1h"] if stated["cache_write_1h"] is not None else write)
        + heard * rate("input_audio", "input")
        + plain * rate("output", "output")
        + thought * rate("reasoning", "output")
        + spoken * rate("output_audio", "output")
    )
    each = (usage.searches or 0) * (extras["search"] or Decimal(0)) + (extras["request"] or Decimal(0))
    nanos = per_million * 1000 + each * 10**9
    return int(nanos.to_integral_value(ROUND_HALF_EVEN))


def test_a_price_survives_its_snapshot_and_its_numbers_are_text() -> None:
    whole = price(
        **{name: f"{n}.25" for n, name in enumerate(RATES)},
        search="0.01",
        request="0.005",
        tiers=[{"above": 1000, "input": "9"}],
        source="a test",
    )
    snapshot = orjson.loads(orjson.dumps(whole.snapshot()))
    assert Price.from_snapshot(snapshot) == whole
    assert snapshot["input"] == "0.25"
    assert snapshot["tiers"] == [{"above": 1000, "input": "9"}]
    assert whole.snapshot() is whole.snapshot()


@pytest.mark.parametrize(
    ("stated", "complaint"),
    [
        ({"inputs": 1}, r"no \['inputs'\]"),
        ({}, "at least one of"),
        ({"input": "much"}, "such as 2.5, not 'much'"),
        ({"input": True}, "not True"),
        ({"input": -1}, "from 0 to a billion, not -1"),
        ({"input": float("nan")}, "not nan"),
        ({"input": "Infinity"}, "not 'Infinity'"),
        ({"input": "0.0000000000000000001"}, "finer than a price can be"),
        ({"input": 1, "tiers": [{"above": "many", "input": 2}]}, "whole number of tokens, not 'many'"),
        ({"input": 1, "tiers": [{"above": 5, "inputs": 2}]}, "a tier has no"),
        ({"input": 1, "tiers": [{"above": 5, "input": 2}, {"above": 5, "input": 3}]}, "different sizes"),
    ],
)
def test_a_price_that_cannot_be_meant_is_refused_with_what_would_be_right(
    stated: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        price(**stated)


def test_a_float_in_a_config_is_taken_as_it_was_written() -> None:
    assert amount(0.1, "input") == Decimal("0.1")
    assert price(input=0.1).of(Usage(input=30)) == 3000


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (-20, "-0.00000002"), (10**18 + 1, "1000000000.000000001")],
)
def test_an_amount_is_written_exactly(nanos: int, text: str) -> None:
    assert dollars(nanos) == text
