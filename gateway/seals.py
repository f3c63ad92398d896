"""Texts that are kept in the store and cannot be read from it: sealed with a key made from the pepper."""

from __future__ import annotations

import base64
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class SealError(Exception):
    """It was sealed with another pepper."""


class Seals:
    """`purpose` keeps what is sealed for one thing from being opened for another."""

    def __init__(self, pepper: bytes, purpose: str) -> None:
        self._pepper, self._purpose = pepper, purpose

    @cached_property
    def _fernet(self) -> Fernet:
        # Not at the top: it is seven megabytes, and most gateways seal nothing.
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(SHA256(), 32, salt=None, info=f"gatelog {self._purpose}".encode()).derive(self._pepper)
        return Fernet(base64.urlsafe_b64encode(key))

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as exc:
            raise SealError("it was sealed with another pepper than auth.pepper_file holds now") from exc
