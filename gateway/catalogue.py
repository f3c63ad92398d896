"""Which provider a configured name stands for: a built-in one, or one's own that speaks a built-in dialect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from gateway.provider_settings import ProviderSettings
from providers.table import DIALECTS, PROVIDERS, VERSIONED, Provider


def record(name: str, settings: ProviderSettings) -> Provider:
    """ValueError says what is missing, or what contradicts what."""
    base = PROVIDERS.get(name)
    if base is not None and settings.dialect is not None:
        raise ValueError(f"{name!r} is built in and knows its dialect; leave it out, or give the provider another name")
    if base is None and settings.dialect is None:
        raise ValueError(
            f"{name!r} is not built in{meant(name, PROVIDERS)}; for a provider of your own give `dialect` "
            f"({' | '.join(DIALECTS)}) and `base_url`. Built in are: {', '.join(sorted(PROVIDERS))}"
        )
    if settings.dialect is not None:
        base = DIALECTS.get(settings.dialect) or PROVIDERS.get(settings.dialect)
        if base is None or base.inside:
            raise ValueError(
                f"the dialect {settings.dialect!r} is unknown{meant(settings.dialect, PROVIDERS)}; "
                f"it is {' | '.join(DIALECTS)}, or the name of a built-in provider that this one is like"
            )
        if settings.base_url is None:
            raise ValueError(f"{name!r} is not built in, so it needs a `base_url`")
    assert base is not None
    if settings.api_version is not None:
        if base.name not in VERSIONED:
            raise ValueError(f"the API of {name!r} has no version to choose; leave out `api_version`")
        base = VERSIONED[base.name](settings.api_version)
    base_url = settings.base_url or base.base_url
    if not base_url:
        usual = " or ".join(base.base_url_variables)
        raise ValueError(f"{name!r} has another address for everybody: give it as `base_url`, or set {usual}")
    key_optional = base.key_optional if settings.key_optional is None else settings.key_optional
    return replace(base, name=name, base_url=base_url, key_optional=key_optional)


def meant(name: str, known: Iterable[str]) -> str:
    """The words that ask whether a similar name was meant, or none."""
    similar = get_close_matches(name, list(known), n=1)
    return f" (did you mean {similar[0]!r}?)" if similar else ""
