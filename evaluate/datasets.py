"""From what people bring to the rows of a dataset: columns mapped, duplicates dropped, splits dealt, content hashed."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from evaluate.cells import Row
from evaluate.scrub import scrub
from providers.chat import Json

ROWS_MOST = 100_000
TEXT_MOST = 1_000_000
"""Characters of one text; a longer one is no question."""
CLUSTER, WEIGHT, SPLIT = "gatelog.cluster", "gatelog.weight", "gatelog.split"
"""Tags of MLflow's records that hold what a row has beside inputs, expectations and tags."""
RESPONSE = "expected_response"
"""The expectation that most scorers hold an answer against, by MLflow's name for it."""
EXPECTED: Mapping[str, str] = {
    "expected": RESPONSE,
    "expected_output": RESPONSE,
    "ideal": RESPONSE,
    "guidelines": "guidelines",
}
"""Columns that are expectations where nobody says otherwise, and which; so are all that begin with `expected_`."""

Columns = dict[str, str] | list[str]
"""Names and the columns that they are taken from, or columns that keep their names."""


class Mapped(BaseModel):
    """Which column is what."""

    model_config = ConfigDict(extra="forbid")

    inputs: Annotated[Columns | None, Field(description="Variables of the prompt. Default: all other columns.")] = None
    expectations: Annotated[Columns | None, Field(description="What is expected of an answer.")] = None
    tags: Annotated[Columns | None, Field(description="What slices are made by.")] = None
    cluster: Annotated[str | None, Field(description="The session, user or document that rows share.")] = None
    weight: Annotated[str | None, Field(description="How many rows of the population a row stands for.")] = None
    split: Annotated[str | None, Field(description="train, dev, test, or whatever you call them.")] = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that could not be taken."""

    where: str
    problem: str

    def to_json(self) -> Json:
        return {"where": self.where, "problem": self.problem}


@dataclass(slots=True)
class Report:
    """What became of what was read."""

    read: int = 0
    taken: int = 0
    duplicates: int = 0
    scrubbed: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> Json:
        return {
            "read": self.read,
            "taken": self.taken,
            "duplicates": self.duplicates,
            "scrubbed": dict(self.scrubbed),
            "refused": [each.to_json() for each in self.refused[:100]],
            "refused_count": len(self.refused),
            "notes": self.notes,
        }


def rows_of(
    records: Iterable[tuple[str, Json]],
    mapping: Mapped,
    *,
    splits: Mapping[str, float] | None = None,
    scrubbed: bool = False,
    seed: int = 0,
) -> tuple[list[Row], Report]:
    """The rows of records, each with where it stood. Of rows with the same inputs the first is taken."""
    report, rows = Report(), dict[str, Row]()
    for where, record in records:
        report.read += 1
        try:
            row = mapped(record, mapping)
        except ValueError as exc:
            report.refused.append(Refused(where, str(exc)))
            continue
        if scrubbed:
            clean, found = scrub({"inputs": row.inputs, "expectations": row.expectations})
            report.scrubbed += found
            row = replace(row, id=row_id(clean["inputs"]), inputs=clean["inputs"], expectations=clean["expectations"])
        if row.id in rows:
            report.duplicates += 1
            continue
        if splits and row.split is None:
            row = replace(row, split=split_of(row.cluster or row.id, splits, seed))
        rows[row.id] = row
    report.taken = len(rows)
    return list(rows.values()), report


def mapped(record: Json, mapping: Mapped) -> Row:
    """One record as a row. Raises ValueError with what is wrong with it."""
    _sound(record, "the row")
    if isinstance(record.get("inputs"), dict) and mapping.inputs is None:
        inputs, expectations, tags = record["inputs"], record.get("expectations") or {}, record.get("tags") or {}
        if not isinstance(expectations, dict):
            raise ValueError(f"expectations must be an object, not {expectations!r:.100}")
        if not isinstance(tags, dict):
            raise ValueError(f"tags must be an object, not {tags!r:.100}")
        cluster, weight, split = (record.get(name) for name in ("cluster", "weight", "split"))
    else:
        flat = _columns(record, mapping)
        inputs, expectations, tags = flat["inputs"], flat["expectations"], flat["tags"]
        cluster, weight, split = (record.get(getattr(mapping, name) or name) for name in ("cluster", "weight", "split"))
    if not inputs:
        raise ValueError("there is nothing to ask: no column is an input")
    return Row(
        id=row_id(inputs),
        inputs=inputs,
        expectations={name: value for name, value in expectations.items() if value is not None},
        tags={name: value if isinstance(value, str) else _json(value) for name, value in tags.items()},
        cluster=_name(cluster, "cluster"),
        weight=_weight(weight),
        split=_name(split, "split"),
    )


def split_of(unit: str, splits: Mapping[str, float], seed: int) -> str:
    """The split of a cluster: by its hash, so it stays where it is whatever is added, and is never in two."""
    total = math.fsum(splits.values())
    at = int.from_bytes(hashlib.sha256(f"{seed}:{unit}".encode()).digest()[:8]) / 2**64 * total
    below = 0.0
    for name, share in splits.items():
        below += share
        if at < below:
            return name
    return list(splits)[-1]


def check_splits(splits: Mapping[str, float]) -> None:
    for name, share in splits.items():
        if not name.strip() or len(name) > 100:
            raise ValueError(f"a split's name has 1 to 100 characters, not {name!r:.120}")
        if not (math.isfinite(share) and share > 0):
            raise ValueError(f"split {name!r} has the share {share!r}; say a positive number")


def row_id(inputs: Json) -> str:
    """By content: the same question is the same row in every version and every dataset."""
    return hashlib.sha256(orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def digest(rows: Sequence[Row]) -> str:
    """Of what a version holds, in whatever order."""
    lines = sorted(orjson.dumps(row.to_json(), option=orjson.OPT_SORT_KEYS) for row in rows)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def to_record(row: Row) -> Json:
    """As one of MLflow's records of a dataset."""
    own = {CLUSTER: row.cluster, WEIGHT: None if row.weight == 1.0 else repr(row.weight), SPLIT: row.split}
    return {
        "inputs": row.inputs,
        "expectations": row.expectations or None,
        "tags": {**row.tags, **{name: value for name, value in own.items() if value is not None}},
    }


