"""What every name that a caller may send as "model" means, under one config: made whole, and replaced whole."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.endpoint_settings import EndpointSettings, TargetSettings
from gateway.routing import Choice, Endpoint, Pricing
from gateway.settings import Loaded, Settings
from providers import demo
from providers.chat import Json, Kind
from providers.errors import InvalidRequest, NotFound
from providers.table import Provider
from providers.target import Target
from tracking.money import FREE
from tracking.prices import PriceBook

DIRECT_MOST = 1024
"""Endpoints kept for names of the form provider/model; callers may make up any."""

OF_REGISTRY = frozenset({"prompts:", "models:"})
"""Before the slash, in names that are `registered`'s to find."""


class Directory:
    def __init__(self, loaded: Loaded, book: PriceBook) -> None:
        self.revision = loaded.revision
        self._settings: Settings = loaded.settings
        self._providers = loaded.providers
        self._book = book
        self._endpoints = {endpoint.name: self._endpoint(endpoint) for endpoint in self._settings.endpoints}
        self._direct: dict[tuple[Kind, str], Endpoint] = {}
        self.for_prompts = self._settings.prompts.endpoint
        """Where prompts go that do not say."""

    def find(self, kind: Kind, model: str) -> Endpoint:
        """The endpoint that a caller means. Raises NotFound, or InvalidRequest for one of another kind."""
        endpoint = self._endpoints.get(model)
        if endpoint is None:
            return self._direct.get((kind, model)) or self._addressed(kind, model)
        if endpoint.kind != kind:
            raise InvalidRequest(
                f"the endpoint {model!r} takes {endpoint.kind}, not {kind}", param="model", code="wrong_endpoint_type"
            )
        return endpoint

    def named(self, name: str) -> Endpoint:
        """The endpoint of a name, whatever its kind."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise self._unknown(name)
        return endpoint

    def has(self, model: str) -> bool:
        """Whether a name is an endpoint, or a model of a provider that is configured."""
        return self.owner(model) is not None

    def endpoints(self) -> list[Endpoint]:
        return list(self._endpoints.values())

    def providers(self) -> Mapping[str, Provider]:
        return self._providers

    def models(self) -> list[tuple[str, str]]:
        """(name, whose it is) of what can be called: the endpoints, and the models of the provider that is inside."""
        return [(name, "gatelog") for name in self._endpoints] + [(f"demo/{model}", "demo") for model in demo.GAPS_MS]

    def owner(self, model: str) -> str | None:
        """Whose model a name is; None where nobody's."""
        if model in self._endpoints:
            return "gatelog"
        name, slash, theirs = model.partition("/")
        return name if slash and theirs and name in self._providers else None

    def _addressed(self, kind: Kind, model: str) -> Endpoint:
        name, slash, theirs = model.partition("/")
        provider = self._providers.get(name) if slash and theirs else None
        if provider is None:
            if name in OF_REGISTRY:  # not worth a look for what else may have been meant
                raise NotFound(f"{model[:200]!r} is in the registry", code="model_not_found", param="model")
            raise self._unknown(model)
        if kind not in provider.surfaces:
            raise InvalidRequest(
                f"{name} has no {kind}; it has {', '.join(sorted(provider.surfaces))}",
                param="model",
                code="wrong_endpoint_type",
            )
        try:
            endpoint = self._endpoint(self._settings.direct(name, theirs, kind))
        except ValueError as exc:
            raise InvalidRequest(f"{model!r} cannot be called: {exc}", param="model") from exc
        if len(self._direct) >= DIRECT_MOST:
            self._direct.clear()
        self._direct[kind, model] = endpoint
        return endpoint

    def _unknown(self, model: str) -> NotFound:
        near = difflib.get_close_matches(model, self._endpoints, n=1)
        if near:
            right = f"; did you mean {near[0]!r}?"
        elif "/" in model:
            right = f"; the providers are {', '.join(sorted(self._providers))}"
        else:
            right = "; use the name of an endpoint, or provider/model"
        return NotFound(f"there is no model {model[:200]!r}{right}", code="model_not_found", param="model")

    def _endpoint(self, said: EndpointSettings) -> Endpoint:
        return Endpoint(
            name=said.name,
            kind=said.type,
            choices=tuple(choice for target in said.targets for choice in self._choices(said, target)),
            fallbacks=tuple(choice for target in said.fallbacks for choice in self._choices(said, target)),
            retries=said.retries,
            log_payloads=said.log_payloads,
            on_disconnect=said.on_disconnect,
        )

    def _choices(self, endpoint: EndpointSettings, said: TargetSettings) -> list[Choice]:
        """One for each credential of the target's provider, which share the target's weight."""
        account = self._settings.providers[said.provider]
        provider = self._providers[said.provider]
        credentials = account.credentials()
        parameters: Json = dict(said.parameters)
        headers = (
            (b"x-gatelog-provider", said.provider.encode("unicode_escape")),
            (b"x-gatelog-model", said.model.encode("unicode_escape")),
        )
        return [
            Choice(
                target=Target.build(
                    provider,
                    endpoint.type,
                    said.model,
                    credential=secret,
                    credential_name=name,
                    headers={name: value.get_secret_value() for name, value in account.headers.items()},
                    timeouts=self._settings.timeouts(endpoint, said),
                    proxy=account.proxy,
                    http2=account.http2,
                    retry_on_timeout=endpoint.retry_on_timeout,
                    accept_unterminated=account.accept_unterminated,
                ),
                weight=said.weight / len(credentials),
                parameters=parameters,
                pricing=self._pricing(provider, said),
                headers=headers,
            )
            for name, secret in credentials
        ]

    def _pricing(self, provider: Provider, said: TargetSettings) -> Pricing:
        if said.price is not None:
            return Pricing(said.price.price())
        if provider.free:
            return Pricing(FREE)
        if provider.prices is None:
            return Pricing(None)
        tariff = self._book.tariff(provider.prices, said.model)
        if tariff is None:
            return Pricing(None)
        return Pricing(tariff.at(datetime.now(UTC)), None if tariff.constant else tariff)


def priced(loaded: Loaded) -> bool:
    """Whether any provider is in the price lists, which are some megabytes that not every gateway needs."""
    return any(provider.prices is not None for provider in loaded.providers.values())
