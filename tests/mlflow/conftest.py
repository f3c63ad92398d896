"""A real `gatelog serve` that MLflow's own client talks to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import RestException

from tests.harness import PLAIN, Gateway
from tests.postgres import Postgres


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def gatelog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """On a store of each kind in turn. MLflow's client is told of its address and of a key, and of nothing else."""
    config = dict(getattr(request.module, "CONFIG", {}))
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        config["store"] = server.database()
    gateway = Gateway(tmp_path_factory.mktemp("mlflow") / "gateway", config)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in getattr(request.module, "ENVIRON", {}).items():
            patch.setenv(name, value)
        patch.setenv("MLFLOW_TRACKING_TOKEN", gateway.key)
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        try:
            asyncio.run(gateway.start())
            mlflow.set_tracking_uri(gateway.url)
            mlflow.set_registry_uri(gateway.url)
            yield gateway
        finally:
            if mlflow.active_run() is not None:
                mlflow.end_run()
            for forget in (mlflow.set_tracking_uri, mlflow.set_registry_uri):
                forget("")
            if gateway.process is not None:
                gateway.kill()


@pytest.fixture
def experiment(gatelog: Gateway, request: pytest.FixtureRequest) -> str:
    """The id of a new experiment, which is the one that is logged to."""
    name = f"{request.node.name}-{len(mlflow.search_experiments())}"
    return str(mlflow.set_experiment(name).experiment_id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files to upload: one beside a folder with another in it."""
    (tmp_path / "up" / "deep").mkdir(parents=True)
    (tmp_path / "up" / "a.txt").write_text("alpha")
    (tmp_path / "up" / "deep" / "b.bin").write_bytes(bytes(range(256)))
    return tmp_path / "up"


@pytest.fixture
def client() -> MlflowClient:
    return MlflowClient()


@pytest.fixture
def rest(gatelog: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gatelog.url, headers=gatelog.headers, **PLAIN) as plain:
        yield plain


@pytest.fixture
def call(gatelog: Gateway, experiment: str) -> Callable[..., str]:
    """Makes a call that is logged to the test's experiment, and gives its run's id once MLflow finds it."""

    def made(endpoint: str, key: str = gatelog.key, **tags: str) -> str:
        headers = {
            "authorization": f"Bearer {key}",
            "x-gatelog-experiment": mlflow.get_experiment(experiment).name,
            "x-gatelog-tags": json.dumps(tags),
        }
        asked = {"model": endpoint, "messages": [{"role": "user", "content": "one two three"}]}
        answer = httpx.post(f"{gatelog.url}/v1/chat/completions", json=asked, headers=headers, **PLAIN)
        assert answer.status_code == 200, answer.text
        id = str(answer.headers["x-gatelog-run-id"])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                MlflowClient().get_run(id)
            except RestException:
                time.sleep(0.05)
            else:
                return id
        raise AssertionError(f"run {id} was not recorded")

    return made
