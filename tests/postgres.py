"""A PostgreSQL server of the tests' own: real, private to one run, stopped and started at will."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import free_port, migrate, new_store

WHERE = Path("/usr/lib/postgresql")
MISSING = f"no PostgreSQL server under {WHERE}: install it (Debian, Ubuntu: apt-get install postgresql)"
UNPRIVILEGED = "postgres"
MIGRATED = "migrated"
"""A database with our tables, of which others are copies."""
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server. Its databases are made by `database()`, each with a URL."""

    bin: Path
    home: Path
    port: int

    def start(self) -> None:
        options = f"-p {self.port} -k {self.home} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        log = str(self.home / "log")
        self._run("pg_ctl", "start", "-w", "-D", str(self.home / "data"), "-l", log, "-o", options)

    def stop(self) -> None:
        """At once, cutting every connection."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.home / "data"))

    def database(self) -> str:
        """The URL of a new one, with our tables: a copy, for to make these takes a second."""
        return self._database(f"t{uuid.uuid4().hex}", MIGRATED)

    def empty(self) -> str:
        """The URL of a new one, with nothing in it."""
        return self._database(f"t{uuid.uuid4().hex}", "template1")

    def prepare(self) -> None:
        migrate(self._database(MIGRATED, "template1"))

    def _database(self, name: str, template: str) -> str:
        options = ("-h", str(self.home), "-p", str(self.port), "-U", UNPRIVILEGED, "-T", template)
        self._run("createdb", *options, name)
        return f"postgresql://{UNPRIVILEGED}:secret-word@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.bin / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", UNPRIVILEGED, "--", *command]
        # A daemon keeps the output that it was started with, so that must not be a pipe that somebody waits on.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/", check=False)
            output.seek(0)
            assert done.returncode == 0, f"{program}: {output.read().decode()}"


def binaries() -> Path:
    """Of the newest version installed."""
    found = sorted(WHERE.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.fail(MISSING)
    return found[-1].parent


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="gatelog-pg-"))
    server = Postgres(binaries(), home, free_port())
    if os.geteuid() == 0:
        shutil.chown(home, UNPRIVILEGED)
    try:
        server._run("initdb", "-D", str(home / "data"), "-U", UNPRIVILEGED, "--auth=trust", "--no-sync", "-E", "UTF8")
        server.start()
        server.prepare()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: Postgres) -> str:
    """The URL of a new database."""
    return postgres_server.database()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new store of each kind in turn, with tables that nothing is in."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(new_store(), tmp_path)}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.database()


@pytest.fixture(params=KINDS)
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store of each kind in turn, of which there is nothing yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gatelog.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.empty()
