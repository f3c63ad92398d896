"""`gatelog runs`: reads runs from the store, without a server."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.options import AsJson, Config, Store, opened, stored
from gateway.commands.terminal import FAILED, emit, exits, fail, show, tell

if TYPE_CHECKING:
    from tracking.runs import Run

TAIL_SECONDS = 1.0
HEADINGS = ("id", "started", "status", "model", "tokens", "cost", "ms")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Read runs from the store.")


class Format(StrEnum):
    """Those of `tracking.exports.FORMATS`, which is not imported before it is needed."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


Filter = Annotated[
    str,
    typer.Option("--filter", "-f", help="As in MLflow: \"params.provider = 'openai' and metrics.cost_usd > 0.01\"."),
]
OrderBy = Annotated[list[str] | None, typer.Option("--order-by", help='As "metrics.cost_usd DESC"; may be repeated.')]
Endpoint = Annotated[str | None, typer.Option(help="Only runs of this endpoint.")]
Model = Annotated[str | None, typer.Option(help="Only runs that this model answered.")]
ByProvider = Annotated[str | None, typer.Option("--provider", help="Only runs that this provider answered.")]
Status = Annotated[str | None, typer.Option(help="Only runs that ended so: ok, upstream_error, client_cancelled, ...")]
Since = Annotated[str | None, typer.Option(help="Only runs from then on: 2026-01-31, 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Only runs before then.")]
Raw = Annotated[bool, typer.Option("--raw", help="A stream as it was sent, not as the answer that it came to.")]


@app.command("list")
def list_(
    filter: Filter = "",
    endpoint: Endpoint = None,
    model: Model = None,
    provider: ByProvider = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    order_by: OrderBy = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """List runs, newest first."""
    narrow = _narrow(endpoint=endpoint, model=model, provider=provider, status=status, since=since, until=until)

    async def read(url: str) -> list[Run]:
        from tracking.runs import Runs

        async with opened(url) as database:
            page = await Runs(database).page(filter, order_by or (), limit, narrow=narrow)
            return page.runs

    with exits():
        found = asyncio.run(read(stored(config, store).store))
        if json:
            emit({"runs": found})
        else:
            show(HEADINGS, [_row(run) for run in found], right=frozenset({"tokens", "cost", "ms"}))


@app.command("show")
def show_(
    id: Annotated[str, typer.Argument(help="The run's id, as in x-gatelog-run-id.")],
    raw: Raw = False,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Show one run: its request, its response, its attempts, its times and its cost."""

    async def read(url: str) -> Run | None:
        from tracking.runs import Runs

        async with opened(url) as database:
            return await Runs(database).get(id, raw=raw)

    with exits():
        run = asyncio.run(read(stored(config, store).store))
        if run is None:
            fail(FAILED, f"there is no run {id!r}")
        if json or not sys.stdout.isatty():
            emit(run, indent=not json)
            return
        from rich.console import Console

        Console().print_json(data=run)


@app.command()
def tail(
    filter: Filter = "",
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Print runs as they are recorded, until interrupted. With --json, one object a line."""

    async def follow(url: str) -> None:
        from tracking.runs import Runs

        async with opened(url) as database:
            tail = Runs(database).tail(filter)
            await tail.more()
            tell("waiting for runs; Ctrl-C ends")
            while True:
                for run in await tail.more():
                    if json:
                        emit(run)
                    else:
                        typer.echo("  ".join(_row(run)))
                await asyncio.sleep(TAIL_SECONDS)

    with exits():
        try:
            asyncio.run(follow(stored(config, store).store))
        except KeyboardInterrupt:
            return


@app.command()
def export(
    filter: Filter = "",
    endpoint: Endpoint = None,
    model: Model = None,
    provider: ByProvider = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    order_by: OrderBy = None,
    raw: Raw = False,
    format: Annotated[
        Format, typer.Option(help="jsonl: all of each run; csv and parquet: a table, without what was said.")
    ] = Format.JSONL,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, readable only by you; else standard output.")
    ] = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Print every run that passes: with its request and response as JSON Lines, or as a table."""
    narrow = _narrow(endpoint=endpoint, model=model, provider=provider, status=status, since=since, until=until)

    async def write(url: str, stream: Any) -> int:
        from tracking.exports import ready, written
        from tracking.runs import Runs

        count = 0

        async def counted(found: AsyncIterator[Run]) -> AsyncIterator[Run]:
            nonlocal count
            async for run in found:
                count += 1
                yield run

        ready(format.value)
        async with opened(url) as database:
            found = Runs(database).export(filter, order_by or (), narrow=narrow, raw=raw)
            async with aclosing(written(format.value, counted(found))) as pieces:
                async for piece in pieces:
                    stream.write(piece)
        return count

    with exits():
        url = stored(config, store).store
        if output is None:
            if format is Format.PARQUET and sys.stdout.isatty():
                fail(FAILED, "a terminal cannot show Parquet: say --output FILE")
            asyncio.run(write(url, sys.stdout.buffer))
            sys.stdout.buffer.flush()
            return
        try:
            file = os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        except OSError as exc:
            fail(FAILED, f"{str(output)!r} cannot be written: {exc.strerror}")
        with file:
            count = asyncio.run(write(url, file))
        tell(f"{count} runs written to {output}")


def _narrow(**given: str | None) -> Mapping[str, str]:
    return {name: text for name, text in given.items() if text is not None}


def _row(run: Run) -> tuple[str, ...]:
    """What is unknown is shown as a dash, which is not zero."""

    def said(value: object) -> str:
        return "-" if value is None else str(value)

    usage, times, cost = run["usage"], run["times"], run["cost"]
    tokens = f"{said(usage['input_tokens'])}+{said(usage['output_tokens'])}"
    return (
        run["id"],
        times["started_at"][:19].replace("T", " "),
        run["status"],
        f"{run['provider']}/{run['model']}" if run["provider"] else said(run["requested_model"]),
        tokens,
        "-" if cost["usd"] is None else f"${cost['usd']}",
        said(times["duration_ms"] and round(times["duration_ms"])),
    )
