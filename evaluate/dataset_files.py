"""Reads the files that datasets come from: CSV, JSON lines, Parquet, exports of OpenAI Evals, tests of promptfoo."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from evaluate.datasets import RESPONSE, ROWS_MOST
from providers.chat import Json

FIELD_MOST = 1_000_000
COLUMNS_MOST = 1_000
EXPANDED_MOST = 2_000_000
"""Values in a YAML document once its aliases are written out."""
UNPACKED_MOST = 1 << 30
"""Bytes of a Parquet file's columns once they are unpacked."""

Record = tuple[str, Json]
"""Where it stood, for what is said of it, and what it holds."""


class UnreadableError(ValueError):
    """A file that is not what it is said to be. The message says where and why."""


def read(format: str, path: Path) -> Iterator[Record]:
    """The records of a file, at most `ROWS_MOST`. Raises UnreadableError."""
    if format not in FORMATS:
        raise UnreadableError(f"format is {format!r}; say {', '.join(FORMATS)}")
    for number, record in enumerate(FORMATS[format](path)):
        if number >= ROWS_MOST:
            raise UnreadableError(f"the file has more than {ROWS_MOST} rows; sample it or split it")
        yield record


def format_of(name: str) -> str:
    """By the ending of a file's name. Raises UnreadableError where that tells nothing."""
    ending = Path(name).suffix.lower()
    try:
        return ENDINGS[ending]
    except KeyError:
        known = ", ".join(ENDINGS)
        raise UnreadableError(f"{name!r} has none of the endings {known}; say its format") from None


def _csv(path: Path) -> Iterator[Record]:
    csv.field_size_limit(FIELD_MOST)
    with path.open(encoding="utf-8-sig", newline="") as file:
        sheet = csv.reader(file, strict=True)
        try:
            head = next(sheet, None)
            if head is None:
                raise UnreadableError("the file is empty; its first line names the columns")
            _check_head(head)
            for cells in sheet:
                if not cells:
                    continue
                if len(cells) != len(head):
                    raise UnreadableError(f"line {sheet.line_num} has {len(cells)} values for {len(head)} columns")
                yield f"line {sheet.line_num}", dict(zip(head, cells, strict=True))
        except csv.Error as exc:
            raise UnreadableError(f"line {sheet.line_num}: {exc}") from exc
        except UnicodeDecodeError as exc:
            raise UnreadableError(f"after line {sheet.line_num}: the file is not UTF-8 ({exc.reason})") from exc


def _check_head(head: list[str]) -> None:
    if len(head) > COLUMNS_MOST:
        raise UnreadableError(f"there are {len(head)} columns; at most {COLUMNS_MOST} are taken")
    seen: set[str] = set()
    for name in head:
        if not name.strip():
            raise UnreadableError("a column has no name; the first line names the columns")
        if name in seen:
            raise UnreadableError(f"two columns are named {name!r:.100}")
        seen.add(name)


def _lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            try:
                value = json.loads(text, parse_constant=_no_constant)
            except (ValueError, RecursionError) as exc:
                why = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc)
                raise UnreadableError(f"line {number} is not JSON: {why:.200}") from exc
            if not isinstance(value, dict):
                raise UnreadableError(f"line {number} is no JSON object: {value!r:.100}")
            yield f"line {number}", value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa  # in the process that reads, and nowhere else
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        meta = file.metadata
        if meta.num_rows > ROWS_MOST:
            raise UnreadableError(f"the file has {meta.num_rows} rows; at most {ROWS_MOST} are taken")
        groups = [meta.row_group(n) for n in range(meta.num_row_groups)]
        size = sum(group.total_byte_size for group in groups)
        if size > UNPACKED_MOST:
            raise UnreadableError(f"the file is {size} bytes once unpacked; at most {UNPACKED_MOST} are taken")
        _check_head(list(file.schema_arrow.names))
        number = 0
        for batch in file.iter_batches(batch_size=500):
            for value in batch.to_pylist():
                number += 1
                yield f"row {number}", _plain(value)
    except (pa.ArrowException, OSError) as exc:
        raise UnreadableError(f"this is not a Parquet file that can be read: {exc!s:.200}") from exc


def _plain(value: Any) -> Any:
    """Columns of Parquet as JSON has them: moments as ISO 8601, decimals as numbers, bytes as their text."""
    match value:
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise UnreadableError("a column holds bytes that are no UTF-8 text") from None
        case _:
            return value


def _openai(path: Path) -> Iterator[Record]:
    """Samples as `{"input": ..., "ideal": ...}`, or items of an export as `{"item": {...}, "sample": {...}}`."""
    for where, line in _lines(path):
        match line:
            case {"item": dict() as item}:
                yield where, dict(item)
            case {"input": list() as messages}:
                rest = {name: value for name, value in line.items() if name not in ("input", "ideal")}
                yield where, {"messages": messages, **_ideal(line), **rest}
            case {"input": str() as asked}:
                rest = {name: value for name, value in line.items() if name not in ("input", "ideal")}
                yield where, {"input": asked, **_ideal(line), **rest}
            case _:
                raise UnreadableError(
                    f"{where} has neither `item` nor `input`, which each line of OpenAI's exports has; for other JSON "
                    "lines say jsonl"
                )


