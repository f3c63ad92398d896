"""Artifacts are put, listed, read and deleted, whole and within bounds, on disk and in a bucket alike."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.bucket import Bucket
from tests.harness import PLAIN
from tests.tracking.artifact_server import FILES, UPLOADS, raw, served
from tracking.artifacts import Artifacts, ArtifactsPlaceError, open_artifacts

pytestmark = pytest.mark.anyio
MIB = 2**20
MOST = 40 * MIB
BODY = os.urandom(9 * MIB + 17)
"""More than one block of each store."""


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with Bucket() as served, pytest.MonkeyPatch.context() as patch:
        for name, value in served.environ.items():
            patch.setenv(name, value)
        yield served.place


@pytest.fixture(params=["disk", "s3"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    if request.param == "disk":
        return open_artifacts(str(tmp_path / "root"), MOST)
    bucket: str = request.getfixturevalue("bucket")
    return open_artifacts(f"{bucket}/{tmp_path.name}", MOST)


@pytest.fixture
async def http(artifacts: Artifacts) -> AsyncIterator[httpx.AsyncClient]:
    async with served(artifacts) as client:
        yield client


async def names(http: httpx.AsyncClient, folder: str) -> list[str]:
    answer = await http.get(FILES, params={"path": folder})
    return [file["path"] for file in answer.json().get("files", [])]


async def test_what_was_put_comes_back_as_an_attachment(http: httpx.AsyncClient) -> None:
    answer = await http.put(f"{FILES}/1/run/artifacts/model/données.txt", content=b"hello")
    assert (answer.status_code, answer.json()) == (200, {})
    answer = await http.get(f"{FILES}/1/run/artifacts/model/données.txt")
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''donn%C3%A9es.txt"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-length"] == "5"
    head = await http.head(f"{FILES}/1/run/artifacts/model/données.txt")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("MLmodel", "text/plain"),
        ("conda.yaml", "text/plain"),
        ("a.png", "image/png"),
        ("page.html", "application/octet-stream"),
        ("drawing.svg", "application/octet-stream"),
        ("model.pkl", "application/octet-stream"),
    ],
)
async def test_nothing_is_sent_as_a_page(name: str, type: str, tmp_path: Path) -> None:
    async with served(open_artifacts(str(tmp_path), MOST)) as http:
        await http.put(f"{FILES}/{name}", content=b"<script>")
        assert (await http.get(f"{FILES}/{name}")).headers["content-type"] == type


async def test_a_large_file_is_the_same_when_it_comes_back(http: httpx.AsyncClient) -> None:
    assert (await http.put(f"{FILES}/big.bin", content=BODY)).status_code == 200
    assert hashlib.sha256((await http.get(f"{FILES}/big.bin")).content).digest() == hashlib.sha256(BODY).digest()
    listing = await http.get(FILES)
    assert listing.json() == {"files": [{"path": "big.bin", "is_dir": False, "file_size": len(BODY)}]}


async def test_a_folder_is_listed_by_names_and_a_file_or_nothing_has_none(http: httpx.AsyncClient) -> None:
    for path in ("e/r/b.txt", "e/r/a.txt", "e/r/d/c.txt", "e/r/d/d/d.txt"):
        await http.put(f"{FILES}/{path}", content=path.encode())
    answer = await http.get(FILES, params={"path": "e/r"})
    assert answer.json()["files"] == [
        {"path": "a.txt", "is_dir": False, "file_size": 9},
        {"path": "b.txt", "is_dir": False, "file_size": 9},
        {"path": "d", "is_dir": True},
    ]
    assert await names(http, "") == ["e"]
    for path in ("e/r/a.txt", "e/r/none", "none"):
        assert (await http.get(FILES, params={"path": path})).json() == {}


async def test_a_file_or_a_whole_folder_is_deleted(http: httpx.AsyncClient) -> None:
    for path in ("r/a", "r/ab", "r/b/c", "r/b/d/e"):
        await http.put(f"{FILES}/{path}", content=b"x")
    assert (await http.delete(f"{FILES}/r/a")).status_code == 200
    assert await names(http, "r") == ["ab", "b"]
    assert (await http.delete(f"{FILES}/r/b")).status_code == 200
    assert await names(http, "r") == ["ab"]
    assert (await http.delete(f"{FILES}/r/b")).status_code == 404
    assert (await http.get(f"{FILES}/r/b/c")).json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


async def test_an_upload_takes_the_place_of_what_was_there(http: httpx.AsyncClient) -> None:
    for content in (b"first", b"", b"second"):
        await http.put(f"{FILES}/f", content=content)
        assert (await http.get(f"{FILES}/f")).content == content


async def test_an_upload_is_bounded_whether_it_says_its_size_or_not(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MOST // MIB + 1):
            yield b"\0" * MIB

    answer = await http.put(f"{FILES}/f", content=endless())
    assert answer.status_code == 413
    assert answer.json()["error_code"] == "BAD_REQUEST"
    status, _ = await raw(http, "PUT", f"{FILES}/f", b"x", said=MOST + 1)
    assert status == 413
    assert await names(http, "") == []


async def test_an_upload_that_breaks_off_leaves_what_was_there(http: httpx.AsyncClient, tmp_path: Path) -> None:
    await http.put(f"{FILES}/f", content=b"whole")
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    writer.write(f"PUT {FILES}/f HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n".encode() + b"\0" * 3 * MIB)
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    del reader
    assert (await http.get(f"{FILES}/f")).content == b"whole"
    uploads = tmp_path / "root/.gatelog/uploads"
    await until(lambda: not uploads.is_dir() or not any(uploads.iterdir()))


async def test_uploads_at_once_to_one_name_leave_one_of_them_whole(http: httpx.AsyncClient) -> None:
    bodies = [bytes([n]) * (MIB + n) for n in range(8)]
    await asyncio.gather(*(http.put(f"{FILES}/d/f", content=body) for body in bodies))
    assert (await http.get(f"{FILES}/d/f")).content in bodies


async def test_a_transfer_holds_little_of_the_file_in_memory(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64 * 16):
            yield bytes(65_536)

    store = open_artifacts(str(tmp_path), 100 * MIB)
    tracemalloc.start()
    await store.put(("f",), pieces())
    blob = await store.open(("f",))
    read = 0
    async for piece in blob.pieces():
        read += len(piece)
    await blob.close()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == 64 * MIB
    assert peak < 8 * MIB


async def created(http: httpx.AsyncClient, path: str, parts: int, name: str = "big.bin") -> tuple[str, list[str]]:
    answer = await http.post(f"{UPLOADS}/create/{path}", json={"path": f"/home/ann/{name}", "num_parts": str(parts)})
    assert answer.status_code == 200, answer.text
    credentials = answer.json()["credentials"]
    assert [credential["part_number"] for credential in credentials] == list(range(1, parts + 1))
    return answer.json()["upload_id"], [credential["url"] for credential in credentials]


async def sent(url: str, body: bytes) -> str:
    """As MLflow's client sends a part: to the URL that it was given, without its key."""
    async with httpx.AsyncClient(**PLAIN) as other:
        answer = await other.put(url, content=body)
        assert answer.status_code == 200, answer.text
        return answer.headers["etag"]


