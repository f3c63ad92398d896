"""Where a call may go: the endpoint that a model's name stands for, and which of its targets is tried next."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from providers.chat import Json, Kind
from providers.errors import Denied, Throttled, TimedOut, UpstreamError
from providers.target import Target
from tracking.money import Price
from tracking.prices import Tariff

BACKOFF_BASE, BACKOFF_MOST = 0.5, 8.0
RETRY_AFTER_MOST = 30.0
"""A longer wait than this is the caller's to decide on, not ours to sit through. Seconds."""
REST_AFTER = 3
"""Failures in a row after which a target rests; a refusal (401, 429) makes it rest at once."""
REST_BASE, REST_MOST, REST_DENIED, REST_THROTTLED = 5.0, 60.0, 60.0, 5.0
RETRY_SHARE, RETRY_SAVINGS = 0.2, 10.0
"""Each call earns a fifth of a retry, up to ten: a provider that fails for everybody is not stormed."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """What calls to a target cost: always the same, or by the time of day and year."""

    constant: Price | None
    tariff: Tariff | None = None

    def now(self) -> Price | None:
        return self.constant if self.tariff is None else self.tariff.at(datetime.now(UTC))


UNKNOWN = Pricing(None)


@dataclass(frozen=True, slots=True)
class Choice:
    """A target of an endpoint, with what the gateway knows about it beyond how to call it."""

    target: Target
    weight: float = 1.0
    parameters: Json = field(default_factory=dict)
    """Defaults, under what the caller sends."""
    pricing: Pricing = UNKNOWN
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """What callers are told of it: x-gatelog-provider and x-gatelog-model."""
    head: bytes = field(init=False)
    """The same, as it goes over the wire."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", b"".join(b"%b: %b\r\n" % header for header in self.headers))

    @property
    def account(self) -> str:
        """What rests: this model at this provider by this credential."""
        return f"{self.target.name}#{self.target.credential_name}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a name stands for: targets to share the calls among, and fallbacks for when none of them answers."""

    name: str
    kind: Kind
    choices: tuple[Choice, ...]
    fallbacks: tuple[Choice, ...] = ()
    retries: int = 2
    log_payloads: Literal["full", "redacted", "none"] = "full"
    on_disconnect: Literal["cancel", "complete"] = "cancel"


@dataclass(slots=True)
class Condition:
    """How a target has been doing."""

    failures: int = 0
    resting_until: float = 0.0
    probed_at: float = float("-inf")


class Health:
    """Which targets rest, and how many retries may still be spent. Of this process, kept across changes of config."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._conditions: dict[str, Condition] = {}
        self._savings = RETRY_SAVINGS

    def rests(self, choice: Choice) -> bool:
        condition = self._conditions.get(choice.account) if self._conditions else None
        if condition is None or condition.failures == 0:
            return False
        now = self._clock()
        # Once its rest is over one call finds out whether it is well again; the others wait a second for that.
        probed = condition.resting_until > 0.0 and now - condition.probed_at < 1.0
        return probed or now < condition.resting_until

    def succeeded(self, choice: Choice) -> None:
        if self._conditions:
            self._conditions.pop(choice.account, None)

    def failed(self, choice: Choice, error: UpstreamError) -> None:
        if not error.resting:
            return
        condition = self._conditions.setdefault(choice.account, Condition())
        condition.failures += 1
        if isinstance(error, Throttled):
            rest = min(error.retry_after if error.retry_after is not None else REST_THROTTLED, REST_MOST)
        elif isinstance(error, Denied):
            rest = REST_DENIED
        elif condition.failures >= REST_AFTER:
            rest = min(REST_BASE * 2.0 ** (condition.failures - REST_AFTER), REST_MOST)
        else:
            return
        condition.resting_until = self._clock() + rest

    def tried(self, choice: Choice) -> None:
        """Called before an attempt, so that a target whose rest is over is probed by one call and not by all."""
        if self._conditions and (condition := self._conditions.get(choice.account)) is not None:
            condition.probed_at = self._clock()

    def earned(self) -> None:
        if self._savings < RETRY_SAVINGS:
            self._savings += RETRY_SHARE

    def may_retry(self) -> bool:
        if self._savings < 1.0:
            return False
        self._savings -= 1.0
        return True

    def states(self) -> dict[str, dict[str, float]]:
        """For people: every target that has failed since it last answered, and for how many seconds it still rests."""
        now = self._clock()
        return {
            account: {"failures": condition.failures, "resting_seconds": max(0.0, condition.resting_until - now)}
            for account, condition in self._conditions.items()
        }


class Plan:
    """The tries of one call: the first, and after a failure the next one, or none."""

    __slots__ = ("_endpoint", "_fallbacks", "_health", "_retries", "_tried")

    def __init__(self, endpoint: Endpoint, health: Health) -> None:
        self._endpoint, self._health = endpoint, health
        self._retries = endpoint.retries
        self._tried: list[Choice] = []
        self._fallbacks = 0

    def first(self) -> Choice:
        self._health.earned()
        choices = self._endpoint.choices
        choice = choices[0] if len(choices) == 1 else self._pick(choices)
        return self._take(choice)

    def after(self, error: UpstreamError) -> tuple[Choice, float] | None:
        """The next try and how many seconds to wait before it."""
        if self._may_be_retried(error) and self._retries > 0 and self._health.may_retry():
            self._retries -= 1
            if (retry := self._retry(error)) is not None:
                return retry
        if error.retryable or isinstance(error, TimedOut):
            return self._fall_back()
        return None

    def _may_be_retried(self, error: UpstreamError) -> bool:
        return error.retryable or (isinstance(error, TimedOut) and self._tried[-1].target.retry_on_timeout)

    def _retry(self, error: UpstreamError) -> tuple[Choice, float] | None:
        fresh = [c for c in self._endpoint.choices if c not in self._tried and not self._health.rests(c)]
        if fresh:
            return self._take(self._pick(fresh)), 0.0
        last = self._tried[-1]
        if isinstance(error, Denied):
            return None  # the same credential will be refused again
        others = [c for c in self._endpoint.choices if not self._health.rests(c)]
        if not others and self._fallbacks < len(self._endpoint.fallbacks):
            return None  # a fallback that is well beats a target that is not
        wait = random.uniform(0.0, min(BACKOFF_MOST, BACKOFF_BASE * 2.0 ** (len(self._tried) - 1)))  # noqa: S311 - jitter
        if error.retry_after is not None:
            if error.retry_after > RETRY_AFTER_MOST:
                return None
            wait = error.retry_after + wait * 0.1
        return self._take(self._pick(others) if others else last), wait

    def _fall_back(self) -> tuple[Choice, float] | None:
        fallbacks = self._endpoint.fallbacks
        while self._fallbacks < len(fallbacks):
            choice = fallbacks[self._fallbacks]
            self._fallbacks += 1
            if not self._health.rests(choice) or self._fallbacks == len(fallbacks):
                return self._take(choice), 0.0
        return None

    def _pick(self, choices: Sequence[Choice]) -> Choice:
        """By weight among those that are well. Where none is, by weight among all: to refuse would help nobody."""
        well = [choice for choice in choices if not self._health.rests(choice)] or choices
        if len(well) == 1:
            return well[0]
        return random.choices(well, [choice.weight for choice in well])[0]  # noqa: S311 - sharing load, not a secret

    def _take(self, choice: Choice) -> Choice:
        self._tried.append(choice)
        self._health.tried(choice)
        return choice
