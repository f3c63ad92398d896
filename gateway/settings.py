"""Everything that can be configured: a model of the config file, from which its JSON Schema follows.

Whether a value can be used at all is checked here; whether the parts fit together, in `gateway.checks`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import ByteSize, Field, SecretStr, field_validator

from gateway.catalogue import record
from gateway.endpoint_settings import (
    CallSettings,
    EndpointSettings,
    PriceSettings,
    TargetSettings,
    TimeoutSettings,
    inherited,
)
from gateway.provider_settings import ProviderSettings
from gateway.setting_values import Count, FileSize, ProviderName, Seconds, Secret, Section, Size
from providers.chat import Json, Kind
from providers.table import Provider
from providers.target import Timeouts

__all__ = [
    "LIVE",
    "AuthSettings",
    "CallSettings",
    "EndpointSettings",
    "EvaluationSettings",
    "JournalSettings",
    "Loaded",
    "LoggingSettings",
    "PriceSettings",
    "PromptSettings",
    "ProviderSettings",
    "RetentionSettings",
    "ServerSettings",
    "Settings",
    "TargetSettings",
    "TimeoutSettings",
    "WebhookSettings",
    "inherited",
    "without_password",
]

LIVE = frozenset(
    {
        "providers",
        "endpoints",
        "defaults",
        "discover_providers",
        "logging",
        "retention",
        "prompts",
        "webhooks",
        "evaluations",
    }
)
"""The sections that a running gateway takes up when the file changes. The others are read once, at start."""
HOST_NAME = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
ADMIN_KEY_LEAST = 16


class ServerSettings(Section):
    """Where the gateway listens, and what it accepts."""

    host: str = "127.0.0.1"
    """The address to listen on. `0.0.0.0` is every IPv4 address of the machine, `::` every address."""
    port: Count = Field(default=4000, ge=0, le=65535)
    """The TCP port to listen on. 0 lets the system choose a free one, which is printed."""
    workers: Count = Field(default=1, ge=1, le=64)
    """Processes that serve. One uses one core."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names that callers may use to reach the gateway, beside loopback and `host` itself: `llm.example.com`, any
    subdomain as `*.example.com`, anything at all as `*`. Others are answered 421."""
    max_body: Size = ByteSize(32 * 1024 * 1024)
    """The largest request body. Bytes, or with a unit: `32MiB`."""
    max_upload: FileSize = ByteSize(5 * 1024 * 1024 * 1024)
    """The largest artifact that may be uploaded. Bytes, or with a unit: `5GiB`."""
    drain_seconds: Seconds = 30.0
    """How long calls in flight may go on after SIGTERM. Seconds."""

    @field_validator("host")
    @classmethod
    def _is_host(cls, host: str) -> str:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if not HOST_NAME.fullmatch(host) or "*" in host:
                raise ValueError(f"{host!r} is neither an IP address nor a host name (no scheme, no port)") from None
        return host

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not HOST_NAME.fullmatch(host):
                raise ValueError(f"{host!r} is no host name: give it without scheme, port and path, as llm.example.com")
        return hosts

    @property
    def loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class JournalSettings(Section):
    """The file that every call is written to before it is forwarded, and again before its last byte is answered."""

    directory: Path | None = None
    """Where it is kept. Left out: next to a SQLite store, named as it is with `.journal` for its suffix, and
    `gatelog.journal` in the working directory for PostgreSQL."""
    fsync: Literal["none", "always"] = "none"
    """`none` survives a killed process. `always` also survives a power loss, and waits for the disk twice a call."""


class AuthSettings(Section):
    """Who may call."""

    mode: Literal["keys", "open"] = "keys"
    """`keys`: every route but /health needs a key. `open`: none does; only for a `host` that is loopback."""
    admin_key: Secret | None = None
    """The administrator's key, at least 16 characters. Left out: one is made at the first start and printed once."""
    pepper_file: Path | None = None
    """The file of the pepper, without which stored keys cannot be checked; made at the first start. Left out: next to a
    SQLite store, named as it is with `.pepper` for its suffix, and `gatelog.pepper` in the working directory for
    PostgreSQL. Instances that share a store share it."""

    @field_validator("admin_key")
    @classmethod
    def _is_strong(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < ADMIN_KEY_LEAST:
            raise ValueError(f"it has {len(key.get_secret_value())} characters; give it at least {ADMIN_KEY_LEAST}")
        return key


class LoggingSettings(Section):
    """The gateway's own log, on standard error. It never holds a secret or a body."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important messages that are written: `debug`, `info`, `warning` or `error`."""
    format: Literal["text", "json"] = "text"
    """`text` for people, or `json`, one object a line."""


class RetentionSettings(Section):
    """For how long runs are kept. Left out: for ever."""

    runs_days: Count | None = Field(default=None, ge=1, le=36_500)
    """Runs older than this are deleted. Days."""
    payloads_days: Count | None = Field(default=None, ge=1, le=36_500)
    """Requests and answers older than this are deleted; the runs stay. Days."""
    traces_days: Count | None = Field(default=None, ge=1, le=36_500)
    """Traces that applications send are deleted when they are older than this, with what was said about them. Left
    out: as `payloads_days` says. Days."""
    usage_minutes_days: Count | None = Field(default=30, ge=1, le=36_500)
    """Usage is kept by the minute for so long, after which it is kept by the hour. Days."""
    usage_hours_days: Count | None = Field(default=400, ge=1, le=36_500)
    """Usage is kept by the hour for so long, after which it is kept by the day. Days."""


class PromptSettings(Section):
    """Calls by prompts of the registry."""

    endpoint: str | None = Field(default=None, min_length=1, max_length=256)
    """The endpoint, or `provider/model`, for prompts whose model config names no model. Left out: such a prompt can be
    called only with the header `x-gatelog-endpoint`."""


class WebhookSettings(Section):
    """Webhooks, which tell other servers of changes in the registry."""

    allow: tuple[str, ...] = ()
    """Receivers that may be at a private address, and may be told over plain HTTP: `localhost:9000`,
    `hooks.internal:8443`. All others must be at a public address, by HTTPS."""

    @field_validator("allow")
    @classmethod
    def _are_receivers(cls, receivers: tuple[str, ...]) -> tuple[str, ...]:
        for receiver in receivers:
            host, _, port = receiver.rpartition(":")
            if not (HOST_NAME.fullmatch(host) and "*" not in host and re.fullmatch(r"[1-9]\d{0,4}", port)):
                raise ValueError(f"{receiver!r} is no host and port, as localhost:9000")
        return tuple(receiver.lower() for receiver in receivers)


class EvaluationSettings(Section):
    """Evaluations, which score answers."""

    scorer_code: Literal["nobody", "admin", "callers"] = "admin"
    """Who may send a scorer that is Python code, to be run beside the gateway in a process that is confined: `nobody`,
    `admin`, or all `callers`. `gatelog eval` runs a scorer that is a file where it is typed, whatever is said here."""


class Settings(Section):
    """Gatelog's configuration."""

    server: ServerSettings = ServerSettings()
    """Where the gateway listens, and what it accepts."""
    store: str = Field(default="sqlite:///gatelog.db", repr=False)
    """Where runs are kept: `sqlite:///gatelog.db` for a file in the working directory, `sqlite:////var/lib/gatelog.db`
    for one elsewhere, or `postgresql://user:password@host/database`."""
    journal: JournalSettings = JournalSettings()
    """The journal of calls."""
    artifacts: str = "artifacts"
    """The directory for files that belong to runs and models, or `s3://bucket/prefix`, which needs `gatelog[s3]`."""
    auth: AuthSettings = AuthSettings()
    """Who may call."""
    discover_providers: bool = False
    """Whether the built-in providers whose usual environment variable is set (`OPENAI_API_KEY`, ...) are there without
    being listed under `providers`. True when there is no config file."""
    providers: dict[ProviderName, ProviderSettings] = {}
    """The providers, by name. `demo`, which answers without a key or a network, is always there."""
    defaults: CallSettings = CallSettings()
    """How calls are treated where an endpoint does not say otherwise."""
    endpoints: tuple[EndpointSettings, ...] = ()
    """What applications may send as "model". Every model of every provider also goes by `provider/model`."""
    logging: LoggingSettings = LoggingSettings()
    """The gateway's own log."""
    retention: RetentionSettings = RetentionSettings()
    """For how long runs are kept."""
    prompts: PromptSettings = PromptSettings()
    """Calls by prompts of the registry."""
    webhooks: WebhookSettings = WebhookSettings()
    """Webhooks, which tell other servers of changes in the registry."""
    evaluations: EvaluationSettings = EvaluationSettings()
    """Evaluations, which score answers."""

    def journal_directory(self) -> Path:
        return self.journal.directory or self._beside_store(".journal")

    def pepper_file(self) -> Path:
        return self.auth.pepper_file or self._beside_store(".pepper")

    def _beside_store(self, suffix: str) -> Path:
        file = self.store.removeprefix("sqlite:///") if self.store.startswith("sqlite:///") else "gatelog"
        return Path(unquote(file)).with_suffix(suffix)

    def direct(self, provider: str, model: str, kind: Kind) -> EndpointSettings:
        """The endpoint that `provider/model` stands for."""
        target = TargetSettings.model_construct(provider=provider, model=model)
        return inherited(
            EndpointSettings.model_construct(name=f"{provider}/{model}", type=kind, targets=(target,)), self.defaults
        )

    def timeouts(self, endpoint: EndpointSettings, target: TargetSettings) -> Timeouts:
        """Those of one target, the most particular that was said winning."""
        provider = self.providers[target.provider]
        layers = (self.defaults.timeouts, provider.timeouts, endpoint.timeouts, target.timeouts)
        said: dict[str, float] = {}
        for layer in layers:
            said |= layer.model_dump(exclude_none=True)
        return Timeouts(**said)

    def public(self) -> Json:
        """As it may be shown: secrets masked, and passwords in URLs."""
        shown: Json = self.model_dump(mode="json")
        shown["store"] = without_password(self.store)
        for provider in shown["providers"].values():
            provider["proxy"] = provider["proxy"] and without_password(provider["proxy"])
        return shown


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration as it was taken up: whole, checked, and by a name that runs remember it by."""

    settings: Settings
    revision: str
    """Twelve hex digits, the same for the same settings. Secrets do not change it."""
    path: Path | None
    """The file it is from; None when it is from the environment alone."""
    files: tuple[Path, ...] = ()
    """That file, and those that it takes secrets from."""
    options: Mapping[tuple[str, ...], Any] = field(default_factory=dict)
    """Settings from the command line, which win over the file's."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """Each configured provider as the record that targets are built from."""
        return {name: record(name, settings) for name, settings in self.settings.providers.items()}


def without_password(url: str) -> str:
    """The URL with what may be a password masked, in its authority and in its query."""
    masked = re.sub(r"(://[^:@/]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", masked)
