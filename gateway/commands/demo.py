"""`gatelog demo`: fills a store with what a first look at the page should find."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.options import AsJson, Config, Store, opened, stored
from gateway.commands.terminal import FAILED, emit, exits, fail, show, tell

if TYPE_CHECKING:
    from providers.chat import Json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Data for a first look, none of it real.")


@app.callback()
def demo() -> None:
    """Data for a first look, none of it real."""


@app.command()
def seed(
    calls: Annotated[int, typer.Option(min=0, max=1_000_000, help="So many.")] = 4_000,
    weeks: Annotated[int, typer.Option(min=1, max=52, help="Over which they are spread.")] = 4,
    seed: Annotated[int, typer.Option(help="The same number makes the same data.")] = 1,
    until: Annotated[str | None, typer.Option(help="When it ends: 2026-01-31T12:00:00Z. Default: now.")] = None,
    evaluations: Annotated[bool, typer.Option(help="Two evaluations too, by the model demo/echo.")] = True,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where the store has other runs.")] = False,
    json: AsJson = False,
    config: Config = None,
    store: Store = None,
) -> None:
    """Fill a store with calls, keys, prompts and evaluations of an invented shop, to look at the page with.

    A gateway may be running on the store: it shows them at once. Nothing leaves this machine.
    """

    async def fill(url: str) -> Json:
        from gateway.commands import demo_store
        from tracking.runs import Runs

        async with opened(url, migrate=True) as database:
            if not anyway and (await Runs(database).page("", (), 1)).runs:
                fail(FAILED, "the store has other runs, among which these would stand; --anyway does it all the same")
            return await demo_store.fill(database, calls, weeks * 7, seed, _moment(until))

    with exits():
        made = asyncio.run(fill(stored(config, store).store))
        if evaluations:
            from gateway.commands import demo_evaluations

            tell("evaluating; a gateway runs for that as long as it takes")
            made |= {"evaluations": demo_evaluations.made(config, store, seed)}
        if json:
            emit(made)
        else:
            show(("", "made"), [(name, str(count)) for name, count in made.items()], right=frozenset({"made"}))


def _moment(text: str | None) -> int:
    """In microseconds since the epoch."""
    if text is None:
        return time.time_ns() // 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-01-31T12:00:00Z") from None
    return int(moment.timestamp() * 1_000_000)
