"""Prices from the lists that are installed, found by provider, model and time."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import types as theirs
from genai_prices.data import providers

from providers.usage import Usage
from tracking.money import Price
from tracking.prices import UNCOUNTED, PriceBook

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook()


def test_a_known_model_has_its_price_and_says_where_it_is_from(book: PriceBook) -> None:
    price = book.find("openai", "gpt-4o-mini", NOW)
    assert price is not None
    assert price.of(Usage(input=1_000_000, output=1_000_000, cache_read=0)) == 750_000_000
    assert price.source is not None
    assert price.source.startswith("genai-prices ")
    assert price.source.endswith(" openai/gpt-4o-mini")


def test_a_dated_name_is_matched_by_the_librarys_own_rules(book: PriceBook) -> None:
    dated, plain = (book.find("openai", name, NOW) for name in ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"))
    assert dated is not None
    assert dated == plain
    assert book.find("openai", "GPT-4o-mini", NOW) == plain


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (None, "gpt-4o"),
        ("openai", "no-such-model"),
        ("no-such-provider", "gpt-4o"),
        ("google", "gemini-2.5-flash-image"),
    ],
)
def test_an_unknown_price_is_none_and_never_zero(book: PriceBook, provider: str | None, model: str) -> None:
    assert book.find(provider, model, NOW) is None


def test_a_price_that_changes_by_the_hour_is_that_of_the_call(book: PriceBook) -> None:
    day = book.find("deepseek", "deepseek-chat", NOW.replace(hour=12))
    night = book.find("deepseek", "deepseek-chat", NOW.replace(hour=20))
    again = book.find("deepseek", "deepseek-chat", NOW.replace(hour=12))
    assert day is not None
    assert night is not None
    assert day.base.input == 2 * (night.base.input or 0)
    assert again is day


def test_a_price_that_was_superseded_still_counts_for_the_calls_of_its_time(book: PriceBook) -> None:
    before = book.find("openai", "o3", datetime(2025, 5, 1, tzinfo=UTC))
    after = book.find("openai", "o3", datetime(2025, 7, 1, tzinfo=UTC))
    assert before is not None
    assert after is not None
    assert (before.base.input, after.base.input) == (Decimal(10), Decimal(2))


def test_a_service_tier_changes_the_price_where_the_list_says_so(book: PriceBook) -> None:
    standard = book.find("openai", "gpt-5", NOW)
    flex = book.find("openai", "gpt-5", NOW, {"service_tier": "flex"})
    assert standard is not None
    assert flex is not None
    assert standard.base.input == Decimal("1.25")
    assert flex.base.input == Decimal("0.625")
    assert book.find("openai", "gpt-5", NOW, {"service_tier": "auto"}) == standard


@pytest.mark.parametrize("when", [datetime(2025, 2, 1, tzinfo=UTC), NOW])
@pytest.mark.parametrize("tokens", [(1000, 700), (150_000, 9000), (300_001, 1)])
def test_every_listed_model_costs_what_the_library_says(
    book: PriceBook, when: datetime, tokens: tuple[int, int]
) -> None:
    input, output = tokens
    compared = 0
    for provider in providers:
        for model in provider.models:
            tariff = book.tariff(provider.id, model.id)
            if tariff is None:
                continue
            price = tariff.at(when)
            listed = tariff.model.get_prices(when)
            if price is None:
                assert not UNCOUNTED.isdisjoint(vars(listed)) or listed.input_mtok is listed.output_mtok is None
                continue
            compared += 1
            spent = output if price.base.output is not None else 0
            taken = input if price.base.input is not None else 0
            read, written = taken // 3, taken // 5
            ours = price.of(Usage(input=taken, output=spent, cache_read=read, cache_write=written))
            usage = theirs.Usage(
                input_tokens=taken,
                output_tokens=spent,
                cache_read_tokens=read,
                cache_write_tokens=written,
                # The library demands to be told of what it could price apart.
                **dict.fromkeys(("input_audio_tokens", "output_audio_tokens", "cache_write_1h_tokens"), 0),
            )
            expected = listed.calc_price(usage)["total_price"]
            assert ours is not None
            assert abs(ours - expected * 10**9) <= Decimal("0.5"), (provider.id, model.id, price.snapshot())
    assert compared > 1500


def test_a_price_found_is_the_same_after_its_snapshot(book: PriceBook) -> None:
    price = book.find("anthropic", "claude-sonnet-4-5", NOW)
    assert price is not None
    assert price.tiers
    assert Price.from_snapshot(price.snapshot()) == price


def test_names_that_callers_make_up_are_not_remembered_for_ever() -> None:
    book = PriceBook()
    for n in range(5000):
        assert book.find("deepseek", f"made-up-{n}", NOW) is None
    assert len(book._tariffs) <= 4096
    assert book.find("openai", "gpt-4o-mini", NOW) is not None


def test_prices_cost_nothing_at_start_and_never_touch_the_network() -> None:
    script = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("the network was touched")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from datetime import datetime, UTC
from tracking.prices import PriceBook
book = PriceBook()
assert "genai_prices" not in sys.modules, "the lists are read when they are needed, not before"
book.warm().join()
assert "genai_prices.data" in sys.modules
assert book.find("openai", "gpt-4o-mini", datetime.now(UTC)) is not None
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
