"""What a usage costs: prices as price pages state them, sums in whole nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from providers.chat import Json
from providers.usage import Usage

NANO_DIGITS = 9
PICO_DIGITS = 12
"""A price is held per token in pico-dollars: six decimals of a dollar per million tokens."""
FINEST_DIGITS = 24
"""A price with more decimals than these (18 of a dollar per million tokens) is a slip, not a price."""

MOST = 1_000_000_000

RATES = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "input_audio", "output_audio", "reasoning")
"""What a million tokens of each kind cost. The names are those of `providers.usage.Usage`."""
EXTRAS = ("search", "request")
"""What one of each costs."""

Amount = Decimal | str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Dollars per million tokens. None: these tokens have no price of their own, and cost what their total does."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    reasoning: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """Rates as integers per token, a missing one already replaced by that of its total."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    input_audio: int | None
    output_audio: int | None
    reasoning: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of one model at one moment.

    A tier replaces the rates of the whole call, not only of what is above it, once the input is larger than its size:
    so do all providers that have tiers. A rate that a tier leaves out stays that of the base.
    """

    base: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()
    """(tokens of input above which it applies, rates), smallest first."""
    search: Decimal | None = None
    request: Decimal | None = None
    source: str | None = None
    """Where the price comes from, for people."""

    _rows: tuple[tuple[int, _Row], ...] = field(init=False, repr=False, compare=False)
    """Largest tier first; the base is not among them."""
    _row: _Row = field(init=False, repr=False, compare=False)
    _per_nano: int = field(init=False, repr=False, compare=False)
    """How many of the integers' units make a nano-dollar."""
    _per_search: int | None = field(init=False, repr=False, compare=False)
    _per_request: int = field(init=False, repr=False, compare=False)
    _needs: tuple[bool, bool] = field(init=False, repr=False, compare=False)
    """Whether the counts of input and of output change the cost."""
    _snapshot: Json = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tiers = tuple((above, _over(self.base, rates)) for above, rates in self.tiers)
        if self.base.input is None and self.base.output is None and self.request is None:
            raise ValueError("a price needs at least one of 'input', 'output' and 'request'")
        sizes = [above for above, _ in tiers]
        if any(size < 0 for size in sizes) or sizes != sorted(set(sizes)):
            raise ValueError(f"tiers must start at different sizes, smallest first, not at {sizes!r}")
        stated = [item for rates in (self.base, *(rates for _, rates in tiers)) for item in _stated(rates).items()]
        extras = [each for each in (self.search, self.request) if each is not None]
        digits = max(PICO_DIGITS, *(6 + _decimals(rate) for _, rate in stated), *map(_decimals, extras), 0)
        if digits > FINEST_DIGITS:
            finest = max([rate for _, rate in stated] + extras, key=_decimals)
            raise ValueError(f"{finest} is finer than a price can be: at most 18 decimals of a dollar")
        scale = 10 ** (digits - 6)
        charged = {name for name, rate in stated if rate}
        put = object.__setattr__
        put(self, "_row", _row(self.base, scale))
        put(self, "_rows", tuple((above, _row(rates, scale)) for above, rates in reversed(tiers)))
        put(self, "_per_nano", 10 ** (digits - NANO_DIGITS))
        put(self, "_per_search", None if self.search is None else _whole(self.search, 10**digits))
        put(self, "_per_request", 0 if self.request is None else _whole(self.request, 10**digits))
        put(self, "_needs", (bool(tiers) or not charged.isdisjoint(_INPUTS), not charged.isdisjoint(_OUTPUTS)))
        put(self, "_snapshot", _snapshot(self))

    def of(self, usage: Usage) -> int | None:
        """Nano-dollars, half a nano-dollar rounded to even. None where the usage does not say enough.

        What the provider itself says that it charged is believed. A total that was not said, and that changes the
        cost, makes it unknown; a subset that was not said is none of it. Subsets are taken out of their totals, and
        one that is larger than what is left of its total makes the cost unknown (see `inconsistent`). Cached tokens
        and audio tokens are taken to be different ones: no provider says how many are both.
        """
        if usage.cost_nanos is not None:
            return usage.cost_nanos
        input, output = usage.input, usage.output
        if input is None:
            if self._needs[0]:
                return None
            input = 0
        if output is None:
            if self._needs[1]:
                return None
            output = 0
        if (input and self.base.input is None) or (output and self.base.output is None):
            return None
        row = self._row
        for above, tier in self._rows:
            if input > above:
                row = tier
                break
        units = _units(row, usage, input, output)
        if units is None:
            return None
        if usage.searches:
            if self._per_search is not None:
                units += usage.searches * self._per_search
            elif self.request is None:  # a price per request has its searches in it
                return None
        nanos, rest = divmod(units + self._per_request, self._per_nano)
        if rest * 2 > self._per_nano or (rest * 2 == self._per_nano and nanos & 1):
            nanos += 1
        return nanos

    def snapshot(self) -> Json:
        """The price as JSON with its numbers as text. The same object each time: it is not to be changed."""
        return self._snapshot

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> Price:
        """The price that a snapshot, or the `price` of a target in the configuration, states. Raises ValueError."""
        unknown = snapshot.keys() - {*RATES, *EXTRAS, "tiers", "source"}
        if unknown:
            raise ValueError(f"a price has no {sorted(unknown)!r}; it has {', '.join((*RATES, *EXTRAS, 'tiers'))}")
        tiers: list[tuple[int, Rates]] = []
        for tier in snapshot.get("tiers") or ():
            above = tier.get("above")
            if type(above) is not int:
                raise ValueError(f"a tier's 'above' must be a whole number of tokens, not {above!r}")
            unknown = tier.keys() - {*RATES, "above"}
            if unknown:
                raise ValueError(f"a tier has no {sorted(unknown)!r}; it has above, {', '.join(RATES)}")
            tiers.append((above, _rates(tier)))
        tiers.sort(key=lambda tier: tier[0])
        extras = {name: amount(snapshot[name], name) for name in EXTRAS if snapshot.get(name) is not None}
        return cls(base=_rates(snapshot), tiers=tuple(tiers), source=snapshot.get("source"), **extras)


