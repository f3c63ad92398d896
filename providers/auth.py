"""How a request proves who pays for it: a function from a key to headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Auth = Callable[[str], Mapping[str, str]]


def bearer(key: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {key}"}


def header(name: str) -> Auth:
    def named(key: str) -> Mapping[str, str]:
        return {name: key}

    return named
