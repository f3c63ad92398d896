"""Every command in the README does what the README says, word for word but for the port."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import free_port

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "README.md").read_text())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository as a user has it, but for its virtual environment, which is the one of these tests."""
    skip = shutil.ignore_patterns(".*", "*.db*", "*.journal", "artifacts", "__pycache__", "node_modules")
    copy = tmp_path / "gatelog"
    shutil.copytree(ROOT, copy, ignore=skip)
    return copy


@pytest.mark.slow
def test_the_readme_works_word_for_word(checkout: Path, tmp_path: Path) -> None:
    port = free_port()
    languages = [language for language, _ in blocks()]
    assert languages == ["bash", "bash", "python", "bash", "bash"]
    # The virtual environment of these tests stands in for the one that `scripts/run` would make here: making one takes
    # longer than all the rest, and continuous integration has just made this one with the same script.
    (checkout / "scripts" / "venv").write_text("#!/usr/bin/env bash\n")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    for name, options in (("gatelog", "-m gateway"), ("python", "")):
        command = checkout / ".venv" / "bin" / name
        command.write_text(f'#!/usr/bin/env bash\nexec "{sys.executable}" {options} "$@"\n')
        command.chmod(0o755)
    script = tmp_path / "readme.sh"
    said = "\n".join(
        text if language == "bash" else f"python3 - <<'PYTHON'\n{text}PYTHON\n" for language, text in blocks()
    )
    script.write_text("set -euo pipefail\n" + said.replace(":4000", f":{port}"))
    environ = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))}
    # Where no URL is given a gateway is looked for at port 4000, which is not the one of this test.
    environ |= {"GATELOG_URL": f"http://127.0.0.1:{port}", "GATELOG_WEB": "skip"}
    environ |= {"PYTHONPATH": str(checkout), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    log = tmp_path / "log"
    with log.open("wb") as out:
        serve = ["scripts/run", "--port", str(port)]
        server = subprocess.Popen(serve, cwd=checkout, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait = f"for i in $(seq 300); do curl -sf http://127.0.0.1:{port}/health && exit; sleep 0.1; done; exit 1"
        subprocess.run(["bash", "-c", wait], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(
            ["bash", str(script)], cwd=checkout, env=environ, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{log.read_text()}"
        assert '"object":"chat.completion"' in done.stdout.replace('": "', '":"')
        assert done.stdout.count("demo/words") >= 2, done.stdout
        assert "open book is better than closed book" in done.stdout
        assert '<div class="said">open book is better</div>' in (checkout / "capitals.html").read_text("utf-8")
    finally:
        server.terminate()
        assert server.wait(30) == 0, log.read_text()
