"""The report of an evaluation as one HTML file: no script, no request, nothing of a model's that is not text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from evaluate import plots
from evaluate.card import Card, Comparison, Example, Figure, Preference, Ranking
from evaluate.quoting import cut, in_html
from evaluate.report_facts import TONE, dates, dominance, evidence, headline, missing_lines
from evaluate.report_tables import Table, tables
from evaluate.wording import (
    NONE,
    change_of,
    count,
    direction_of,
    dollars,
    kind_of,
    value_of,
)
from evaluate.wording import share as in_percent

LONG = 36
"""Characters under a figure that stand in one line."""
MOST_SAID = 2_000
"""Characters of an answer that a report shows; the rest is behind its run's link."""
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' "
    "rx='4' fill='%232563eb'/%3E%3Cpath d='M4 11V8m4 3V4m4 7V6' stroke='white' stroke-width='2' "
    "stroke-linecap='round'/%3E%3C/svg%3E"
)


def html(card: Card, *, origin: str | None = None) -> str:
    """`origin` is where the gateway is, for links to runs; without one a run is named by its id."""
    style = Path(__file__).with_name("report.css").read_text("utf-8")
    name = in_html(str(card.evaluation["name"]))
    body = "".join(
        [
            _head(card),
            _warning(card),
            *(_verdict(card, each) for each in card.comparisons if each.role == "primary"),
            _single(card),
            _quality(card),
            _money(card),
            *(_differences(card, each) for each in card.comparisons if each.role == "primary"),
            *(_preferred(each) for each in card.preferences),
            *(_ranked(card, each) for each in card.rankings),
            _examples(card, origin),
            *(_table(each) for each in tables(card)),
            _missing(card),
            _notes(card),
            _reproduce(card),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="referrer" content="no-referrer">'
        f'<title>{name}: evaluation</title><link rel="icon" href="{ICON}"><style>{style}</style></head>\n'
        f"<body><main>{body}<footer>Made by Gatelog. This file loads nothing and holds no script.</footer></main>"
        "</body></html>\n"
    )


def policy(style: str) -> str:
    """Nothing may be loaded and nothing may run; the one style sheet is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _head(card: Card) -> str:
    facts = "".join(f"<span>{in_html(label)} <b>{in_html(value)}</b></span>" for label, value in dates(card))
    name = in_html(str(card.evaluation["name"]))
    return f'<header><p class="eyebrow">Evaluation</p><h1><bdi>{name}</bdi></h1><p class="facts">{facts}</p></header>'


def _warning(card: Card) -> str:
    if card.complete:
        return ""
    return (
        '<p class="warning">Cells are still pending. What is decided here is decided by evidence that may be looked at '
        "at any time; p-values are withheld until the last cell.</p>"
    )


def _verdict(card: Card, it: Comparison) -> str:
    tone, write = TONE[it.verdict.word], change_of(it.kind)
    found = it.difference.interval
    plot = ""
    if found is not None:
        lower = direction_of(card, it.metric) == "lower"
        estimate = plots.Estimate(label=it.metric, value=found.value, low=found.low, high=found.high)
        sides = ("better", "worse") if lower else ("worse", "better")
        plot = _wide(plots.difference(estimate, tone, write, margin=it.margin, worse=sides[0], better=sides[1]))
    facts = "".join(f"<span>{in_html(label)} <b>{in_html(value)}</b></span>" for label, value in evidence(card, it))
    return (
        f'<section class="verdict {tone}"><p class="eyebrow">{in_html(it.metric)}: '
        f"<bdi>{in_html(it.candidate)}</bdi> against <bdi>{in_html(it.baseline)}</bdi></p>"
        f'<div class="said">{in_html(headline(it))}</div>'
        f'<p class="why">{in_html(it.verdict.sentence)}</p>'
        f'{plot}<p class="facts">{facts}</p></section>'
    )


def _single(card: Card) -> str:
    """With one arm there is nothing to compare: its primary metric is what there is to say."""
    if len(card.arms) > 1 or not card.arms:
        return ""
    found = next((each.mean for each in card.arms[0].metrics if each.metric == card.primary), Figure())
    said = NONE if found.interval is None else value_of(kind_of(card, card.primary))(found.interval.value)
    return (
        f'<section class="verdict same"><p class="eyebrow">{in_html(card.primary)}</p>'
        f'<div class="said">{in_html(said)}</div>'
        '<p class="why">There is one variant, so nothing is compared. Add a baseline for a verdict.</p></section>'
    )


def _quality(card: Card) -> str:
    kind = kind_of(card, card.primary)
    estimates = []
    for number, arm in enumerate(card.arms):
        mean = next((each.mean.interval for each in arm.metrics if each.metric == card.primary), None)
        if mean is not None:
            estimates.append(_estimate(arm.name, mean.value, mean.low, mean.high, number))
    plot = plots.intervals(estimates, value_of(kind), f"{card.primary} by arm")
    level = in_html(f"{100 * (1 - card.alpha):g} %")
    return _section(
        f"{card.primary} of each variant",
        f"The mean with its {level} interval. That two intervals overlap says nothing about their difference, "
        "which is measured row by row above.",
        _wide(plot),
    )


def _money(card: Card) -> str:
    if len(card.pareto) < 2 or not any(each.cost.high for each in card.pareto):
        return ""
    kind, order = kind_of(card, card.primary), [arm.name for arm in card.arms]
    points = [
        plots.Point(
            label=each.arm,
            cost=_estimate(each.arm, each.cost.value * 1000, each.cost.low * 1000, each.cost.high * 1000, 0),
            quality=_estimate(each.arm, each.quality.value, each.quality.low, each.quality.high, 0),
            arm=order.index(each.arm),
            dominated=bool(each.dominated_by),
            front=each.on_front,
        )
        for each in card.pareto
    ]
    plot = plots.pareto(points, dollars, value_of(kind), cost_name="dollars per 1,000 calls", quality_name=card.primary)
    said = "".join(f"<li>{in_html(line)}</li>" for line in dominance(card))
    return _section(
        "Quality and cost",
        "Each variant with the intervals of both. The dashed line joins those that no other matches at a lower cost; "
        "a hollow mark is a variant that another beats in both beyond doubt.",
        _wide(plot) + (f"<ul>{said}</ul>" if said else ""),
    )


def _differences(card: Card, it: Comparison) -> str:
    if it.fixed is not None and it.broke is not None:
        plot = plots.outcomes(it.broke, it.ties, it.fixed)
    elif it.histogram is not None:
        better = direction_of(card, it.metric)
        plot = plots.differences(it.histogram.edges, it.histogram.counts, change_of(it.kind), better=better)
    else:
        return ""
    return _section(
        f"The same rows, {it.candidate} against {it.baseline}",
        f"{count(it.n, 'row')} that both have a score of {it.metric} for.",
        _wide(plot),
    )


def _preferred(it: Preference) -> str:
    return _section(
        f"{it.metric}: which answer was preferred, {it.candidate} against {it.baseline}",
        f"{count(it.wins + it.ties + it.losses, 'pair of answers', 'pairs of answers')}, each judged in both orders.",
        _wide(plots.outcomes(it.losses, it.ties, it.wins, words=("lost", "ties", "won"))),
    )


def _ranked(card: Card, it: Ranking) -> str:
    title = f"{it.metric}: who beats whom"
    if it.refused is not None:
        return _section(title, f"There is no ranking: {it.refused}.", "")
    order = [arm.name for arm in card.arms]
    estimates = [_estimate(each.arm, each.elo, each.low, each.high, order.index(each.arm)) for each in it.arms]
    return _section(
        title,
        f"Strengths by Bradley and Terry on Elo's scale, from {count(it.prompts, 'prompt')}, the strongest first, with "
        f"their {in_percent(it.level)} intervals.",
        _wide(plots.intervals(estimates, lambda elo: f"{elo:,.0f}", f"{it.metric}, strengths")),
    )


def _examples(card: Card, origin: str | None) -> str:
    return "".join(
        _section(title, said, "".join(_example(card, each, origin) for each in them), long=True)
        for title, said, them in (
            ("Worst regressions", "Rows that lost most against the baseline.", card.regressions),
            ("Best improvements", "Rows that gained most.", card.improvements),
        )
        if them
    )


def _example(card: Card, it: Example, origin: str | None) -> str:
    write, change = value_of(kind_of(card, card.primary)), change_of(kind_of(card, card.primary))
    good = (it.difference > 0) == (direction_of(card, card.primary) == "higher")
    tag = f'<span class="tag {"good" if good else "bad"}">{in_html(change(it.difference))}</span>'
    sides = (
        (card.baseline, it.baseline_score, it.baseline_text, it.baseline_runs),
        (it.candidate, it.candidate_score, it.candidate_text, it.candidate_runs),
    )
    shown = "".join(
        f'<div><p class="quiet"><b><bdi>{in_html(arm)}</bdi></b> · {in_html(write(score))} · {_runs(runs, origin)}</p>'
        f'<div class="said-text" dir="auto" tabindex="0">{in_html(cut(text, MOST_SAID)) or "(nothing)"}</div></div>'
        for arm, score, text, runs in sides
    )
    several = f' <span class="quiet">{in_html(it.candidate)}</span>' if len(card.arms) > 2 else ""
    return (
        f"<details><summary>{tag}<bdi>{in_html(cut(it.preview or it.row, 160))}</bdi>{several}</summary>"
        f'<div class="sides">{shown}</div></details>'
    )


def _runs(runs: Sequence[str], origin: str | None) -> str:
    if not runs:
        return "no run"
    if origin is None:
        return ", ".join(f"run <code>{in_html(run)}</code>" for run in runs)
    links = (f'<a href="{in_html(f"{origin}/runs/{run}")}">run {number + 1}</a>' for number, run in enumerate(runs))
    return ", ".join(links) if len(runs) > 1 else f'<a href="{in_html(f"{origin}/runs/{runs[0]}")}">run</a>'


def _table(it: Table) -> str:
    right = {number for number, heading in enumerate(it.headings) if heading in it.right}
    heads = "".join(
        f'<th scope="col"{" class=number" if number in right else ""}>{in_html(heading)}</th>'
        for number, heading in enumerate(it.headings)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' if number in right else ''}>{_cell(each.text, each.under, each.tone, each.arm)}</td>"
            for number, each in enumerate(row)
        )
        + "</tr>"
        for row in it.rows
    )
    return _section(
        it.title,
        it.said,
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>',
    )


def _cell(text: str, under: str, tone: str | None, arm: int | None) -> str:
    shown = f'<span class="tag {tone}">{in_html(text)}</span>' if tone else f"<bdi>{in_html(text)}</bdi>"
    if arm is not None:
        shown = f'<span class="swatch arm-{arm % 8}"></span>{shown}'
    kind = ' class="wrap"' if len(under) > LONG else ""
    return shown + (f"<small{kind}>{in_html(under)}</small>" if under else "")


def _missing(card: Card) -> str:
    lines = "".join(f"<li>{in_html(line)}</li>" for line in missing_lines(card))
    return _section("What is missing", "Counted, never taken for a zero.", f"<ul>{lines}</ul>") if lines else ""


def _notes(card: Card) -> str:
    notes = [*card.notes, *(note for each in card.comparisons for note in each.notes)]
    lines = "".join(f"<li>{in_html(note)}</li>" for note in dict.fromkeys(notes))
    return _section("Notes", "What to know when reading this.", f"<ul>{lines}</ul>") if lines else ""


def _reproduce(card: Card) -> str:
    blocks = "".join(
        f"<h3>{in_html(name.capitalize())}</h3>"
        f'<pre class="code" tabindex="0"><code>{in_html(code.strip())}</code></pre>'
        for name, code in card.reproduce.items()
    )
    return _section("Do it again", "The same comparison of the same cells.", blocks) if blocks else ""


def _section(title: str, said: str, body: str, *, long: bool = False) -> str:
    kind = ' class="long"' if long else ""
    return f"<section{kind}><h2>{in_html(title)}</h2><p>{in_html(said)}</p>{body}</section>"


def _wide(plot: str) -> str:
    return f'<div class="wide">{plot}</div>' if plot else ""


def _estimate(label: str, value: float, low: float, high: float, arm: int) -> plots.Estimate:
    return plots.Estimate(label=label, value=value, low=low, high=high, arm=arm)
