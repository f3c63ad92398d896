"""Artifacts in a bucket of S3, or of a store that speaks its language."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from providers.errors import InvalidRequest, StorageUnavailable
from tracking.artifact_paths import Parts
from tracking.artifacts import (
    MOST_PARTS,
    PIECE,
    ArtifactsPlaceError,
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

BLOCK = 8 * PIECE
"""Sent at a time; S3 takes no part of less than 5 MiB but the last."""
PART_SECONDS = 3_600
"""For how long a part may be sent to the URL that it was given."""
CONNECTIONS = 32
CONNECT_SECONDS, READ_SECONDS = 5, 60
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})
_WRONG_PARTS = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"})

Client = Any
"""boto3 makes its clients' classes from descriptions of the API, so no type can be named."""


def open_bucket(place: str, most: int) -> BucketArtifacts:
    """The store of `s3://bucket/prefix`. Keys, region and endpoint come from where AWS's own tools take them."""
    try:
        import boto3  # type: ignore[import-untyped]  # it ships no types
        from botocore.config import Config  # type: ignore[import-untyped]  # nor does this
    except ImportError as exc:
        raise ArtifactsPlaceError(f"artifacts {place!r} needs boto3: install gatelog[s3]") from exc
    split = urlsplit(place)
    if not _BUCKET.fullmatch(split.netloc) or split.query or split.fragment:
        raise ArtifactsPlaceError(f"artifacts {place!r} is not s3://bucket or s3://bucket/prefix")
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "max_attempts": 3},
    )
    return BucketArtifacts(lambda: boto3.client("s3", config=config), split.netloc, split.path.strip("/"), most)


