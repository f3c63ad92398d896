"""The report of an evaluation as Markdown, in which nothing of a model's is markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evaluate.card import Card, Example
from evaluate.quoting import cut, fenced, in_markdown
from evaluate.report_facts import TONE, Tone, dates, dominance, evidence, headline, missing_lines
from evaluate.report_tables import Cell, Table, tables
from evaluate.wording import change_of, kind_of, value_of

MARK: Mapping[Tone, str] = {"good": "✅", "bad": "❌", "same": "🟰", "unsure": "❔"}
MOST_SAID = 600


def markdown(card: Card, *, origin: str | None = None) -> str:
    return "\n".join(_lines(card, origin)) + "\n"


def _lines(card: Card, origin: str | None) -> Iterator[str]:
    yield f"# {in_markdown(str(card.evaluation['name']))}"
    yield ""
    yield _facts(dates(card))
    yield ""
    if not card.complete:
        yield "> Cells are still pending: p-values are withheld until the last one."
        yield ""
    for each in card.comparisons:
        if each.role == "primary":
            yield f"## {MARK[TONE[each.verdict.word]]} {in_markdown(headline(each))}"
            yield ""
            yield in_markdown(each.verdict.sentence)
            yield ""
            yield _facts(evidence(card, each))
            yield ""
    for table in tables(card):
        yield from _table(table)
    yield from _bullets("Quality and cost", list(dominance(card)))
    yield from _examples("Worst regressions", card, card.regressions, origin)
    yield from _examples("Best improvements", card, card.improvements, origin)
    yield from _bullets("What is missing", list(missing_lines(card)))
    notes = [*card.notes, *(note for each in card.comparisons for note in each.notes)]
    yield from _bullets("Notes", list(dict.fromkeys(notes)))
    if card.reproduce:
        yield "## Do it again"
        yield ""
        for name, code in card.reproduce.items():
            yield fenced(code.strip(), "bash" if name == "shell" else name)
            yield ""


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return " · ".join(f"{in_markdown(label)} **{in_markdown(value)}**" for label, value in facts)


def _table(it: Table) -> Iterator[str]:
    yield f"## {in_markdown(it.title)}"
    yield ""
    yield in_markdown(it.said)
    yield ""
    yield f"| {' | '.join(in_markdown(heading) for heading in it.headings)} |"
    yield f"| {' | '.join('---:' if heading in it.right else '---' for heading in it.headings)} |"
    for row in it.rows:
        yield f"| {' | '.join(_cell(each) for each in row)} |"
    yield ""


def _cell(it: Cell) -> str:
    said = in_markdown(it.text)
    return f"{said}<br>{in_markdown(it.under)}" if it.under else said


def _examples(title: str, card: Card, them: Sequence[Example], origin: str | None) -> Iterator[str]:
    if not them:
        return
    write, change = value_of(kind_of(card, card.primary)), change_of(kind_of(card, card.primary))
    yield f"## {title}"
    yield ""
    for each in them:
        yield f"**{in_markdown(cut(each.preview or each.row, 160))}**: {in_markdown(change(each.difference))}"
        yield ""
        for arm, score, text, runs in (
            (card.baseline, each.baseline_score, each.baseline_text, each.baseline_runs),
            (each.candidate, each.candidate_score, each.candidate_text, each.candidate_runs),
        ):
            yield f"{in_markdown(arm)}, {in_markdown(write(score))}, {_runs(runs, origin)}:"
            yield ""
            yield fenced(cut(text, MOST_SAID) or "(nothing)", "text")
            yield ""


def _runs(runs: Sequence[str], origin: str | None) -> str:
    if not runs:
        return "no run"
    if origin is None:
        return "run " + ", ".join(f"`{run}`" for run in runs)
    return ", ".join(f"[run {run}]({origin}/runs/{run})" for run in runs)


def _bullets(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"## {title}"
        yield ""
        yield from (f"- {in_markdown(line)}" for line in lines)
        yield ""
