"""A target: one model at one provider with one credential, everything about asking it decided once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from providers.chat import Kind
from providers.dialect import Surface

if TYPE_CHECKING:
    from providers.table import Provider

RoadName = Literal["wire", "slow", "inside"]
"""How its bytes travel: our own HTTP/1.1, httpx, or not at all because the provider is in this process."""
PORTS = {"http": 80, "https": 443}
UNIX = {"http+unix": "http", "https+unix": "https"}
"""`http+unix://%2Frun%2Fmodel.sock/v1`: HTTP over a socket in the file system, its path percent-encoded as the host."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UNSAFE_IN_PATH = re.compile(r"[^\x21-\x7e]")
UNSAFE_IN_HEADER = re.compile(r"[^\x20-\x7e\t\x80-\xff]")
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "content-type", "accept"}
)
"""Headers that say how our own bytes are framed: a provider's entry or the config cannot set them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """All in seconds."""

    connect: float = 5.0
    tls: float = 5.0
    first_byte: float = 60.0
    """From the upload of the request to the head of the answer."""
    first_token: float = 120.0
    """From the upload of the request to the first event of a stream that advances the answer."""
    idle: float = 60.0
    """Between two such events, or between two pieces of a plain answer."""
    total: float = 600.0
    client_write: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Target:
    """Compared by identity, and never shown with its credential."""

    provider: Provider
    kind: Kind
    model: str
    surface: Surface
    credential_name: str
    timeouts: Timeouts
    name: str
    retry_on_timeout: bool
    """Whoever runs this provider says that a call which timed out there may be sent again."""
    accept_unterminated: bool
    """A stream of this provider's that ends cleanly is whole, though nothing said that it was."""
    road: RoadName
    picky: bool
    """There are parameters that it refuses."""
    scheme: str
    host: str
    port: int
    socket: str | None
    proxy: str | None
    http2: bool
    origin: str
    """Connections are kept by this."""
    path: str
    stream_path: str
    headers: tuple[tuple[str, str], ...]
    """All but those that frame the body."""
    head: bytes
    """The head of a plain request, up to the number of its content-length."""
    stream_head: bytes
    secret: str | None

    def __repr__(self) -> str:
        return f"Target({self.name!r}, kind={self.kind!r}, credential={self.credential_name!r})"

    @staticmethod
    def build(
        provider: Provider,
        kind: Kind,
        model: str,
        *,
        credential: str | None,
        credential_name: str = "default",
        base_url: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        proxy: str | None = None,
        http2: bool = False,
        retry_on_timeout: bool = False,
        accept_unterminated: bool = False,
    ) -> Target:
        """ValueError says what in the configuration is wrong. Without a proxy, the environment is asked for one."""
        surface = provider.surfaces.get(kind)
        if surface is None:
            raise ValueError(f"{provider.name} has no {kind}; it has {', '.join(sorted(provider.surfaces))}")
        if credential is not None and UNSAFE_IN_HEADER.search(credential):
            raise ValueError(f"the credential of {provider.name} holds a character that no header may hold")
        url, socket = _split(provider.base_url if base_url is None else base_url)
        prefix = url.path.rstrip("/")
        path, stream_path = (_checked(prefix + surface.path(model, stream)) for stream in (False, True))
        host = _host(url)
        port = url.port or PORTS.get(url.scheme, 0)
        authority = f"[{host}]" if ":" in host else host
        if port != PORTS.get(url.scheme, 0):
            authority = f"{authority}:{port}"
        said = _headers(provider, credential, headers or {})
        if provider.inside is not None:
            road: RoadName = "inside"
        else:
            proxy = proxy or _proxy_of_environment(url.scheme, host, port, socket)
            road = "slow" if proxy or http2 or socket else "wire"
        return Target(
            provider=provider,
            kind=kind,
            model=model,
            surface=surface,
            credential_name=credential_name,
            timeouts=timeouts or Timeouts(),
            name=f"{provider.name}/{model}",
            retry_on_timeout=retry_on_timeout,
            accept_unterminated=accept_unterminated,
            road=road,
            picky=surface.PARAMS is not None or bool(provider.refuses),
            scheme=url.scheme,
            host=host,
            port=port,
            socket=socket,
            proxy=proxy,
            http2=http2,
            origin=f"{url.scheme}://{authority}",
            path=path,
            stream_path=stream_path,
            headers=said,
            head=_head(path, authority, said, "application/json"),
            stream_head=_head(stream_path, authority, said, "text/event-stream"),
            secret=credential or None,
        )


def _split(base_url: str) -> tuple[SplitResult, str | None]:
    try:
        url = urlsplit(base_url)
        port = url.port
    except ValueError as exc:
        raise ValueError(f"the base URL {base_url!r} cannot be read: {exc}") from exc
    if url.username is not None or url.password is not None:
        raise ValueError("a base URL cannot hold a user or a password: give the credential as the provider's api_key")
    if url.query or url.fragment:
        raise ValueError(f"the base URL {base_url!r} has a query or a fragment; it ends with the path, as in .../v1")
    if not url.netloc or url.hostname is None:
        raise ValueError(f"the base URL {base_url!r} has no host; one looks like https://api.example.com/v1")
    if url.scheme in UNIX:
        return url._replace(scheme=UNIX[url.scheme], netloc="localhost"), unquote(url.netloc)
    if url.scheme not in PORTS and url.scheme != "inside":
        raise ValueError(f"the base URL {base_url!r} begins with neither http:// nor https:// (nor http+unix://)")
    if port == 0:
        raise ValueError(f"the base URL {base_url!r} has port 0; ports go from 1 to 65535")
    return url, None


def _host(url: SplitResult) -> str:
    host = url.hostname or ""
    try:
        return host if host.isascii() and len(host) < 64 else host.encode("idna").decode()
    except UnicodeError as exc:
        raise ValueError(f"{host!r} is no name of a host: {exc}") from exc


def _checked(path: str) -> str:
    if not path.startswith("/") or UNSAFE_IN_PATH.search(path):
        raise ValueError(f"{path!r} is no path of a URL: it begins with / and has no spaces or control characters")
    return path


def _headers(provider: Provider, credential: str | None, added: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    proof = provider.auth(credential) if credential else {}
    merged: dict[str, str] = {"user-agent": "gatelog"}
    for name, value in [*provider.headers.items(), *added.items(), *proof.items()]:
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if name.lower() in OURS:
            raise ValueError(f"the header {name!r} is set by the gateway and cannot be configured")
        if UNSAFE_IN_HEADER.search(value):
            raise ValueError(f"the value of the header {name!r} holds a character that no header may hold")
        merged[name.lower()] = value
    return tuple(merged.items())


def _proxy_of_environment(scheme: str, host: str, port: int, socket: str | None) -> str | None:
    if socket or host in LOOPBACK:
        return None
    proxies = getproxies_environment()
    if not proxies or proxy_bypass(f"{host}:{port}"):
        return None
    return proxies.get(scheme) or proxies.get("all")


def _head(path: str, authority: str, headers: tuple[tuple[str, str], ...], accept: str) -> bytes:
    # identity: a compressed stream is held back by the compressor, and a compressed answer can be a bomb.
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {authority}",
        "content-type: application/json",
        f"accept: {accept}",
        "accept-encoding: identity",
        *(f"{name}: {value}" for name, value in headers),
        "content-length: ",
    ]
    return "\r\n".join(lines).encode("latin-1")
