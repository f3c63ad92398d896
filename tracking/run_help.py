"""What a search box needs to know of the grammar: which keys there are, what they take, and where a filter is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import get_args

import sqlalchemy as sa

from providers.chat import REQUESTS, Json
from providers.errors import InvalidRequest
from tracking.calls import Basis, Status
from tracking.database import Database
from tracking.fields import CALLS
from tracking.runs import Runs
from tracking.search import OPERATORS
from tracking.tables import calls

KEYWORDS = ("AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL")
NEGATED = frozenset({"LIKE", "ILIKE", "IN"})
"""Operators that NOT may stand before."""
LOOKED_AT = 2_000
"""Of the newest runs, for the names of their tags."""
TAGS_MOST = 100
FLAGS = ["TRUE", "FALSE"]
VALUES: Mapping[str, Sequence[str]] = {
    "attributes.status": get_args(Status),
    "params.kind": tuple(REQUESTS),
    "params.usage_basis": get_args(Basis),
    "params.log_payloads": ("full", "redacted", "none"),
}
"""All that a run can have there."""
_PLACE = re.compile(r"(?P<param>\w+), column (?P<column>\d+): (?P<problem>[^\n]*)")


def fields(values: Mapping[str, Sequence[str]]) -> list[Json]:
    """Every key but those of tags, by section. `values` are known of some, beside `VALUES`."""
    known = {**VALUES, **values}
    return [
        {
            "key": f"{section}.{name}",
            "section": section,
            "name": name,
            "type": "number" if each.type == "real" else each.type,
            "operators": list(_operators(OPERATORS[each.type])),
            "values": FLAGS if each.type == "flag" else list(known[key]) if key in known else None,
        }
        for section, names in CALLS.sections.items()
        for name, each in names.items()
        for key in [f"{section}.{name}"]
    ]


def check(runs: Runs, filter: str, order_by: Sequence[str]) -> Json:
    """Whether a search can be made, and where it is wrong; columns count from 1."""
    try:
        runs.check(filter, order_by, {})
    except InvalidRequest as error:
        place = _PLACE.match(error.message)
        return {
            "ok": False,
            "param": error.param,
            "column": int(place["column"]) if place else None,
            "message": place["problem"] if place else error.message,
        }
    return {"ok": True}


async def tag_names(database: Database, *, key_id: str | None = None) -> list[str]:
    """Those of the newest runs, the most frequent first."""
    mine = [] if key_id is None else [calls.c.key_id == key_id]
    newest = sa.select(calls.c.tags).where(*mine).order_by(calls.c.started_us.desc()).limit(LOOKED_AT)
    counts: dict[str, int] = {}
    async with database.asking() as connection:
        for tags in (await connection.execute(newest)).scalars():
            for name in tags or ():
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))[:TAGS_MOST]


def _operators(operators: Sequence[str]) -> list[str]:
    negated = [f"NOT {operator}" for operator in operators if operator in NEGATED]
    return [*operators, *negated, "IS NULL", "IS NOT NULL"]
