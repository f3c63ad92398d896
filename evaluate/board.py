"""The cells of an evaluation while it is worked at: what is left to ask, and what can be scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import orjson

from evaluate import grids, scoring
from evaluate.cells import Cell, Row, Score, Variant
from evaluate.forecast import Pilot
from evaluate.making import order_of
from evaluate.records import Halted
from evaluate.replies import text_of
from evaluate.requests import Arm, Question, Template
from evaluate.runner import Filled, Task
from evaluate.terms import Gateway, Terms
from providers.chat import Json

PILOT_CELLS = 30
"""Of each variant: as many as tell the spread of costs well enough for Student's interval."""


class Board:
    def __init__(self, kept: Json, rows: Sequence[Row], gateway: Gateway) -> None:
        spec = kept["spec"]
        self._id: str = kept["id"]
        self._rows, self._repeats = rows, int(spec["repeats"])
        self._seed, self._rival = spec["seed"], spec["rival"]
        self._scores = bool(spec["scorers"])
        self._variants = [Variant.from_json(each) for each in spec["variants"]]
        templates = {name: Template.from_json(each) for name, each in spec["templates"].items()}
        self._arms = [Arm(each, templates.get(each.name), stream=spec["stream"]) for each in self._variants]
        self._base = next(n for n, each in enumerate(self._variants) if each.baseline)
        self._cells: dict[int, Cell] = {}
        self._given: set[int] = set()
        self._holds: dict[tuple[int, int], int] = {}
        if kept["budget_nanos"] is not None:
            terms = [gateway.terms("chat", each.endpoint) for each in self._variants]
            for r, row in enumerate(rows):
                for v, arm in enumerate(self._arms):
                    self._holds[r, v] = _hold(arm, terms[v], row)

    def there(self, cells: Sequence[Json]) -> list[Task]:
        """Cells as they are kept; gives those that are not filled, in the order of chance in which they are made."""
        for kept in cells:
            n = kept["n"]
            self._cells[n] = grids.cell(kept, self._rows[self._place(n)[0]])
            if kept["scores"] is not None or kept["status"] == "error":
                self._given.add(n)
        pending = [n for n, cell in self._cells.items() if cell.status == "pending"]
        return [self._task(n) for n in sorted(pending, key=lambda n: order_of(self._seed, n))]

    def cell(self, n: int) -> Cell:
        return self._cells[n]

    def pilot(self, tasks: Sequence[Task]) -> list[Task]:
        """The first of each variant, where enough are left after them for a forecast to be of use."""
        chosen: list[Task] = []
        counts = [0] * len(self._variants)
        for task in tasks:
            v = self._place(task.n)[1]
            if counts[v] < PILOT_CELLS:
                counts[v] += 1
                chosen.append(task)
        return chosen if len(chosen) < len(tasks) else []

    def pilots(self) -> list[Pilot]:
        """What the cells that are filled by now say of each variant."""
        found = []
        for v, variant in enumerate(self._variants):
            mine = [cell for n, cell in self._cells.items() if self._place(n)[1] == v and cell.status != "pending"]
            found.append(
                Pilot(
                    variant=variant.name,
                    cells=len(self._rows) * self._repeats,
                    # What failed was not billed, as far as anybody said.
                    costs=[
                        0 if cell.cost_nanos is None and cell.status == "error" else cell.cost_nanos for cell in mine
                    ],
                    judges=[_judged(cell) for cell in mine],
                )
            )
        return found

    def filled(self, filled: Filled) -> list[tuple[int, Json]]:
        """What can be scored now that this cell is there: itself, and those that are held against it."""
        row = self._rows[self._place(filled.n)[0]]
        kept = {**asdict(filled), "output": None, "scores": None}
        r, v, repeat = self._place(filled.n)
        kept |= {"variant": self._variants[v].name, "repeat": repeat}
        output = filled.output
        self._cells[filled.n] = replace(grids.cell(kept, row), output=output, text=text_of(output))
        if not self._rival or v != self._base:
            return self._ready([filled.n])
        return self._ready([self._n(r, other, repeat) for other in range(len(self._variants))])

    def unscored(self) -> list[tuple[int, Json]]:
        """Cells that were filled and not scored when somebody stopped working."""
        return self._ready([n for n, cell in self._cells.items() if cell.status == "ok"])

    def scored(self, n: int, scores: Mapping[str, Score]) -> None:
        self._cells[n] = replace(self._cells[n], scores=scores)

    def _ready(self, numbers: Sequence[int]) -> list[tuple[int, Json]]:
        ready = []
        for n in numbers:
            cell = self._cells.get(n)
            if not self._scores or cell is None or cell.status != "ok" or n in self._given:
                continue
            r, v, repeat = self._place(n)
            rival = self._cells.get(self._n(r, self._base, repeat)) if self._rival else None
            if rival is not None and rival.status == "pending":
                continue
            self._given.add(n)
            tools = self._variants[v].params.get("tools")
            ready.append((n, scoring.sample_of(self._id, cell, self._rows[r], tools, rival)))
        return ready

    def _task(self, n: int) -> Task:
        r, v, repeat = self._place(n)
        question = self._arms[v].question(self._rows[r])
        tags = {
            "gatelog.evaluation": self._id,
            "gatelog.row": self._rows[r].id,
            "gatelog.variant": self._variants[v].name,
            "gatelog.repeat": str(repeat),
            "gatelog.role": "cell",
        }
        headers = {"x-gatelog-tags": orjson.dumps(tags).decode()}
        return Task(n, Question(question.body, question.headers), self._holds.get((r, v), 0), headers)

    def _place(self, n: int) -> tuple[int, int, int]:
        rest, repeat = divmod(n, self._repeats)
        r, v = divmod(rest, len(self._variants))
        return r, v, repeat

    def _n(self, row: int, variant: int, repeat: int) -> int:
        return (row * len(self._variants) + variant) * self._repeats + repeat


def _hold(arm: Arm, terms: Terms, row: Row) -> int:
    most = terms.most(terms.input({**arm.variant.params, "messages": arm.messages(row)}), arm.output_most)
    if most is None:
        raise Halted(
            f"the cost of a call of variant {arm.variant.name!r} has no limit any more, so no budget can be kept"
        )
    return most


def _judged(cell: Cell) -> int | None:
    costs = [score.cost_nanos for score in cell.scores.values()]
    return sum(cost for cost in costs if cost is not None) if None not in costs else None
