"""Artifacts in a folder of the file system.

Every name is opened from the folder above it, and none is followed when it is a symbolic link. So whatever is in the
root, and whatever is changed there meanwhile, nothing outside of it can be read, written or deleted.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import orjson

from providers.errors import InvalidRequest, StorageUnavailable
from tracking.artifact_paths import OURS, Parts
from tracking.artifacts import (
    MOST_PARTS,
    PIECE,
    Entry,
    Part,
    Presigned,
    blocks,
    in_thread,
    no_file,
    no_name,
    no_upload,
    not_the_parts,
    too_large,
)

UPLOADS: Parts = (OURS, "uploads")
FORGOTTEN_SECONDS = 7 * 86_400
"""After so long an upload that was begun and not completed is deleted."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, to open a pipe that somebody made in the root would wait for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ABOUT = "about.json"


class DiskArtifacts:
    """The store of one folder, which is made when the first artifact is."""

    def __init__(self, root: Path, most: int) -> None:
        self._root = root.absolute()
        self.most = most

    async def entries(self, folder: Parts) -> list[Entry]:
        return await in_thread(self._entries, folder)

    async def open(self, file: Parts) -> DiskBlob:
        return await in_thread(self._open, file)

    async def put(self, file: Parts, pieces: AsyncIterator[bytes]) -> None:
        if not file:
            raise no_name()
        name = uuid.uuid4().hex
        try:
            await self._write(UPLOADS, name, pieces, self.most)
            await in_thread(self._place, UPLOADS, name, file)
        finally:
            await in_thread(self._forget, UPLOADS, name)

    async def delete(self, path: Parts) -> None:
        await in_thread(self._delete, path)

    async def create_upload(self, file: Parts, parts: int) -> str:
        if not file:
            raise no_name()
        upload = uuid.uuid4().hex
        await in_thread(self._begin, upload, file, parts)
        return upload

    async def part_url(self, file: Parts, upload: str, number: int) -> str | None:
        return None

    async def put_part(self, upload: str, number: int, pieces: AsyncIterator[bytes]) -> str:
        folder = (*UPLOADS, _id(upload))
        _, parts, used = await in_thread(self._about, upload)
        if not 1 <= number <= parts:
            raise InvalidRequest(f"part {number} is none of the {parts} that upload {upload!r} was begun for")
        name = uuid.uuid4().hex
        try:
            digest = await self._write(folder, name, pieces, self.most - used)
            await in_thread(self._keep_part, folder, name, number, digest)
        finally:
            await in_thread(self._forget, folder, name)
        return digest

    async def complete_upload(self, file: Parts, upload: str, parts: Sequence[Part]) -> None:
        await in_thread(self._complete, file, upload, parts)

    async def abort_upload(self, file: Parts, upload: str) -> None:
        await in_thread(self._abort, file, upload)

    async def download_url(self, file: Parts, seconds: int) -> Presigned | None:
        return None

    async def upload_url(self, file: Parts, seconds: int) -> Presigned | None:
        return None

    def _entries(self, folder: Parts) -> list[Entry]:
        found = []
        try:
            with self._folder(folder) as fd, os.scandir(fd) as items:
                for item in items:
                    if item.is_dir(follow_symlinks=False):
                        if folder or item.name != OURS:
                            found.append(Entry(item.name))
                    elif item.is_file(follow_symlinks=False):
                        found.append(Entry(item.name, item.stat(follow_symlinks=False).st_size))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted((entry for entry in found if _readable(entry.name)), key=lambda entry: entry.name)

    def _open(self, file: Parts) -> DiskBlob:
        if not file:
            raise no_name()
        try:
            with self._folder(file[:-1]) as folder:
                fd = os.open(file[-1], _READ, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise no_file(file) from exc
        except OSError as exc:
            if exc.errno in (errno.ELOOP, errno.ENXIO, errno.EMLINK):  # a symbolic link, a socket
                raise no_file(file) from exc
            raise _away(exc) from exc
        about = os.fstat(fd)
        if not stat.S_ISREG(about.st_mode):
            os.close(fd)
            raise no_file(file)
        return DiskBlob(_reader(fd), about.st_size)

    async def _write(self, folder: Parts, name: str, pieces: AsyncIterator[bytes], most: int) -> str:
        """Bytes into a new file in one of our own folders; the digest of them."""
        digest = hashlib.sha256()
        with await in_thread(self._create, folder, name) as file:
            async for block in blocks(pieces, PIECE, most):
                await in_thread(_append, file, block, digest)
        return digest.hexdigest()

    def _create(self, folder: Parts, name: str) -> FileIO:
        with _storing(), self._folder(folder, make=True) as fd:
            return _writer(fd, name)

    def _place(self, folder: Parts, name: str, file: Parts) -> None:
        """Move a file from one of our own folders to where it belongs."""
        try:
            with self._folder(folder) as ours, self._folder(file[:-1], make=True) as theirs:
                os.rename(name, file[-1], src_dir_fd=ours, dst_dir_fd=theirs)
        except (NotADirectoryError, IsADirectoryError, FileExistsError) as exc:
            problem = "it is a folder" if isinstance(exc, IsADirectoryError) else "a name in it is that of a file"
            raise InvalidRequest(f"no artifact can be put at {'/'.join(file)!r}: {problem}", param="path") from exc
        except OSError as exc:
            raise _away(exc) from exc

    def _forget(self, folder: Parts, name: str) -> None:
        try:
            with self._folder(folder) as fd:
                os.unlink(name, dir_fd=fd)
        except FileNotFoundError:
            pass

    def _delete(self, path: Parts) -> None:
        if not path:
            raise no_name()
        try:
            with self._folder(path[:-1]) as fd:
                if stat.S_ISDIR(os.stat(path[-1], dir_fd=fd, follow_symlinks=False).st_mode):
                    shutil.rmtree(path[-1], dir_fd=fd)  # which follows no link either
                else:
                    os.unlink(path[-1], dir_fd=fd)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise no_file(path) from exc
        except OSError as exc:
            raise _away(exc) from exc

    def _begin(self, upload: str, file: Parts, parts: int) -> None:
        if not 1 <= parts <= MOST_PARTS:
            raise InvalidRequest(f"num_parts is {parts}; say 1 to {MOST_PARTS}", param="num_parts")
        self._sweep()
        with _storing(), self._folder((*UPLOADS, upload), make=True) as fd, _writer(fd, _ABOUT) as about:
            _append(about, orjson.dumps({"file": list(file), "parts": parts}))

    def _sweep(self) -> None:
        """Delete what was begun long ago and is still not completed."""
        before = time.time() - FORGOTTEN_SECONDS
        with _storing(), self._folder(UPLOADS, make=True) as fd:
            with os.scandir(fd) as items:
                old = [item for item in items if item.stat(follow_symlinks=False).st_mtime < before]
            for item in old:
                if item.is_dir(follow_symlinks=False):
                    shutil.rmtree(item.name, ignore_errors=True, dir_fd=fd)
                else:
                    os.unlink(item.name, dir_fd=fd)

    def _about(self, upload: str) -> tuple[Parts, int, int]:
        """The file that an upload is to become, how many parts it has, and the bytes that are there."""
        try:
            with self._folder((*UPLOADS, _id(upload))) as fd:
                with _reader(os.open(_ABOUT, _READ, dir_fd=fd)) as about:
                    said = orjson.loads(about.read())
                with os.scandir(fd) as items:
                    used = sum(item.stat(follow_symlinks=False).st_size for item in items if item.name != _ABOUT)
        except FileNotFoundError as exc:
            raise no_upload(upload) from exc
        return tuple(said["file"]), said["parts"], used

    def _keep_part(self, folder: Parts, name: str, number: int, digest: str) -> None:
        """A part is its number and its digest; one that is sent again takes the place of the first."""
        try:
            with self._folder(folder) as fd:
                for other in _numbered(fd, number):
                    os.unlink(other, dir_fd=fd)
                os.rename(name, f"{number}-{digest}", src_dir_fd=fd, dst_dir_fd=fd)
        except FileNotFoundError as exc:
            raise no_upload(folder[-1]) from exc

    def _complete(self, file: Parts, upload: str, parts: Sequence[Part]) -> None:
        begun_for, _, used = self._about(upload)
        if begun_for != file:
            raise no_upload(upload)
        if used > self.most:
            self._abort(file, upload)
            raise too_large(self.most)
        folder, name = (*UPLOADS, upload), uuid.uuid4().hex
        with _storing(), self._folder(folder) as fd, _writer(fd, name) as whole:
            for part in parts:
                _join(fd, part, whole)
        self._place(folder, name, file)
        self._abort(file, upload)

    def _abort(self, file: Parts, upload: str) -> None:
        begun_for, _, _ = self._about(upload)
        if begun_for != file:
            raise no_upload(upload)
        with _storing(), self._folder(UPLOADS) as fd:
            shutil.rmtree(upload, ignore_errors=True, dir_fd=fd)

    @contextmanager
    def _folder(self, parts: Parts, *, make: bool = False) -> Iterator[int]:
        """A descriptor of a folder, reached name by name."""
        if make:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in parts:
                below = _below(fd, name, make)
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)


