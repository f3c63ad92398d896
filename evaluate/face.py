"""`from evaluate import evaluate, compare`: evaluations from a Python program, through a gateway that runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

from evaluate.card import Card
from evaluate.cells import Cell, Grid, Metric, Row, Score, Value
from evaluate.client import Gatelog
from evaluate.gate import Judgement, judge
from evaluate.gate_file import Gate, read_file
from evaluate.scorers.inline import inlined
from providers.chat import Json

Function = Callable[..., Any]
"""A scorer of one's own: its parameters are named for what it wants, its annotation says what it returns."""
Forms = Literal["html", "md", "json"]
WANTED = ("text", "output", "inputs", "expectations", "tags", "cell")
"""What a scorer may want: the answer's words, its whole message, and what its row holds."""


class EvaluationFailed(Exception):
    """It was stopped or failed before all its cells were there. `evaluation` is what there is."""

    def __init__(self, message: str, evaluation: Evaluation) -> None:
        super().__init__(message)
        self.evaluation = evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One that is over: its cells, and the card that says what they show."""

    grid: Grid
    card: Card
    url: str

    @property
    def id(self) -> str:
        return self.grid.id

    @property
    def verdicts(self) -> dict[str, str]:
        """In words, by candidate."""
        return {each.candidate: each.verdict.sentence for each in self.card.comparisons if each.role == "primary"}

    def report(self, path: str | Path, form: Forms | None = None) -> Path:
        """Write it as one file: HTML, Markdown or JSON, as its name ends."""
        return save(self.card, path, form, origin=self.url)

    def gate(self, path: str | Path) -> Judgement:
        """Whether it meets the criteria of a gate's file."""
        gate = read_file(Path(path))
        return judge(gate, card_for(gate, self.grid, self.card.judges))


def evaluate(
    *,
    variants: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]] | None = None,
    dataset: str | Mapping[str, Any] | None = None,
    scorers: Sequence[str | Mapping[str, Any] | Function] = (),
    primary: str | None = None,
    name: str = "evaluation",
    margin: float | None = None,
    alpha: float = 0.05,
    repeats: int = 1,
    budget_usd: float | None = None,
    progress: Callable[[Json], None] | None = None,
    url: str | None = None,
    key: str | None = None,
    **more: Any,
) -> Evaluation:
    """Ask every variant every row, score the answers, and say which variant is better, and how sure that is.

    The gateway makes the calls, so an evaluation goes on when this program ends. `scorers` are names of Gatelog's
    scorers, their options as mappings (of files that they name the text is sent), or functions of your own, which run
    here once all answers are there. `more` is whatever else `POST /api/evaluations` takes. Raises EvaluationFailed,
    and GatewayRefused for what cannot be.
    """
    own = [_Own.of(each) for each in scorers if callable(each)]
    spec: Json = {
        "name": name,
        "variants": _named(variants),
        "scorers": inlined(
            [each if isinstance(each, str) else dict(each) for each in scorers if not callable(each)], Path()
        ),
        "metrics": [each.metric.to_json() for each in own],
        "repeats": repeats,
        "compare": {"alpha": alpha, **({} if margin is None else {"margin": margin})},
        **more,
    }
    if primary is not None or (own and callable(scorers[0])):
        spec["primary"] = primary or own[0].metric.name
    if dataset is not None:
        spec["dataset"] = {"name": dataset} if isinstance(dataset, str) else dict(dataset)
    if rows is not None:
        spec["rows"] = [dict(row) for row in rows]
    if budget_usd is not None:
        spec["budget_usd"] = budget_usd
    with Gatelog(url, key) as gatelog:
        id = gatelog.create(spec)["id"]
        for head in gatelog.follow(id):
            if progress is not None:
                progress(head)
        if own:
            _score(gatelog, id, own)
        grid = gatelog.grid(id)
        card = _card(grid, margin=margin, alpha=alpha, judges=gatelog.judges(grid.id))
        found = Evaluation(grid=grid, card=card, url=gatelog.url)
    if grid.state != "finished":
        raise EvaluationFailed(f"the evaluation {grid.state}: {grid.reason or 'it is not said why'}", found)
    return found


