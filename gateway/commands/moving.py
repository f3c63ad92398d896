"""`gatelog import` and `gatelog export`: a store's content brought in, and out into files."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

import typer

from gateway.commands.options import AsJson, Config, Store, opened, stored
from gateway.commands.terminal import FAILED, USAGE, emit, exits, fail, show, tell

if TYPE_CHECKING:
    from tracking.artifacts import Artifacts
    from tracking.moving.from_mlflow import Brought
    from tracking.moving.parquet import ParquetCalls
    from tracking.moving.theirs import Theirs

SKIPPED_MOST = 20
"""Things that were skipped which are named; of the others, how many there are."""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Bring in what another store holds.")

Files = Annotated[
    str | None, typer.Option("--artifacts", help="Where files go; wins over the config file. A folder or s3://bucket.")
]


@app.command("mlflow")
def mlflow(
    from_: Annotated[
        str, typer.Option("--from", help="An MLflow server (http://...) or its file (sqlite:///mlflow.db).")
    ],
    their_artifacts: Annotated[
        Path | None,
        typer.Option(help="With a file: the folder in which that server kept artifacts (its --artifacts-destination)."),
    ] = None,
    no_files: Annotated[bool, typer.Option("--no-files", help="Leave artifacts where they are.")] = False,
    artifacts: Files = None,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Import experiments, runs, logged models, registered models and prompts of another MLflow.

    It may be interrupted and run again: what is here already and has not changed there is passed over. A server is
    asked with MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
    """

    async def bring(url: str, files: Artifacts | None) -> Brought:
        from tracking.moving.from_mlflow import Bringing

        theirs = _theirs(from_, their_artifacts)
        try:
            async with opened(url, migrate=True) as database:
                with _progress() as progress:
                    return await Bringing(database, files, theirs, progress).bring()
        finally:
            await theirs.close()

    with exits():
        from tracking.artifacts import ArtifactsPlaceError, open_artifacts
        from tracking.moving.theirs import UnreadableError

        settings = stored(config, store, artifacts=artifacts)
        try:
            files = None if no_files else open_artifacts(settings.artifacts, int(settings.server.max_upload))
            brought = asyncio.run(bring(settings.store, files))
        except (UnreadableError, ArtifactsPlaceError) as exc:
            fail(FAILED, str(exc))
        _report(brought, json)


@app.command("folder")
def folder(
    folder: Annotated[Path, typer.Argument(help="What `gatelog export` wrote.")],
    no_files: Annotated[bool, typer.Option("--no-files", help="Leave artifacts in the folder.")] = False,
    artifacts: Files = None,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Import what `gatelog export` wrote. What is in the store already stays as it is."""

    async def restore(url: str, files: Artifacts | None) -> Counter[str]:
        from tracking.moving.restore import Restoring

        async with opened(url, migrate=True) as database:
            with _progress() as progress:
                return await Restoring(database, folder, files, progress).restore()

    with exits():
        from tracking.artifacts import ArtifactsPlaceError, open_artifacts
        from tracking.moving.folder import FolderError

        settings = stored(config, store, artifacts=artifacts)
        try:
            files = None if no_files else open_artifacts(settings.artifacts, int(settings.server.max_upload))
            new = asyncio.run(restore(settings.store, files))
        except (FolderError, ArtifactsPlaceError) as exc:
            fail(FAILED, str(exc))
        _counted(new, "new", json)


def export(
    folder: Annotated[Path, typer.Argument(help="The folder to write, which is made.")],
    filter: Annotated[
        str | None, typer.Option("--filter", "-f", help="Only calls that it finds, and what was said about them.")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Calls as Parquet too; needs gatelog[parquet].")] = False,
    no_files: Annotated[bool, typer.Option("--no-files", help="Without artifacts.")] = False,
    artifacts: Files = None,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Write the whole store, or the calls that a filter finds, to a folder of JSON Lines.

    `gatelog import folder` reads it back. Keys, sessions and webhooks are left out.
    """

    async def write(url: str, files: Artifacts | None) -> Counter[str]:
        from tracking.moving.export import Exporting

        async with opened(url) as database:
            with _progress() as progress:
                exporting = Exporting(database, folder, progress, _parquet if parquet else None)
                if filter is not None:
                    return await exporting.found(filter)
                return await exporting.everything(files)

    with exits():
        from tracking.artifacts import ArtifactsPlaceError, open_artifacts
        from tracking.moving.folder import FolderError

        if parquet and find_spec("pyarrow") is None:
            fail(FAILED, "--parquet needs pyarrow: pip install 'gatelog[parquet]'")
        settings = stored(config, store, artifacts=artifacts)
        try:
            files = None if no_files else open_artifacts(settings.artifacts, int(settings.server.max_upload))
            written = asyncio.run(write(settings.store, files))
        except (FolderError, ArtifactsPlaceError) as exc:
            fail(FAILED, str(exc))
        _counted(written, "written", json)


def _parquet(folder: Path) -> ParquetCalls:
    from tracking.moving.parquet import ParquetCalls

    return ParquetCalls(folder)


def _counted(counts: Counter[str], heading: str, json: bool) -> None:
    found = {str(name): count for name, count in sorted(counts.items()) if count}
    if json:
        emit({heading: found})
    else:
        show(
            ("", heading),
            [(name.replace("_", " "), str(count)) for name, count in found.items()],
            right=frozenset({heading}),
        )


def _theirs(uri: str, artifacts: Path | None) -> Theirs:
    if uri.startswith(("http://", "https://")):
        from tracking.moving.their_server import TheirServer

        return TheirServer(uri, _proof())
    if uri.startswith("sqlite:///"):
        from tracking.moving.their_file import TheirFile

        file = Path(unquote(uri.removeprefix("sqlite:///")))
        if not file.is_file():
            fail(FAILED, f"there is no file {str(file)!r}")
        return TheirFile(file, artifacts)
    fail(USAGE, f"--from is {uri!r}; say http://host:port of an MLflow server, or sqlite:///path/to/mlflow.db")


def _proof() -> dict[str, str]:
    """The headers by which MLflow's own client would prove who it is."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"authorization": f"Bearer {token}"}
    if user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _report(brought: Brought, json: bool) -> None:
    columns = (brought.made, brought.changed, brought.unchanged)
    if json:
        made, changed, unchanged = (dict(sorted(column.items())) for column in columns)
        skipped = [{"what": what, "why": why} for what, why in brought.skipped]
        emit({"new": made, "changed": changed, "unchanged": unchanged, "skipped": skipped})
        return
    names = sorted({name for column in columns for name in column})
    rows = [(name, *(str(column[name]) for column in columns)) for name in names]
    show(("", "new", "changed", "unchanged"), rows, right=frozenset({"new", "changed", "unchanged"}))
    for what, why in brought.skipped[:SKIPPED_MOST]:
        tell(f"skipped {what}: {why}")
    if (more := len(brought.skipped) - SKIPPED_MOST) > 0:
        tell(f"skipped {more} more; --json has them all")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar for each thing, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress
