"""What holds for the whole repository: files that fit in one's head, no traces of a machine, links that lead."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 400
REASON = re.compile(r"\b(one file|one table|in one place|long because)\b", re.IGNORECASE)
"""Words with which the docstring of a longer file says why it is one."""
MACHINE = re.compile(r"(?<![\w./:-])/(work|farm|root|tmp/team)/|(?<![\w.])(localhost|127\.0\.0\.1):\d+/simple")
HOSTS = re.compile(r"https?://|(?:index|find-links|extra-index)-?(?:url)?[ =]|file:|@ ")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```|^(?: {4}|\t).*?$", re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    """Every file of the repository; where there is no git (a released archive), every file there is."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    names = listing.stdout.decode().split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def texts(*suffixes: str) -> list[tuple[Path, str]]:
    return [(path.relative_to(ROOT), path.read_text()) for path in tracked() if path.suffix in suffixes]


def test_a_file_fits_in_ones_head_or_says_why_not() -> None:
    long = [
        f"{path}: {len(text.splitlines())} lines"
        for path, text in texts(".py")
        if len(text.splitlines()) > MOST_LINES and not REASON.search(text.split('"""')[1])
    ]
    assert not long, f"longer than {MOST_LINES} lines, and the docstring does not say why: {long}"


def test_every_module_says_what_it_owns() -> None:
    silent = [str(path) for path, text in texts(".py") if text.strip() and not text.lstrip().startswith(('"""', "#!"))]
    assert not silent


def test_no_two_files_of_tests_have_one_name() -> None:
    """Without packages around them, pytest would take one for the other."""
    names = [path.name for path in tracked() if path.name.startswith("test_") and path.suffix == ".py"]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


def test_nothing_names_the_machine_it_was_written_on() -> None:
    traces = [
        f"{path}: {found.group()}"
        for path, text in texts(".py", ".md", ".toml", ".yaml", ".yml", ".lock", ".json", ".sh", "")
        if path.name != "test_house.py" and (found := MACHINE.search(text))
    ]
    assert not traces


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_versions_and_hashes_and_no_hosts(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not HOSTS.search(text)
    pinned = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert pinned
    assert all(re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[\w.!+]+( ; .+)? \\$", line) for line in pinned)


def test_what_is_installed_to_run_is_what_was_tested() -> None:
    run, dev = (
        dict(re.findall(r"^([a-z0-9._-]+)==([\w.!+]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run.items() <= dev.items()


def test_the_lock_files_cover_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    asked = {re.split(r"[\[<>=! ;]", line)[0].lower().replace("_", "-") for line in project["dependencies"]}
    assert asked <= locked, f"run scripts/lock: {sorted(asked - locked)}"


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_in_the_docs_leads_somewhere() -> None:
    broken = []
    for path, text in texts(".md"):
        for target in LINK.findall(FENCED.sub("", text)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, fragment = target.partition("#")
            page = (ROOT / path.parent / name).resolve() if name else ROOT / path
            if not page.exists() or (fragment and fragment not in anchors(page)):
                broken.append(f"{path}: {target}")
    assert not broken


def test_every_page_of_the_docs_is_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    unlisted = [str(path) for path, _ in texts(".md") if path.parts[0] == "docs" and str(path) not in readme]
    assert not unlisted


def test_scripts_are_short_strict_and_run_from_anywhere() -> None:
    for path in [*sorted((ROOT / "scripts").iterdir()), ROOT / ".ci" / "run"]:
        text = path.read_text()
        assert path.stat().st_mode & 0o111, f"{path.name} is not executable"
        assert text.startswith("#!/usr/bin/env bash\n# "), path.name
        assert "set -euo pipefail" in text, path.name
        assert 'dirname "${BASH_SOURCE[0]}"' in text, path.name
        assert len(text.splitlines()) <= 40, path.name