async def test_a_multipart_upload_makes_one_file_of_its_parts(http: httpx.AsyncClient) -> None:
    upload, urls = await created(http, "1/run/artifacts", 2)
    pieces = [BODY[: 6 * MIB], BODY[6 * MIB :]]
    tags = await asyncio.gather(*map(sent, urls, pieces))
    assert await names(http, "1/run/artifacts") == []
    parts = [{"part_number": n, "etag": tag} for n, tag in enumerate(tags, 1)]
    body = {"path": "/home/ann/big.bin", "upload_id": upload, "parts": parts}
    answer = await http.post(f"{UPLOADS}/complete/1/run/artifacts", json=body)
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await http.get(f"{FILES}/1/run/artifacts/big.bin")).content == BODY
    assert (await http.post(f"{UPLOADS}/complete/1/run/artifacts", json=body)).status_code == 404


async def test_a_multipart_upload_that_is_aborted_leaves_nothing(http: httpx.AsyncClient) -> None:
    upload, urls = await created(http, "run", 1)
    await sent(urls[0], b"x")
    body = {"path": "big.bin", "upload_id": upload}
    assert (await http.post(f"{UPLOADS}/abort/run", json=body)).json() == {}
    parts = [{"part_number": 1, "etag": "x"}]
    assert (await http.post(f"{UPLOADS}/complete/run", json={**body, "parts": parts})).status_code == 404
    assert await names(http, "run") == []


async def test_parts_that_were_not_sent_are_not_made_up(http: httpx.AsyncClient) -> None:
    upload, urls = await created(http, "run", 2)
    tag = await sent(urls[0], bytes(5 * MIB))
    first, second = {"part_number": 1, "etag": tag}, {"part_number": 2, "etag": tag}
    wrong: list[list[dict[str, object]]] = [[], [{**first, "etag": "0" * 32}], [first, second], [first, first]]
    for parts in wrong:
        body = {"path": "big.bin", "upload_id": upload, "parts": parts}
        answer = await http.post(f"{UPLOADS}/complete/run", json=body)
        assert answer.status_code == 400, (parts, answer.text)
    assert await names(http, "run") == []


async def test_a_multipart_upload_is_bounded_too(tmp_path: Path) -> None:
    async with served(open_artifacts(str(tmp_path), 100)) as http:
        upload, urls = await created(http, "run", 3)
        tags = [await sent(urls[0], b"x" * 60)]
        assert (await http.put(urls[1], content=b"x" * 41)).status_code == 413
        tags.append(await sent(urls[1], b"x" * 40))
        assert (await http.put(urls[2], content=b"x")).status_code == 413
        parts = [{"part_number": n, "etag": tag} for n, tag in enumerate(tags, 1)]
        body = {"path": "big.bin", "upload_id": upload, "parts": parts}
        assert (await http.post(f"{UPLOADS}/complete/run", json=body)).status_code == 200
        assert len((await http.get(f"{FILES}/run/big.bin")).content) == 100
        for parts_asked in (0, -1, 10_001):
            answer = await http.post(f"{UPLOADS}/create/run", json={"path": "f", "num_parts": parts_asked})
            assert answer.status_code == 400


