"""Whether the parts of a configuration fit together, said in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.catalogue import meant, record
from gateway.marked import Path
from gateway.settings import EndpointSettings, ProviderSettings, Settings, TargetSettings
from providers.chat import Json
from providers.table import Provider
from providers.target import Target
from tracking.artifacts import ArtifactsPlaceError, open_artifacts
from tracking.database import StoreURLError, open_store

Found = tuple[Path, str]


def contradictions(
    settings: Settings,
    providers: Mapping[str, ProviderSettings],
    endpoints: Mapping[int, EndpointSettings],
    broken: frozenset[str],
) -> Iterator[Found]:
    """Everything wrong with sections that are each right by themselves. `settings` is asked for neither of the two.

    `broken` are providers whose own settings are wrong: that has been said already, so what uses them is let pass.
    """
    yield from _server(settings)
    usable: dict[str, Provider] = {}
    for name, provider in providers.items():
        try:
            usable[name] = record(name, provider)
        except ValueError as exc:
            yield ("providers", name), str(exc)
            broken |= {name}
            continue
        said = list(_provider(usable[name], provider))
        yield from said
        if said:
            broken |= {name}
    yield from _endpoints(endpoints, usable, providers, broken)
    named = settings.prompts.endpoint
    if named is not None and named not in {endpoint.name for endpoint in endpoints.values()}:
        account, slash, _ = named.partition("/")
        if not slash or account not in {*usable, *broken}:
            yield (
                ("prompts", "endpoint"),
                f"{named!r} is neither an endpoint nor a model of a provider, as provider/model",
            )


def _server(settings: Settings) -> Iterator[Found]:
    try:
        open_store(settings.store)
    except StoreURLError as exc:
        yield ("store",), str(exc)
    try:
        open_artifacts(settings.artifacts, int(settings.server.max_upload))
    except ArtifactsPlaceError as exc:
        yield ("artifacts",), str(exc)
    if settings.auth.mode == "open" and not settings.server.loopback:
        yield (
            ("auth", "mode"),
            f"'open' lets everybody in who can reach {settings.server.host!r}; it is only for loopback: "
            "set server.host to 127.0.0.1, or auth.mode to keys",
        )


def _provider(provider: Provider, settings: ProviderSettings) -> Iterator[Found]:
    at: Path = ("providers", provider.name)
    has_credential = settings.api_key is not None or bool(settings.api_keys) or bool(settings.headers)
    if not provider.key_optional and not has_credential:
        usual = " or ".join(provider.key_variables)
        yield (
            at,
            f"{provider.name} needs a credential: give it as api_key"
            + (f", or set the environment variable {usual}" if usual else ""),
        )
    if problem := _unbuildable(provider, settings, next(iter(provider.surfaces)), "model"):
        yield (*at, "base_url") if settings.base_url is not None and "URL" in problem else at, problem


def _endpoints(
    endpoints: Mapping[int, EndpointSettings],
    usable: Mapping[str, Provider],
    providers: Mapping[str, ProviderSettings],
    broken: frozenset[str],
) -> Iterator[Found]:
    first: dict[str, int] = {}
    for at, endpoint in endpoints.items():
        where: Path = ("endpoints", at)
        if first.setdefault(endpoint.name, at) != at:
            yield (
                (*where, "name"),
                f"{endpoint.name!r} is the name of endpoints[{first[endpoint.name]}] already; names are unique",
            )
        if not endpoint.targets:
            yield where, f"the endpoint {endpoint.name!r} has no targets; it needs at least one {{provider, model}}"
        for kind in ("targets", "fallbacks"):
            for index, target in enumerate(getattr(endpoint, kind)):
                place = (*where, kind, index)
                if kind == "fallbacks" and "weight" in target.model_fields_set:
                    yield (
                        (*place, "weight"),
                        "fallbacks are tried in their order, so a weight says nothing; leave it out",
                    )
                if target.provider in broken:
                    continue
                if target.provider not in usable:
                    yield (
                        (*place, "provider"),
                        f"{target.provider!r} is not configured{meant(target.provider, usable)}; "
                        f"add it under `providers`. Configured are: {', '.join(sorted(usable))}",
                    )
                    continue
                yield from _target(place, endpoint, target, usable[target.provider], providers[target.provider])


def _target(
    place: Path, endpoint: EndpointSettings, target: TargetSettings, provider: Provider, settings: ProviderSettings
) -> Iterator[Found]:
    if endpoint.type not in provider.surfaces:
        yield (
            (*place, "provider"),
            f"{provider.name} has no {endpoint.type}, which is the type of the endpoint {endpoint.name!r}; "
            f"it has {', '.join(sorted(provider.surfaces))}",
        )
        return
    if problem := _unbuildable(provider, settings, endpoint.type, target.model):
        yield (*place, "model"), problem
    parameters: Json = {"model": target.model, **target.parameters}
    for name in sorted(provider.refused(endpoint.type, parameters) - {"model"}):
        yield (*place, "parameters", name), f"{provider.name} does not take {name!r}; leave it out"


def _unbuildable(provider: Provider, settings: ProviderSettings, kind: str, model: str) -> str | None:
    """What stands in the way of a target, in the words of the one who would build it."""
    try:
        for name, secret in settings.credentials():
            Target.build(
                provider,
                kind,  # type: ignore[arg-type]  # a key of its surfaces
                model,
                credential=secret,
                credential_name=name,
                headers={name: value.get_secret_value() for name, value in settings.headers.items()},
                proxy=settings.proxy,
                http2=settings.http2,
            )
    except ValueError as exc:
        return str(exc)
    return None
