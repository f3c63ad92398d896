"""The settings of providers: accounts, where they are, and how they are reached."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from gateway.endpoint_settings import TimeoutSettings
from gateway.setting_values import Secret, Section


class ProviderSettings(Section):
    """One account at one provider, under a name that targets and callers use."""

    dialect: str | None = None
    """What one that is not built in speaks: `openai`, `anthropic` or `gemini`, or the name of a built-in one
    that it is like in every detail, as `azure`. A built-in one knows."""
    base_url: str | None = None
    """Where it is, up to the path that all its calls share: `http://127.0.0.1:8000/v1`; `http+unix://%2Frun%2Fllm.sock/v1`
    for a socket. Left out for a built-in provider: its own, or its usual environment variable's."""
    api_key: Secret | None = None
    """Its credential. Left out for a built-in provider: its usual environment variable's."""
    api_keys: tuple[Secret, ...] = ()
    """Several credentials instead of one. Calls are shared among them, and one that is refused or throttled rests. In
    runs they are `key-1`, `key-2` and so on."""
    key_optional: bool | None = None
    """Whether it may be called without a credential. Left out: as built in, which for the dialect `openai` is true."""
    headers: dict[str, Secret] = {}
    """Headers added to every call to it."""
    api_version: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]+$")
    """The version of its API to ask for, where it has one that is chosen by the caller (Azure)."""
    timeouts: TimeoutSettings = TimeoutSettings()
    """How long it may take."""
    proxy: str | None = Field(default=None, repr=False)
    """URL of an HTTP proxy to reach it by. Left out: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment hold."""
    http2: bool = False
    """Whether to speak HTTP/2 to it. HTTP/1.1 costs less per call."""
    accept_unterminated: bool = False
    """Whether a stream that just ends is whole, for a server that never says that an answer is over. Otherwise it is
    reported as cut."""

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, proxy: str | None) -> str | None:
        if proxy is not None and not re.match(r"https?://[^/\s]+/?$", proxy):
            raise ValueError("a proxy is given as http://host:port or https://user:password@host:port")
        return proxy

    @model_validator(mode="after")
    def _has_keys_one_way(self) -> ProviderSettings:
        if self.api_key is not None and self.api_keys:
            raise ValueError("it has both api_key and api_keys; put all of its credentials into api_keys")
        return self

    def credentials(self) -> tuple[tuple[str, str | None], ...]:
        """(name, secret) of each credential; one that is None where it is called without."""
        if self.api_keys:
            return tuple((f"key-{at}", key.get_secret_value()) for at, key in enumerate(self.api_keys, 1))
        return (("default", self.api_key.get_secret_value() if self.api_key else None),)
