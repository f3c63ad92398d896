"""The page is built when its sources changed; no install fails for want of it, and the server says why it is away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

import hatch_web
from promptlab import page

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the build, and of sources that no tool can build."""
    place = tmp_path / "checkout"
    (place / "promptlab/web/src").mkdir(parents=True)
    shutil.copy(ROOT / "hatch_web.py", place)
    for name in ("package.json", "package-lock.json", "index.html"):
        shutil.copy(ROOT / "promptlab/web" / name, place / "promptlab/web")
    return place


def build(checkout: Path, switch: str | None, **environ: str) -> subprocess.CompletedProcess[str]:
    """`python hatch_web.py` where there is no node, and no registry that answers."""
    environment = {
        "PATH": "/nonexistent",
        "HOME": str(checkout),
        "npm_config_registry": "http://127.0.0.1:9/",
        **environ,
    }
    if switch is not None:
        environment[hatch_web.SWITCH] = switch
    return subprocess.run(
        [sys.executable, "hatch_web.py"], cwd=checkout, env=environment, capture_output=True, text=True, timeout=120
    )


def test_an_install_without_the_page_succeeds_and_keeps_the_reason(checkout: Path) -> None:
    done = build(checkout, "auto")
    assert done.returncode == 0, done.stderr
    assert "the page was not built; everything else works" in done.stdout
    assert (checkout / "promptlab/static" / hatch_web.FAILED).read_text().strip()
    assert build(checkout, "auto").stdout == "", "a second attempt in the same install does not wait again"
    assert build(checkout, "require").returncode != 0
    assert build(checkout, "skip").returncode == 0


def test_what_was_built_from_the_same_sources_is_not_built_again(checkout: Path) -> None:
    static = checkout / "promptlab/static"
    static.mkdir()
    (static / "index.html").write_text("built")
    probe = "import hatch_web; print(hatch_web._digest(), hatch_web.needed())"

    def asked() -> list[str]:
        done = subprocess.run([sys.executable, "-c", probe], cwd=checkout, capture_output=True, text=True, check=True)
        return done.stdout.split()

    digest, needed = asked()
    assert needed == "True"
    (static / hatch_web.DIGEST).write_text(digest)
    assert asked() == [digest, "False"]
    os.utime(checkout / "promptlab/web/package.json", (0, 0))
    (checkout / "promptlab/web/src/a.test.ts").write_text("a test")
    assert asked() == [digest, "False"], "times and tests are no part of the page"
    (checkout / "promptlab/web/src/a.ts").write_text("a source")
    assert asked()[1] == "True"


def test_the_lock_file_names_no_host_and_a_hash_for_each_package() -> None:
    lock = (ROOT / "promptlab/web/package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 50


def test_the_lock_file_can_be_installed_on_every_platform() -> None:
    packages = json.loads((ROOT / "promptlab/web/package-lock.json").read_text())["packages"]
    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    unlocked = {name for name in wanted if "version" not in packages.get(f"node_modules/{name}", {})}
    assert not unlocked, "npm ci refuses a lock file that lacks them, also where they are not needed"


def test_where_the_page_was_not_built_the_server_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "STATIC", tmp_path)
    client = TestClient(Starlette(routes=[Route(path, endpoint) for path, endpoint, _, _ in page.ROUTES]))
    answer = client.get("/lab")
    assert answer.status_code == 503
    assert "The page was not built" in answer.text
    (tmp_path / hatch_web.FAILED).write_text("npm failed: <registry> away")
    assert page.WHY_NOT == hatch_web.FAILED
    assert "npm failed: &lt;registry&gt; away" in client.get("/").text
    assert client.get("/assets/x.js").status_code == 404
