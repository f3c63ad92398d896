"""A real `gatelog serve` in a process of its own, for tests that go through the front door."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

Json = dict[str, Any]
ADMIN_KEY = "gl-admin-0123456789abcdef0123456789abcdef"
START_SECONDS = 30.0
PLAIN: Json = {"trust_env": False, "verify": False}
"""For clients of httpx that speak no TLS: to read the certificates of every authority takes each of them 50 ms."""
PAGE = 1000
PORTS = range(10_000, 32_000)
MIGRATE = """
import asyncio, sys
from tracking.database import open_store

async def migrate():
    opened = open_store(sys.argv[1])
    await opened.migrate()
    await opened.close()

asyncio.run(migrate())
"""


def free_port() -> int:
    """A port that nothing listens on, below those from which systems give connections theirs: so it stays free, also
    where several processes run tests at once."""
    while True:
        port = PORTS[secrets.randbelow(len(PORTS))]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@functools.cache
def new_store() -> Path:
    """A SQLite store with our tables and nothing in them, for others to be copies of: to make it takes a second."""
    folder = Path(tempfile.mkdtemp(prefix="gatelog-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "gatelog.db"
    migrate(f"sqlite:///{path}")
    return path


def migrate(store: str) -> None:
    """In a process of its own, since whoever asks may be in an event loop."""
    subprocess.run([sys.executable, "-c", MIGRATE, store], cwd=Path(__file__).parents[1], check=True)


class Gateway:
    """A server with a directory and a port of its own. It may be killed and started again on what it left there."""

    def __init__(self, directory: Path, config: Json, environ: Mapping[str, str] | None = None) -> None:
        directory.mkdir()
        self.directory = directory
        self.port = free_port()
        self.key = ADMIN_KEY
        self.environ = environ or {}
        self.log_path = directory / "gatelog.log"
        self.config_path = directory / "gatelog.yaml"
        defaults: Json = {
            "server": {"host": "127.0.0.1", "port": self.port},
            "store": f"sqlite:///{directory / 'gatelog.db'}",
            "artifacts": str(directory / "artifacts"),
            "auth": {"mode": "keys", "admin_key": self.key},
        }
        self.write_config({**defaults, **config})
        if "store" not in config:
            shutil.copy(new_store(), directory)
        self.process: subprocess.Popen[bytes] | None = None

    def write_config(self, config: Json) -> None:
        self.config = config
        self.config_path.write_text(yaml.safe_dump(config, sort_keys=False))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    @property
    def family(self) -> list[psutil.Process]:
        """The server's process and its workers'."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Its own connections, the admin key, and no limit that the load of a test would meet."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers=self.headers,
            limits=httpx.Limits(max_connections=None),
            timeout=options.pop("timeout", 30.0),
            **PLAIN,
            **options,
        )

    def launch(self) -> None:
        # The environment's own provider keys must not turn a test into calls that leave the machine.
        environ = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))}
        # A server that compiles all that it imports starts three times as slowly, and is larger, than at its users'.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--config", str(self.config_path)],
                cwd=self.directory,
                env={**environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUNBUFFERED": "1", **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def start(self) -> None:
        self.launch()
        assert self.process is not None
        until = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(base_url=self.url, **PLAIN) as client:
            while self.process.poll() is None and time.monotonic() < until:
                try:
                    if (await client.get("/health")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
        state = "did not answer" if self.process.poll() is None else f"ended with {self.process.returncode}"
        raise AssertionError(f"gatelog serve {state}; its log:\n{self.log}")

    async def stop(self, seconds: float = 30.0) -> int:
        """Ask it to end, and give its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return await asyncio.to_thread(self.process.wait, seconds)
        except subprocess.TimeoutExpired as exc:
            self.kill()
            raise AssertionError(f"gatelog serve did not end within {seconds} s; its log:\n{self.log}") from exc

    def kill(self) -> None:
        """SIGKILL, for it and its workers: nothing of it runs another instruction."""
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    async def runs(self, **query: Any) -> list[Json]:
        """Every run that matches, page by page."""
        found: list[Json] = []
        async with self.client() as client:
            token: str | None = None
            while True:
                page = {"page_size": PAGE, **query} | ({"page_token": token} if token else {})
                answer = await client.get("/api/runs", params=page)
                assert answer.status_code == 200, answer.text
                payload = answer.json()
                found += payload["runs"]
                token = payload["next_page_token"]
                if not token:
                    return found

    async def run(self, run_id: str) -> Json:
        """One run, whole, once it has been recorded."""
        async with self.client() as client:
            for _ in range(500):
                answer = await client.get(f"/api/runs/{run_id}")
                if answer.status_code == 200:
                    payload: Json = answer.json()
                    return payload
                assert answer.status_code == 404, answer.text
                await asyncio.sleep(0.02)
        raise AssertionError(f"run {run_id} was not recorded; the server's log:\n{self.log}")

    async def settled(self, count: int, seconds: float = 30.0, **query: Any) -> list[Json]:
        """All runs, once there are at least so many of them, or those that there are when the time is over."""
        until = time.monotonic() + seconds
        while True:
            found = await self.runs(**query)
            if len(found) >= count or time.monotonic() > until:
                return found
            await asyncio.sleep(0.1)


Start = Callable[..., Awaitable[Gateway]]
"""The fixture `start_gateway`: a config, and environment variables by keyword, to a server that answers."""
