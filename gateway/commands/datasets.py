"""`gatelog dataset`: makes datasets of files and logged calls, lists, shows and exports them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.options import AsJson, Config, Store
from gateway.commands.remote import Key, Url, remote
from gateway.commands.terminal import emit, exits, show, write

if TYPE_CHECKING:
    from providers.chat import Json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make, read and export datasets of evaluation.")
HEADINGS = ("name", "version", "rows", "id")
Version = Annotated[int | None, typer.Option(help="Default: what it holds now.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The dataset's name; if there is one, the rows are added to it.")],
    file: Annotated[Path | None, typer.Argument(help="CSV, JSON lines, Parquet, OpenAI Evals, promptfoo.")] = None,
    format: Annotated[str | None, typer.Option(help="csv, jsonl, parquet, openai-evals or promptfoo.")] = None,
    query: Annotated[str | None, typer.Option(help="In place of a file: a filter of logged calls.")] = None,
    n: Annotated[int, typer.Option(min=1, help="Of the query: calls at most.")] = 1000,
    stratify: Annotated[
        str | None,
        typer.Option(help="Of the query: draw n of each endpoint, model, provider, status, user or session."),
    ] = None,
    expect: Annotated[bool, typer.Option("--expect", help="Of the query: expect the answer that was given.")] = False,
    input: Annotated[list[str] | None, typer.Option(help="A column that is an input: NAME or NAME=COLUMN.")] = None,
    expectation: Annotated[list[str] | None, typer.Option(help="One that is expected: NAME or NAME=COLUMN.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="One that slices are made by: NAME or NAME=COLUMN.")] = None,
    cluster: Annotated[str | None, typer.Option(help="The column of the session, user or document.")] = None,
    weight: Annotated[str | None, typer.Option(help="The column of sampling weights.")] = None,
    split: Annotated[list[str] | None, typer.Option(help="NAME=SHARE, as dev=0.2; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Another number draws and deals otherwise.")] = 0,
    scrub: Annotated[bool, typer.Option("--scrub", help="Take out what identifies people.")] = False,
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Make a dataset, or add to one. Prints what became of the rows."""
    with exits():
        from gateway.commands import sending
        from providers.errors import InvalidRequest

        if (file is None) == (query is None):
            raise InvalidRequest("give a file or --query, one of them")
        mapping = {
            name: value
            for name, value in {
                "inputs": _columns(input),
                "expectations": _columns(expectation),
                "tags": _columns(tag),
                "cluster": cluster,
                "weight": weight,
            }.items()
            if value is not None
        }
        wanted: Json = {"mapping": mapping, "splits": _shares(split), "seed": seed, "scrub": scrub}
        with remote(url, key, config, store) as gateway:
            if file is not None:
                made = sending.file(gateway, name, file, format, wanted)
            else:
                drawn = {"filter": query, "n": n, "seed": seed, "stratify": stratify, "expect": expect}
                made = sending.query(gateway, name, drawn, wanted)
        if json:
            emit(made)
            return
        dataset = made["dataset"]
        sending.told(made["report"])
        typer.echo(f"{dataset['name']} version {dataset['version']}: {dataset['rows']} rows, {dataset['digest'][:12]}")


@app.command("list")
def list_(json: AsJson = False, url: Url = None, key: Key = None, config: Config = None, store: Store = None) -> None:
    """List datasets, those changed last first."""
    with exits(), remote(url, key, config, store) as gateway:
        found = list(gateway.pages("/api/datasets", "datasets"))
        if json:
            emit({"datasets": found})
            return
        rows = [(each["name"], str(each["version"] or "-"), str(each["rows"]), each["id"]) for each in found]
        show(HEADINGS, rows, right=frozenset({"rows"}))


@app.command("show")
def show_(
    name: Annotated[str, typer.Argument(help="Its name or id.")],
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Show a dataset with its versions."""
    with exits(), remote(url, key, config, store) as gateway:
        found = gateway.get(f"/api/datasets/{_quoted(name)}")
        if json:
            emit(found)
            return
        typer.echo(f"{found['name']} ({found['id']})")
        versions = [
            (str(each["version"]), str(each["rows"]), each["digest"][:12], _splits(each["splits"]))
            for each in found["versions"]
        ]
        show(("version", "rows", "digest", "splits"), versions, right=frozenset({"rows"}))


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Its name or id.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file. Default: standard output.")] = None,
    format: Annotated[str, typer.Option(help="jsonl or csv.")] = "jsonl",
    version: Version = None,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Write all rows of a dataset."""
    with exits(), remote(url, key, config, store) as gateway:
        query = {"format": format, **({} if version is None else {"version": version})}
        write(gateway.content(f"/api/datasets/{_quoted(name)}/export", **query), out)


def _columns(said: list[str] | None) -> dict[str, str] | None:
    """`question` and `question=Frage`."""
    if said is None:
        return None
    pairs = (each.partition("=") for each in said)
    return {name: column or name for name, _, column in pairs}


def _shares(said: list[str] | None) -> dict[str, float] | None:
    from providers.errors import InvalidRequest

    if said is None:
        return None
    try:
        return {name: float(share) for name, _, share in (each.partition("=") for each in said)}
    except ValueError as exc:
        raise InvalidRequest(f"--split is {', '.join(said)!r}; say NAME=SHARE, such as dev=0.2") from exc


def _splits(splits: Json) -> str:
    return ", ".join(f"{name} {many}" for name, many in splits.items())


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
