"""The gateway keeps artifacts and logged models for whom it knows, and gives them to who may see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.harness import PLAIN, Gateway

pytestmark = pytest.mark.anyio
API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    config = {"server": {"host": "127.0.0.1", "port": 0, "max_upload": "1MiB"}}
    made = Gateway(tmp_path_factory.mktemp("artifacts") / "gateway", {})
    made.write_config({**made.config, "server": {**config["server"], "port": made.port}})
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client() as client:
        yield client


async def made(http: httpx.AsyncClient, **more: object) -> dict[str, object]:
    body = {"experiment_id": "0", "name": "m", "params": [{"key": "C", "value": "1.0"}], **more}
    answer = await http.post(f"{API}/logged-models", json=body)
    assert answer.status_code == 200, answer.text
    model: dict[str, object] = answer.json()["model"]["info"]
    return model


async def test_nobody_without_a_key_reads_or_writes(gateway: Gateway) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, **PLAIN) as stranger:
        for method, path in [
            ("GET", FILES),
            ("GET", f"{FILES}/a"),
            ("PUT", f"{FILES}/a"),
            ("DELETE", f"{FILES}/a"),
            ("POST", "/api/2.0/mlflow-artifacts/mpu/create/a"),
            ("GET", "/api/2.0/mlflow-artifacts/presigned/a"),
            ("GET", "/get-artifact?run_id=a&path=b"),
            ("POST", f"{API}/logged-models/search"),
        ]:
            assert (await stranger.request(method, path)).status_code == 401, path


async def test_a_viewer_reads_and_does_not_write(gateway: Gateway, http: httpx.AsyncClient) -> None:
    key = (await http.post("/api/keys", json={"name": "eyes", "role": "viewer"})).json()["key"]
    await http.put(f"{FILES}/0/v/a.txt", content=b"x")
    async with httpx.AsyncClient(base_url=gateway.url, headers={"authorization": f"Bearer {key}"}, **PLAIN) as viewer:
        assert (await viewer.get(f"{FILES}/0/v/a.txt")).content == b"x"
        assert (await viewer.put(f"{FILES}/0/v/a.txt", content=b"y")).status_code == 403
        assert (await viewer.delete(f"{FILES}/0/v/a.txt")).status_code == 403
        assert (await viewer.post(f"{API}/logged-models", json={"experiment_id": "0"})).status_code == 403


async def test_an_upload_is_bounded_by_the_setting(http: httpx.AsyncClient) -> None:
    assert (await http.put(f"{FILES}/0/r/f", content=bytes(2**20))).status_code == 200
    answer = await http.put(f"{FILES}/0/r/f", content=bytes(2**20 + 1))
    assert answer.status_code == 413
    assert "server.max_upload" in answer.json()["message"]


async def test_files_are_kept_where_the_setting_says(gateway: Gateway, http: httpx.AsyncClient) -> None:
    await http.put(f"{FILES}/0/w/artifacts/a.txt", content=b"hello")
    assert await asyncio.to_thread((gateway.directory / "artifacts/0/w/artifacts/a.txt").read_bytes) == b"hello"


async def test_a_logged_model_goes_through_its_life(http: httpx.AsyncClient) -> None:
    info = await made(http, tags=[{"key": "a", "value": "b"}], source_run_id="r" * 32, model_type="agent")
    assert info["status"] == "LOGGED_MODEL_PENDING"
    assert info["artifact_uri"] == f"mlflow-artifacts:/0/models/{info['model_id']}/artifacts"
    at = f"{API}/logged-models/{info['model_id']}"
    answer = await http.patch(at, json={"model_id": info["model_id"], "status": "LOGGED_MODEL_READY"})
    assert answer.json()["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    assert (await http.patch(f"{at}/tags", json={"tags": [{"key": "x/y z", "value": "1"}]})).json() == {}
    assert (await http.delete(f"{at}/tags/a")).json() == {}
    assert (await http.post(f"{at}/params", json={"params": [{"key": "D", "value": "2"}]})).json() == {}
    model = (await http.get(at)).json()["model"]
    assert model["info"]["tags"] == [{"key": "x/y z", "value": "1"}]
    assert model["data"] == {"params": [{"key": "C", "value": "1.0"}, {"key": "D", "value": "2"}]}
    assert (await http.delete(f"{at}/tags/x/y z")).json() == {}
    query = {"experiment_ids": ["0"], "filter": "params.D = '2'"}
    found = (await http.post(f"{API}/logged-models/search", json=query)).json()
    assert [each["info"]["model_id"] for each in found["models"]] == [info["model_id"]]
    assert (await http.delete(at)).json() == {}
    gone = await http.get(at)
    assert (gone.status_code, gone.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert (await http.get(at, params={"allow_deleted": "true"})).status_code == 200


async def test_the_files_of_a_model_are_listed_and_read(http: httpx.AsyncClient) -> None:
    info = await made(http)
    root = f"0/models/{info['model_id']}/artifacts"
    await http.put(f"{FILES}/{root}/MLmodel", content=b"x")
    await http.put(f"{FILES}/{root}/d/e.txt", content=b"hello")
    at = f"/ajax-api/2.0/mlflow/logged-models/{info['model_id']}/artifacts"
    listing = (await http.get(f"{at}/directories", params={"artifact_directory_path": "d"})).json()
    assert listing["root_uri"] == info["artifact_uri"]
    assert listing["files"] == [{"path": "d/e.txt", "is_dir": False, "file_size": 5}]
    assert (await http.get(f"{at}/files", params={"artifact_file_path": "d/e.txt"})).content == b"hello"
    assert (await http.get(f"{at}/files")).json()["error_code"] == "BAD_REQUEST"
    assert (await http.get(f"{at}/files", params={"artifact_file_path": "../../../secret"})).status_code == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Missing value for required parameter 'experiment_id'."),
        ({"experiment_id": "x"}, "Invalid value 'x' for parameter 'experiment_id' supplied"),
        ({"experiment_id": "0", "name": "a/b"}, "Invalid model name ('a/b') provided"),
        ({"experiment_id": "0", "params": [{"value": "1"}]}, "Missing value for required parameter 'params[0].key'."),
    ],
)
async def test_a_model_that_cannot_be_is_refused(http: httpx.AsyncClient, body: object, message: str) -> None:
    answer = await http.post(f"{API}/logged-models", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert answer.json()["message"].startswith(message)


async def test_models_are_searched_by_pages_and_refused_a_bad_filter_or_status(http: httpx.AsyncClient) -> None:
    ids = [(await made(http, name=f"page-{n}"))["model_id"] for n in range(5)]
    by_name = [{"field_name": "name", "ascending": True}]
    body: dict[str, object] = {"experiment_ids": ["0"], "filter": "name LIKE 'page-%'", "max_results": "2"}
    body["order_by"] = by_name
    found = []
    while True:
        page = (await http.post(f"{API}/logged-models/search", json=body)).json()
        found += [each["info"]["model_id"] for each in page["models"]]
        if "next_page_token" not in page:
            break
        body["page_token"] = page["next_page_token"]
    assert found == ids
    for wrong in ({"filter": "name ="}, {"order_by": [{"field_name": "nope"}]}, {"page_token": "x"}):
        answer = await http.post(f"{API}/logged-models/search", json={"experiment_ids": ["0"], **wrong})
        assert answer.status_code == 400, wrong
    assert (await http.post(f"{API}/logged-models/search", json={"experiment_ids": []})).json() == {}
    assert (await http.post(f"{API}/logged-models/search", json={})).status_code == 400
    answer = await http.patch(f"{API}/logged-models/{ids[0]}", json={"status": "DONE"})
    assert answer.status_code == 400


async def test_what_is_in_another_store_is_not_read_here(http: httpx.AsyncClient) -> None:
    """A folder has no URLs to give away, and says so in the words that make MLflow's clients go without."""
    for path in ("artifacts/presigned-upload-url", "artifacts/presigned-download-url"):
        answer = await http.post(f"{API}/{path}", json={"run_id": "0" * 32, "path": "f"})
        assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    model = (await made(http))["model_id"]
    answer = await http.post(f"{API}/artifacts/presigned-upload-url", json={"model_id": model, "path": "f"})
    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
    answer = await http.post(f"{API}/artifacts/presigned-upload-url", json={"path": "f"})
    assert answer.json()["message"] == "Exactly one of run_id and model_id must be provided."


