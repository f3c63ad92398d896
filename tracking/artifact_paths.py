"""Paths of artifacts: names from the root down to one file, none of which leads anywhere else on any system.

What is refused here is refused before a path is put together. That no name is followed out of the root even so (a
symbolic link that somebody made there) is for the store to see to.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from providers.errors import InvalidRequest

Parts = tuple[str, ...]
"""Names of folders, and last that of the file or folder itself. Empty is the root."""
SCHEME = "mlflow-artifacts"
OURS = ".gatelog"
"""The folder in the root that uploads are gathered in. No path may begin with it."""
LONGEST = 900
"""Bytes of a path: S3 takes keys of 1,024, and the root's prefix needs some of them."""
LONGEST_NAME = 255
MOST_DECODINGS = 3
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\\\\\ud800-\udfff\u2028\u2029]")
_DRIVE_OR_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def inside(path: str) -> Parts:
    """The names of a path below the root, or a 400.

    A path is refused when it is not plainly below the root, and also when it would not be after somebody further on
    decoded it once more, or took look-alikes of dots and slashes for what they look like.
    """
    seen = path
    for _ in range(MOST_DECODINGS + 1):
        for reading in (seen, unicodedata.normalize("NFKC", seen)):
            if (problem := _problem(reading)) is not None:
                raise invalid(path, problem)
        decoded = unquote(seen)
        if decoded == seen:
            break
        seen = decoded
    else:
        raise invalid(path, "it is percent-encoded again and again")
    parts = tuple(part for part in path.split("/") if part)
    if len(path.encode()) > LONGEST:
        raise invalid(path, f"it has {len(path.encode())} bytes, and at most {LONGEST} are taken")
    if any(len(part.encode()) > LONGEST_NAME for part in parts):
        raise invalid(path, f"a name in it has more than {LONGEST_NAME} bytes")
    return parts


def located(uri: str, path: str = "") -> Parts | None:
    """The names that a path has below an artifact URI; None for a URI of another store than this server's."""
    try:
        split = urlsplit(uri)
    except ValueError:
        return None
    if split.scheme != SCHEME:
        return None
    return inside(split.path.lstrip("/")) + inside(path)


def invalid(path: str, problem: str) -> InvalidRequest:
    shown = path if len(path) <= 100 else f"{path[:97]}..."
    return InvalidRequest(f"Invalid path {shown!r}: {problem}", code="invalid_path", param="path")


def _problem(path: str) -> str | None:
    if (bad := _FORBIDDEN.search(path)) is not None:
        return f"it has {bad[0]!r} in it"
    if path.startswith(("/", "~")):
        return "it must be relative to the root"
    if _DRIVE_OR_SCHEME.match(path):
        return "it begins with a drive or a scheme"
    if path.split("/", 1)[0].casefold() == OURS:
        return f"{OURS} is the server's own folder"
    for name in path.split("/"):
        # Some systems drop dots and spaces from the end of a name, which makes "... " of the same effect as "..".
        if name and not name.strip(". "):
            return f"{name!r} is no name"
    return None
