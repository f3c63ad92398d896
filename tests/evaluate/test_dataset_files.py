"""Files that datasets come from, of every kind, well-formed and hostile."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluate import dataset_files
from evaluate.dataset_files import UnreadableError, format_of, load_yaml, read
from evaluate.datasets import Mapped, rows_of

Json = dict[str, Any]


def records(tmp_path: Path, format: str, content: str | bytes) -> list[Json]:
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [record for _, record in read(format, path)]


def refused(tmp_path: Path, format: str, content: str | bytes) -> str:
    with pytest.raises(UnreadableError) as caught:
        records(tmp_path, format, content)
    return str(caught.value)


def test_a_csv_file_is_read_by_its_columns_also_with_a_byte_order_mark_and_lines_within_values(tmp_path: Path) -> None:
    found = records(tmp_path, "csv", '\ufeffquestion,ideal\n"a, ""b""\nc",d\n\ne,f\n')
    assert found == [{"question": 'a, "b"\nc', "ideal": "d"}, {"question": "e", "ideal": "f"}]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"a,b\n1\n", "line 2 has 1 values for 2 columns"),
        (b"a,a\n1,2\n", "two columns are named 'a'"),
        (b"a,\n1,2\n", "a column has no name"),
        (b"a\n\xff\xfe\n", "not UTF-8"),
        (b'a\n"never closed', "unexpected end"),
        (b"a\n" + b"x" * 1_000_001, "field larger than field limit"),
        (",".join(f"c{n}" for n in range(1001)).encode(), "1001 columns"),
    ],
)
def test_a_csv_file_that_is_none_is_refused_with_where_and_why(tmp_path: Path, content: bytes, problem: str) -> None:
    assert problem in refused(tmp_path, "csv", content)


def test_json_lines_are_objects_and_empty_lines_are_nothing(tmp_path: Path) -> None:
    assert records(tmp_path, "jsonl", '\ufeff{"a": 1}\n\n{"a": [1, {"b": null}]}\n') == [
        {"a": 1},
        {"a": [1, {"b": None}]},
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[1]\n", "line 1 is no JSON object"),
        ('{"a": 1}\n{"a": }\n', "line 2 is not JSON"),
        ('{"a": NaN}\n', "NaN is no JSON"),
        ('{"a": ' + "[" * 100_000 + "\n", "nested too deeply"),
        (b'{"a": "\xff"}\n', "line 1 is not JSON"),
    ],
)
def test_lines_that_are_no_json_are_refused(tmp_path: Path, content: str | bytes, problem: str) -> None:
    assert problem in refused(tmp_path, "jsonl", content)


def test_a_file_with_more_rows_than_are_taken_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_files, "ROWS_MOST", 3)
    assert "more than 3 rows" in refused(tmp_path, "jsonl", '{"a": 1}\n' * 4)


def test_parquet_is_read_with_its_types_as_json_has_them(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.Table.from_pylist(
        [
            {"question": "a", "n": 1, "at": "2026-01-02", "list": ["x"], "nested": {"k": 1.5}, "raw": b"text"},
            {"question": None, "n": None, "at": None, "list": [], "nested": None, "raw": None},
        ]
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    found = [record for _, record in read("parquet", tmp_path / "rows.parquet")]
    assert found[0] == {
        "question": "a",
        "n": 1,
        "at": "2026-01-02",
        "list": ["x"],
        "nested": {"k": 1.5},
        "raw": "text",
    }
    assert found[1]["question"] is None


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert "not a Parquet file" in refused(tmp_path, "parquet", b"PAR1" + b"\0" * 100 + b"PAR1")
    assert "not a Parquet file" in refused(tmp_path, "parquet", b"question\nhello\n")


def test_a_parquet_file_that_unpacks_to_more_than_is_taken_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"a": ["x" * 10_000] * 1000}), tmp_path / "bomb.parquet", compression="zstd")
    monkeypatch.setattr(dataset_files, "UNPACKED_MOST", 1000)
    with pytest.raises(UnreadableError, match="once unpacked"):
        list(read("parquet", tmp_path / "bomb.parquet"))


def test_exports_of_openai_evals_become_rows_with_what_is_ideal(tmp_path: Path) -> None:
    lines = [
        {"input": [{"role": "user", "content": "2+2?"}], "ideal": "4"},
        {"input": "3+3?", "ideal": ["6", "six"], "topic": "sums"},
        {"item": {"question": "4+4?", "ideal": "8"}, "sample": {"output_text": "8"}},
    ]
    path = tmp_path / "samples.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    rows, report = rows_of(read("openai-evals", path), Mapped())
    assert [row.inputs for row in rows] == [
        {"messages": [{"role": "user", "content": "2+2?"}]},
        {"input": "3+3?", "topic": "sums"},
        {"question": "4+4?"},
    ]
    assert [row.expectations for row in rows] == [
        {"expected_response": "4"},
        {"expected_response": ["6", "six"]},
        {"expected_response": "8"},
    ]
    assert report.taken == 3
    assert "neither `item` nor `input`" in refused(tmp_path, "openai-evals", '{"prompt": "x"}\n')


PROMPTFOO = """
prompts: ["Translate {{text}} to {{language}}"]
providers: [openai:gpt-4o]
defaultTest:
  vars: {tone: plain}
  assert: [{type: icontains, value: thanks}]
