"""A gateway that a command talks to: one that runs, or one of its own for as long as the command takes."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.terminal import tell

if TYPE_CHECKING:
    import httpx

    from providers.chat import Json

HERE = "http://127.0.0.1:4000"
"""Where a gateway is looked for whose address nobody gave: `server.host` and `server.port` by default."""
START_SECONDS = 60.0
SECONDS = 600.0
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="GATELOG_URL", help=f"The gateway. Default: the one at {HERE}, or one of its own."),
]
Key = Annotated[str | None, typer.Option("--key", envvar="GATELOG_KEY", help="A key of the gateway.")]


class Remote:
    """The REST API of a gateway. What it refuses is raised as the error that it told."""

    def __init__(self, url: str, key: str | None) -> None:
        import httpx

        self.url = url.rstrip("/")
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS, trust_env=False)

    def get(self, path: str, **query: Any) -> Json:
        answer: Json = self._asked("GET", path, params=query).json()
        return answer

    def post(self, path: str, body: Json | None = None) -> Json:
        answer: Json = self._asked("POST", path, json=body or {}).json()
        return answer

    def send(self, path: str, body: bytes, **query: Any) -> Json:
        """A file."""
        headers = {"content-type": "application/octet-stream"}
        answer: Json = self._asked("POST", path, content=body, params=query, headers=headers).json()
        return answer

    def bytes(self, path: str, **query: Any) -> bytes:
        return self._asked("GET", path, params=query).content

    def pages(self, path: str, name: str, **query: Any) -> Iterator[Json]:
        """The items of all pages of a list."""
        token: str | None = None
        while True:
            page = self.get(path, **query, **({"page_token": token} if token else {}))
            yield from page[name]
            if (token := page["next_page_token"]) is None:
                return

    def events(self, path: str) -> Iterator[Json]:
        """The data of server-sent events, until the server ends them. When the connection breaks they go on."""
        import httpx
        import orjson

        failures = 0
        while True:
            try:
                with self._client.stream("GET", path) as answer:
                    if answer.status_code != 200:
                        answer.read()
                        raise _refusal(answer)
                    for line in answer.iter_lines():
                        if line.startswith("data:"):
                            failures = 0
                            yield orjson.loads(line[5:])
                return
            except httpx.TransportError as exc:
                failures += 1
                if failures > 30:
                    raise _away(self.url, exc) from exc
                time.sleep(1.0)

    def close(self) -> None:
        self._client.close()

    def _asked(self, method: str, path: str, **sent: Any) -> httpx.Response:
        import httpx

        try:
            answer = self._client.request(method, path, **sent)
        except httpx.TransportError as exc:
            raise _away(self.url, exc) from exc
        if answer.status_code >= 400:
            raise _refusal(answer)
        return answer


@contextmanager
def remote(url: str | None, key: str | None, config: Path | None = None, store: str | None = None) -> Iterator[Remote]:
    """The gateway at a URL; without one, the one that is here; without that, one of the command's own."""
    if url is None and _is_here():
        url = HERE
    with contextlib.ExitStack() as stack:
        if url is None:
            tell(f"no gateway runs at {HERE}, so one runs for this command; `gatelog serve` shows later what it did")
            url, key = stack.enter_context(own(config, store))
        found = Remote(url, key)
        stack.callback(found.close)
        yield found


def _is_here() -> bool:
    import httpx

    try:
        answer = httpx.get(f"{HERE}/health", timeout=1.0, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.text == "OK"


@contextmanager
def own(config: Path | None, store: str | None) -> Iterator[tuple[str, str]]:
    """A gateway in a process of its own, on the store and with the providers that `gatelog serve` here would have."""
    from providers.errors import StorageUnavailable

    key = secrets.token_urlsafe(32)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "gateway.commands.own", str(port), str(config or ""), store or ""]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command,
        env={**os.environ, "GATELOG_OWN_KEY": key},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # A Ctrl-C is for the command, which has something to say to its gateway then.
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None:
                assert process.stderr is not None, "it is a pipe"
                said = process.stderr.read().decode(errors="replace").strip()
                raise StorageUnavailable(f"a gateway could not be started: {said[-2000:]}")
            if time.monotonic() > until:
                raise StorageUnavailable(f"a gateway was started and did not answer within {START_SECONDS:g} s")
            time.sleep(0.05)
        yield url, key
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _answers(url: str) -> bool:
    import httpx

    try:
        return httpx.get(f"{url}/health", timeout=1.0, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _refusal(answer: httpx.Response) -> Exception:
    from providers.errors import GatewayError

    try:
        error = answer.json()["error"]
        message, code = str(error["message"]), str(error["code"])
    except (ValueError, KeyError, TypeError):
        message, code = f"the gateway answered {answer.status_code}: {answer.text[:200]}", "internal_error"
    refused = GatewayError(message, code=code)
    refused.status = answer.status_code
    return refused


def _away(url: str, exc: Exception) -> Exception:
    from providers.errors import StorageUnavailable

    return StorageUnavailable(f"the gateway at {url} does not answer: {type(exc).__name__} {exc}".rstrip())