def amount(value: Amount, name: str) -> Decimal:
    """A price as it was written, exactly: a float is taken for its shortest text, as whoever wrote it meant it."""
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{name} must be an amount in dollars such as 2.5, not {value!r}") from None
    if isinstance(value, bool) or not exact.is_finite() or not 0 <= exact <= MOST:
        raise ValueError(f"{name} must be an amount in dollars from 0 to a billion, not {value!r}")
    return exact


def inconsistent(usage: Usage) -> bool:
    """Whether the counts contradict each other, so that they cannot be what was used."""
    input, output = usage.input, usage.output
    within_input = (usage.cache_read or 0) + (usage.cache_write or 0)
    return (
        (input is not None and (within_input > input or (usage.input_audio or 0) > input))
        or (output is not None and ((usage.reasoning or 0) > output or (usage.output_audio or 0) > output))
        or (usage.cache_write_1h or 0) > (usage.cache_write or 0)
    )


def dollars(nanos: int) -> str:
    """An amount as exact decimal text, without zeros that say nothing: 1500000000 is "1.5"."""
    whole, rest = divmod(abs(nanos), 10**NANO_DIGITS)
    text = f"{whole}.{rest:09d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if nanos < 0 else text


def _units(row: _Row, usage: Usage, input: int, output: int) -> int | None:
    """What the tokens cost in the row's units; None where the counts contradict each other."""
    units = 0
    if (read := usage.cache_read) is not None:
        units += read * row.cache_read
        input -= read
    if (written := usage.cache_write) is not None:
        units += written * row.cache_write
        input -= written
    if (hour := usage.cache_write_1h) is not None:
        if hour > (written or 0):
            return None
        units += hour * (row.cache_write_1h - row.cache_write)
    if row.input_audio is not None and (heard := usage.input_audio) is not None:
        units += heard * row.input_audio
        input -= heard
    if (thought := usage.reasoning) is not None:
        if thought > output:
            return None
        if row.reasoning is not None:
            units += thought * row.reasoning
            output -= thought
    if row.output_audio is not None and (spoken := usage.output_audio) is not None:
        units += spoken * row.output_audio
        output -= spoken
    if input < 0 or output < 0:
        return None
    return units + input * row.input + output * row.output


_INPUTS = frozenset({"input", "cache_read", "cache_write", "cache_write_1h", "input_audio"})
_OUTPUTS = frozenset({"output", "output_audio", "reasoning"})


def _rates(stated: Mapping[str, Any]) -> Rates:
    return Rates(**{name: amount(stated[name], name) for name in RATES if stated.get(name) is not None})


def _stated(rates: Rates) -> dict[str, Decimal]:
    return {name: rate for name in RATES if (rate := getattr(rates, name)) is not None}


def _over(base: Rates, tier: Rates) -> Rates:
    return Rates(**{**_stated(base), **_stated(tier)})


def _decimals(value: Decimal) -> int:
    return len(format(value, "f").partition(".")[2].rstrip("0"))


def _whole(value: Decimal, scale: int) -> int:
    exact = Fraction(value) * scale
    assert exact.denominator == 1, "the scale is that of the finest price"
    return exact.numerator


def _row(rates: Rates, scale: int) -> _Row:
    def per_token(rate: Decimal | None) -> int | None:
        return None if rate is None else _whole(rate, scale)

    def instead(rate: Decimal | None, total: int) -> int:
        own = per_token(rate)
        return total if own is None else own

    # A total that has no price is refused by `of` before its zero is used.
    input, output = instead(rates.input, 0), instead(rates.output, 0)
    cache_write = instead(rates.cache_write, input)
    return _Row(
        input,
        output,
        instead(rates.cache_read, input),
        cache_write,
        instead(rates.cache_write_1h, cache_write),
        per_token(rates.input_audio),
        per_token(rates.output_audio),
        per_token(rates.reasoning),
    )


def _snapshot(price: Price) -> Json:
    said: Json = {name: format(rate, "f") for name, rate in _stated(price.base).items()}
    for name in EXTRAS:
        if (each := getattr(price, name)) is not None:
            said[name] = format(each, "f")
    if price.tiers:
        said["tiers"] = [
            {"above": above, **{name: format(rate, "f") for name, rate in _stated(rates).items()}}
            for above, rates in price.tiers
        ]
    if price.source is not None:
        said["source"] = price.source
    return said


FREE = Price(base=Rates(input=Decimal(0), output=Decimal(0)), request=Decimal(0), source="free")
"""What a model on one's own machine costs. With it even an unsaid usage costs nothing."""