class BucketArtifacts:
    """The store of what is below one prefix. `connect` makes the client, which is done when it is first needed."""

    def __init__(self, connect: Callable[[], Client], bucket: str, prefix: str, most: int) -> None:
        self._connect, self._bucket, self._prefix = connect, bucket, prefix
        self.most = most
        self._made: Client = None
        self._making = threading.Lock()
        self._block = max(BLOCK, -(-most // MOST_PARTS))

    async def entries(self, folder: Parts) -> list[Entry]:
        return await in_thread(self._entries, folder)

    async def open(self, file: Parts) -> BucketBlob:
        return await in_thread(self._open, file)

    async def put(self, file: Parts, pieces: AsyncIterator[bytes]) -> None:
        key = self._key(file)
        upload: str | None = None
        tags: list[Part] = []
        held = b""
        try:
            # A block is sent once another follows it, so that what fits in one needs no multipart upload.
            async for block in blocks(pieces, self._block, self.most):
                if held:
                    if upload is None:
                        upload = await in_thread(self._begin, key)
                    tags.append(await in_thread(self._send, key, upload, len(tags) + 1, held))
                held = block
            if upload is None:
                await in_thread(self._put, key, held)
            else:
                tags.append(await in_thread(self._send, key, upload, len(tags) + 1, held))
                await in_thread(self._finish, key, upload, tags)
                upload = None
        finally:
            if upload is not None:
                await in_thread(self._abort, key, upload)

    async def delete(self, path: Parts) -> None:
        await in_thread(self._delete, path)

    async def create_upload(self, file: Parts, parts: int) -> str:
        if not 1 <= parts <= MOST_PARTS:
            raise InvalidRequest(f"num_parts is {parts}; say 1 to {MOST_PARTS}", param="num_parts")
        return await in_thread(self._begin, self._key(file))

    async def part_url(self, file: Parts, upload: str, number: int) -> str | None:
        told = {"UploadId": upload, "PartNumber": number}
        return await in_thread(self._sign, "upload_part", self._key(file), PART_SECONDS, told)

    async def put_part(self, upload: str, number: int, pieces: AsyncIterator[bytes]) -> str:
        raise no_upload(upload)

    async def complete_upload(self, file: Parts, upload: str, parts: Sequence[Part]) -> None:
        await in_thread(self._complete, self._key(file), upload, parts)

    async def abort_upload(self, file: Parts, upload: str) -> None:
        await in_thread(self._abort, self._key(file), upload)

    async def download_url(self, file: Parts, seconds: int) -> Presigned | None:
        return await in_thread(self._download_url, file, seconds)

    async def upload_url(self, file: Parts, seconds: int) -> Presigned | None:
        return Presigned(await in_thread(self._sign, "put_object", self._key(file), seconds, {}))

    def _entries(self, folder: Parts) -> list[Entry]:
        found = []
        for page in self._pages("".join(f"{name}/" for name in folder), "/"):
            prefix = len(page["Prefix"])
            found += [Entry(below["Prefix"][prefix:].rstrip("/")) for below in page.get("CommonPrefixes", [])]
            # A key that ends in the prefix itself is how some tools make an empty folder.
            found += [Entry(file["Key"][prefix:], file["Size"]) for file in page.get("Contents", [])]
        return sorted((entry for entry in found if entry.name), key=lambda entry: entry.name)

    def _open(self, file: Parts) -> BucketBlob:
        with _asking(no_file(file)):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(file))
        return BucketBlob(answer["Body"], answer["ContentLength"])

    def _put(self, key: str, body: bytes) -> None:
        with _asking():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def _begin(self, key: str) -> str:
        with _asking():
            return str(self._client.create_multipart_upload(Bucket=self._bucket, Key=key)["UploadId"])

    def _send(self, key: str, upload: str, number: int, body: bytes) -> Part:
        with _asking():
            sent = self._client.upload_part(Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
        return Part(number, sent["ETag"])

    def _finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _asking(no_upload(upload)):
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": named}
            )

    def _complete(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        with _asking(no_upload(upload)):
            pages = self._client.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload)
            size = sum(part["Size"] for page in pages for part in page.get("Parts", []))
        if size > self.most:
            self._abort(key, upload)
            raise too_large(self.most)
        self._finish(key, upload, parts)

    def _abort(self, key: str, upload: str) -> None:
        with _asking(no_upload(upload)):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)

    def _delete(self, path: Parts) -> None:
        key = self._key(path)
        found = False
        for page in self._pages("".join(f"{name}/" for name in path), None):
            keys = [{"Key": file["Key"]} for file in page.get("Contents", [])]
            if keys:
                found = True
                with _asking():
                    self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
        if not found:
            with _asking(no_file(path)):
                self._client.head_object(Bucket=self._bucket, Key=key)
        with _asking():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _download_url(self, file: Parts, seconds: int) -> Presigned:
        key = self._key(file)
        with _asking(no_file(file)):
            size = self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
        return Presigned(self._sign("get_object", key, seconds, {}), {}, size)

    def _sign(self, method: str, key: str, seconds: int, told: dict[str, Any]) -> str:
        with _asking():
            parameters = {"Bucket": self._bucket, "Key": key, **told}
            return str(self._client.generate_presigned_url(method, Params=parameters, ExpiresIn=seconds))

    def _pages(self, below: str, delimiter: str | None) -> Iterator[dict[str, Any]]:
        prefix = f"{self._prefix}/{below}" if self._prefix else below
        grouped = {"Delimiter": delimiter} if delimiter else {}
        with _asking():
            lister = self._client.get_paginator("list_objects_v2")
            yield from lister.paginate(Bucket=self._bucket, Prefix=prefix, **grouped)

    def _key(self, parts: Parts) -> str:
        if not parts:
            raise no_name()
        return "/".join((self._prefix, *parts) if self._prefix else parts)

    @property
    def _client(self) -> Client:
        with self._making:
            if self._made is None:
                self._made = self._connect()
            return self._made


class BucketBlob:
    """An object whose bytes are on their way."""

    def __init__(self, body: Any, size: int) -> None:
        self._body = body
        self.size = size

    async def pieces(self) -> AsyncIterator[bytes]:
        while piece := await in_thread(self._read):
            yield piece

    async def close(self) -> None:
        await in_thread(self._body.close)

    def _read(self) -> bytes:
        with _asking():
            read: bytes = self._body.read(PIECE)
            return read


@contextmanager
def _asking(absent: Exception | None = None) -> Iterator[None]:
    """What boto3 raises, as ours; `absent` where the bucket has not got what is asked for."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]  # it ships no types

    try:
        yield
    except ClientError as exc:
        code = str(exc.response.get("Error", {}).get("Code", ""))
        if absent is not None and code in _MISSING:
            raise absent from exc
        if code in _WRONG_PARTS:
            raise not_the_parts(code) from exc
        raise StorageUnavailable(f"the bucket of the artifacts refuses: {code}") from exc
    except BotoCoreError as exc:
        raise StorageUnavailable(f"the bucket of the artifacts does not answer: {type(exc).__name__}") from exc
