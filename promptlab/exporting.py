"""A lab's grid as a table, and what was preferred in it as examples to train by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from promptlab.lab_state import State
from promptlab.live_cell import text_of
from providers.chat import Json
from tracking.csv_out import cell as csv_cell
from tracking.csv_out import line
from tracking.lab_cells import Cell
from tracking.money import dollars


def lines(state: State, cells: Sequence[Cell]) -> Iterator[Json]:
    """A line a cell, in the order of the lab."""
    rows = {row.id: (n, row) for n, row in enumerate(state.rows)}
    columns = {column.id: (n, column) for n, column in enumerate(state.columns)}

    def place(cell: Cell) -> tuple[int, int, int]:
        return rows[cell.place.row][0], columns[cell.place.column][0], cell.place.repeat

    for cell in sorted((c for c in cells if c.place.row in rows and c.place.column in columns), key=place):
        row, column = rows[cell.place.row][1], columns[cell.place.column][1]
        got = cell.result or {}
        usage, nanos = got.get("usage") or {}, got.get("cost_nanos")
        yield {
            "row": row.id,
            "column": column.id,
            "column_name": column.name,
            "repeat": cell.place.repeat,
            "endpoint": column.endpoint,
            "model": got.get("model"),
            "values": row.values,
            "expected": row.expected,
            "status": cell.status,
            "text": text_of(cell.said),
            "message": cell.said,
            "error": (got.get("error") or {}).get("message"),
            "cost_usd": None if nanos is None else dollars(nanos),
            "ttft_ms": _ms(got.get("ttft_us")),
            "total_ms": _ms(got.get("total_us")),
            "input_tokens": usage.get("input_tokens"),
            "output_tokens": usage.get("output_tokens"),
            "run_id": cell.run_id,
        }


def csv(state: State, cells: Sequence[Cell]) -> Iterator[bytes]:
    """With a column for each variable, and without the messages that a text stands for."""
    names = list(dict.fromkeys(name for row in state.rows for name in row.values))
    head: list[str] | None = None
    for each in lines(state, cells):
        values = each.pop("values")
        del each["message"]
        flat = {**each, **{f"values.{name}": values.get(name) for name in names}}
        if head is None:
            head = list(flat)
            yield line([csv_cell(name) for name in head])
        yield line([csv_cell(_plain(value)) for value in flat.values()])


def jsonl(found: Iterator[Json]) -> Iterator[bytes]:
    for each in found:
        yield orjson.dumps(each) + b"\n"


def preference(better: Mapping[str, Any], worse: Mapping[str, Any]) -> Json | None:
    """Of two runs in detail; None where what was said in one of them is not kept."""
    answers = [_answer(run) for run in (better, worse)]
    prompts = [run["request"].get("messages") if isinstance(run["request"], dict) else None for run in (better, worse)]
    if None in answers or None in prompts:
        return None
    example = {"prompt": prompts[0], "chosen": [answers[0]], "rejected": [answers[1]]}
    # Two prompts were compared, and not two answers to one.
    return example if prompts[0] == prompts[1] else {**example, "rejected_prompt": prompts[1]}


def _answer(run: Mapping[str, Any]) -> Json | None:
    match run["response"]:
        case {"choices": [{"message": {} as message}, *_]}:
            names = ("role", "content", "tool_calls")
            return {name: message[name] for name in names if message.get(name) is not None}
        case _:
            return None


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _plain(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value
