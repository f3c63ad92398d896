"""Entries without the files that they name: for a gateway that is elsewhere, and reads no files for who asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from evaluate.scorers.options import Unfit
from evaluate.scorers.table import InvalidScorer


def inlined(entries: Sequence[Any], directory: Path) -> list[Any]:
    """Entries with the texts of files in place of their paths, which start from `directory`. Raises InvalidScorer."""
    found: list[Any] = []
    for at, entry in enumerate(entries):
        try:
            match entry:
                case {"scorer": "python"}:
                    found.append(_python(entry, directory))
                case {"scorer": "json_schema", "schema": str() as path}:
                    found.append({**entry, "schema": orjson.loads(_text(directory / path))})
                case _:
                    found.append(entry)
        except (Unfit, orjson.JSONDecodeError) as exc:
            raise InvalidScorer(f"scorers[{at}]: {exc}") from exc
    return found


def _python(entry: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    from evaluate.scorers.custom import read

    rest = {key: value for key, value in entry.items() if key not in {"file", "files"}}
    if isinstance(file := entry.get("file"), str):
        rest |= {"source": _text(directory / file), "name": entry.get("name", Path(file).stem)}
    beside = dict(entry.get("beside", {}))
    for each in entry.get("files", ()):
        for name, content in read("python", directory / each).items():
            try:
                beside[name] = content.decode()
            except UnicodeDecodeError as exc:
                raise Unfit(f"python: {name!r} is no text, and only texts are sent to a gateway") from exc
    return {**rest, "beside": beside} if beside else rest


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as exc:
        raise Unfit(f"the file {str(path)!r} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise Unfit(f"the file {str(path)!r} is not UTF-8 text") from exc