@pytest.fixture
async def run(http: httpx.AsyncClient, gateway: Gateway) -> str:
    """A call of the gateway, which is a run like any other."""
    body = {"model": "demo/echo", "messages": [{"role": "user", "content": "hi"}]}
    answer = await http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    id = answer.headers["x-gatelog-run-id"]
    await gateway.run(id)
    return id


async def test_a_calls_run_has_artifacts_too_and_hides_them_from_other_keys(
    http: httpx.AsyncClient, gateway: Gateway, run: str
) -> None:
    posted = "/ajax-api/2.0/mlflow/upload-artifact"
    where = {"run_uuid": run, "path": "notes/a.txt"}
    assert (await http.post(posted, params=where, content=b"hello")).json() == {}
    assert (await http.get("/get-artifact", params={"run_id": run, "path": "notes/a.txt"})).content == b"hello"
    listing = (await http.get(f"{API}/artifacts/list", params={"run_id": run, "path": "notes"})).json()
    assert listing["root_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"
    assert listing["files"] == [{"path": "notes/a.txt", "is_dir": False, "file_size": 5}]
    for wrong, status in [({"path": "../a"}, 400), ({"path": ""}, 400), ({"run_uuid": "0" * 32}, 404)]:
        assert (await http.post(posted, params={**where, **wrong}, content=b"x")).status_code == status, wrong
    assert (await http.post(posted, params=where)).json()["message"] == "Request must specify data."
    large = await http.post(posted, params=where, content=bytes(10 * 2**20 + 1))
    assert large.json()["message"] == "Artifact size is too large. Max size is 10MB."
    key = (await http.post("/api/keys", json={"name": "other", "role": "caller"})).json()["key"]
    headers = {"authorization": f"Bearer {key}"}
    hidden = await http.get("/get-artifact", params={"run_id": run, "path": "notes/a.txt"}, headers=headers)
    assert hidden.status_code == 404
    for method, path, status in [
        ("GET", f"{FILES}/0/{run}/artifacts/notes/a.txt", 404),
        ("GET", f"{FILES}?path=0/{run}/artifacts/notes", 404),
        ("PUT", f"{FILES}/0/{run}/artifacts/notes/a.txt", 404),
        ("DELETE", f"{FILES}/0/{run}", 404),
        ("PUT", f"{FILES}/0/{'1' * 32}/artifacts/own.txt", 200),
    ]:
        answer = await http.request(method, path, headers=headers, content=b"x" if method == "PUT" else None)
        assert answer.status_code == status, path
    upload = await http.post(
        f"/api/2.0/mlflow-artifacts/mpu/create/0/{run}/artifacts", json={"path": "f"}, headers=headers
    )
    assert upload.status_code == 404
    assert (await http.get(f"{FILES}/0/{run}/artifacts/notes/a.txt")).content == b"hello"
