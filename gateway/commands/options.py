"""The options that several commands share, and how they become a configuration or a store."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import typer

if TYPE_CHECKING:
    from gateway.settings import Loaded, Settings
    from tracking.database import Database

DEFAULT = Path("gatelog.yaml")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", envvar="GATELOG_CONFIG", help="The config file. Default: ./gatelog.yaml, if it is there."
    ),
]
Store = Annotated[
    str | None,
    typer.Option("--store", envvar="GATELOG_STORE", help="URL of the store; wins over the config file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def loaded(config: Path | None, options: dict[tuple[str, ...], Any] | None = None) -> Loaded:
    """The configuration that a command works with. What was not given on the command line is None and left out."""
    from gateway.configuration import load

    if config is None and DEFAULT.exists():
        config = DEFAULT
    return load(config, os.environ, {place: value for place, value in (options or {}).items() if value is not None})


def stored(
    config: Path | None, store: str | None, journal: Path | None = None, artifacts: str | None = None
) -> Settings:
    """The settings of a command that only needs the store. If that is given, the config file, and all that it refers
    to, is left alone."""
    options = {("store",): store, ("journal", "directory"): journal, ("artifacts",): artifacts}
    if store is None:
        return loaded(config, options).settings
    from gateway.configuration import load

    return load(None, {}, {place: value for place, value in options.items() if value is not None}).settings


@asynccontextmanager
async def opened(url: str, *, migrate: bool = False) -> AsyncIterator[Database]:
    """A store. To read from one never makes it."""
    from providers.errors import StorageUnavailable
    from tracking.database import open_store

    database = open_store(url)
    try:
        if migrate:
            await database.migrate()
        elif _is_missing(url):
            raise StorageUnavailable(f"there is no store at {url!r}; the gateway makes it when it first starts")
        yield database
    finally:
        await database.close()


def _is_missing(url: str) -> bool:
    return url.startswith("sqlite:///") and not Path(unquote(url.removeprefix("sqlite:///"))).exists()