async def test_a_bucket_says_no_to_a_multipart_upload_that_became_too_large(bucket: str) -> None:
    async with served(open_artifacts(f"{bucket}/small", 6 * MIB)) as http:
        upload, urls = await created(http, "run", 2)
        tags = [await sent(urls[0], bytes(5 * MIB)), await sent(urls[1], bytes(2 * MIB))]
        parts = [{"part_number": n, "etag": tag} for n, tag in enumerate(tags, 1)]
        body = {"path": "big.bin", "upload_id": upload, "parts": parts}
        assert (await http.post(f"{UPLOADS}/complete/run", json=body)).status_code == 413
        assert (await http.post(f"{UPLOADS}/complete/run", json=body)).status_code == 404


async def test_the_id_of_an_upload_is_good_for_its_own_file_alone(tmp_path: Path) -> None:
    async with served(open_artifacts(str(tmp_path), MOST)) as http:
        upload, urls = await created(http, "mine", 1)
        parts = [{"part_number": 1, "etag": await sent(urls[0], b"x")}]
        body = {"path": "big.bin", "upload_id": upload, "parts": parts}
        for step in ("complete", "abort"):
            assert (await http.post(f"{UPLOADS}/{step}/yours", json=body)).status_code == 404
            other = {**body, "upload_id": "0" * 32}
            assert (await http.post(f"{UPLOADS}/{step}/mine", json=other)).status_code == 404
        assert (await http.put(urls[0] + "9", content=b"x")).status_code == 400
        assert (await http.put(urls[0][:-1] + "one", content=b"x")).status_code == 400
        assert (await http.post(f"{UPLOADS}/complete/mine", json=body)).status_code == 200


async def test_uploads_that_nobody_completed_are_swept_up_in_the_end(tmp_path: Path) -> None:
    async with served(open_artifacts(str(tmp_path), MOST)) as http:
        old, urls = await created(http, "run", 1)
        await sent(urls[0], b"x")
        os.utime(tmp_path / ".gatelog/uploads" / old, (0, 0))
        new, _ = await created(http, "run", 1)
    assert [path.name for path in (tmp_path / ".gatelog/uploads").iterdir()] == [new]


async def test_a_bucket_gives_urls_to_read_from_and_a_folder_has_none(bucket: str, tmp_path: Path) -> None:
    async with served(open_artifacts(bucket, MOST)) as http:
        await http.put(f"{FILES}/p/f.txt", content=b"hello")
        answer = (await http.get("/api/2.0/mlflow-artifacts/presigned/p/f.txt")).json()
        assert answer["file_size"] == 5
        async with httpx.AsyncClient(**PLAIN) as other:
            assert (await other.get(answer["url"])).content == b"hello"
        assert (await http.get("/api/2.0/mlflow-artifacts/presigned/p/none")).status_code == 404
    async with served(open_artifacts(str(tmp_path), MOST)) as http:
        answer = await http.get("/api/2.0/mlflow-artifacts/presigned/p/f.txt")
        assert answer.status_code == 501
        assert answer.json()["error_code"] == "NOT_IMPLEMENTED"


async def test_a_bucket_that_is_away_is_a_503(bucket: str) -> None:
    async with served(open_artifacts("s3://nowhere", MOST)) as http:
        for answer in (await http.get(FILES), await http.put(f"{FILES}/f", content=b"x")):
            assert answer.status_code == 503
            assert "NoSuchBucket" in answer.json()["message"]


async def test_a_folder_that_cannot_be_used_is_a_503(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with served(open_artifacts(str(tmp_path / "file" / "root"), MOST)) as http:
        answer = await http.put(f"{FILES}/f", content=b"x")
        assert answer.status_code == 503
        assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"


async def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    async with served(open_artifacts(str(tmp_path / "root"), MOST)) as http:
        await http.put(f"{FILES}/a/b", content=b"x")
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "root").rglob("*")}
    assert set(modes.values()) == {0}, modes


async def test_a_reader_who_hangs_up_leaves_no_file_open(tmp_path: Path) -> None:
    async with served(open_artifacts(str(tmp_path), MOST)) as http:
        await http.put(f"{FILES}/big", content=BODY * 3)
        for _ in range(5):
            async with http.stream("GET", f"{FILES}/big") as answer:
                async for _ in answer.aiter_bytes():
                    break
        await until(lambda: not open_below(tmp_path))


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix", "s3://key:secret@bucket", "s3://b", "s3://bucket/a?b=c"])
def test_a_place_that_is_no_bucket_is_refused(place: str) -> None:
    with pytest.raises(ArtifactsPlaceError, match="is not s3://bucket"):
        open_artifacts(place, MOST)


def open_below(folder: Path) -> list[str]:
    """The files of a folder that this process has open."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(fd.readlink()))
        except OSError:  # the one that lists them
            continue
    return [target for target in found if target.startswith(str(folder))]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for happens in the file system
            await asyncio.sleep(0.02)
