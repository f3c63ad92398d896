"""`gatelog eval` and `gatelog dataset`, as they are typed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.commands import evaluation
from providers.errors import InvalidRequest
from tests.harness import Gateway, Start

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
ROOT = Path(__file__).parents[2]


def typed(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("GATELOG_", "OPENAI_"))}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=folder,
        env={**bare, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def at(gateway: Gateway) -> dict[str, str]:
    return {"GATELOG_URL": gateway.url, "GATELOG_KEY": gateway.key}


def test_the_shipped_example_runs_where_there_is_no_gateway_and_ends_with_a_verdict_and_a_report(
    tmp_path: Path,
) -> None:
    done = typed(tmp_path, "eval", "run", "capitals")
    assert done.returncode == 0, done.stderr
    assert "BETTER: open book is better than closed book on contains" in done.stdout
    report = Path(re.findall(r"report\s+(\S+)", done.stdout)[0])
    assert report.parent == tmp_path
    assert "<svg" in report.read_text()
    assert "120 of 120 cells" in done.stderr
    # What it did stays in the store of whoever serves here.
    shown = typed(tmp_path, "eval", "show", "--json")
    found = json.loads(shown.stdout)["evaluations"]
    assert [each["state"] for each in found] == ["finished"]


async def test_an_evaluation_of_a_file_with_a_scorer_of_ones_own_is_run_shown_compared_and_exported(
    start_gateway: Start, tmp_path: Path
) -> None:
    gateway = await start_gateway({})
    here = at(gateway)
    (tmp_path / "rows.csv").write_text("question,ideal,lang\nsay one,one,en\nsay two,two,en\nsig tre,tre,da\n")
    (tmp_path / "mine.py").write_text('def score(sample):\n    return len(sample["text"]) > 7\n')
    asked = {
        "name": "mine",
        "dataset": {"file": "rows.csv", "mapping": {"tags": ["lang"]}},
        "variants": [{"name": "echo", "endpoint": "demo/echo", "messages": "{{ question }}"},
                     {"name": "loud", "endpoint": "demo/echo", "messages": "{{ question }}!"}],
        "scorers": ["contains", {"scorer": "python", "file": "mine.py", "name": "long", "kind": "binary"}],
        "report": "out.md",
    }  # fmt: skip
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(asked))
    done = typed(tmp_path, "eval", "run", "mine.yaml", "--json", **here)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    id = said["evaluation"]["id"]
    assert (tmp_path / "out.md").read_text().startswith("# ")
    assert {each["name"] for each in said["card"]["metrics"]} >= {"contains", "long"}

    grid = json.loads(typed(tmp_path, "eval", "export", id, **here).stdout)
    assert {(cell["variant"], cell["scores"]["long"]["value"]) for cell in grid["cells"]} == {
        ("echo", False),
        ("loud", True),
    }
    assert {cell["slices"]["lang"] for cell in grid["cells"]} == {"en", "da"}
    lines = typed(tmp_path, "eval", "export", id, "--format", "csv", **here).stdout.splitlines()
    assert lines[0].endswith(",contains,long")
    assert len(lines) == 7
    shown = typed(tmp_path, "eval", "show", id, **here)
    assert "6 of 6, 0 errors" in shown.stdout
    compared = typed(tmp_path, "eval", "compare", id, id, "--json", **here)
    assert len(json.loads(compared.stdout)["arms"]) == 4, compared.stderr

    listed = json.loads(typed(tmp_path, "dataset", "list", "--json", **here).stdout)["datasets"]
    assert [(each["name"], each["rows"], each["version"]) for each in listed] == [("rows", 3, 1)]
    more = typed(
        tmp_path,
        *("dataset", "create", "rows", "--query", "", "--n", "2", "--expect", "--split", "test=1"),
        *("--stratify", "endpoint", "--seed", "7"),
        **here,
    )
    assert "rows version 2: 5 rows" in more.stdout, more.stderr
    rows = [json.loads(line) for line in typed(tmp_path, "dataset", "export", "rows", **here).stdout.splitlines()]
    drawn = [row for row in rows if "messages" in row["inputs"]]
    assert [row["weight"] for row in drawn] == [3.0, 3.0]
    assert {row["split"] for row in drawn} == {"test"}
    assert "expected_response" in drawn[0]["expectations"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "name: Field required"),
        ({"nam": "x"}, "nam: there is no such key; did you mean 'name'?"),
        ({"repeats": 0}, "repeats: Input should be greater than or equal to 1, not 0"),
        ({"variants": [{"name": "a", "endpoint": "m", "prompt": "x"}]}, "write prompts:/name/3 or prompts:/name@alias"),
        ({"variants": [{"name": "a", "endpoint": "m", "params": {"stream": True}}]}, "'stream' is no parameter here"),
    ],
)
def test_a_file_that_asks_for_no_evaluation_is_told_what_would_be_right(
    tmp_path: Path, said: Json, problem: str
) -> None:
    whole = {
        "rows": [{"q": 1}],
        "variants": [{"name": "a", "endpoint": "m"}],
        **({"name": "x"} if said else {}),
        **said,
    }
    (tmp_path / "asked.yaml").write_text(yaml.safe_dump(whole))
    with pytest.raises(InvalidRequest, match=re.escape(problem)):
        evaluation.read(str(tmp_path / "asked.yaml"))


def test_a_name_that_is_no_file_is_answered_with_the_examples_that_there_are() -> None:
    with pytest.raises(InvalidRequest, match="the shipped examples are capitals"):
        evaluation.read("nothing-here")


async def test_what_a_gateway_refuses_is_said_and_the_command_fails(start_gateway: Start, tmp_path: Path) -> None:
    gateway = await start_gateway({})
    done = typed(tmp_path, "eval", "run", "capitals", "--budget", "-1", **at(gateway))
    assert done.returncode == 2
    done = typed(tmp_path, "eval", "show", "nothing", **at(gateway))
    assert (done.returncode, done.stderr.strip()) == (1, "there is no evaluation 'nothing'")
    done = typed(tmp_path, "dataset", "list", GATELOG_URL=gateway.url)
    assert done.returncode == 1
    assert "no valid key was given" in done.stderr
