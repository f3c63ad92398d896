"""At what prices a variant's calls are made, and so the most that one can cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evaluate.replies import Post
from evaluate.requests import Template
from providers.chat import Json, Kind
from providers.usage import Usage
from tracking.money import Price
from tracking.tokens import Count, count_request

INEXACT_FACTOR, INEXACT_MORE = 1.5, 100
"""What is held beyond a count of tokens that is not the provider's own: a margin that was chosen, not measured."""


@dataclass(frozen=True, slots=True)
class Target:
    """One model that an endpoint may send a call to."""

    model: str
    price: Price | None
    output_most: int | None
    """What the endpoint itself limits answers to."""


@dataclass(frozen=True, slots=True)
class Terms:
    """All that an endpoint may send a call to, those that it falls back on too."""

    targets: Sequence[Target]

    @property
    def priced(self) -> bool:
        return all(target.price is not None for target in self.targets)

    def input(self, request: Json) -> Count:
        """Tokens of a chat, the most that any of them takes it for. Slow: call it in a thread."""
        counts = [count_request("chat", request, model) for model in {target.model for target in self.targets}]
        return max(counts, key=lambda count: count.tokens)

    def texts(self, request: Json) -> Count:
        """The same of texts to embed."""
        counts = [count_request("embeddings", request, model) for model in {target.model for target in self.targets}]
        return max(counts, key=lambda count: count.tokens)

    def most(self, input: Count, output_most: int | None) -> int | None:
        """Nano-dollars that one call can cost at most; None where nothing limits it."""
        tokens = input.tokens if input.exact else math.ceil(input.tokens * INEXACT_FACTOR) + INEXACT_MORE
        costs = [_most(target, tokens, output_most) for target in self.targets]
        return max((cost for cost in costs if cost is not None), default=0) if None not in costs else None

    def cost(self, input: int, output: int) -> int | None:
        """Nano-dollars of a call to the first of them, which is where most go."""
        price = self.targets[0].price
        return None if price is None else price.of(Usage(input=input, output=output))


class Gateway(Protocol):
    """What evaluation needs of the gateway that it runs in. Each raises GatewayError for what is not there."""

    def post(self, key_id: str | None) -> Post | None:
        """Makes calls as the holder of a key; None where the key is no longer good."""
        ...

    def terms(self, kind: Kind, model: str) -> Terms: ...

    async def template(self, reference: str) -> Template: ...

    def seal(self, text: str) -> str:
        """What may be kept in place of a secret."""
        ...

    def open(self, sealed: str) -> str: ...


def free(price: Price | None) -> bool:
    return price is not None and price.of(Usage(input=1_000_000, output=1_000_000)) == 0


def _most(target: Target, input: int, output_most: int | None) -> int | None:
    if target.price is None:
        return None
    if free(target.price):
        return 0
    limits = [most for most in (output_most, target.output_most) if most is not None]
    if not limits:
        return None
    return target.price.of(Usage(input=input, output=output_most if output_most is not None else limits[0]))


def limit_of(parameters: Mapping[str, Any]) -> int | None:
    """How long an answer may be by these parameters of a call."""
    most = parameters.get("max_completion_tokens") or parameters.get("max_tokens")
    return most if type(most) is int else None
