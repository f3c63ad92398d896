"""Whom we believe over TLS: read when it is first asked for, which takes a moment and some megabytes."""

from __future__ import annotations

import asyncio
import os
import ssl

import certifi


class Trust:
    """`context`: in place of what the system trusts."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context

    async def context(self) -> ssl.SSLContext:
        if self._context is None:
            made = await asyncio.to_thread(_trusting)
            self._context = self._context or made  # another call may have been as early as this one
        return self._context


def _trusting() -> ssl.SSLContext:
    """The system's certificate authorities and Mozilla's; SSL_CERT_FILE and SSL_CERT_DIR replace both."""
    context = ssl.create_default_context()
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys():
        context.load_verify_locations(certifi.where())
    return context
