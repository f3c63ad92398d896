"""No path of an artifact leads out of the root, however it is written and whatever stands in the root."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import InvalidRequest
from tests.tracking.artifact_server import FILES, UPLOADS, raw, served
from tests.tracking.hostile import REFUSED, TAKEN
from tracking.artifact_paths import inside, located
from tracking.artifacts import open_artifacts

pytestmark = pytest.mark.anyio
SECRET = b"what nobody may read"
AS_A_FORM = "!$&'()*+,;=:@/"
"""What a target may hold as it is."""


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "root").mkdir()
    async with served(open_artifacts(str(tmp_path / "root"), 1024)) as client:
        yield client


def outside(tmp_path: Path) -> dict[str, bytes]:
    """All that is not in the root."""
    files = (path for path in tmp_path.rglob("*") if path.is_file() and "root" not in path.parts)
    return {str(path): path.read_bytes() for path in files}


def written(path: str) -> list[str]:
    """The ways in which a path comes over the wire: as little encoded as can be, all of it, and all of it twice."""
    everything = "".join(f"%{byte:02x}" for byte in path.encode())
    return [quote(path, safe=AS_A_FORM + "%"), quote(path, safe=AS_A_FORM), everything, quote(everything, safe="")]


def test_the_table_is_as_long_as_was_promised() -> None:
    assert len(set(REFUSED)) >= 60


@pytest.mark.parametrize("path", REFUSED)
def test_a_hostile_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^Invalid path "):
        inside(path)
    with pytest.raises(InvalidRequest, match=r"^Invalid path "):
        located("mlflow-artifacts:/0/run/artifacts", path)


@given(st.text(max_size=60) | st.text(alphabet="./\\%2eEfF5cC:~ \uff0e\uff0f", max_size=40))
def test_whatever_is_taken_is_below_the_root(path: str) -> None:
    try:
        parts = inside(path)
    except InvalidRequest:
        return
    assert not any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts)
    root = "/srv/artifacts"
    joined = os.path.normpath(Path(root, *parts))
    assert joined == root or joined.startswith(root + "/")


async def test_no_hostile_path_reads_writes_or_deletes_outside_or_breaks_the_server(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    before = outside(tmp_path)
    asked = 0
    for path in REFUSED:
        for target in {each for each in written(path) if len(each) < 60_000}:
            for method, where in [
                ("GET", f"{FILES}/{target}"),
                ("GET", f"{FILES}?path={target}"),
                ("PUT", f"{FILES}/{target}"),
                ("DELETE", f"{FILES}/{target}"),
                ("GET", f"/api/2.0/mlflow-artifacts/presigned/{target}"),
            ]:
                status, answer = await raw(http, method, where, b"hostile" if method == "PUT" else b"")
                assert 400 <= status < 500 or (status == 200 and "?path" in where), (method, where, answer)
                assert SECRET not in answer, (method, where)
                asked += 1
    assert asked > 60 * 5
    assert outside(tmp_path) == before
    assert [path for path in (tmp_path / "root").rglob("*") if path.is_file()] == []
    assert (await http.get(FILES)).json() == {}


async def test_no_hostile_path_gets_in_by_a_multipart_upload(http: httpx.AsyncClient, tmp_path: Path) -> None:
    before = outside(tmp_path)
    for path in REFUSED:
        everything = "".join(f"%{byte:02x}" for byte in path.encode())
        if len(everything) < 60_000:
            status, _ = await raw(http, "POST", f"{UPLOADS}/create/{everything}", b'{"path": "f", "num_parts": 1}')
            assert 400 <= status < 500, path
            status, _ = await raw(http, "PUT", f"{UPLOADS}/parts/{everything}/1", b"hostile")
            assert 400 <= status < 500, path
        # Of a path on the client's own machine, only the last name counts.
        answer = await http.post(f"{UPLOADS}/create/0/run", json={"path": path, "num_parts": 1})
        assert answer.status_code in (200, 400), (path, answer.text)
    assert outside(tmp_path) == before


@pytest.mark.parametrize("path", TAKEN)
async def test_a_name_that_only_looks_odd_is_a_name(path: str, http: httpx.AsyncClient, tmp_path: Path) -> None:
    target = quote(f"0/run/artifacts/{path}", safe="/")
    assert (await raw(http, "PUT", f"{FILES}/{target}", path.encode()))[0] == 200
    status, answer = await raw(http, "GET", f"{FILES}/{target}")
    assert (status, answer.rsplit(b"\r\n\r\n", 1)[1]) == (200, path.encode())
    tidy = "/".join(part for part in path.split("/") if part)
    assert (tmp_path / "root/0/run/artifacts" / tidy).read_bytes() == path.encode()
    folder, _, name = f"0/run/artifacts/{tidy}".rpartition("/")
    listing = await http.get(FILES, params={"path": folder})
    assert listing.json() == {"files": [{"path": name, "is_dir": False, "file_size": len(path.encode())}]}


async def test_a_symbolic_link_in_the_root_leads_nowhere(http: httpx.AsyncClient, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "0").mkdir()
    (root / "to-file").symlink_to(tmp_path / "secret")
    (root / "to-folder").symlink_to(tmp_path)
    (root / "0" / "up").symlink_to("../..")
    (root / "to-nothing").symlink_to(tmp_path / "nothing")
    (root / "to-itself").symlink_to("to-itself")
    before = outside(tmp_path)
    for path in ("to-file", "to-folder/secret", "0/up/secret", "to-folder", "to-nothing", "to-itself", "to-itself/a"):
        assert (await http.get(f"{FILES}/{path}")).status_code == 404, path
        assert (await http.get(FILES, params={"path": path})).json() == {}, path
    assert (await http.put(f"{FILES}/to-folder/new", content=b"x")).status_code == 400
    assert (await http.put(f"{FILES}/0/up/secret", content=b"x")).status_code == 400
    assert (await http.delete(f"{FILES}/to-folder/secret")).status_code == 404
    # To put a file where a link is replaces the link, and to delete one deletes it alone.
    assert (await http.put(f"{FILES}/to-file", content=b"mine")).status_code == 200
    assert (await http.get(f"{FILES}/to-file")).content == b"mine"
    assert (await http.put(f"{FILES}/to-nothing", content=b"mine")).status_code == 200
    assert (await http.delete(f"{FILES}/to-folder")).status_code == 200
    assert (await http.delete(f"{FILES}/0")).status_code == 200
    assert outside(tmp_path) == before
    names = {file["path"] for file in (await http.get(FILES)).json()["files"]}
    assert names == {"to-file", "to-nothing"}


async def test_what_is_no_file_is_not_there(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """A pipe would be waited on for ever, and a socket cannot be opened."""
    root = tmp_path / "root"
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "s"))
        for name in ("pipe", "s"):
            assert (await http.get(f"{FILES}/{name}")).status_code == 404
    assert (await http.get(FILES)).json() == {}


async def test_a_file_and_a_folder_do_not_take_each_others_place(http: httpx.AsyncClient) -> None:
    assert (await http.put(f"{FILES}/a/b", content=b"x")).status_code == 200
    for path in ("a", "a/b/c", "a/b/c/d"):
        answer = await http.put(f"{FILES}/{path}", content=b"y")
        assert answer.status_code == 400, path
        assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert (await http.get(f"{FILES}/a")).status_code == 404
    assert (await http.get(f"{FILES}/a/b")).content == b"x"


async def test_the_root_itself_is_nothing_to_put_get_or_delete(http: httpx.AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert (await raw(http, method, f"{FILES}/"))[0] == 400
        assert (await raw(http, method, f"{FILES}//"))[0] == 400
