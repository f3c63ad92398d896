"""Blind comparisons: which two answers somebody is shown next, and what all that was preferred comes to."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from promptlab.lab_state import State
from promptlab.live_cell import text_of
from providers.chat import Json
from tracking import rest
from tracking.lab_cells import Cell
from tracking.lab_votes import Vote

SHOWN = ("role", "content", "tool_calls")
"""Of a message: what else a provider adds may tell which it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to the same, in the order in which they are shown."""

    id: str
    left: Cell
    right: Cell


def pairs(lab_id: str, voter: str, cells: Sequence[Cell], columns: Collection[str]) -> list[Pair]:
    """Every pair once in either order, the same for one voter each time: first all in one order, then in the other."""
    at: dict[tuple[str, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.status == "ok" and cell.said is not None and cell.place.column in columns:
            at[cell.place.row, cell.place.repeat].append(cell)
    first: list[Pair] = []
    for together in at.values():
        for a, b in combinations(together, 2):
            one, other = _pair(lab_id, voter, a, b), _pair(lab_id, voter, b, a)
            first.append(min(one, other, key=lambda pair: pair.id))
    first.sort(key=lambda pair: pair.id)
    return first + [_pair(lab_id, voter, pair.right, pair.left) for pair in first]


def open_pairs(all: Sequence[Pair], votes: Sequence[Vote], key_id: str | None) -> list[Pair]:
    """Those that a voter has not decided yet."""
    done = {(vote.first_run, vote.second_run) for vote in votes if vote.key_id == key_id}
    return [pair for pair in all if (pair.left.run_id, pair.right.run_id) not in done]


def shown_pair(pair: Pair, state: State) -> Json:
    row = state.row(pair.left.place.row)
    return {
        "id": pair.id,
        "row": None
        if row is None
        else {"id": row.id, "values": row.values, "messages": row.messages, "expected": row.expected},
        "left": _answer(pair.left),
        "right": _answer(pair.right),
    }


def shown_vote(vote: Vote) -> Json:
    return {
        "id": vote.id,
        "row": vote.row_id,
        "repeat": vote.repeat,
        "first": vote.first_column,
        "second": vote.second_column,
        "winner": vote.winner,
        "choice": vote.choice,
        "by": vote.made_by,
        "note": vote.note,
        "run_first": vote.first_run,
        "run_second": vote.second_run,
        "at": rest.iso(vote.created_us),
    }


def tally(votes: Sequence[Vote]) -> Json:
    """Wins of each pair of columns, and whether it mattered which answer stood first."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for vote in votes:
        a, b = sorted((vote.first_column, vote.second_column))
        counts[a, b]["wins" if vote.winner == a else "losses" if vote.winner == b else vote.choice] += 1
    both = list(_in_both_orders(votes))
    decided = [vote for vote in votes if vote.winner is not None]
    return {
        "votes": [shown_vote(vote) for vote in votes],
        "columns": [
            {
                "column": a,
                "against": b,
                "wins": count["wins"],
                "losses": count["losses"],
                "ties": count["tie"],
                "both_bad": count["both_bad"],
            }
            for (a, b), count in sorted(counts.items())
        ],
        "consistency": {
            "pairs_in_both_orders": len(both),
            "same_winner": sum(one.winner == other.winner for one, other in both),
            "first_shown_wins": sum(vote.choice == "left" for vote in decided),
            "decided": len(decided),
        },
    }


def preferred(votes: Sequence[Vote]) -> Iterator[tuple[str, str]]:
    """(the run of the better answer, that of the worse) of each pair on which all who decided agree."""
    decisions: dict[frozenset[str], set[tuple[str, str]]] = defaultdict(set)
    for vote in votes:
        runs = (vote.first_run, vote.second_run)
        if vote.choice == "left":
            decisions[frozenset(runs)].add(runs)
        elif vote.choice == "right":
            decisions[frozenset(runs)].add(runs[::-1])
    for decided in decisions.values():
        if len(decided) == 1:
            yield next(iter(decided))


def _pair(lab_id: str, voter: str, left: Cell, right: Cell) -> Pair:
    # The id tells nobody which columns these are, and gives an order that looks like none.
    text = "\0".join((lab_id, voter, left.run_id or "", right.run_id or ""))
    return Pair(hashlib.sha256(text.encode()).hexdigest()[:24], left, right)


def _answer(cell: Cell) -> Json:
    said = cell.said or {}
    return {"message": {name: said[name] for name in SHOWN if name in said}, "text": text_of(cell.said)}


def _in_both_orders(votes: Sequence[Vote]) -> Iterator[tuple[Vote, Vote]]:
    seen: dict[tuple[str | None, str, str], Vote] = {}
    for vote in votes:
        other = seen.get((vote.key_id, vote.second_run, vote.first_run))
        if other is not None:
            yield other, vote
        seen[vote.key_id, vote.first_run, vote.second_run] = vote
