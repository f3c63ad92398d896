"""The command does what docs/cli.md says, with exit codes that a script can use."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.commands.keys import Role
from gateway.commands.terminal import CONFIG, FAILED, OK, STORE, USAGE
from gateway.keys import ROLES
from tests.tracking.kept import add, opened, row, say
from tests.tracking.logged import REQUEST, begin, end
from tracking.database import open_store
from tracking.journal import Journal

DOCS = (Path(__file__).parents[2] / "docs/cli.md").read_text()
FIRST, SECOND = row(1)["id"], row(2)["id"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test in a directory of its own, with nothing configured."""
    monkeypatch.chdir(tmp_path)
    for name in ("GATELOG_CONFIG", "GATELOG_STORE", "GATELOG_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def store(here: Path) -> str:
    """A store with two runs, the second of which went wrong."""
    url = f"sqlite:///{here}/runs.db"

    async def fill() -> None:
        async with opened(url, [row(1), row(2, status="upstream_error", provider=None, cost_nanos=None)]) as database:
            await say(database, FIRST, b'{"model":"chat"}', b'{"choices":[]}', "json")

    asyncio.run(fill())
    return url


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environ)


def process(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateway", *arguments]
    # Whoever starts the tests in the background has them ignore SIGINT, and a child would inherit that.
    heeding = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    finally:
        signal.signal(signal.SIGINT, heeding)


def test_the_version_is_there_at_once() -> None:
    times = []
    for _ in range(3):
        before = os.times()
        done = process("--version")
        out, err = done.communicate(timeout=30)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert (done.returncode, err) == (OK, "")
        assert re.fullmatch(r"gatelog \d+\.\d+\.\d+\S*\n", out)
    assert min(times) < 0.3  # of the processor: how long it takes on a busy machine is not ours


def test_a_command_line_that_is_wrong_is_a_usage_error() -> None:
    for arguments in (("bogus",), ("runs", "list", "--limit", "0"), ("key", "create"), ("serve", "--port", "x")):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (USAGE, ""), arguments
        assert "Error" in result.stderr


def test_a_right_file_is_told_so(here: Path) -> None:
    (here / "c.yaml").write_text("endpoints: [{name: chat, targets: [{provider: demo, model: words}]}]")
    result = run("check", "c.yaml")
    assert result.exit_code == OK
    assert "c.yaml is right (revision" in result.stdout
    assert "chat endpoint chat: demo/words" in result.stdout
    said = json.loads(run("check", "c.yaml", "--json").stdout)
    assert (said["valid"], said["errors"]) == (True, [])


def test_a_wrong_file_is_told_by_line_in_a_form_that_editors_know(here: Path) -> None:
    (here / "c.yaml").write_text("server:\n  prt: 1\nstore: x\n")
    result = run("check", "c.yaml")
    assert (result.exit_code, result.stdout) == (CONFIG, "")
    assert result.stderr.startswith("c.yaml:2:8: server.prt: there is no such setting (did you mean 'port'?)")
    assert "c.yaml:3:8: store: " in result.stderr
    result = run("check", "c.yaml", "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["valid"]) == (CONFIG, False)
    assert [(error["where"], error["line"]) for error in said["errors"]] == [("server.prt", 2), ("store", 3)]
    assert run("check", "nowhere.yaml").exit_code == CONFIG


def test_a_server_does_not_start_on_a_wrong_configuration(here: Path) -> None:
    (here / "gatelog.yaml").write_text("server: {port: 1, nothing: 2}")
    assert run("serve").exit_code == CONFIG
    result = run("serve", "--config", "missing.yaml")
    assert (result.exit_code, "missing.yaml: the file cannot be read" in result.stderr) == (CONFIG, True)
    (here / "gatelog.yaml").write_text("auth: {mode: open}")
    result = run("serve", "--host", "0.0.0.0")
    assert (result.exit_code, "lets everybody in who can reach '0.0.0.0'" in result.stderr) == (CONFIG, True)
    result = run("serve", "--port", "70000")
    assert (result.exit_code, "option --port: 70000 cannot be used" in result.stderr) == (CONFIG, True)


def test_the_schema_is_json() -> None:
    assert json.loads(run("schema").stdout)["title"] == "Gatelog configuration"


def test_runs_in_a_pipe_are_lines_between_tabs(store: str) -> None:
    result = run("runs", "list", "--store", store)
    headings, newest, oldest = (line.split("\t") for line in result.stdout.splitlines())
    assert headings == ["id", "started", "status", "model", "tokens", "cost", "ms"]
    assert newest[:6] == [SECOND, "2026-01-01 00:00:00", "upstream_error", "chat", "10+5", "-"]
    assert oldest[2:] == ["ok", "openai/gpt-4o", "10+5", "$0.000001", "2"]


def test_runs_are_narrowed_ordered_and_limited(store: str) -> None:
    def ids(*arguments: str) -> list[str]:
        result = run("runs", "list", "--json", "--store", store, *arguments)
        assert result.exit_code == OK, result.stderr
        return [each["id"] for each in json.loads(result.stdout)["runs"]]

    assert ids() == [SECOND, FIRST]
    assert ids("--status", "ok") == [FIRST]
    assert ids("--filter", "params.provider = 'openai'") == [FIRST]
    assert ids("--order-by", "attributes.start_time ASC", "--limit", "1") == [FIRST]
    assert ids("--until", "2025-12-31") == []


def test_a_filter_that_is_wrong_is_a_usage_error_that_shows_where(store: str) -> None:
    result = run("runs", "list", "--store", store, "--filter", "params.model ~ 'x'")
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert "filter, column 14" in result.stderr


def test_one_run_is_shown_with_what_was_said(store: str) -> None:
    said = json.loads(run("runs", "show", FIRST, "--store", store).stdout)
    assert (said["request"], said["response"]) == ({"model": "chat"}, {"choices": []})
    result = run("runs", "show", "0" * 32, "--store", store)
    assert (result.exit_code, "there is no run" in result.stderr) == (FAILED, True)


def test_an_export_goes_to_a_pipe_or_to_a_file_of_ones_own(store: str, here: Path) -> None:
    lines = run("runs", "export", "--store", store).stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [SECOND, FIRST]
    result = run("runs", "export", "--store", store, "--status", "ok", "--output", "out.jsonl")
    assert "1 runs written to out.jsonl" in result.stderr
    assert json.loads((here / "out.jsonl").read_text())["request"] == {"model": "chat"}
    assert stat.S_IMODE((here / "out.jsonl").stat().st_mode) == 0o600
    assert run("runs", "export", "--store", store, "--output", "no/where").exit_code == FAILED


def test_an_export_is_of_the_format_that_is_asked_for(store: str, here: Path) -> None:
    assert run("runs", "export", "--store", store, "--format", "csv").stdout.startswith("id,status,")
    result = run("runs", "export", "--store", store, "--format", "parquet", "--output", "out.parquet")
    table = pq.read_table(here / "out.parquet")
    assert result.stderr.endswith(f"{table.num_rows} runs written to out.parquet\n")
    assert table.num_rows == len(run("runs", "export", "--store", store).stdout.splitlines()) > 0


def test_whoever_reads_half_of_an_export_is_not_shouted_at(store: str) -> None:
    async def more() -> None:
        database = open_store(store)
        await add(database, [row(n) for n in range(10, 3000)])
        await database.close()

    asyncio.run(more())
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m gateway runs export --store {shlex.quote(store)} | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (OK, "")
    assert json.loads(done.stdout)["id"]


def test_a_tail_prints_what_comes_in_until_it_is_interrupted(store: str) -> None:
    follower = process("runs", "tail", "--json", "--store", store)
    assert follower.stdout is not None
    assert follower.stderr is not None
    assert "waiting for runs" in follower.stderr.readline()
    late = row(3, id=f"{int(time.time() * 1000):012x}70008000000000000000")

    async def record() -> None:
        database = open_store(store)
        await add(database, [late])
        await database.close()

    asyncio.run(record())
    assert json.loads(follower.stdout.readline())["id"] == late["id"]
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate(timeout=30)
    assert (follower.returncode, out, err) == (OK, "", "")


def test_reading_never_makes_a_store(here: Path) -> None:
    for command in (("runs", "list"), ("runs", "export"), ("runs", "show", "x"), ("key", "list")):
        result = run(*command)
        assert (result.exit_code, "there is no store at" in result.stderr) == (STORE, True), command
    assert list(here.iterdir()) == []


def test_a_store_that_does_not_answer_has_an_exit_code_of_its_own() -> None:
    result = run("runs", "list", "--store", "postgresql://nobody@127.0.0.1:1/none")
    assert (result.exit_code, result.stdout) == (STORE, "")
    assert "the store does not answer" in result.stderr


def test_a_store_by_its_url_needs_no_configuration(store: str, here: Path) -> None:
    (here / "gatelog.yaml").write_text("store: sqlite:///runs.db\nproviders: {openai: {api_key: $NOT_SET}}")
    assert run("runs", "list").exit_code == CONFIG
    assert run("runs", "list", "--store", store).exit_code == OK
    assert run("runs", "list", GATELOG_STORE=store).exit_code == OK
    assert FIRST in run("runs", "list", NOT_SET="sk-set-now").stdout


def test_a_key_is_made_shown_once_listed_and_revoked(here: Path) -> None:
    made = run("key", "create", "search team", "--expires", "30d")
    assert made.exit_code == OK
    assert re.fullmatch(r"gl-\w{49}\n", made.stdout)
    assert "'search team', role caller" in made.stderr
    (listed,) = json.loads(run("key", "list", "--json").stdout)["keys"]
    assert (listed["name"], listed["role"], listed["state"]) == ("search team", "caller", "active")
    assert listed["expires_at"] > listed["created_at"]
    assert made.stdout.strip() not in run("key", "list", "--json").stdout
    assert run("key", "revoke", listed["id"]).exit_code == OK
    assert run("key", "list").stdout.splitlines()[1].split("\t")[4] == "revoked"
    assert run("key", "revoke", "key_0").exit_code == FAILED
    assert stat.S_IMODE((here / "gatelog.pepper").stat().st_mode) == 0o600


def test_a_key_made_with_json_has_the_key_in_it() -> None:
    made = json.loads(run("key", "create", "ops", "--role", "admin", "--expires", "2999-01-31", "--json").stdout)
    assert made["key"].startswith("gl-")
    assert (made["role"], made["expires_at"]) == ("admin", "2999-01-31T00:00:00+00:00")
    assert run("key", "create", "x", "--expires", "soon").exit_code == USAGE
    assert run("key", "create", "x", "--expires", "2001-01-01").exit_code == USAGE
    assert run("key", "create", "x", "--role", "owner").exit_code == USAGE


def test_the_command_knows_every_role() -> None:
    assert {role.value for role in Role} == set(ROLES)


def test_a_left_over_journal_is_recovered(here: Path) -> None:
    assert "there is no journal" in run("recover").stdout
    journal = Journal(here / "gatelog.journal")
    whole, broken = begin(), begin()
    journal.begin(whole, REQUEST)
    journal.end(end(whole["id"]), b"{}")
    journal.begin(broken, REQUEST)
    journal.close()
    result = run("recover", "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["calls"], said["interrupted"], said["faults"]) == (OK, 2, 1, [])
    ids = {each["id"] for each in json.loads(run("runs", "list", "--json").stdout)["runs"]}
    assert ids == {whole["id"], broken["id"]}


def test_damage_in_a_journal_is_told_and_is_a_failure(here: Path) -> None:
    journal = Journal(here / "elsewhere")
    for _ in range(3):
        journal.begin(begin(), REQUEST)
    journal.close()
    (segment,) = (here / "elsewhere").glob("*/*.seg")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)
    result = run("recover", "--journal", "elsewhere")
    assert result.exit_code == FAILED
    assert "1 journals read, with 2 calls" in result.stdout
    assert "bytes at" in result.stdout
    assert "skipped" in result.stdout


def test_what_others_wrote_cannot_drive_the_terminal(here: Path) -> None:
    url = f"sqlite:///{here}/runs.db"

    async def fill() -> None:
        async with opened(url, [row(1, model="x\x1b]0;owned\x07\ty")]):
            pass

    asyncio.run(fill())
    out = run("runs", "list", "--store", url).stdout
    assert "\x1b" not in out
    assert "openai/x\\x1b]0;owned\\x07\\x09y" in out


def walked(command: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every command with what is typed to get to it. Some releases of typer bring a click of their own: hence Any."""
    below = getattr(command, "commands", {})
    found = [each for name, sub in below.items() for each in walked(sub, f"{path} {name}".strip())]
    return found or [(path, command)]


def test_every_command_and_option_is_in_the_documentation() -> None:
    sections = dict(re.findall(r"^## gatelog (.*?)\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL))
    common = DOCS[: DOCS.index("## Exit codes")]
    for path, command in walked(typer.main.get_command(app)):
        arguments = [each.name.upper() for each in command.params if each.param_type_name == "argument"]
        title = " ".join([path, *arguments])
        assert title in sections, f"docs/cli.md has no section `## gatelog {title}`"
        told = sections[title] + common + (sections["runs list"] if path == "runs export" else "")
        for option in command.params:
            if option.param_type_name == "option":
                assert all(f"`{name}`" in told for name in option.opts), f"{option.opts} of {path}"


def test_every_example_in_the_documentation_is_a_command_that_parses(store: str) -> None:
    lines = [line for block in re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL) for line in block.splitlines()]
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line.partition(" > ")[0])
        words += ["--calls", "20", "--no-evaluations"] * (words[1:3] == ["demo", "seed"])  # not weeks of them
        if words[1] not in ("serve", "check", "import", "export"):
            result = run(*words[1:], GATELOG_STORE=store)
            assert result.exit_code == OK, f"{line}: {result.stderr}"
