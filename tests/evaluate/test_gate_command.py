"""`gatelog eval gate` says by its exit code what CI has to know."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.commands import gates
from tests.evaluate.grids import grid, right

GATES = {
    "pass": "primary: {metric: correctness}",
    "fail": "primary: {metric: correctness}\nfloors: [{metric: correctness, wilson_lower: .99}]",
    "inconclusive": "primary: {metric: correctness}\nrequire: {judge_kappa_lower: .6}",
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    made = grid({"old": right(0.5, 1), "new": right(0.9, 2)})
    (tmp_path / "grid.json").write_bytes(orjson.dumps(made.to_json()))
    for name, text in GATES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    gates.register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(("name", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 3)])
def test_the_exit_code_is_the_outcome(name: str, code: int) -> None:
    done = run("gate", f"{name}.yaml", "grid.json")
    assert done.exit_code == code, done.output
    assert done.stdout.startswith("outcome\tcriterion\twanted\tfound\tevidence\n")
    assert f"{name}\t" in done.stdout


@pytest.mark.parametrize(
    ("gate", "evaluation", "said"),
    [
        ("none.yaml", "grid.json", "none.yaml cannot be read: No such file or directory"),
        ("wrong.yaml", "grid.json", "wrong.yaml: primry: there is no 'primry' (do you mean 'primary'?)"),
        ("stranger.yaml", "grid.json", "stranger.yaml: there is no variant 'newer'; there are new"),
        ("pass.yaml", "none.json", "none.json cannot be read: No such file or directory"),
        ("pass.yaml", "wrong.yaml", "is no evaluation as `gatelog eval export` writes them"),
    ],
)
def test_what_cannot_be_judged_is_bad_usage_and_no_outcome(here: Path, gate: str, evaluation: str, said: str) -> None:
    (here / "wrong.yaml").write_text("primry: {}")
    (here / "stranger.yaml").write_text(f"candidate: newer\n{GATES['pass']}")
    done = run("gate", gate, evaluation)
    assert done.exit_code == 2, done.output
    assert said in done.stderr


def test_a_gateway_that_is_away_is_no_outcome_either() -> None:
    done = run("gate", "pass.yaml", "0199a0b1c2d3e4f5a6b7c8d9e0f1a2b3", "--url", "http://127.0.0.1:9")
    assert done.exit_code == 4
    assert "no gateway answers at http://127.0.0.1:9" in done.stderr


def test_ci_gets_its_files(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = here / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = run("gate", "fail.yaml", "grid.json", "--junit", "junit.xml", "--markdown", "gate.md", "--json")
    assert done.exit_code == 1
    suites = ET.parse(here / "junit.xml").getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "0")
    assert (here / "gate.md").read_text().startswith("## ❌ Fail: which is better\n")
    assert summary.read_text() == f"before\n{(here / 'gate.md').read_text()}\n"
    said = json.loads(done.stdout)
    assert (said["outcome"], said["exit_code"], said["candidate"], said["baseline"]) == ("fail", 1, "new", "old")
    assert said["decisions"][0]["low"] > 0


def test_the_card_is_made_for_the_gate_s_own_alpha_and_margin(here: Path) -> None:
    (here / "strict.yaml").write_text("primary: {metric: correctness, test: non_inferiority, margin: .01, alpha: .001}")
    done = run("gate", "strict.yaml", "grid.json", "--json")
    assert done.exit_code == 0, done.output
    assert "99.8 % interval" in json.loads(done.stdout)["decisions"][0]["why"]


def test_a_file_that_cannot_be_written_is_bad_usage() -> None:
    done = run("gate", "pass.yaml", "grid.json", "--junit", "no/such/folder.xml")
    assert done.exit_code == 2
    assert "no/such/folder.xml cannot be written" in done.stderr
