"""A changed configuration is taken up whole or not at all, whichever way its file was changed."""

# ruff: noqa: ASYNC240 - these loops have nothing else to do than to wait for their files

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import logs
from gateway.configuration import load
from gateway.reload import Watcher
from gateway.settings import Loaded

pytestmark = pytest.mark.anyio

ENVIRON = {"KEY": "sk-from-the-environment"}
SECONDS = 0.05


class Taken:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.configurations: list[Loaded] = []

    def __call__(self, loaded: Loaded) -> None:
        self.configurations.append(loaded)

    @property
    def names(self) -> list[str]:
        return [endpoint.name for endpoint in self.configurations[-1].settings.endpoints]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gatelog.yaml"
    path.write_text(endpoints("first"))
    return path


@pytest.fixture
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, levels = root.handlers[:], root.level, [logging.getLogger(name).level for name in logs.OURS]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in zip(logs.OURS, levels, strict=True):
        logging.getLogger(name).setLevel(before)


def endpoints(*names: str, more: str = "") -> str:
    targets = "targets: [{provider: demo, model: words}]"
    return "endpoints:\n" + "".join(f"  - {{name: {name}, {targets}}}\n" for name in names) + more


@asynccontextmanager
async def watched(path: Path, taken: Taken) -> AsyncIterator[Watcher]:
    watcher = Watcher(load(path, ENVIRON), ENVIRON, taken, seconds=SECONDS)
    task = asyncio.create_task(watcher.run())
    await asyncio.sleep(3 * SECONDS)
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what is waited for is a file on disk
            await asyncio.sleep(SECONDS / 5)


async def test_an_edit_is_taken_up(file: Path) -> None:
    taken = Taken()
    async with watched(file, taken) as watcher:
        before = watcher.state()
        assert not taken.configurations
        file.write_text(endpoints("first", "second"))
        await until(lambda: taken.configurations)
        await until(lambda: watcher.state()["revision"] != before["revision"])
    assert taken.names == ["first", "second"]
    assert watcher.loaded is taken.configurations[-1]
    assert watcher.state()["loaded_at"] > before["loaded_at"]
    assert watcher.state()["path"] == str(file)


async def test_a_file_that_is_replaced_or_that_a_link_leaves_for_another_is_taken_up(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"..data{number}").mkdir()
        (tmp_path / f"..data{number}" / "gatelog.yaml").write_text(endpoints(f"link{number}"))
    (tmp_path / "..data").symlink_to("..data1")
    link = tmp_path / "gatelog.yaml"
    link.symlink_to("..data/gatelog.yaml")
    taken = Taken()
    async with watched(link, taken):
        (tmp_path / "..new").symlink_to("..data2")
        (tmp_path / "..new").rename(tmp_path / "..data")
        await until(lambda: taken.configurations)
        assert taken.names == ["link2"]
        (tmp_path / "fresh").write_text(endpoints("renamed"))
        (tmp_path / "fresh").replace(link)
        await until(lambda: len(taken.configurations) == 2)
        assert taken.names == ["renamed"]


