"""`gatelog eval gate`, `judges` and `certify`: whether a candidate may pass, and whether its judge may be believed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.options import AsJson, Config, Store
from gateway.commands.remote import Key, Url, remote
from gateway.commands.terminal import CONFIG, FAILED, USAGE, emit, exits, fail, show, tell

if TYPE_CHECKING:
    from evaluate.cells import Grid
    from evaluate.gate import Judgement
    from providers.chat import Json

HEADINGS = ("outcome", "criterion", "wanted", "found", "evidence")
SUMMARY = "GITHUB_STEP_SUMMARY"
"""Where GitHub's runners take Markdown for the page of a job."""


def register(app: typer.Typer) -> None:
    """Under `gatelog eval`."""
    app.command()(gate)
    app.command()(judges)
    app.command()(certify)


def gate(
    file: Annotated[Path, typer.Argument(help="The gate's criteria, in YAML.")],
    evaluation: Annotated[str, typer.Argument(help="An evaluation's id, or a file of `gatelog eval export` in JSON.")],
    junit: Annotated[Path | None, typer.Option(help="Write JUnit's XML here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a summary in Markdown here.")] = None,
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Judge a candidate by a gate. The exit code is 0 for a pass, 1 for a fail, 3 for inconclusive, 2 for bad usage."""
    with _usage():
        from evaluate.face import card_for
        from evaluate.gate import NoCandidate, judge
        from evaluate.gate_file import InvalidGate, read_file

        try:
            criteria = read_file(file)
            grid, certified = _asked(evaluation, url, key, config, store)
            judgement = judge(criteria, card_for(criteria, grid, certified))
        except InvalidGate as exc:
            fail(USAGE, *exc.lines)
        except NoCandidate as exc:
            fail(USAGE, f"{file}: {exc}")
        _written(judgement, junit, markdown)
        if json:
            emit(judgement.to_json())
        else:
            _shown(judgement)
    raise typer.Exit(judgement.exit_code)


def judges(
    evaluation: Annotated[str, typer.Argument(help="The evaluation's id.")],
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Show the judges of an evaluation, and how far each agrees with people."""
    with exits():
        with remote(url, key, config, store) as gateway:
            found = gateway.judges(evaluation)
        if json:
            emit({"judges": found})
            return
        headings = ("metric", "model", "state", "labels", "kappa", "why")
        show(headings, [_judge(each) for each in found], right=frozenset({"labels", "kappa"}))


def certify(
    evaluation: Annotated[str, typer.Argument(help="The id of an evaluation of which people have labelled answers.")],
    metric: Annotated[str, typer.Argument(help="The metric that the judge gives.")],
    json: AsJson = False,
    url: Url = None,
    key: Key = None,
    config: Config = None,
    store: Store = None,
) -> None:
    """Hold a judge against what people said of the same answers, and keep how far they agree as its certificate."""
    with exits():
        with remote(url, key, config, store) as gateway:
            made = gateway.certify(evaluation, metric)
        if json:
            emit(made)
            return
        from evaluate.wording import number, percent

        kappa = made["kappa"]
        typer.echo(f"certificate {made['id']}: {made['labels']:,} labels")
        typer.echo(f"kappa {number(kappa['value'])}, interval {number(kappa['low'])} to {number(kappa['high'])}")
        for name in ("sensitivity", "specificity"):
            if (rate := made[name]) is not None:
                typer.echo(
                    f"{name} {percent(rate['value'])}, interval {percent(rate['low'])} to {percent(rate['high'])}"
                )


@contextmanager
def _usage() -> Iterator[None]:
    """As `exits`, but 1 and 3 are left to what the gate decides: a command that could not judge was given wrongly."""
    try:
        with exits():
            yield
    except typer.Exit as exc:
        raise typer.Exit(USAGE if exc.exit_code in (FAILED, CONFIG) else exc.exit_code) from exc


def _asked(
    evaluation: str, url: str | None, key: str | None, config: Path | None, store: str | None
) -> tuple[Grid, list[Json]]:
    """The grid, and the standing of its judges. Of a file that is not known."""
    import orjson

    from evaluate.cells import Grid

    file = Path(evaluation)
    if file.suffix == ".json" or file.is_file():
        try:
            return Grid.from_json(orjson.loads(file.read_bytes())), []
        except OSError as exc:
            fail(USAGE, f"{file} cannot be read: {exc.strerror}")
        except (ValueError, TypeError, KeyError) as exc:
            fail(USAGE, f"{file} is no evaluation as `gatelog eval export` writes them: {exc}")
    with remote(url, key, config, store) as gateway:
        return gateway.grid(evaluation), gateway.judges(evaluation)


def _written(judgement: Judgement, junit: Path | None, markdown: Path | None) -> None:
    from evaluate import gate_report

    try:
        if junit is not None:
            junit.write_bytes(gate_report.junit(judgement))
        if markdown is not None:
            markdown.write_text(gate_report.markdown(judgement), "utf-8")
        if summary := os.environ.get(SUMMARY):
            with Path(summary).open("a", encoding="utf-8") as out:
                out.write(gate_report.markdown(judgement) + "\n")
    except OSError as exc:
        fail(USAGE, f"{exc.filename} cannot be written: {exc.strerror}")


def _shown(judgement: Judgement) -> None:
    from evaluate.gate_report import MEANING, SAID

    rows = [(each.outcome, each.name, each.wanted, each.found, each.why) for each in judgement.decisions]
    show(HEADINGS, rows)
    said = f"{SAID[judgement.outcome]}: {MEANING[judgement.outcome]}"
    if sys.stdout.isatty():
        colour = {"pass": "green", "fail": "red", "inconclusive": "yellow"}[judgement.outcome]
        typer.secho(f"\n{said}", fg=colour, bold=True)
    else:
        tell(said)


def _judge(it: Json) -> tuple[str, ...]:
    from evaluate.wording import NONE, number

    certificate = it["certificate"]
    labels, kappa = (
        (NONE, NONE) if certificate is None else (f"{certificate['labels']:,}", number(certificate["kappa"]["value"]))
    )
    return it["metric"], str(it["identity"].get("model")), it["state"], labels, kappa, it["why"] or ""
