"""The settings of endpoints: which names applications may send as "model", and who answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gateway.setting_values import Amount, Count, EndpointName, ModelName, ProviderName, Seconds, Section, no_boolean
from providers.chat import Json, Kind
from tracking.money import Price

RESERVED_PARAMETERS = frozenset({"model", "messages", "prompt", "input", "stream", "stream_options"})
"""What a call is about is its caller's to say, never a default's."""


class TimeoutSettings(Section):
    """How long a provider may take, in seconds. What is left out is taken from the next wider place that says it: a
    target's from its endpoint, that from the provider, that from `defaults`, and last from the built-in values."""

    connect: Seconds | None = None
    """Until a TCP connection stands. Seconds; built in: 5."""
    tls: Seconds | None = None
    """Until TLS is agreed on. Seconds; built in: 5."""
    first_byte: Seconds | None = None
    """From the request's upload to the head of the answer. Seconds; built in: 60."""
    first_token: Seconds | None = None
    """From the request's upload to the first event of a stream that advances the answer. Seconds; built in: 120."""
    idle: Seconds | None = None
    """Between two events of a stream that advance it, or two pieces of a plain answer. Seconds; built in: 60."""
    total: Seconds | None = None
    """For one attempt from beginning to end. Seconds; built in: 600."""
    client_write: Seconds | None = None
    """For how long a caller may leave what it is sent unread. Seconds; built in: 60."""


class RateSettings(Section):
    """What a million tokens of each kind cost, in dollars. A kind that is left out costs what its total does."""

    input: Amount | None = None
    """Dollars per million input tokens."""
    output: Amount | None = None
    """Dollars per million output tokens."""
    cache_read: Amount | None = None
    """Dollars per million input tokens that were read from a cache."""
    cache_write: Amount | None = None
    """Dollars per million input tokens that were written to a cache."""
    cache_write_1h: Amount | None = None
    """Dollars per million input tokens that were written to a cache for an hour."""
    input_audio: Amount | None = None
    """Dollars per million input tokens of audio."""
    output_audio: Amount | None = None
    """Dollars per million output tokens of audio."""
    reasoning: Amount | None = None
    """Dollars per million output tokens of reasoning."""


class TierSettings(RateSettings):
    """The prices of a whole call whose input is large."""

    above: Count = Field(ge=1)
    """The number of input tokens above which they hold."""


class PriceSettings(RateSettings):
    """What calls to a target cost, instead of the price list."""

    search: Amount | None = None
    """Dollars for each web search that the provider ran."""
    request: Amount | None = None
    """Dollars for each call."""
    tiers: tuple[TierSettings, ...] = ()
    """Prices for calls with a larger input, which replace those above for the whole call."""

    @model_validator(mode="after")
    def _is_price(self) -> PriceSettings:
        self.price()
        return self

    def price(self) -> Price:
        return Price.from_snapshot({**self.model_dump(exclude_none=True), "source": "config"})


class TargetSettings(Section):
    """One model at one provider."""

    provider: ProviderName
    """A provider's name: one of `providers`, or `demo`."""
    model: ModelName
    """The model, by the provider's own name for it."""
    weight: Annotated[float, BeforeValidator(no_boolean)] = Field(default=1.0, gt=0, le=1_000_000)
    """Its share of the endpoint's calls, relative to the other targets. Fallbacks have none."""
    price: PriceSettings | None = None
    """What it costs. Left out: what the price list says."""
    parameters: Json = {}
    """Parameters of the request that are added where the caller left them out: `{temperature: 0.2}`."""
    timeouts: TimeoutSettings = TimeoutSettings()
    """How long it may take."""

    @field_validator("parameters")
    @classmethod
    def _are_parameters(cls, parameters: Json) -> Json:
        if reserved := sorted(RESERVED_PARAMETERS & parameters.keys()):
            raise ValueError(f"{reserved[0]!r} is the caller's to say, and cannot have a default")
        return parameters


class CallSettings(Section):
    """How calls are treated. Under `defaults` it holds for every endpoint that does not say otherwise, and for calls
    that name a `provider/model` instead of an endpoint."""

    retries: Count = Field(default=2, ge=0, le=10)
    """Further attempts, before the first byte of an answer, when one fails in a way that another may not."""
    retry_on_timeout: bool = False
    """Whether an attempt that timed out is retried too. The provider may then charge for both."""
    timeouts: TimeoutSettings = TimeoutSettings()
    """How long a target may take."""
    log_payloads: Literal["full", "redacted", "none"] = "full"
    """What is kept of requests and answers: all of it; all but what looks like a secret or personal data; nothing but
    counts, costs and times."""
    on_disconnect: Literal["cancel", "complete"] = "cancel"
    """When a caller hangs up: `cancel` closes the call to the provider at once, `complete` lets it finish, so that its
    answer and its exact usage are logged."""


class EndpointSettings(CallSettings):
    """What applications send as "model", and who answers it."""

    name: EndpointName
    """The name: letters, digits and `. _ : -`. A slash is for `provider/model`."""
    type: Kind = "chat"
    """What kind of calls it takes: `chat`, `completions` or `embeddings`."""
    targets: tuple[TargetSettings, ...] = ()
    """Who answers, in proportion to their weights. At least one."""
    fallbacks: tuple[TargetSettings, ...] = ()
    """Who answers, in this order, when the targets do not."""


def inherited(endpoint: EndpointSettings, defaults: CallSettings) -> EndpointSettings:
    """The endpoint with what it does not say itself taken from the defaults. Timeouts are merged when they are used."""
    said: Mapping[str, Any] = {
        name: getattr(defaults, name)
        for name in CallSettings.model_fields
        if name != "timeouts" and name not in endpoint.model_fields_set
    }
    return endpoint.model_copy(update=dict(said))
