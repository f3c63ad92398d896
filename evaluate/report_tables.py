"""The tables of a report, whichever form it has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from evaluate.card import Arm, Card, Comparison, Figure, Preference
from evaluate.report_facts import TONE, Tone, judge_line
from evaluate.statistics.interval import Interval
from evaluate.wording import (
    NONE,
    Write,
    chance,
    change_of,
    dollars,
    interval,
    kind_of,
    nanos,
    number,
    percent,
    seconds,
    value_of,
)


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    under: str = ""
    tone: Tone | None = None
    arm: int | None = None
    """Whose colour stands beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    title: str
    said: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: frozenset[str] = frozenset()
    """Headings of columns of numbers."""


def tables(card: Card) -> list[Table]:
    """Those that have rows, in the order of a report."""
    made = [
        *(_variants(card), _metrics(card), _preferences(card), _rankings(card), _slices(card), _repeats(card)),
        *(_speed(card), _money(card), _judges(card)),
    ]
    return [table for table in made if table.rows]


def _variants(card: Card) -> Table:
    rows = [
        (
            Cell(arm.name, "the baseline" if arm.baseline else "", arm=place),
            Cell(arm.prompt or "written out"),
            Cell(arm.endpoint, _models(arm)),
            Cell(orjson.dumps(dict(arm.params), default=str).decode() if arm.params else NONE),
            Cell(f"{arm.counts.ok:,}", f"of {arm.counts.attempted:,}"),
        )
        for place, arm in enumerate(card.arms)
    ]
    return Table(
        title="Variants",
        said="What was asked, and the models that answered.",
        headings=("variant", "prompt", "endpoint", "parameters", "answered"),
        right=frozenset({"answered"}),
        rows=rows,
    )


def _metrics(card: Card) -> Table:
    """Each metric of each candidate beside the baseline's."""
    rows = [
        (
            Cell(each.metric, "primary" if each.role == "primary" else ""),
            Cell(each.candidate),
            _mean(card, each.baseline, each.metric),
            _mean(card, each.candidate, each.metric),
            _differing(each),
            Cell(chance(each.p_adjusted), each.p.test if each.p else ""),
            Cell(each.verdict.word, tone=TONE[each.verdict.word]),
        )
        for each in card.comparisons
    ]
    return Table(
        title="Every metric",
        said=f"The primary metric decides; its p-values are adjusted by {card.adjustment.capitalize()}'s method, "
        "those of the others by Benjamini and Hochberg's.",
        headings=("metric", "variant", "baseline", "mean", "difference", "p, adjusted", "verdict"),
        right=frozenset({"baseline", "mean", "difference", "p, adjusted"}),
        rows=rows,
    )


def _preferences(card: Card) -> Table:
    return Table(
        title="Preferences",
        said="What a judge preferred that saw both answers in both orders; a winner that changes with the order is a "
        "tie. In fairness half of what it decides goes to whoever comes first.",
        headings=("judge", "variant", "wins", "ties", "losses", "changed", "first wins", "at equal length"),
        right=frozenset({"wins", "ties", "losses", "changed", "first wins", "at equal length"}),
        rows=[_preference(each) for each in card.preferences],
    )


def _preference(it: Preference) -> Sequence[Cell]:
    favour = "" if it.position is None else f", p {chance(it.position.value)}"
    first = _figure(it.first_wins, percent)
    return (
        Cell(it.metric, f"{it.judged:,} pairs"),
        Cell(it.candidate, f"against {it.baseline}"),
        *(Cell(f"{count:,}") for count in (it.wins, it.ties, it.losses)),
        _figure(it.flips, percent),
        Cell(first.text, first.under + favour),
        _figure(it.at_equal_length, percent),
    )


def _rankings(card: Card) -> Table:
    """One line for each place; where there is no ranking, one that says why."""
    order = [arm.name for arm in card.arms]
    rows: list[Sequence[Cell]] = []
    for ranking in card.rankings:
        if ranking.refused is not None:
            rows.append((Cell(ranking.metric), Cell(NONE), Cell("not ranked", ranking.refused), Cell(NONE)))
        for place, each in enumerate(ranking.arms, 1):
            rows.append(
                (
                    Cell(ranking.metric),
                    Cell(f"{place}"),
                    Cell(each.arm, arm=order.index(each.arm)),
                    Cell(f"{each.elo:,.0f}", f"{each.low:,.0f} to {each.high:,.0f}"),
                )
            )
    return Table(
        title="Ranking",
        said="By who beat whom (Bradley and Terry), on Elo's scale, where 1,000 is the middle. The intervals resample "
        "whole prompts.",
        headings=("judge", "place", "variant", "strength"),
        right=frozenset({"place", "strength"}),
        rows=rows,
    )


def _slices(card: Card) -> Table:
    write, change = value_of(kind_of(card, card.primary)), change_of(kind_of(card, card.primary))
    rows = [
        (
            Cell(f"{each.name} = {each.value}"),
            Cell(each.arm),
            Cell(f"{each.n:,}"),
            _figure(each.mean, write),
            _figure(each.difference, change),
        )
        for each in card.slices
        if each.arm != card.baseline or len(card.arms) == 1
    ]
    hidden = (
        f" {card.slices_hidden:,} with fewer than {card.slice_minimum} rows are not shown."
        if card.slices_hidden
        else ""
    )
    return Table(
        title="Slices",
        said=f"{card.primary} among rows with one tag. Not tested: they show where to look.{hidden}",
        headings=("slice", "variant", "rows", "mean", "difference"),
        right=frozenset({"rows", "mean", "difference"}),
        rows=rows,
    )


