"""Taking up a changed configuration while serving: whole, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.configuration import Fault, InvalidConfigError, load, revision
from gateway.logs import configure
from gateway.settings import LIVE, Loaded, Settings
from providers.chat import Json

SECONDS = 1.0
SETTLE_SECONDS = 0.1
"""A file that changed is read once it has stayed the same for so long: an editor may be half-way through writing it."""

Stamp = tuple[tuple[int, ...], ...]
Take = Callable[[Loaded], Awaitable[None] | None]
log = logging.getLogger("gatelog.config")


class Watcher:
    """Watches a configuration's files and hands on each new one that is right.

    Replacing a file or the target of a symbolic link is a change, as is an edit in place; a change of time stamps alone
    is none. A configuration that comes from no file is only loaded again when asked.
    """

    def __init__(self, loaded: Loaded, environ: Mapping[str, str], take: Take, *, seconds: float = SECONDS) -> None:
        self.loaded = loaded
        """The one in use. Its sections that are read only at start are always those of the start."""
        self._environ, self._take, self._seconds = environ, take, seconds
        self._stamp: Stamp | None = None
        self._digest: bytes | None = None
        self._loaded_at = datetime.now(UTC)
        self._error: Json | None = None
        self._needs_restart: list[str] = []
        self._turn = asyncio.Lock()

    def state(self) -> Json:
        """For `/admin/config`: what is in use, and what is wrong with a newer one that is not."""
        return {
            "revision": self.loaded.revision,
            "path": None if self.loaded.path is None else str(self.loaded.path),
            "loaded_at": self._loaded_at.isoformat(timespec="milliseconds"),
            "last_error": self._error,
            "needs_restart": self._needs_restart,
        }

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            files = self.loaded.files
            stamp = await asyncio.to_thread(_stamp, files)
            if stamp == self._stamp:
                continue
            await asyncio.sleep(min(SETTLE_SECONDS, self._seconds))
            if await asyncio.to_thread(_stamp, files) != stamp:
                continue
            digest = await asyncio.to_thread(_digest, files)
            changed, self._stamp, self._digest = digest != self._digest, stamp, digest
            if changed:
                await self.reload()

    async def reload(self) -> bool:
        """Load the configuration again now (SIGHUP). False where it is wrong and the old one stays."""
        async with self._turn:
            try:
                new = await asyncio.to_thread(load, self.loaded.path, self._environ, self.loaded.options)
                await self._take_up(new)
            except InvalidConfigError as exc:
                self._refuse(exc.lines(), [fault.public() for fault in exc.faults])
                return False
            except ValueError as exc:
                self._refuse([str(exc)], [Fault("", str(exc)).public()])
                return False
            self._error = None
            return True

    async def _take_up(self, new: Loaded) -> None:
        running = self.loaded.settings
        needs_restart = [
            section
            for section in Settings.model_fields
            if section not in LIVE and getattr(new.settings, section) != getattr(running, section)
        ]
        settings = new.settings.model_copy(update={section: getattr(running, section) for section in needs_restart})
        taken = replace(new, settings=settings, revision=revision(settings))
        if settings != running and (waiting := self._take(taken)) is not None:
            await waiting
        if settings.logging != running.logging:
            configure(settings.logging)
        if needs_restart != self._needs_restart:
            for section in needs_restart:
                log.warning("`%s` has changed, and is read only at start: restart to use it", section)
        self.loaded, self._needs_restart = taken, needs_restart
        if settings != running:
            self._loaded_at = datetime.now(UTC)
            log.info("the configuration was taken up, as revision %s", taken.revision)

    def _refuse(self, lines: list[str], errors: list[Json]) -> None:
        self._error = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "errors": errors}
        log.error("the changed configuration is wrong, so revision %s stays in use", self.loaded.revision)
        for line in lines:
            log.error("%s", line)


def _stamp(files: tuple[Path, ...]) -> Stamp:
    """What changes when a file does, or is replaced, or the link to it is; looked at without reading it."""
    return tuple(_status(file) for file in files)


def _status(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _digest(files: tuple[Path, ...]) -> bytes:
    digest = hashlib.sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:
            content = b""
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.digest()