def _ideal(line: Json) -> Json:
    return {RESPONSE: line["ideal"]} if line.get("ideal") is not None else {}


def _promptfoo(path: Path) -> Iterator[Record]:
    document = load_yaml(path.read_bytes())
    if not isinstance(document, dict) or "tests" not in document:
        raise UnreadableError("this is no promptfoo configuration: it has no `tests`")
    tests, common = document["tests"], document.get("defaultTest") or {}
    if not isinstance(tests, list):
        raise UnreadableError(f"tests is {tests!r:.100}; import the file that it names, as CSV or JSON lines")
    if not isinstance(common, dict):
        raise UnreadableError(f"defaultTest must be an object, not {common!r:.100}")
    for number, test in enumerate(tests, 1):
        where = f"tests[{number - 1}]"
        if not isinstance(test, dict):
            raise UnreadableError(f"{where} is {test!r:.100}; import the file that it names, as CSV or JSON lines")
        values = {**(common.get("vars") or {}), **(test.get("vars") or {})}
        for inputs in _combined(where, values):
            asserted = [*(common.get("assert") or []), *(test.get("assert") or [])]
            row: Json = {"inputs": inputs, "expectations": _expected(where, asserted), "tags": _tags(test)}
            yield where, row


def _combined(where: str, values: Mapping[str, Any]) -> Iterator[Json]:
    """A variable with several values makes a row of each, as promptfoo has it."""
    several = {str(name): value if isinstance(value, list) else [value] for name, value in values.items()}
    for name, choices in several.items():
        for value in choices:
            if isinstance(value, str) and value.startswith("file://"):
                raise UnreadableError(
                    f"{where}: the variable {name!r} is {value!r:.100}, a file; write its text instead"
                )
    for chosen in itertools.islice(itertools.product(*several.values()), ROWS_MOST + 1):
        yield {name: _plain(value) for name, value in zip(several, chosen, strict=True)}


SAME_AS: Mapping[str, tuple[str, bool]] = {
    "equals": (RESPONSE, False),
    "contains": ("contains", True),
    "icontains": ("contains", True),
    "contains-all": ("contains", True),
    "regex": ("regex", False),
    "is-json": ("json_schema", False),
    "similar": (RESPONSE, False),
    "factuality": (RESPONSE, False),
    "llm-rubric": ("guidelines", True),
    "model-graded-closedqa": ("guidelines", True),
    "rouge-n": (RESPONSE, False),
    "bleu": (RESPONSE, False),
    "levenshtein": (RESPONSE, False),
}
"""promptfoo's assertions by the expectation that they come to, and whether there may be several. The rest is kept as it
is under `assert`, for scorers of one's own."""


def _expected(where: str, asserted: list[Any]) -> Json:
    expected: Json = {}
    rest: list[Any] = []
    for each in asserted:
        if not isinstance(each, dict) or "type" not in each:
            raise UnreadableError(f"{where}: an assertion is an object with a type, not {each!r:.100}")
        name, many = SAME_AS.get(str(each["type"]), (None, False))
        value = _plain(each.get("value"))
        if name is None or value is None or (not many and name in expected):
            rest.append(_plain(each))
        elif many:
            expected.setdefault(name, []).extend(value if isinstance(value, list) else [value])
        else:
            expected[name] = value
    return {**expected, **({"assert": rest} if rest else {})}


def _tags(test: Json) -> Json:
    tags = {str(name): str(value) for name, value in (test.get("metadata") or {}).items()}
    return {**tags, **({"description": str(test["description"])} if test.get("description") else {})}


def load_yaml(body: bytes) -> Any:
    """A document in which aliases cannot make much of little. Raises UnreadableError."""
    try:
        node = yaml.compose(io.BytesIO(body), Loader=yaml.SafeLoader)
        if node is not None and _expanded(node, {}) > EXPANDED_MOST:
            raise UnreadableError(
                f"the document holds more than {EXPANDED_MOST} values once its aliases are written out"
            )
        return None if node is None else yaml.safe_load(body)
    except (yaml.YAMLError, RecursionError) as exc:
        why = "it is nested too deeply" if isinstance(exc, RecursionError) else " ".join(str(exc).split())
        raise UnreadableError(f"this is not YAML: {why:.300}") from exc


def _expanded(node: yaml.Node, known: dict[int, int]) -> int:
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = EXPANDED_MOST + 1  # what holds itself has no end
    size = 1
    if isinstance(node, yaml.MappingNode):
        size += sum(_expanded(name, known) + _expanded(value, known) for name, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_expanded(each, known) for each in node.value)
    known[id(node)] = size
    return size


FORMATS: Mapping[str, Callable[[Path], Iterator[Record]]] = {
    "csv": _csv,
    "jsonl": _lines,
    "parquet": _parquet,
    "openai-evals": _openai,
    "promptfoo": _promptfoo,
}
ENDINGS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".yaml": "promptfoo",
    ".yml": "promptfoo",
}
