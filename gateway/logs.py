"""The gateway's own log: what is written to standard error, and in which form."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson

from gateway.settings import LoggingSettings

OURS = ("gatelog", "gateway", "evaluate", "promptlab", "tracking", "providers", "uvicorn")
"""Loggers that the configured level is for. Libraries' own are heard from warnings on: some log URLs and bodies."""


class Text(logging.Formatter):
    """Lines for people. What others sent cannot begin a line of its own, nor drive a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname.lower()} {record.name}: {_printable(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class Json(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(said).decode()


FORMATS: dict[str, type[logging.Formatter]] = {"text": Text, "json": Json}


def configure(settings: LoggingSettings) -> None:
    """Log as the settings say, in this process. Settings that have changed are taken up by calling it again."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATS[settings.format]())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.level.upper())


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
