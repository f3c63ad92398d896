"""What a report says of a card in words, whichever form it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from evaluate.card import Card, Comparison, Missing
from evaluate.statistics.verdict import Word
from evaluate.wording import (
    NONE,
    chance,
    change_of,
    count,
    effect,
    interval,
    kind_of,
    nanos,
    number,
    share,
)

Tone = Literal["good", "bad", "same", "unsure"]
Fact = tuple[str, str]
TONE: Mapping[Word, Tone] = {
    "better": "good",
    "worse": "bad",
    "equivalent": "same",
    "not worse": "good",
    "inconclusive": "unsure",
}
SHORT = 12
"""Digits of a digest that are shown."""


def headline(it: Comparison) -> str:
    """The verdict in the fewest words."""
    word = it.verdict.word
    return f"{it.candidate}: inconclusive" if word == "inconclusive" else f"{it.candidate} is {word}"


def dates(card: Card) -> list[Fact]:
    """What was asked, of what, and when."""
    data = card.dataset
    version = "" if data.get("version") is None else f" version {data['version']}"
    facts = [
        ("dataset", f"{data['name']}{version}"),
        ("digest", str(data["digest"])[:SHORT]),
        *([("split", str(data["split"]))] if data.get("split") else []),
        ("rows", f"{card.rows:,}"),
        *([("clusters", f"{card.clusters:,}")] if card.clusters is not None else []),
        ("repeats", f"{card.repeats:,}"),
        ("seed", str(card.evaluation.get("seed", 0))),
        ("cost", _cost(card)),
    ]
    if card.evaluation.get("created_us"):
        facts.append(("made", moment(card.evaluation["created_us"])))
    return [*facts, ("id", str(card.evaluation["id"]))]


def evidence(card: Card, it: Comparison) -> list[Fact]:
    """The numbers behind a verdict."""
    write = change_of(it.kind)
    found = it.difference.interval
    facts = [("pairs", f"{it.n:,}"), *([("clusters", f"{it.clusters:,}")] if it.clusters is not None else [])]
    if found is not None:
        facts += [("difference", write(found.value)), (f"{share(found.level)} interval", interval(found, write))]
    elif it.difference.refused:
        facts.append(("no interval", it.difference.refused))
    if it.p is not None:
        facts.append((it.p.test, f"p {chance(it.p.value)}"))
        if it.p_adjusted is not None and it.p_adjusted != it.p.value:
            facts.append((f"adjusted ({card.adjustment})", f"p {chance(it.p_adjusted)}"))
    elif it.e_value is not None:
        facts.append(("e-value", f"{number(it.e_value)} of {number(it.e_threshold)}"))
    if (size := effect(it)) != NONE:
        facts.append(("effect", size))
    if it.mde is not None:
        facts.append(("could have seen", write(abs(it.mde)).removeprefix("+")))
    if it.margin is not None:
        facts.append(("margin", write(it.margin).removeprefix("+")))
    return facts


def dominance(card: Card) -> Iterator[str]:
    """Which variants another beats in quality and cost alike."""
    for each in card.pareto:
        if each.dominated_by:
            yield f"{each.arm} is beaten by {' and by '.join(each.dominated_by)}: better and cheaper, beyond doubt."


def missing_lines(card: Card) -> Iterator[str]:
    for arm in card.arms:
        counts = arm.counts
        lost = [
            *([f"{count(counts.errored, 'call')} failed"] if counts.errored else []),
            *([f"{count(counts.pending, 'cell')} pending"] if counts.pending else []),
            *(
                [f"{counts.cached:,} answered from a cache, which say nothing of speed or cost"]
                if counts.cached
                else []
            ),
            *(f"{each.unscored:,} without a score of {each.metric}" for each in arm.metrics if each.unscored),
            *([f"{arm.money.unknown_cells:,} without a known cost"] if arm.money.unknown_cells else []),
        ]
        if lost:
            yield f"{arm.name}: {', '.join(lost)}."
        for error, times in counts.errors.items():
            yield f"{arm.name}: {error} ({times:,} times)."
    for each in card.comparisons:
        if each.role == "primary" and (line := _unpaired(card, each.candidate, each.missing)):
            yield line


def judge_line(it: Mapping[str, Any]) -> str:
    """A judge's certificate in one sentence, without its figures."""
    if it.get("state") == "valid":
        return f"certified by {it['certificate'].get('labels', 0):,} labels"
    return str(it.get("why") or "no certificate")


def moment(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _unpaired(card: Card, candidate: str, it: Missing) -> str | None:
    alone = it.only_candidate + it.only_baseline + it.neither
    if not alone:
        return None
    said = (
        f"{candidate} and {card.baseline} share {it.pairs:,} of {it.pairs + alone:,} rows; "
        f"{it.only_candidate:,} have only {candidate}, {it.only_baseline:,} only {card.baseline}, "
        f"{it.neither:,} neither."
    )
    if it.worst_low is None or it.worst_high is None:
        return said
    write = change_of(kind_of(card, card.primary))
    worst, best = write(it.worst_low), write(it.worst_high)
    return f"{said} Whatever those would have said, the difference is between {worst} and {best}."


def _cost(card: Card) -> str:
    judges = f", {nanos(card.judge_nanos)} of it judges" if card.judge_nanos else ""
    unknown = " at least" if card.unknown_cost_cells else ""
    return f"{nanos(card.total_nanos)}{unknown}{judges}"
