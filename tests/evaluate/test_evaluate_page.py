"""docs/evaluate.md works word for word, on a gateway without any provider's key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread
import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from evaluate.gate_file import Gate, read
from gateway.cli import app
from tests.harness import Start

PAGE = Path(__file__).parents[2] / "docs/evaluate.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.anyio
async def test_every_block_runs_and_leaves_what_it_says(start_gateway: Start, tmp_path: Path) -> None:
    gateway = await start_gateway({})
    command = tmp_path / "bin" / "gatelog"
    command.parent.mkdir()
    command.write_text(f'#!/usr/bin/env bash\nexec "{sys.executable}" -m gateway "$@"\n')
    command.chmod(0o755)
    script = tmp_path / "page.sh"
    said = "\n".join(
        text if language == "bash" else f"python - <<'PYTHON'\n{text}PYTHON\n"
        for language, text in BLOCKS
        if language in ("bash", "python")
    )
    script.write_text("set -euo pipefail\n" + said)
    environ = {name: value for name, value in os.environ.items() if name != "GITHUB_STEP_SUMMARY"}
    environ |= {
        "GATELOG_URL": gateway.url,
        "GATELOG_KEY": gateway.key,
        "PYTHONPATH": str(PAGE.parents[1]),
        "PATH": f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    work = tmp_path / "work"
    work.mkdir()

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(script)], cwd=work, env=environ, capture_output=True, text=True, check=False, timeout=250
        )

    done = await anyio.to_thread.run_sync(run)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{gateway.log[-3000:]}"
    assert "open book is better than closed book on contains" in done.stdout
    assert "with notes is better than alone on names_it" in done.stdout
    assert "worse" in done.stdout.splitlines()
    for name in ("capitals.html", "python.html"):
        assert '<div class="said">' in (work / name).read_text("utf-8")
    assert (work / "questions.md").read_text("utf-8").startswith("# questions\n")
    assert (work / "report.md").read_text("utf-8").startswith("# over REST\n")
    suites = ET.parse(work / "junit.xml").getroot()
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("5", "0", "0")


def test_the_example_of_a_workflow_uses_commands_that_there_are() -> None:
    (workflow,) = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml"]
    steps = workflow["jobs"]["gate"]["steps"]
    lines = [line for step in steps for line in step.get("run", "").splitlines() if "gatelog eval" in line]
    assert lines
    for line in lines:
        words = line.split()
        assert {word for word in words if word.startswith("--")} <= _options(words[1], words[2]), line


def test_every_criterion_of_a_gate_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    table = text.split("| criterion | what it asks |")[1].split("\n\n")[0]
    for name in _names():
        assert name in table, name
    gates = re.findall(r"cat > gate\.yaml <<'EOF'\n(.*?)EOF", text, re.DOTALL)
    assert [read(each).candidate for each in gates] == ["open book"]


def _names() -> Iterator[str]:
    for name, field in Gate.model_fields.items():
        if name == "candidate":
            yield name
        kind = field.annotation
        if name in ("latency", "require", "budget"):
            yield from kind.model_fields  # type: ignore[union-attr]  # these three are models
    yield from ("primary.test", "primary.alpha", "margin", "wilson_lower", "lower", "upper", "max_ratio", "`max`")


def _options(group: str, name: str) -> set[str]:
    """Of a subcommand, as it knows them."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    inner = root.commands[group]
    assert isinstance(inner, TyperGroup)
    return {option for parameter in inner.commands[name].params for option in parameter.opts}