class DiskBlob:
    """An open file. It is read to the length that it had when it was opened."""

    def __init__(self, file: FileIO, size: int) -> None:
        self._file = file
        self.size = size

    async def pieces(self) -> AsyncIterator[bytes]:
        left = self.size
        while left:
            piece = await in_thread(self._file.read, min(PIECE, left))
            if not piece:
                raise StorageUnavailable("the artifact was cut short while it was read")
            left -= len(piece)
            yield piece

    async def close(self) -> None:
        self._file.close()


def _below(fd: int, name: str, make: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=fd)
    except FileNotFoundError:
        if not make:
            raise
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.EMLINK):  # a symbolic link, as some systems put it
            raise NotADirectoryError(exc.errno, "is a symbolic link", name) from exc
        raise
    try:
        os.mkdir(name, 0o700, dir_fd=fd)
    except FileExistsError:  # somebody else was quicker
        pass
    return os.open(name, _FOLDER, dir_fd=fd)


def _writer(folder: int, name: str) -> FileIO:
    return FileIO(os.open(name, _CREATE, 0o600, dir_fd=folder), "wb")


def _reader(fd: int) -> FileIO:
    return FileIO(fd, "rb")


def _append(file: FileIO, block: bytes, digest: hashlib._Hash | None = None) -> None:
    if digest is not None:
        digest.update(block)
    with _storing():
        view = memoryview(block)
        while view:
            view = view[file.write(view) :]


def _numbered(fd: int, number: int) -> list[str]:
    with os.scandir(fd) as items:
        return [item.name for item in items if item.name.startswith(f"{number}-")]


def _join(fd: int, part: Part, whole: FileIO) -> None:
    name = f"{part.number}-{part.etag}"
    if name not in _numbered(fd, part.number):
        raise not_the_parts(f"part {part.number} with the tag {part.etag[:80]!r} was not uploaded")
    with _reader(os.open(name, _READ, dir_fd=fd)) as source:
        while block := source.read(PIECE):
            _append(whole, block)


def _id(upload: str) -> str:
    """The name of an upload's folder, which must be one that we made."""
    if len(upload) != 32 or not upload.isascii() or not upload.isalnum():
        raise no_upload(upload)
    return upload


def _readable(name: str) -> bool:
    """Whether it can be said in an answer. A name that is not UTF-8 can only have been put there from outside."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise _away(exc) from exc


def _away(error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"the artifacts' folder cannot be used: {os.strerror(error.errno or errno.EIO)}")