tests:
  - description: two languages
    vars: {text: hello, language: [French, German]}
    metadata: {topic: greetings}
    assert:
      - {type: equals, value: bonjour}
      - {type: llm-rubric, value: is polite}
      - {type: javascript, value: "output.length < 10"}
  - vars: {text: "42", language: Danish}
"""


def test_tests_of_promptfoo_become_rows_one_for_each_combination(tmp_path: Path) -> None:
    found = records(tmp_path, "promptfoo", PROMPTFOO)
    assert [row["inputs"] for row in found] == [
        {"tone": "plain", "text": "hello", "language": "French"},
        {"tone": "plain", "text": "hello", "language": "German"},
        {"tone": "plain", "text": "42", "language": "Danish"},
    ]
    assert found[0]["expectations"] == {
        "contains": ["thanks"],
        "expected_response": "bonjour",
        "guidelines": ["is polite"],
        "assert": [{"type": "javascript", "value": "output.length < 10"}],
    }
    assert found[0]["tags"] == {"topic": "greetings", "description": "two languages"}
    assert found[2]["expectations"] == {"contains": ["thanks"]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("- a\n", "it has no `tests`"),
        ("tests: file://tests.csv\n", "import the file that it names"),
        ("tests: [{vars: {a: 'file://secret.txt'}}]\n", "a file; write its text instead"),
        ("tests: [{vars: {a: 1}, assert: [equals]}]\n", "an assertion is an object with a type"),
        ("tests: [", "this is not YAML"),
        ("tests: !!python/object/apply:os.system ['true']\n", "this is not YAML"),
        ("tests: " + "[" * 5000, "not YAML"),
    ],
)
def test_configurations_of_promptfoo_that_cannot_be_read_are_refused(
    tmp_path: Path, content: str, problem: str
) -> None:
    assert problem in refused(tmp_path, "promptfoo", content)


def test_a_few_lines_of_yaml_cannot_become_a_billion_values() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(UnreadableError, match="once its aliases are written out"):
        load_yaml("\n".join(levels).encode())
    with pytest.raises(UnreadableError, match="once its aliases are written out"):
        load_yaml(b"a: &a [*a]")
    assert load_yaml(b"a: &a [1]\nb: *a") == {"a": [1], "b": [1]}


def test_the_format_of_a_file_is_known_by_its_ending() -> None:
    assert [format_of(name) for name in ("a.CSV", "b.jsonl", "c.parquet", "d.yml")] == [
        "csv",
        "jsonl",
        "parquet",
        "promptfoo",
    ]
    with pytest.raises(UnreadableError, match="say its format"):
        format_of("rows.xlsx")


def test_a_file_is_read_in_a_process_that_has_none_of_our_secrets(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    out = io.StringIO()
    csv.writer(out).writerows([["question", "expected"], ["a", "b"], ["a", "b"], ["c", "d"]])
    path.write_text(out.getvalue())
    asked = {"format": "csv", "path": str(path), "mapping": {}, "splits": {"test": 1.0}, "seed": 0, "scrub": False}
    done = subprocess.run(
        [sys.executable, "-m", "evaluate.worker", "read"],
        input=json.dumps(asked).encode() + b"\n",
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    rows, report = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["inputs"] for row in rows["rows"]] == [{"question": "a"}, {"question": "c"}]
    assert {row["split"] for row in rows["rows"]} == {"test"}
    assert (report["report"]["read"], report["report"]["duplicates"]) == (3, 1)
