"""The `gatelog` command. What each subcommand needs is imported when it runs, so that `gatelog --version` is quick."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.commands import datasets, demo, evals, keys, moving, runs
from gateway.commands.options import AsJson, Config, Store, loaded, stored
from gateway.commands.terminal import CONFIG, FAILED, OK, emit, exits, printable

app = typer.Typer(
    name="gatelog",
    help="One LLM API in front of every provider; every call a durable, priced run.",
    no_args_is_help=True,
    rich_markup_mode=None,
    # Its tracebacks show local variables, and ours hold secrets.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(runs.app, name="runs")
app.add_typer(keys.app, name="key")
app.add_typer(moving.app, name="import")
app.add_typer(datasets.app, name="dataset")
app.add_typer(evals.app, name="eval")
app.add_typer(demo.app, name="demo")
app.command("export")(moving.export)


def main() -> None:
    app()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"gatelog {__version__}")
        raise typer.Exit(OK)


@app.callback()
def gatelog(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    config: Config = None,
    store: Store = None,
    artifacts: Annotated[
        str | None, typer.Option(help="The directory for files of runs and models, or s3://bucket/prefix.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 for any that is free.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve.")] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the web page once it serves.")] = False,
) -> None:
    """Serve until told to stop. An option wins over the config file, also when the file changes."""
    with exits():
        # What is imported stays: to look through it for garbage as it grows takes a seventh of the time of a start.
        gc.disable()
        taken = loaded(
            config,
            {
                ("store",): store,
                ("artifacts",): artifacts,
                ("server", "host"): host,
                ("server", "port"): port,
                ("server", "workers"): workers,
            },
        )
        from gateway.logs import configure
        from gateway.server import run

        gc.enable()
        configure(taken.settings.logging)
        raise typer.Exit(run(taken, open_browser=open_browser))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The config file.")],
    json: AsJson = False,
) -> None:
    """Check a config file: say everything that is wrong with it, where, and what would be right."""
    from gateway.faults import InvalidConfigError

    with exits():
        try:
            taken = loaded(file)
        except InvalidConfigError as exc:
            if not json:
                raise
            emit({"valid": False, "errors": [fault.public() for fault in exc.faults]})
            raise typer.Exit(CONFIG) from exc
        settings = taken.settings
        if json:
            emit({"valid": True, "errors": [], "revision": taken.revision})
            return
        typer.echo(f"{file} is right (revision {taken.revision})")
        typer.echo(f"providers: {', '.join(sorted(settings.providers))}")
        for endpoint in settings.endpoints:
            targets = ", ".join(f"{target.provider}/{target.model}" for target in endpoint.targets)
            typer.echo(f"{endpoint.type} endpoint {endpoint.name}: {targets}")


@app.command()
def recover(
    journal: Annotated[Path | None, typer.Option(help="The journal's directory; wins over the config file.")] = None,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Bring left-over and damaged journals into the store, and say what was found.

    A journal that a running gateway holds is left to it. A record whose checksum is wrong is skipped, its file is
    renamed to .damaged and kept, and the exit code is 1.
    """
    with exits():
        from gateway.commands.recovery import lines, recovered, report

        settings = stored(config, store, journal)
        findings = recovered(settings.journal_directory(), settings.store)
        if json:
            emit(report(findings))
        else:
            for line in lines(settings.journal_directory(), findings):
                typer.echo(printable(line))
        if findings.faults:
            raise typer.Exit(FAILED)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the config file, for editors."""
    from gateway.schema import schema

    emit(schema(), indent=True)
