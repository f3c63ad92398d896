"""The log is what its settings say, and nobody's words can forge a line of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from gateway import logs
from gateway.settings import LoggingSettings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The root logger and ours as they were."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, [logging.getLogger(name).level for name in logs.OURS]
    yield
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)
    for name, level in zip(logs.OURS, before[2], strict=True):
        logging.getLogger(name).setLevel(level)


def test_a_line_tells_when_how_bad_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LoggingSettings())
    logging.getLogger("gatelog.config").info("taken up")
    logging.getLogger("gatelog").debug("not asked for")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("+00:00 info gatelog.config: taken up")


def test_a_caller_cannot_write_lines_or_drive_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LoggingSettings())
    logging.getLogger("gateway").warning("no such model %s", "x\r\n2026 error gatelog: forged \x1b[31m")
    (line,) = capsys.readouterr().err.splitlines()
    assert r"x\r\n2026 error gatelog: forged \x1b[31m" in line


def test_json_is_one_object_a_line_with_the_traceback_inside(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LoggingSettings(format="json"))
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("tracking.recorder").exception("it failed\n")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("error", "tracking.recorder", "it failed\n")
    assert "ValueError: why" in said["exception"]


def test_the_level_is_ours_and_libraries_are_heard_only_when_they_warn(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LoggingSettings(level="debug"))
    logging.getLogger("gatelog").debug("ours")
    logging.getLogger("httpx").info("HTTP Request: POST https://example.com/?key=secret")
    logs.configure(LoggingSettings(level="error"))
    logging.getLogger("gatelog").warning("no longer asked for")
    assert [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()] == ["ours"]
