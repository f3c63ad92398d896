"""What is different between two values: by path, and within texts by words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any

from providers.chat import Json

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")
PIECES_MOST = 5_000
"""Words of two texts together, beyond which they are compared by lines, and beyond as many lines as wholes."""
_MISSING = object()


def differences(before: Any, after: Any) -> list[Json]:
    return list(_different("", before, after))


def hunks(before: str, after: str) -> list[tuple[str, str]]:
    """Pieces that are kept (`=`), gone (`-`) and new (`+`), in order."""
    for cut in (_words, _lines):
        old, new = cut(before), cut(after)
        if len(old) + len(new) <= PIECES_MOST:
            return _said(_compared(old, new))
    return _said([("-", before), ("+", after)])


def _different(path: str, before: Any, after: Any) -> Iterator[Json]:
    match before, after:
        case dict(), dict():
            for name in dict.fromkeys([*before, *after]):
                inner = f"{path}.{name}" if path else str(name)
                yield from _different(inner, before.get(name, _MISSING), after.get(name, _MISSING))
        case list(), list():
            for at in range(max(len(before), len(after))):
                old, new = (each[at] if at < len(each) else _MISSING for each in (before, after))
                yield from _different(f"{path}[{at}]", old, new)
        case _ if before is _MISSING:
            yield {"path": path, "kind": "added", "from": None, "to": after}
        case _ if after is _MISSING:
            yield {"path": path, "kind": "removed", "from": before, "to": None}
        case str(), str() if before != after:
            yield {"path": path, "kind": "changed", "from": before, "to": after, "hunks": hunks(before, after)}
        case _ if before != after or isinstance(before, bool) != isinstance(after, bool):
            yield {"path": path, "kind": "changed", "from": before, "to": after}


def _compared(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "=", "".join(old[a:b])
        else:
            yield "-", "".join(old[a:b])
            yield "+", "".join(new[c:d])


def _words(text: str) -> list[str]:
    return _PIECE.findall(text)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _said(pieces: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in pieces if text]
