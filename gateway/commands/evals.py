"""`gatelog eval`: runs evaluations, shows them, compares and exports them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands import gates
from gateway.commands.options import AsJson, Config, Store
from gateway.commands.remote import Key, Url, remote
from gateway.commands.terminal import FAILED, emit, exits, fail, show, tell, write

if TYPE_CHECKING:
    from providers.chat import Json

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Which model, prompt or provider is better, and how sure are we."
)
Id = Annotated[str, typer.Argument(help="The evaluation's id.")]
FORMS = ("html", "md", "json")


@app.command()
def run(
    file: Annotated[str | None, typer.Argument(help="A YAML file, or the name of a shipped example: capitals.")] = None,
    resume: Annotated[str | None, typer.Option(help="In place of a file: the id of one that was stopped.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Begin without asking, whatever it is forecast to cost.")
    ] = False,
    budget: Annotated[float | None, typer.Option(min=0, help="In dollars; wins over the file's budget_usd.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", "-o", help="The report: a name in .html, .md or .json.")
    ] = None,
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Run an evaluation, show how it goes, and end with a verdict and a report.

    Ctrl-C stops it; `--resume ID` goes on with it.
    """
    with exits():
        from gateway.commands import evaluation
        from providers.errors import InvalidRequest

        if (file is None) == (resume is None):
            raise InvalidRequest("give a file, the name of an example, or --resume, one of them")
        asked = None if file is None else evaluation.read(file)
        with remote(url, key, config, store) as gateway:
            if asked is not None:
                head = evaluation.made(gateway, asked, budget)
                if not yes and not _wanted(head):
                    fail(FAILED, f"not begun; `gatelog eval run --resume {head['id']}` begins it")
            else:
                head = gateway.head(str(resume))
            over = evaluation.followed(gateway, head["id"])
            if asked is not None and over["state"] == "finished":
                evaluation.scored_here(gateway, asked, head["id"])
            card = gateway.get(f"/api/evaluations/{head['id']}/card")
            path = evaluation.reported(gateway, card, report or (None if asked is None else asked.report), head["name"])
            if json:
                emit({"evaluation": over, "card": card, "report": str(path)})
            else:
                evaluation.summed_up(card)
                typer.echo(f"evaluation {head['id']}")
                typer.echo(f"report     {path}")
            if over["state"] != "finished":
                fail(FAILED, f"{over['state']}: {over['reason']}; `gatelog eval run --resume {head['id']}` goes on")


@app.command("show")
def show_(
    id: Annotated[str | None, typer.Argument(help="The evaluation's id. Default: a list of them.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of the list: at most so many.")] = 20,
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Show an evaluation with its verdict, or list evaluations."""
    with exits(), remote(url, key, config, store) as gateway:
        from gateway.commands import evaluation

        if id is None:
            found = gateway.get("/api/evaluations", page_size=limit)["evaluations"]
            if json:
                emit({"evaluations": found})
            else:
                show(evaluation.HEADINGS, [evaluation.line(each) for each in found], right=evaluation.RIGHT)
            return
        head = gateway.get(f"/api/evaluations/{id}")
        card = gateway.get(f"/api/evaluations/{id}/card") if head["progress"]["ok"] else None
        if json:
            emit({"evaluation": head, "card": card})
            return
        for name, value in evaluation.facts(head):
            typer.echo(f"{name:<10} {value}")
        if card is not None:
            evaluation.summed_up(card)


@app.command()
def compare(
    ids: Annotated[list[str], typer.Argument(help="Evaluations of the same rows: the first is the baseline's.")],
    alpha: Annotated[float, typer.Option(help="The chance of a false alarm that is accepted.")] = 0.05,
    margin: Annotated[float | None, typer.Option(help="How much worse is still not worse.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", "-o", help="A report: a name in .html, .md, .json.")
    ] = None,
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Compare the variants of one evaluation, or of several on the same rows."""
    with exits(), remote(url, key, config, store) as gateway:
        from gateway.commands import evaluation

        card = evaluation.compared(gateway, ids, alpha, margin)
        if report is not None:
            from evaluate.face import save

            tell(f"report {save(card, report, origin=gateway.url)}")
        if json:
            emit(card.to_json())
        else:
            evaluation.summed_up(card.to_json())


@app.command()
def export(
    id: Id,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file. Default: standard output.")] = None,
    format: Annotated[str, typer.Option(help="json: the whole grid; jsonl or csv: a line for each cell.")] = "json",
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Write an evaluation with all its cells and scores."""
    with exits(), remote(url, key, config, store) as gateway:
        from gateway.commands import evaluation

        write(evaluation.exported(gateway.get(f"/api/evaluations/{id}", cells="true"), format), out)


@app.command()
def schema() -> None:
    """Print the JSON Schema of an evaluation's file, for editors."""
    from evaluate.spec import schema

    emit(schema(), indent=True)


gates.register(app)


def _wanted(head: Json) -> bool:
    """Whether whoever sits at the terminal wants to spend that. Where nobody sits, it was wanted when it was asked."""
    from gateway.commands import evaluation

    forecast = head["forecast"]
    tell(evaluation.forecast_line(head))
    if forecast["high_nanos"] == 0 or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return typer.confirm("Begin?", default=True, err=True)
