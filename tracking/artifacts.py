"""Where artifacts are kept: what a store of them can do, and which one a setting stands for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from providers.errors import BodyTooLarge, InvalidRequest, NotFound
from tracking.artifact_paths import Parts

PIECE = 2**20
"""Bytes that are read or written at a time; an upload or a download holds no more of a file in memory."""
MOST_PARTS = 10_000
"""Of one multipart upload, as S3 has it."""
_P = ParamSpec("_P")
_R = TypeVar("_R")


class ArtifactsPlaceError(ValueError):
    """A setting that names no place where artifacts can be kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a folder holds."""

    name: str
    size: int | None = None
    """Bytes of a file; None for a folder."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart upload, as whoever uploaded it says: its number, and the tag that it was answered with."""

    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class Presigned:
    """A URL that the bytes can be fetched from or sent to, without the server in between."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None


class Blob(Protocol):
    """A file that is open to be read. It must be closed, however far it was read."""

    size: int

    def pieces(self) -> AsyncIterator[bytes]: ...
    async def close(self) -> None: ...


class Artifacts(Protocol):
    """A store of files under one root. Everything that takes parts takes those that `artifact_paths.inside` let pass.

    What does not exist is `NotFound`, what cannot be done there `InvalidRequest`, more than `most` bytes
    `BodyTooLarge`, and a store that is away `StorageUnavailable`.
    """

    most: int
    """Bytes that a file may have."""

    async def entries(self, folder: Parts) -> list[Entry]:
        """By name; of a file, and of what does not exist, there are none."""

    async def open(self, file: Parts) -> Blob: ...

    async def put(self, file: Parts, pieces: AsyncIterator[bytes]) -> None:
        """A file appears whole or not at all, and takes the place of one of that name."""

    async def delete(self, path: Parts) -> None:
        """A file, or a folder with all that is in it."""

    async def create_upload(self, file: Parts, parts: int) -> str:
        """The id of a multipart upload, by which its parts can be sent."""

    async def part_url(self, file: Parts, upload: str, number: int) -> str | None:
        """Where to send a part; None where that is this server, by `put_part`."""

    async def put_part(self, upload: str, number: int, pieces: AsyncIterator[bytes]) -> str:
        """The tag of the part, by which completing it names it."""

    async def complete_upload(self, file: Parts, upload: str, parts: Sequence[Part]) -> None:
        """Make the file of parts that are given in order, each once."""

    async def abort_upload(self, file: Parts, upload: str) -> None: ...

    async def download_url(self, file: Parts, seconds: int) -> Presigned | None:
        """None where this server alone can give the bytes."""

    async def upload_url(self, file: Parts, seconds: int) -> Presigned | None:
        """None where this server alone can take the bytes."""


def open_artifacts(place: str, most: int) -> Artifacts:
    """The store that a setting names: a folder, or `s3://bucket/prefix`. Nothing is touched or connected yet."""
    if place.startswith("s3://"):
        from tracking.artifacts_s3 import open_bucket  # what it needs is an extra

        return open_bucket(place, most)
    from tracking.artifacts_disk import DiskArtifacts

    return DiskArtifacts(Path(place), most)


def no_file(file: Parts) -> NotFound:
    return NotFound(f"there is no artifact {'/'.join(file)!r}")


def no_name() -> InvalidRequest:
    return InvalidRequest("this is the root of all artifacts; say which one below it is meant", param="path")


def no_upload(upload: str) -> NotFound:
    return NotFound(f"there is no multipart upload {upload[:64]!r}; it may have been completed, aborted or forgotten")


def not_the_parts(problem: str) -> InvalidRequest:
    return InvalidRequest(f"the upload cannot be completed: {problem}", param="parts")


def too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"the artifact has more than the {most} bytes that server.max_upload allows")


async def blocks(pieces: AsyncIterator[bytes], size: int, most: int) -> AsyncIterator[bytes]:
    """The same bytes in blocks of at least this size, but for the last; `BodyTooLarge` when there are too many."""
    held, total = bytearray(), 0
    async for piece in pieces:
        total += len(piece)
        if total > most:
            raise too_large(most)
        held += piece
        if len(held) >= size:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


async def in_thread(function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Like `asyncio.to_thread`, but not over before the thread is: what it works on may be closed next."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            task.exception()  # so that nobody is told that it was never looked at
        raise
