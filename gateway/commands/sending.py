"""Sends rows to a dataset of a gateway: those of a file, or of a query over its logged calls."""

from __future__ import annotations

from pathlib import Path

import orjson

from evaluate.client import Gatelog
from evaluate.dataset_files import UnreadableError, format_of
from gateway.commands.terminal import tell
from providers.chat import Json
from providers.errors import InvalidRequest

ALL = "/api/datasets"
TOLD_MOST = 10
"""Refused rows that are named."""


def file(gateway: Gatelog, name: str, path: Path, format: str | None, wanted: Json) -> Json:
    """Rows of a file, which the gateway reads in a process that has limits."""
    try:
        body, known = path.read_bytes(), format or format_of(path.name)
    except OSError as exc:
        raise InvalidRequest(f"{str(path)!r} cannot be read: {exc.strerror}") from exc
    except UnreadableError as exc:
        raise InvalidRequest(str(exc)) from exc
    said = {each: orjson.dumps(value).decode() for each, value in wanted.items() if value is not None}
    place, named = _place(gateway, name)
    return gateway.send(place, body, format=known, **said, **named)


def query(gateway: Gatelog, name: str, asked: Json, wanted: Json) -> Json:
    """Rows of logged calls."""
    place, named = _place(gateway, name)
    body = {"query": asked, **wanted, **named}
    return gateway.post(place, {each: value for each, value in body.items() if value is not None})


def told(report: Json) -> None:
    """What became of the rows, to whoever sent them."""
    tell(
        f"{report['read']} rows read, {report['taken']} taken, {report['duplicates']} asked the same again, "
        f"{report['refused_count']} refused"
    )
    for each in report["refused"][:TOLD_MOST]:
        tell(f"{each['where']}: {each['problem']}")


def _place(gateway: Gatelog, name: str) -> tuple[str, Json]:
    """Where rows of a dataset of this name are sent: to the one that there is, or to make one, which is told how it is
    called."""
    for each in gateway.pages(ALL, "datasets"):
        if each["name"] == name:
            return f"{ALL}/{each['id']}/rows", {}
    return ALL, {"name": name}
