"""What must not be seen: values that never show themselves, and the pepper that keys are hashed with."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from pathlib import Path
from typing import NoReturn

MASK = "***"
PEPPER_BYTES = 32


class Secret:
    """A text that shows as `***` wherever it is printed, logged, formatted or serialised. `reveal` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of it would be one more place for it to be

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class PepperError(Exception):
    """The pepper's file cannot be used as it is; the message says what to do."""


def load_pepper(path: Path) -> bytes:
    """The pepper kept in a file of its own, made at first use. Whoever has the store alone can check no key."""
    with contextlib.suppress(FileExistsError):
        _create(path)
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        raise PepperError(f"cannot read the pepper {str(path)!r}: {exc.strerror}") from exc
    with os.fdopen(file, "rb") as opened:
        mode = os.fstat(file).st_mode & 0o777
        pepper = opened.read(PEPPER_BYTES + 1)
    if mode & 0o077:
        raise PepperError(f"{str(path)!r} may be read by others (mode {mode:04o}): chmod 600 {path}")
    if len(pepper) != PEPPER_BYTES:
        raise PepperError(
            f"{str(path)!r} is not {PEPPER_BYTES} bytes: restore it from a backup. "
            "If there is none, remove it; all keys must then be made anew"
        )
    return pepper


def _create(path: Path) -> None:
    """Whole or not at all: two processes that start at once end with the same pepper. Raises FileExistsError."""
    if path.exists():
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise PepperError(f"cannot make the pepper {str(path)!r}: {exc.strerror}") from exc
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(secrets.token_bytes(PEPPER_BYTES))
            opened.flush()
            os.fsync(file)
        os.link(fresh, path)
    finally:
        fresh.unlink()
