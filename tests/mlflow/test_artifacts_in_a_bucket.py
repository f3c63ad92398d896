"""Artifacts that a gateway keeps in a bucket, as MLflow's own client logs and reads them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import boto3  # type: ignore[import-untyped]  # it ships no types
import httpx
import mlflow
import pytest
from mlflow.artifacts import download_artifacts, load_text

from tests.bucket import Bucket
from tests.harness import PLAIN, Gateway

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with Bucket() as served:
        yield served


@pytest.fixture(scope="module")
def gatelog(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = {"artifacts": f"{bucket.place}/some/prefix"}
    gateway = Gateway(tmp_path_factory.mktemp("bucket") / "gateway", config, bucket.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", gateway.key)
        try:
            asyncio.run(gateway.start())
            mlflow.set_tracking_uri(gateway.url)
            mlflow.set_experiment("bucket")
            yield gateway
        finally:
            mlflow.set_tracking_uri("")
            if gateway.process is not None:
                gateway.kill()


def keys(bucket: Bucket) -> list[str]:
    client = boto3.client(
        "s3", endpoint_url=bucket.url, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret"
    )
    return [each["Key"] for each in client.list_objects_v2(Bucket="kept").get("Contents", [])]


def test_text_goes_to_the_bucket_and_comes_back(gatelog: Gateway, bucket: Bucket) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "d/h.txt")
    assert run.info.artifact_uri == f"mlflow-artifacts:/{run.info.experiment_id}/{run.info.run_id}/artifacts"
    assert f"some/prefix/{run.info.experiment_id}/{run.info.run_id}/artifacts/d/h.txt" in keys(bucket)
    assert load_text(f"runs:/{run.info.run_id}/d/h.txt") == "hello"
    assert not (gatelog.directory / "artifacts").exists()


def test_large_files_go_around_the_gateway_in_parts(
    gatelog: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(2**20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * 2**20))
    body = os.urandom(11 * 2**20 + 3)
    (tmp_path / "big.bin").write_bytes(body)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "big.bin"))
    got = download_artifacts(run_id=run.info.run_id, artifact_path="big.bin", dst_path=str(tmp_path / "down"))
    assert Path(got).read_bytes() == body


def test_a_run_gives_urls_to_write_to_and_read_from(gatelog: Gateway) -> None:
    with mlflow.start_run() as run:
        pass
    with httpx.Client(base_url=gatelog.url, headers=gatelog.headers, **PLAIN) as http:
        asked = {"run_id": run.info.run_id, "path": "by/hand.txt", "expiration": 60}
        there = http.post("/api/2.0/mlflow/artifacts/presigned-upload-url", json=asked).json()
        assert httpx.put(there["presigned_url"], content=b"hello", trust_env=False).status_code == 200
        back = http.post("/api/2.0/mlflow/artifacts/presigned-download-url", json=asked).json()
        assert back["file_size"] == 5
        assert httpx.get(back["presigned_url"], **PLAIN).content == b"hello"
        for seconds in (0, 604_801):
            refused = http.post(
                "/api/2.0/mlflow/artifacts/presigned-download-url", json={**asked, "expiration": seconds}
            )
            assert refused.status_code == 400
    assert load_text(f"runs:/{run.info.run_id}/by/hand.txt") == "hello"
