"""References from the config file to what must not stand in it: environment variables, and files that hold a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from gateway.marked import Path
from providers.chat import Json

FILES: tuple[tuple[str, ...], ...] = (
    ("store",),
    ("auth", "admin_key"),
    ("providers", "*", "api_key"),
    ("providers", "*", "api_keys", "*"),
    ("providers", "*", "headers", "*"),
    ("providers", "*", "proxy"),
)
"""The settings that may be `file:PATH`. `*` stands for any key or index."""
FILE_MOST = 64 * 1024
"""A secret of more bytes than this is a file named by mistake."""

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\}|(?P<wrong>))",
    re.ASCII,
)


@dataclass(slots=True)
class Resolved:
    """A tree without references, and which of its values came from one."""

    tree: Json
    origins: dict[Path, str] = field(default_factory=dict)
    """What the file says in their place. What it stood for may be a secret and is never shown."""
    files: list[File] = field(default_factory=list)
    faults: list[tuple[Path, str]] = field(default_factory=list)


def resolve(tree: Json, environ: Mapping[str, str], directory: File) -> Resolved:
    """Replace `$NAME`, `${NAME}` and `${NAME:-default}` anywhere in a text, and a secret's `file:PATH`.

    `$$` is a dollar sign. What a variable holds is not searched for further references. As in a shell, the default of
    `:-` is taken where the variable is unset or empty. Paths are relative to `directory`.
    """
    resolved = Resolved({})
    resolved.tree = _walked(tree, (), resolved, environ, directory)
    return resolved


def matches(path: Path, pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(wanted in ("*", part) for part, wanted in zip(path, pattern, strict=True))


def _walked(value: Any, path: Path, resolved: Resolved, environ: Mapping[str, str], directory: File) -> Any:
    match value:
        case dict():
            return {key: _walked(each, (*path, key), resolved, environ, directory) for key, each in value.items()}
        case list():
            return [_walked(each, (*path, at), resolved, environ, directory) for at, each in enumerate(value)]
        case str():
            return _text(value, path, resolved, environ, directory)
        case _:
            return value


def _text(text: str, path: Path, resolved: Resolved, environ: Mapping[str, str], directory: File) -> str | None:
    faults = list(_faults(text, environ))
    if faults:
        resolved.faults += [(path, fault) for fault in faults]
        return None

    def replacement(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        held = environ.get(match["plain"] or match["name"])
        return held if held or match["default"] is None else match["default"]  # type: ignore[return-value]  # _faults saw that it is set

    expanded = _REFERENCE.sub(replacement, text)
    is_file = text.startswith("file:") and any(matches(path, pattern) for pattern in FILES)
    if is_file or any(not match["dollar"] for match in _REFERENCE.finditer(text)):
        resolved.origins[path] = text
    if not is_file:
        return expanded
    file = directory / expanded.removeprefix("file://" if expanded.startswith("file:///") else "file:")
    resolved.files.append(file)
    return _contents(file, path, resolved)


def _faults(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    for match in _REFERENCE.finditer(text):
        name = match["plain"] or match["name"]
        if match["wrong"] is not None:
            yield "a lone `$`; write $NAME or ${NAME:-default} for an environment variable, $$ for a dollar sign"
        elif name and name not in environ and match["default"] is None:
            yield f"the environment variable {name} is not set; set it, or give a default as ${{{name}:-default}}"


def _contents(file: File, path: Path, resolved: Resolved) -> str | None:
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_MOST + 1)
        if len(data) > FILE_MOST:
            resolved.faults.append(
                (path, f"the file {str(file)!r} has more than {FILE_MOST} bytes; it holds no secret")
            )
            return None
        text = data.decode()
    except OSError as exc:
        resolved.faults.append((path, f"the file {str(file)!r} cannot be read: {exc.strerror}"))
        return None
    except UnicodeDecodeError:
        resolved.faults.append((path, f"the file {str(file)!r} is not UTF-8 text"))
        return None
    return text.removesuffix("\n").removesuffix("\r")