def compare(
    evaluation: str | Grid,
    *,
    margin: float | None = None,
    alpha: float = 0.05,
    baseline: str | None = None,
    url: str | None = None,
    key: str | None = None,
    **more: Any,
) -> Card:
    """The card of an evaluation that there is, by its id or of its grid: every variant held against the baseline.

    `margin` is how much worse still counts as not worse. `more` is what `evaluate.cards.compare` takes.
    """
    options = {"margin": margin, "alpha": alpha, "baseline": baseline, **more}
    if isinstance(evaluation, Grid):
        return _card(evaluation, **options)
    with Gatelog(url, key) as gatelog:
        return _card(gatelog.grid(evaluation), **{"judges": gatelog.judges(evaluation), **options})


def card_for(gate: Gate, grid: Grid, judges: Sequence[Mapping[str, Any]] = ()) -> Card:
    """The card that answers a gate's question: made for its alpha, and its margin of its metric."""
    primary = gate.primary
    if primary is None:
        return _card(grid, judges=judges)
    margins = {primary.metric: primary.margin} if primary.margin else {}
    return _card(grid, alpha=primary.alpha, margins=margins, judges=judges)


def save(card: Card, path: str | Path, form: Forms | None = None, *, origin: str | None = None) -> Path:
    from evaluate.report import FORMS, written

    path = Path(path)
    chosen = form or path.suffix.removeprefix(".").lower()
    if chosen not in FORMS:
        raise ValueError(f"{path.name!r} does not end in {', '.join(f'.{each}' for each in FORMS)}; say `form`")
    path.write_text(written(card, chosen, origin=origin), "utf-8")
    return path


@dataclass(frozen=True, slots=True)
class _Own:
    """A scorer that is a function here."""

    function: Function
    metric: Metric
    wants: tuple[str, ...]

    @classmethod
    def of(cls, function: Function) -> _Own:
        name = getattr(function, "__name__", type(function).__name__)
        wants = tuple(inspect.signature(function).parameters)
        unknown = [each for each in wants if each not in WANTED]
        if unknown:
            raise TypeError(f"the scorer {name!r} wants {unknown[0]!r}; there are {', '.join(WANTED)}")
        said = get_type_hints(function).get("return")
        if said not in (bool, int, float):
            raise TypeError(
                f"annotate what the scorer {name!r} returns: `-> bool` for yes and no, `-> float` for numbers"
            )
        return cls(function, Metric(name=name, kind="binary" if said is bool else "numeric"), wants)

    def score(self, cell: Cell, row: Row) -> Score:
        """What it raises makes the cell unscored: that it does not know is not a zero."""
        held = {
            "text": cell.text,
            "output": cell.output,
            "inputs": row.inputs,
            "expectations": row.expectations,
            "tags": row.tags,
            "cell": cell,
        }
        name = self.metric.name
        try:
            value: Value = self.function(**{each: held[each] for each in self.wants})
        except Exception as exc:  # noqa: BLE001  # it is the caller's code, of which anything can come
            return Score(name=name, value=None, error=f"{type(exc).__name__}: {exc}"[:1000], cost_nanos=0)
        if value is not None and self.metric.kind == "binary":
            value = bool(value)
        return Score(name=name, value=value, cost_nanos=0)


def _score(gatelog: Gatelog, id: str, own: Sequence[_Own]) -> None:
    rows = {row.id: row for row in gatelog.rows(id)}
    cells = [cell for cell in gatelog.grid(id).cells if cell.status == "ok"]
    scores = [(cell, each.score(cell, rows[cell.row]).to_json()) for cell in cells for each in own]
    metrics = [each.metric.to_json() for each in own]
    identities = [{"name": each.metric.name, "judge": False, "scorer": "python"} for each in own]
    gatelog.score(id, scores, metrics, identities)


def _named(variants: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> list[Json]:
    if isinstance(variants, Mapping):
        return [{"name": name, **variant} for name, variant in variants.items()]
    return [dict(variant) for variant in variants]


def _card(grid: Grid, **options: Any) -> Card:
    """Wants the libraries of `gatelog[evaluate]`."""
    from evaluate import cards

    return cards.compare(grid, **options)