async def test_a_wrong_file_changes_nothing_and_is_told_until_it_is_right(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = Taken()
    async with watched(file, taken) as watcher:
        revision = watcher.state()["revision"]
        file.write_text(endpoints("first", more="retention: {runs_days: never}\nservr: {}\n"))
        await until(lambda: watcher.state()["last_error"])
        state = watcher.state()
        assert [(error["where"], error["line"]) for error in state["last_error"]["errors"]] == [
            ("retention.runs_days", 3),
            ("servr", 4),
        ]
        assert state["revision"] == revision
        assert not taken.configurations
        told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert any(f"revision {revision} stays in use" in message for message in told)
        assert any("gatelog.yaml:3:" in message and "'never'" in message for message in told)
        file.write_text(endpoints("right"))
        await until(lambda: taken.configurations)
        await until(lambda: watcher.state()["last_error"] is None)


async def test_a_file_that_goes_away_and_comes_back_does_no_harm(file: Path) -> None:
    taken = Taken()
    async with watched(file, taken) as watcher:
        content = file.read_text()
        file.unlink()
        await until(lambda: watcher.state()["last_error"])
        assert "cannot be read" in watcher.state()["last_error"]["errors"][0]["message"]
        file.write_text(content)
        await until(lambda: watcher.state()["last_error"] is None)
    assert not taken.configurations


async def test_time_stamps_and_comments_change_nothing(file: Path) -> None:
    taken = Taken()
    async with watched(file, taken):
        os.utime(file)
        await asyncio.sleep(4 * SECONDS)
        file.write_text(file.read_text() + "# a remark\n")
        await asyncio.sleep(6 * SECONDS)
    assert not taken.configurations


async def test_a_secret_that_changes_in_its_own_file_is_taken_up(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sk-one\n")
    file.write_text("providers: {openai: {api_key: file:secret}}")
    taken = Taken()
    async with watched(file, taken) as watcher:
        revision = watcher.state()["revision"]
        secret.write_text("sk-two\n")
        await until(lambda: taken.configurations)
    assert taken.configurations[-1].settings.providers["openai"].credentials() == (("default", "sk-two"),)
    assert watcher.state()["revision"] == revision


async def test_what_is_read_only_at_start_waits_for_a_restart_while_the_rest_is_taken_up(file: Path) -> None:
    taken = Taken()
    async with watched(file, taken) as watcher:
        file.write_text(endpoints("second", more="server: {port: 4999}\nauth: {mode: open}\n"))
        await until(lambda: taken.configurations)
        await until(lambda: watcher.state()["needs_restart"] == ["server", "auth"])
        settings = taken.configurations[-1].settings
        assert (settings.server.port, settings.auth.mode, taken.names) == (4000, "keys", ["second"])
        file.write_text(endpoints("second"))
        await until(lambda: watcher.state()["needs_restart"] == [])
    assert len(taken.configurations) == 1


async def test_a_hang_up_reads_the_file_at_once(file: Path) -> None:
    taken = Taken()
    watcher = Watcher(load(file, ENVIRON), ENVIRON, taken, seconds=3600)
    file.write_text(endpoints("now"))
    assert await watcher.reload()
    assert taken.names == ["now"]
    file.write_text("endpoints: 1")
    assert not await watcher.reload()
    assert len(taken.configurations) == 1


async def test_options_go_on_winning(file: Path) -> None:
    taken = Taken()
    watcher = Watcher(load(file, ENVIRON, {("server", "port"): 5000}), ENVIRON, taken)
    file.write_text(endpoints("second", more="server: {port: 4999}\n"))
    assert await watcher.reload()
    assert taken.configurations[-1].settings.server.port == 5000
    assert watcher.state()["needs_restart"] == []


async def test_the_log_says_more_when_asked_to_while_serving(
    file: Path, capsys: pytest.CaptureFixture[str], logging_restored: None
) -> None:
    watcher = Watcher(load(file, ENVIRON), ENVIRON, Taken())
    file.write_text(endpoints("first", more="logging: {level: debug, format: json}\n"))
    assert await watcher.reload()
    logging.getLogger("gatelog").debug("a detail")
    assert '"message":"a detail"' in capsys.readouterr().err


async def test_one_that_cannot_be_taken_leaves_the_old_one(file: Path) -> None:
    def refuse(loaded: Loaded) -> None:
        raise ValueError("no room for it")

    watcher = Watcher(load(file, ENVIRON), ENVIRON, refuse)
    before = watcher.loaded
    file.write_text(endpoints("second"))
    assert not await watcher.reload()
    assert watcher.loaded is before
    assert watcher.state()["last_error"]["errors"][0]["message"] == "no room for it"


async def test_garbage_written_ten_times_a_second_never_gets_through(file: Path) -> None:
    rng = random.Random(6)
    over = threading.Event()
    whole = endpoints("first", "second", "third", more="retention: {runs_days: 30}\n").encode()

    def write() -> None:
        while not over.is_set():
            half = whole[: rng.randrange(len(whole))]
            file.write_bytes(
                rng.choice([rng.randbytes(200), half, half + b"}", b"unknown: 1\n", whole + b"\x00", b"a: *b"])
            )
            time.sleep(0.1)

    taken = Taken()
    async with watched(file, taken):
        writer = threading.Thread(target=write)
        writer.start()
        await asyncio.sleep(2)
        over.set()
        await asyncio.to_thread(writer.join)
        file.write_bytes(whole)
        await until(lambda: taken.configurations and taken.names == ["first", "second", "third"])
    for loaded in taken.configurations:
        assert {endpoint.name for endpoint in loaded.settings.endpoints} <= {"first", "second", "third"}
