"""What the scripts say on a machine that lacks something, and what they pass on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts alone, and a PATH of our own beside them."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT / "scripts", copy / "scripts")
    (tmp_path / "bin").mkdir()
    for program in ("bash", "cat", "cksum", "dirname", "env", "rm"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / "bin" / program).symlink_to(found)
    return copy


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


def run(checkout: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """From another directory than the checkout, as scripts must work from any."""
    environ = {"PATH": str(checkout.parent / "bin")}
    command = [str(checkout / "scripts" / name), *arguments]
    return subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True, check=False)


def test_a_machine_without_python_is_told_which_one_is_needed(checkout: Path) -> None:
    done = run(checkout, "run")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "found: none" in done.stderr


def test_an_old_python_is_told_which_one_is_needed(checkout: Path) -> None:
    script(checkout.parent / "bin" / "python3", '[ "$1" = --version ] && echo Python 3.9.2\nexit 1')
    done = run(checkout, "test")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "found: Python 3.9.2" in done.stderr


def test_debians_python_without_venv_is_told_the_package(checkout: Path) -> None:
    without = '[ "$1" = --version ] && echo Python 3.11.2\ncase "$2" in *ensurepip*) exit 1 ;; esac'
    script(checkout.parent / "bin" / "python3", without)
    done = run(checkout, "run")
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], "serve"),
        (["--port", "5000"], "serve --port 5000"),
        (["runs", "list", "--json"], "runs list --json"),
        (["--version"], "--version"),
    ],
)
def test_run_serves_unless_told_another_command(checkout: Path, arguments: list[str], passed: str) -> None:
    script(checkout / "scripts" / "venv", "")
    script(checkout / ".venv" / "bin" / "python", "")
    script(checkout / ".venv" / "bin" / "gatelog", 'echo "$GATELOG_CONFIG"; echo "$*"')
    done = run(checkout, "run", *arguments)
    assert done.stdout.splitlines() == [f"{checkout}/config.example.yaml", passed]
