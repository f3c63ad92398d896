"""One direction of imports, as `pyproject.toml` draws it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_each_package_knows_only_the_ones_below_it() -> None:
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", lint, "--no-cache"]
    found = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_only_tracking_speaks_sql() -> None:
    speakers = {
        path.relative_to(ROOT).parts[0]
        for package in ("gateway", "evaluate", "promptlab", "tracking", "providers")
        for path in (ROOT / package).rglob("*.py")
        if "sqlalchemy" in path.read_text() or "import aiosqlite" in path.read_text()
    }
    assert speakers <= {"tracking"}
