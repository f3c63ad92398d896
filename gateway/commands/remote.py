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
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.terminal import tell

if TYPE_CHECKING:
    from evaluate.client import Gatelog

HERE = "http://127.0.0.1:4000"
"""Where a gateway is looked for whose address nobody gave: `server.host` and `server.port` by default."""
START_SECONDS = 60.0
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="GATELOG_URL", help=f"The gateway. Default: the one at {HERE}, or one of its own."),
]
Key = Annotated[str | None, typer.Option("--key", envvar="GATELOG_KEY", help="A key of the gateway.")]


@contextmanager
def remote(url: str | None, key: str | None, config: Path | None = None, store: str | None = None) -> Iterator[Gatelog]:
    """The gateway at a URL; without one, the one that is here; without that, one of the command's own."""
    from evaluate.client import Gatelog

    if url is None and _is_here():
        url = HERE
    with contextlib.ExitStack() as stack:
        if url is None:
            tell(f"no gateway runs at {HERE}, so one runs for this command; `gatelog serve` shows later what it did")
            url, key = stack.enter_context(own(config, store))
        yield stack.enter_context(Gatelog(url, key))


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
