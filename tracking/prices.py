"""What a model costs at a time, from the price lists of genai-prices that are installed; nothing is ever fetched."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from tracking.money import Price, Rates

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

PER_MILLION = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "output_reasoning_mtok": "reasoning",
}
"""genai-prices' names of what `Usage` counts."""
PER_THOUSAND = {"web_searches_kcount": "search", "requests_kcount": "request"}
UNCOUNTED = frozenset({"output_image_mtok", "output_video_mtok", "output_citation_mtok"})
"""Parts of an output with a price of their own that no usage tells from text: such a model's cost is not known from its
tokens. Parts of an input (images, video) that would cost more only at live and image endpoints are left out."""

REMEMBERED_MOST = 4096
"""Models whose price is at hand; callers may name any."""


@dataclass(slots=True)
class Tariff:
    """What one model costs over time: prices that follow one another, or take turns within a day."""

    source: str
    model: ModelInfo
    constant: bool
    """The price does not depend on the time."""
    _prices: dict[int, tuple[ModelPrice, Price | None]] = field(default_factory=dict)
    """By identity of the library's price, which is kept so that its identity stays its own."""

    def at(self, when: datetime, context: Mapping[str, str] | None = None) -> Price | None:
        """The price at a time. `context` is what else it may depend on, such as {"service_tier": "flex"}."""
        listed = self.model.get_prices(when, context)
        if context and self.model.price_variants:
            return _price(listed, self.source)
        known = self._prices.get(id(listed))
        if known is None:
            known = self._prices[id(listed)] = listed, _price(listed, self.source)
        return known[1]


class PriceBook:
    """Finds prices. The lists take long to import (a third of a second), so they are read once, when first needed.

    `warm` reads them in a thread, so that no call has to wait for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: DataSnapshot | None = None
        self._version = ""
        self._tariffs: dict[tuple[str, str], Tariff | None] = {}
        self._constant: dict[tuple[str, str], Price | None] = {}

    def warm(self) -> threading.Thread:
        thread = threading.Thread(target=self._lists, name="prices", daemon=True)
        thread.start()
        return thread

    def find(
        self, provider_id: str | None, model: str, at: datetime, context: Mapping[str, str] | None = None
    ) -> Price | None:
        """The price of a provider's model at a time; None when it is unknown, which is not to say that it is free.

        `provider_id` is genai-prices' own; None is a provider that it does not know.
        """
        if provider_id is None:
            return None
        if context is None:
            name = provider_id, model
            if name in self._constant:
                return self._constant[name]
        tariff = self.tariff(provider_id, model)
        if tariff is None:
            return None
        price = tariff.at(at, context)
        if context is None and tariff.constant:
            self._constant[name] = price
        return price

    def tariff(self, provider_id: str, model: str) -> Tariff | None:
        """Everything that is known of what a model costs, matched by the library's own rules for aliases and dates."""
        name = provider_id, model
        if name in self._tariffs:
            return self._tariffs[name]
        snapshot = self._lists()
        found: Tariff | None = None
        try:
            # Not find_provider_model: its caches grow with every name that a caller makes up.
            provider = snapshot.find_provider(None, provider_id, None)
        except LookupError:
            pass
        else:
            info = provider.find_model(model, all_providers=snapshot.providers)
            if info is not None:
                source = f"genai-prices {self._version} {provider.id}/{info.id}"
                found = Tariff(source, info, constant=not isinstance(info.prices, list))
        if len(self._tariffs) >= REMEMBERED_MOST:
            self._tariffs.clear()
            self._constant.clear()
        self._tariffs[name] = found
        return found

    def _lists(self) -> DataSnapshot:
        with self._lock:
            if self._snapshot is None:
                # A snapshot of our own: the library's shared one may be replaced by what someone else downloads.
                from genai_prices import __version__
                from genai_prices.data import providers
                from genai_prices.data_snapshot import DataSnapshot

                self._version = __version__
                self._snapshot = DataSnapshot(providers=providers, from_auto_update=False)
            return self._snapshot


def _price(listed: ModelPrice, source: str) -> Price | None:
    prices: dict[str, Decimal | TieredPrices] = {
        name: value for name, value in vars(listed).items() if value is not None and not name.startswith("_")
    }
    if not UNCOUNTED.isdisjoint(prices) or prices.keys().isdisjoint({"input_mtok", "output_mtok"}):
        return None
    extras = {ours: _base(prices[theirs]) / 1000 for theirs, ours in PER_THOUSAND.items() if theirs in prices}
    sizes = sorted({tier.start for value in prices.values() if not isinstance(value, Decimal) for tier in value.tiers})
    return Price(
        base=_rates(prices, _base),
        tiers=tuple((size, _rates(prices, partial(_above, size=size))) for size in sizes),
        source=source,
        search=extras.get("search"),
        request=extras.get("request"),
    )


def _rates(prices: Mapping[str, Decimal | TieredPrices], rate: Callable[[Decimal | TieredPrices], Decimal]) -> Rates:
    return Rates(**{ours: rate(prices[theirs]) for theirs, ours in PER_MILLION.items() if theirs in prices})


def _base(value: Decimal | TieredPrices) -> Decimal:
    return value if isinstance(value, Decimal) else value.base


def _above(value: Decimal | TieredPrices, size: int) -> Decimal:
    """The rate for an input that is larger than `size`."""
    if isinstance(value, Decimal):
        return value
    return next((tier.price for tier in reversed(value.tiers) if tier.start <= size), value.base)
