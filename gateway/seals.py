"""Texts that are kept in the store and cannot be read from it: sealed with a key made from the pepper."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SealError(Exception):
    """It was sealed with another pepper."""


class Seals:
    """`purpose` keeps what is sealed for one thing from being opened for another."""

    def __init__(self, pepper: bytes, purpose: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=f"gatelog {purpose}".encode()).derive(pepper)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as exc:
            raise SealError("it was sealed with another pepper than auth.pepper_file holds now") from exc
