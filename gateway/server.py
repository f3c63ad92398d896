"""Runs the gateway: what is done once per start, then one server or several workers under a supervisor."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
import webbrowser
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from gateway import memory
from gateway.app import create_app
from gateway.http import Protocol
from gateway.logs import configure
from gateway.settings import Loaded
from gateway.startup import prepare

KEEP_ALIVE_SECONDS = 75
SWITCH_SECONDS = 0.001
"""How long the recorder's thread may hold the interpreter while a call waits for it."""


class Workers(Multiprocess):
    """Uvicorn's supervisor, but a hang-up signal tells the workers to read their config instead of restarting them."""

    def handle_hup(self) -> None:
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)


class Unended(logging.Filter):
    """A stream that breaks off is left without an end on purpose; uvicorn would call that a fault of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg != "ASGI callable returned without completing response."


def run(loaded: Loaded, *, open_browser: bool = False) -> int:
    """Serve until told to stop. Returns the exit code of the command."""
    welcome = asyncio.run(prepare(loaded, link=open_browser))
    welcome.show(sys.stderr)
    config = configured(loaded)
    if open_browser and welcome.link is not None:
        webbrowser.open(welcome.link)
    if loaded.settings.server.workers > 1:
        socket = config.bind_socket()
        Workers(config, sockets=[socket]).run()
        return 0
    for stop in (signal.SIGINT, signal.SIGTERM):
        # Uvicorn raises a signal again once it has stopped for it, which would make of a good end a bad exit code.
        signal.signal(stop, lambda *_: None)
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def configured(loaded: Loaded) -> uvicorn.Config:
    server = loaded.settings.server
    return uvicorn.Config(
        partial(served, loaded),
        factory=True,
        host=server.host,
        port=server.port,
        workers=server.workers,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(server.drain_seconds),
    )


def served(loaded: Loaded) -> object:
    """The application, in the process that will serve it."""
    memory.spare()
    configure(loaded.settings.logging)
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.getLogger("uvicorn.error").addFilter(Unended())
    return create_app(loaded)