def _repeats(card: Card) -> Table:
    rows = []
    for place, arm in enumerate(card.arms):
        for each in arm.metrics:
            if each.within is None or each.between is None:
                continue
            tries = sorted(each.pass_at, key=int)
            at = ", ".join(f"{k}: {percent(each.pass_at[k])}" for k in tries)
            whole = ", ".join(f"{k}: {percent(each.pass_all[k])}" for k in sorted(each.pass_all, key=int))
            total = each.within + each.between
            inside = percent(each.within / total) if total > 0 else NONE
            rows.append(
                (Cell(arm.name, arm=place), Cell(each.metric), Cell(inside), Cell(at or NONE), Cell(whole or NONE))
            )
    return Table(
        title="Repeats",
        said="How much of the variance is between tries of the same row, and the chance that one of k tries succeeds, "
        "or each does.",
        headings=("variant", "metric", "within rows", "one of k succeeds", "each of k succeeds"),
        right=frozenset({"within rows"}),
        rows=rows,
    )


def _speed(card: Card) -> Table:
    names = ("p50", "p95", "p99")
    rows = [
        (
            Cell(arm.name, arm=place),
            Cell(what),
            Cell(f"{arm.speed.n:,}"),
            *(_figure(figures.get(name, Figure()), seconds) for name in names),
        )
        for place, arm in enumerate(card.arms)
        for what, figures in (("first token", arm.speed.first_token), ("whole answer", arm.speed.total))
        if any(figures.get(name, Figure()).interval for name in names)
    ]
    return Table(
        title="Latency",
        said="As the gateway measured it, calls from a cache left out. A quantile of too few calls is not given.",
        headings=("variant", "until", "calls", *names),
        right=frozenset({"calls", *names}),
        rows=rows,
    )


def _money(card: Card) -> Table:
    rows = [
        (
            Cell(arm.name, arm=place),
            Cell(
                nanos(arm.money.total_nanos), f"{arm.money.unknown_cells:,} unknown" if arm.money.unknown_cells else ""
            ),
            _figure(_times(arm.money.per_item, 1000), dollars),
            _figure(arm.money.per_success, dollars),
            Cell(nanos(arm.money.judge_nanos)),
            Cell(_tokens(arm.prompt_tokens), _tokens(arm.completion_tokens)),
        )
        for place, arm in enumerate(card.arms)
    ]
    forecast = card.forecast or {}
    expected = ""
    if forecast.get("expected_nanos") is not None:
        low, high = nanos(forecast.get("low_nanos")), nanos(forecast.get("high_nanos"))
        expected = f" The forecast was {nanos(forecast['expected_nanos'])}, between {low} and {high}."
    return Table(
        title="Cost",
        said=f"{nanos(card.total_nanos)} in all, {nanos(card.judge_nanos)} of it for judges.{expected}",
        headings=("variant", "calls", "per 1,000 calls", "per success", "judges", "tokens in, out"),
        right=frozenset({"calls", "per 1,000 calls", "per success", "judges", "tokens in, out"}),
        rows=rows,
    )


def _judges(card: Card) -> Table:
    return Table(
        title="Judges",
        said="How far each judge agrees with people. A judge whose prompt, model or parameters changed needs a new "
        "certificate.",
        headings=("metric", "judge", "kappa", "sensitivity", "specificity", "certificate"),
        right=frozenset({"kappa", "sensitivity", "specificity"}),
        rows=[_judge(each) for each in card.judges],
    )


def _judge(it: Mapping[str, Any]) -> Sequence[Cell]:
    identity, said = it.get("identity") or {}, it.get("certificate") or {}
    valid = it.get("state") == "valid"
    return (
        Cell(str(it["metric"])),
        Cell(str(identity.get("model", NONE)), f"prompt {identity.get('prompt', NONE)}"),
        _stored(said.get("kappa"), number),
        _stored(said.get("sensitivity"), percent),
        _stored(said.get("specificity"), percent),
        Cell("valid" if valid else str(it.get("state") or "none"), judge_line(it), tone="good" if valid else "unsure"),
    )


def _stored(it: Mapping[str, Any] | None, write: Write) -> Cell:
    return Cell(NONE) if it is None else _figure(Figure(interval=Interval(**it)), write)


def _differing(it: Comparison) -> Cell:
    return _figure(it.difference, change_of(it.kind))


def _mean(card: Card, arm: str, metric: str) -> Cell:
    """With what it would be without its judge's errors, where these are known."""
    found = next((each for each in card.arm(arm).metrics if each.metric == metric), None)
    if found is None:
        return Cell(NONE)
    write = value_of(kind_of(card, metric))
    if found.mean.interval is None:
        return Cell(NONE, _why(found.mean.refused or ""))
    right = None if found.corrected is None else found.corrected.interval
    return Cell(write(found.mean.interval.value), "" if right is None else f"corrected {write(right.value)}")


def _why(refused: str) -> str:
    """The first of a refusal's words: there is room for no more."""
    return "too few" if "needs at least" in refused else re.split("[:;]", refused)[0]


def _figure(it: Figure, write: Write) -> Cell:
    if it.interval is None:
        return Cell(NONE, _why(it.refused or ""))
    return Cell(write(it.interval.value), interval(it.interval, write))


def _times(it: Figure, by: float) -> Figure:
    found = it.interval
    if found is None:
        return it
    return Figure(
        interval=Interval(
            value=found.value * by,
            low=found.low * by,
            high=found.high * by,
            level=found.level,
            method=found.method,
            n=found.n,
        )
    )


def _models(arm: Arm) -> str:
    return ", ".join(model if len(arm.models) == 1 else f"{model} ({times:,})" for model, times in arm.models.items())


def _tokens(count: int | None) -> str:
    return NONE if count is None else f"{count:,}"
