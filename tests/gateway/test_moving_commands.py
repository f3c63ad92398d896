"""`gatelog export` and `gatelog import folder`, as they are typed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands.terminal import FAILED, OK, STORE, USAGE
from tests.tracking.kept import opened, varied


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.stdout, done.stderr


def test_a_store_is_moved_by_two_commands(tmp_path: Path) -> None:
    old, new = (f"sqlite:///{tmp_path / name}.db" for name in ("old", "new"))

    async def fill() -> None:
        async with opened(old, varied(30)):
            pass

    asyncio.run(fill())
    folder, files = str(tmp_path / "out"), ("--artifacts", str(tmp_path / "artifacts"))
    code, out, _ = run("export", folder, "--store", old, "--json", *files)
    assert (code, json.loads(out)["written"]["calls"]) == (OK, 30)
    code, out, _ = run("import", "folder", folder, "--store", new, "--json", *files)
    assert (code, json.loads(out)["new"]["calls"]) == (OK, 30)
    code, out, _ = run("import", "folder", folder, "--store", new, *files)
    assert (code, out) == (OK, "\tnew\n")
    ids = [
        [each["id"] for each in json.loads(run("runs", "list", "--store", store, "--json")[1])["runs"]]
        for store in (old, new)
    ]
    assert ids[0] == ids[1]
    code, _, said = run("export", folder, "--store", old, *files)
    assert (code, "has something in it" in said) == (FAILED, True)
    part = str(tmp_path / "part")
    code, out, _ = run("export", part, "--store", old, "--filter", "key = 'k1'", "--parquet", "--json", *files)
    assert code == OK
    assert 0 < json.loads(out)["written"]["calls"] < 30
    assert (tmp_path / "part" / "calls.parquet").stat().st_mode & 0o077 == 0


def test_what_cannot_be_moved_is_said(tmp_path: Path) -> None:
    store, files = f"sqlite:///{tmp_path}/none.db", ("--artifacts", str(tmp_path / "artifacts"))
    assert run("export", str(tmp_path / "a"), "--store", store, *files)[0] == STORE
    code, _, said = run("import", "folder", str(tmp_path / "nowhere"), "--store", store, *files)
    assert (code, "it is no export" in said) == (FAILED, True)
    code, _, said = run("export", str(tmp_path / "b"), "--store", store, "--filter", "nonsense = 1", *files)
    assert (code, "nonsense" in said) == (USAGE, True)
