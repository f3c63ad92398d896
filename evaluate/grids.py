"""Reads evaluations back: what is kept of them as grids and cells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluate.cells import Cell, DatasetRef, Forecast, Grid, Metric, Row, Score, Status, Variant
from evaluate.replies import text_of
from providers.chat import Json
from tracking.evaluations import Evaluations
from tracking.packed_rows import unpack_one

PREVIEW = 160
"""Characters of a row in lists."""


def head(kept: Json, counts: Json) -> Json:
    """An evaluation without its cells, as the API shows it."""
    spec = kept["spec"]
    done = counts["ok"] + counts["error"]
    to_score = counts["ok"] if spec["scorers"] else 0
    return {
        **grid(kept, ()).to_json(),
        "progress": {
            "total": counts["total"],
            "ok": counts["ok"],
            "errors": counts["error"],
            "pending": counts["pending"],
            "scored": min(counts["scored"], to_score),
            "to_score": to_score,
            "done": done,
        },
        "experiment": spec["experiment"],
        "tags": spec["tags"],
        "compare": spec["compare"],
        "started_us": kept["started_us"],
    }


def grid(kept: Json, cells: Iterable[Cell], previews: Mapping[str, str] | None = None) -> Grid:
    spec, forecast = kept["spec"], kept["forecast"]
    return Grid(
        id=kept["id"],
        name=kept["name"],
        experiment_id=str(kept["experiment_id"]),
        run_id=kept["id"],
        state=kept["state"],
        reason=kept["reason"],
        dataset=DatasetRef.from_json(spec["dataset"]),
        variants=tuple(Variant.from_json(each) for each in spec["variants"]),
        metrics=tuple(Metric.from_json(each) for each in spec["metrics"]),
        primary=spec["primary"],
        scorers=tuple(spec["identities"]),
        rows=kept["rows"],
        repeats=spec["repeats"],
        cells=tuple(cells),
        forecast=None if forecast is None else Forecast.from_json(forecast),
        budget_nanos=kept["budget_nanos"],
        spent_nanos=kept["spent_nanos"],
        seed=spec["seed"],
        created_us=kept["created_us"],
        finished_us=kept["finished_us"],
        previews=previews or {},
    )


async def whole(store: Evaluations, kept: Json) -> Grid:
    """With all its cells. For those who may wait: of large grids it is megabytes."""
    rows = await store.rows(kept["id"])
    cells = await store.cells(kept["id"])
    return await asyncio.to_thread(_whole, kept, rows, cells)


def _whole(kept: Json, rows: Sequence[Json], cells: Sequence[Json]) -> Grid:
    by_id = {row["id"]: Row.from_json(row) for row in rows}
    return grid(
        kept,
        [cell(each, by_id[each["row_id"]]) for each in cells],
        {id: preview(row) for id, row in by_id.items()},
    )


async def page(
    store: Evaluations, kept: Json, *, after: int, size: int, narrow: Mapping[str, Any]
) -> tuple[list[Cell], int | None, dict[str, Row]]:
    """Cells after this place in the grid, the place of the last where there are more, and the rows that they ask."""
    found = await store.cells(kept["id"], after=after, size=size + 1, narrow=narrow)
    shown = found[:size]
    cells, rows = await filled(store, kept, shown)
    return cells, shown[-1]["n"] if len(found) > size else None, rows


async def filled(store: Evaluations, kept: Json, found: Sequence[Json]) -> tuple[list[Cell], dict[str, Row]]:
    """Cells as they are kept, in the order of the grid, with the rows that they ask."""
    if not found:
        return [], {}
    first, last = found[0]["n"] // deep(kept), found[-1]["n"] // deep(kept)
    rows = {each["id"]: Row.from_json(each) for each in await store.rows(kept["id"], first, last - first + 1)}
    return await asyncio.to_thread(lambda: [cell(each, rows[each["row_id"]]) for each in found]), rows


async def row(store: Evaluations, kept: Json, id: str) -> list[Json]:
    """The one row of this id, if there is one."""
    if "\x00" in id:
        return []
    found = await store.cells(kept["id"], size=1, narrow={"row_id": id})
    return await store.rows(kept["id"], found[0]["n"] // deep(kept), 1) if found else []


def deep(kept: Json) -> int:
    """Cells of one row."""
    spec = kept["spec"]
    many: int = len(spec["variants"]) * spec["repeats"]
    return many


def cell(kept: Json, row: Row) -> Cell:
    status: Status = kept["status"]
    output = None if kept["output"] is None else unpack_one(kept["output"])
    return Cell(
        row=row.id,
        variant=kept["variant"],
        repeat=kept["repeat"],
        cluster=row.cluster,
        weight=row.weight,
        status=status,
        error=kept["error"],
        run_id=kept["run_id"],
        output=output,
        text=text_of(output),
        scores={name: Score.from_json(each) for name, each in (kept["scores"] or {}).items()},
        cost_nanos=kept["cost_nanos"],
        latency_us=kept["latency_us"],
        ttft_us=kept["ttft_us"],
        prompt_tokens=kept["prompt_tokens"],
        completion_tokens=kept["completion_tokens"],
        model=kept["model"],
        slices=row.tags,
    )


def preview(row: Row) -> str:
    """The first words of what a row asks: of a conversation, of its last message."""
    match row.inputs:
        case {"messages": [*_, {"content": str() as text}]}:
            said = text
        case inputs:
            said = " | ".join(each if isinstance(each, str) else repr(each) for each in inputs.values())
    words = " ".join(said.split())
    return words if len(words) <= PREVIEW else words[: PREVIEW - 1] + "…"