def from_record(record: Json) -> Row:
    """One of MLflow's records, whoever made it."""
    tags = {name: value if isinstance(value, str) else _json(value) for name, value in (record["tags"] or {}).items()}
    cluster, weight, split = (tags.pop(name, None) for name in (CLUSTER, WEIGHT, SPLIT))
    return Row(
        id=row_id(record["inputs"]),
        inputs=record["inputs"],
        expectations=record["expectations"] or {},
        tags={name: value for name, value in tags.items() if not name.startswith("mlflow.")},
        cluster=cluster,
        weight=_weight(weight),
        split=split,
    )


def splits_in(rows: Iterable[Row]) -> dict[str, int]:
    return dict(Counter(row.split for row in rows if row.split is not None))


def _columns(record: Json, mapping: Mapped) -> dict[str, Json]:
    """Columns by what they are: as mapped, and what is not named by its own name."""
    taken = {name for name in (mapping.cluster, mapping.weight, mapping.split) if name}
    named: dict[str, Json] = {}
    for part in ("inputs", "expectations", "tags"):
        columns: Columns | None = getattr(mapping, part)
        pairs = {} if columns is None else columns if isinstance(columns, dict) else {name: name for name in columns}
        if lacking := [column for column in pairs.values() if column not in record]:
            raise ValueError(f"there is no column {lacking[0]!r}; there are {', '.join(map(repr, record))[:300]}")
        named[part] = {name: record[column] for name, column in pairs.items()}
        taken |= set(pairs.values())
    if mapping.inputs is None:
        for column, value in record.items():
            if column not in taken and column not in ("cluster", "weight", "split", "id"):
                part, name = _guessed(column)
                named[part].setdefault(name, value)
    return named


def _guessed(column: str) -> tuple[str, str]:
    for part in ("inputs", "expectations", "tags"):
        if column.startswith((f"{part}.", f"{part}/")) and len(column) > len(part) + 1:
            return part, column[len(part) + 1 :]
    if column in EXPECTED:
        return "expectations", EXPECTED[column]
    return ("expectations" if column.startswith("expected_") else "inputs"), column


def _sound(value: Any, where: str, depth: int = 0) -> None:
    """Refuse what no store or no JSON can hold."""
    match value:
        case None | bool():
            return
        case str():
            if len(value) > TEXT_MOST:
                raise ValueError(f"{where} has a text of {len(value)} characters; at most {TEXT_MOST} are taken")
            if "\x00" in value:
                raise ValueError(f"{where} holds the character NUL, which no stored text can hold")
            if not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
                raise ValueError(f"{where} holds half of a surrogate pair, which is no text")
        case int():
            if not -(2**63) <= value < 2**64:
                raise ValueError(f"{where} holds {value}, which has more than 64 bits; write it as text")
        case float():
            if not math.isfinite(value):
                raise ValueError(f"{where} holds {value!r}, which is no number; leave it out or write it as text")
        case dict() | list():
            if depth >= 50:
                raise ValueError(f"{where} is nested deeper than 50 levels")
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for name, each in pairs:
                _sound(name, "a column's name", depth + 1)
                _sound(each, f"column {name!r:.60}" if depth == 0 else where, depth + 1)
        case _:
            raise ValueError(f"{where} holds {value!r:.60}, which JSON has no word for")


def _name(value: Any, what: str) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, dict | list):
        raise ValueError(f"{what} is {value!r:.100}; say a text or a number")
    return (value if isinstance(value, str) else _json(value))[:500]


def _weight(value: Any) -> float:
    if value is None or value == "":
        return 1.0
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0) or isinstance(value, bool):
        raise ValueError(f"weight is {value!r:.60}; say a positive number")
    return weight


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
