"""What `gatelog eval` does with an evaluation: reads its file, makes it, follows it, and says what came of it."""

from __future__ import annotations

import asyncio
import csv
import difflib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer
from pydantic import ValidationError

from evaluate import certificates, process, scoring
from evaluate.cells import OVER, Score
from evaluate.client import Gatelog
from evaluate.dataset_files import UnreadableError, load_yaml
from evaluate.merging import merged
from evaluate.spec import EvaluationSpec
from gateway.commands import sending
from gateway.commands.terminal import printable, show, tell
from gateway.references import resolve
from providers.chat import Json
from providers.errors import InvalidRequest
from tracking.money import dollars

if TYPE_CHECKING:
    from evaluate.card import Card

HEADINGS = ("id", "name", "state", "cells", "cost", "dataset")
RIGHT = frozenset({"cells", "cost"})
EXAMPLES = resources.files("evaluate") / "examples"
SCORE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A file of an evaluation."""

    spec: EvaluationSpec
    folder: Path
    """What its paths start from."""

    @property
    def report(self) -> str | None:
        return None if self.spec.report is None else str(self.folder / self.spec.report)

    @property
    def here(self) -> list[Json]:
        """Scorers that are files of whoever asks, or services that only they may reach, and so run where they are:
        their code is not sent anywhere."""
        return [
            each for each in self.spec.scorers if isinstance(each, dict) and ("file" in each or each.get("private"))
        ]


def read(name: str) -> Asked:
    """A YAML file, or a shipped example. InvalidRequest says all that is wrong with it."""
    path = Path(name)
    if not path.exists() and re.fullmatch(r"[\w-]+", name) and (EXAMPLES / f"{name}.yaml").is_file():
        path = Path(str(EXAMPLES / f"{name}.yaml"))
    try:
        said = load_yaml(path.read_bytes())
    except OSError as exc:
        known = sorted(each.name.removesuffix(".yaml") for each in EXAMPLES.iterdir() if each.name.endswith(".yaml"))
        raise InvalidRequest(
            f"{name!r} cannot be read: {exc.strerror}; the shipped examples are {', '.join(known)}"
        ) from exc
    except UnreadableError as exc:
        raise InvalidRequest(f"{path}: {exc}") from exc
    try:
        spec = EvaluationSpec.model_validate(said)
    except ValidationError as exc:
        raise InvalidRequest("\n".join(f"{path}: {line}" for line in _faults(exc))) from exc
    return Asked(spec.model_copy(update={"scorers": _with_headers(path, spec.scorers)}), path.parent)


def _with_headers(path: Path, scorers: Sequence[str | Json]) -> list[str | Json]:
    """What `$NAME` stands for in the headers of services: a file that is shared need hold no secret."""
    found: list[str | Json] = []
    for at, each in enumerate(scorers):
        if not isinstance(each, dict) or each.get("scorer") != "http" or not isinstance(each.get("headers"), dict):
            found.append(each)
            continue
        resolved = resolve(each["headers"], os.environ, path.parent)
        if resolved.faults:
            (name, *_), problem = resolved.faults[0]
            raise InvalidRequest(f"{path}: scorers.{at}.headers.{name}: {problem}")
        found.append({**each, "headers": resolved.tree})
    return found


def made(gateway: Gatelog, asked: Asked, budget: float | None) -> Json:
    """The head of the new evaluation, its rows uploaded; it is not begun."""
    from evaluate.scorers.inline import inlined
    from evaluate.scorers.table import InvalidScorer

    spec = asked.spec
    body = spec.model_dump(exclude={"report"}, exclude_none=True)
    try:
        there = inlined([each for each in spec.scorers if each not in asked.here], asked.folder)
    except InvalidScorer as exc:
        raise InvalidRequest(str(exc), param="scorers") from exc
    body |= {"start": False, "scorers": there}
    if asked.here:
        described = asyncio.run(
            process.asked("describe", {"scorers": asked.here, "directory": str(asked.folder.resolve())}, "ready", 120.0)
        )
        body["metrics"] = [*body.get("metrics", []), *described["metrics"]]
    if budget is not None:
        body["budget_usd"] = budget
    if spec.dataset is not None and spec.dataset.file is not None:
        file = asked.folder / spec.dataset.file
        name = spec.dataset.name or file.stem
        wanted = spec.dataset.model_dump(include={"mapping", "splits", "scrub"}, exclude_none=True)
        found = sending.file(gateway, name, file, spec.dataset.format, wanted)
        dataset = found["dataset"]
        sending.told(found["report"])
        tell(f"dataset {name} version {dataset['version']}: {dataset['rows']} rows")
        body["dataset"] = {"name": dataset["id"], "version": dataset["version"]}
        if spec.dataset.split is not None:
            body["dataset"]["split"] = spec.dataset.split
    return gateway.create(body)


def followed(gateway: Gatelog, id: str) -> Json:
    """Begin it, or go on with it, and show how it goes, until it is over."""
    if gateway.head(id)["state"] in ("created", "stopped", "failed"):
        gateway.post(f"/api/evaluations/{id}/start")
    heads = gateway.follow(id)
    try:
        return _shown(heads) if sys.stderr.isatty() else _told(heads)
    except KeyboardInterrupt:
        gateway.stop(id)
        tell("stopping: calls under way are still answered")
        *_, last = gateway.follow(id)
        return last


def _shown(heads: Iterator[Json]) -> Json:
    """As a bar."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[money]}"),
        TextColumn("{task.fields[errors]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    last: Json = {}
    with Progress(*columns, console=Console(stderr=True)) as bar:
        calls = bar.add_task("calls", total=None, money="", errors="")
        scores = bar.add_task("scores", total=None, money="", errors="", visible=False)
        for last in heads:
            progress = last["progress"]
            errors = f"[red]{progress['errors']} errors[/red]" if progress["errors"] else ""
            bar.update(calls, total=progress["total"], completed=progress["done"], money=_money(last), errors=errors)
            if progress["to_score"]:
                bar.update(scores, visible=True, total=progress["to_score"], completed=progress["scored"])
    return last


def _told(heads: Iterator[Json]) -> Json:
    """As lines, one for each tenth."""
    last: Json = {}
    tenth = -1
    for last in heads:
        progress = last["progress"]
        now = 10 * progress["done"] // max(1, progress["total"])
        if now > tenth or last["state"] in OVER:
            tenth = now
            tell(f"{last['state']}: {progress['done']} of {progress['total']} cells, {_money(last)}")
    return last


def scored_here(gateway: Gatelog, asked: Asked, id: str) -> None:
    """Let scorers that are files of whoever asks score the answers, in a process of their own, and send the scores."""
    if not asked.here:
        return
    rows = {row.id: row for row in gateway.rows(id)}
    grid = gateway.grid(id)
    rivals = {(cell.row, cell.repeat): cell for cell in grid.of(grid.baseline.name)}
    cells = [cell for cell in grid.cells if cell.status == "ok"]
    samples = [
        scoring.sample_of(
            id,
            cell,
            rows[cell.row],
            None,
            None if cell.variant == grid.baseline.name else rivals[cell.row, cell.repeat],
        )
        for cell in cells
    ]
    tell(f"scoring {len(cells)} answers with {len(asked.here)} scorers of {asked.folder}")
    described, given = asyncio.run(_scores(asked, samples))
    said = [(cell, score.to_json()) for cell, scores in zip(cells, given, strict=True) for score in scores]
    gateway.score(id, said, described["metrics"], described["identities"])


async def _scores(asked: Asked, samples: Sequence[Json]) -> tuple[Json, list[list[Score]]]:
    first = {"scorers": asked.here, "directory": str(asked.folder.resolve())}
    found: dict[int, list[Score]] = {}
    async with asyncio.timeout(SCORE_SECONDS), process.started("score", first) as worker:
        described = (await worker.hear())["ready"]
        for n, sample in enumerate(samples):
            await worker.tell({"n": n, "sample": sample})
        while len(found) < len(samples):
            match await worker.hear():
                case {"scored": {"n": n, "scores": scores}}:
                    found[n] = [Score.from_json(score) for score in scores.values()]
                case {"ask": call}:
                    why = {"message": "a scorer that is a file calls no models", "code": "no_models"}
                    await worker.tell({"answer": {"id": call["id"], "failed": why}})
    return described, [found[n] for n in range(len(samples))]


def reported(gateway: Gatelog, card: Json, path: str | Path | None, name: str) -> Path:
    """Where the report of an evaluation was written to."""
    id = card["evaluation"]["id"]
    place = Path(path) if path is not None else Path(f"{_slug(name)}-{id[:8]}.html")
    form = place.suffix.removeprefix(".").lower()
    if form not in ("html", "md", "json"):
        raise InvalidRequest(f"{place.name!r} does not end in .html, .md or .json")
    if form == "json":
        body = orjson.dumps(card, option=orjson.OPT_INDENT_2) + b"\n"
    else:
        body = gateway.content(f"/api/evaluations/{id}/report", form=form)
    try:
        place.write_bytes(body)
    except OSError as exc:
        raise InvalidRequest(f"the report cannot be written to {str(place)!r}: {exc.strerror}") from exc
    return place.resolve()


def compared(gateway: Gatelog, ids: Sequence[str], alpha: float, margin: float | None) -> Card:
    """A card of one grid, or of the arms of several on the same rows; the first one's baseline is the baseline."""
    from evaluate.cards import compare

    grids = [gateway.grid(id) for id in ids]
    judges = certificates.shared([gateway.judges(id) for id in dict.fromkeys(ids)])
    try:
        whole = grids[0] if len(grids) == 1 else merged(grids)
        return compare(whole, alpha=alpha, margin=margin, judges=judges)
    except ValueError as exc:
        raise InvalidRequest(str(exc)) from exc


def exported(grid: Json, format: str) -> bytes:
    if format == "json":
        return orjson.dumps(grid, option=orjson.OPT_INDENT_2) + b"\n"
    if format == "jsonl":
        return b"".join(orjson.dumps(cell) + b"\n" for cell in grid["cells"])
    if format != "csv":
        raise InvalidRequest(f"format is {format!r}; say json, jsonl or csv")
    plain = ("row", "variant", "repeat", "status", "error", "run_id", "text", "cost_nanos", "latency_us", "ttft_us",
             "prompt_tokens", "completion_tokens", "model")  # fmt: skip
    scores = list(dict.fromkeys(name for cell in grid["cells"] for name in cell["scores"]))
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow([*plain, *scores])
    for cell in grid["cells"]:
        given = (cell["scores"].get(name) for name in scores)
        values = [*(cell[name] for name in plain), *(None if score is None else score["value"] for score in given)]
        sheet.writerow([_cell(value) for value in values])
    return out.getvalue().encode()


def summed_up(card: Json) -> None:
    """The arms, and of each comparison by the primary metric the verdict."""
    primary = card["primary"]
    rows = []
    for arm in card["arms"]:
        metric = next((each for each in arm["metrics"] if each["metric"] == primary), None)
        mean = _figure(None if metric is None else metric["mean"])
        counts, money = arm["counts"], arm["money"]
        per_call = _figure(money["per_item"], "$")
        name = f"{arm['name']} (baseline)" if arm["baseline"] else arm["name"]
        latency = _figure(arm["speed"]["total"].get("p50"), "", " s")
        rows.append((name, str(counts["ok"]), str(counts["errored"]), mean, per_call, latency))
    show(("variant", "answers", "errors", primary, "cost a call", "p50"), rows, right=frozenset({"answers", "errors"}))
    for each in card["comparisons"]:
        if each["role"] == "primary":
            verdict = each["verdict"]
            typer.echo(printable(f"{verdict['word'].upper()}: {verdict['sentence']}"))


def facts(head: Json) -> list[tuple[str, str]]:
    progress, dataset = head["progress"], head["dataset"]
    found = [
        ("name", head["name"]),
        ("state", head["state"] if head["reason"] is None else f"{head['state']}: {head['reason']}"),
        ("dataset", f"{dataset['name']} version {dataset['version'] or dataset['digest'][:8]}, {head['rows']} rows"),
        ("cells", f"{progress['done']} of {progress['total']}, {progress['errors']} errors"),
        ("cost", _money(head)),
    ]
    return [(name, printable(value)) for name, value in found]


def line(head: Json) -> tuple[str, ...]:
    progress = head["progress"]
    return (
        head["id"],
        head["name"],
        head["state"],
        f"{progress['done']}/{progress['total']}",
        f"${dollars(head['spent_nanos'])}",
        head["dataset"]["name"],
    )


def forecast_line(head: Json) -> str:
    forecast = head["forecast"]
    if forecast["unpriced"]:
        return f"{forecast['cells']} calls; no price is known for {', '.join(forecast['unpriced'])}"
    low, high, middle = forecast["low_nanos"], forecast["high_nanos"], forecast["expected_nanos"]
    said = f"{forecast['cells']} calls"
    if middle is not None:
        said += f", expected to cost ${dollars(middle)}"
    said += f" (${dollars(low or 0)} to {'?' if high is None else '$' + dollars(high)}): {forecast['method']}"
    return said


def _money(head: Json) -> str:
    spent = f"${dollars(head['spent_nanos'])}"
    forecast = head["forecast"]
    if forecast is not None and forecast["expected_nanos"]:
        spent += f" of about ${dollars(forecast['expected_nanos'])}"
    return spent if head["budget_nanos"] is None else f"{spent}, at most ${dollars(head['budget_nanos'])}"


def _figure(figure: Json | None, before: str = "", after: str = "") -> str:
    if figure is None or figure["interval"] is None:
        return "-"
    it = figure["interval"]
    return f"{before}{it['value']:.4g}{after} ({it['low']:.4g} to {it['high']:.4g})"


def _faults(exc: ValidationError) -> list[str]:
    known = list(EvaluationSpec.model_fields)
    found = []
    for error in exc.errors(include_url=False):
        where = ".".join(map(str, error["loc"])) or "the file"
        said = str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
            said = f"there is no such key{f'; did you mean {near[0]!r}?' if near else ''}"
        elif error["type"] not in ("missing", "value_error"):
            said += f", not {repr(error['input'])[:80]}"
        found.append(f"{where}: {said}")
    return found


def _cell(value: Any) -> str:
    from tracking.csv_out import FORMULA

    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "evaluation"
