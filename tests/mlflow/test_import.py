"""What a real MLflow server holds is found in Gatelog after `gatelog import mlflow`, by MLflow's own client."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric
from mlflow.genai.scorers import ResponseLength
from mlflow.genai.scorers.registry import list_scorer_versions
from sklearn.linear_model import LogisticRegression

from tests.harness import PLAIN, Gateway, free_port

pytestmark = pytest.mark.filterwarnings("default")
ROOT = Path(__file__).parents[2]
X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
START_SECONDS = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("theirs")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Iterator[str]:
    """An MLflow server with something of everything in it."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination",
        str(folder / "a"),
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": ""})
    try:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and server.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/health", **PLAIN).status_code == httpx.codes.OK:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        url = f"http://127.0.0.1:{port}"
        fill(url)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def fill(url: str) -> None:
    client = MlflowClient(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        mlflow.set_tracking_uri(url)
        mlflow.set_registry_uri(url)
        experiment = client.create_experiment("churn, it's here", tags={"owner": "ann"})
        empty = client.create_experiment("nothing yet")
        client.delete_experiment(empty)
        for n in range(3):
            run = client.create_run(experiment, run_name=f"try {n}", tags={"n": str(n), "mlflow.user": "ann"})
            id = run.info.run_id
            client.log_param(id, "depth", n)
            values = [0.5, math.nan, math.inf, -1.0]
            metrics = [Metric("loss", value, 1_000 + step, step) for step, value in enumerate(values)]
            client.log_batch(id, [*metrics, Metric("auc", 0.1 * n, 5, 0)])
            data = Dataset("rows", "abc123", "local", "{}", schema="{}", profile=None)
            client.log_inputs(id, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
            client.log_text(id, f"notes of {n}", "deep/er/notes ä.txt")
            client.set_terminated(id, "FINISHED" if n else "FAILED")
        client.delete_run(id)
        mlflow.set_experiment(experiment_id=experiment)
        with mlflow.start_run(run_name="fit"):
            fitted = LogisticRegression().fit(X, Y)
            info = mlflow.sklearn.log_model(
                fitted, name="model", registered_model_name="churn", pip_requirements=["scikit-learn"]
            )
            mlflow.log_metric("auc", 0.9, model_id=info.model_id)
        client.set_registered_model_alias("churn", "champion", "1")
        client.set_model_version_tag("churn", "1", "checked", "yes")
        client.update_registered_model("churn", "who leaves")
        client.transition_model_version_stage("churn", "1", "Staging")
        for template in ("Say {{it}}", "Say {{it}} kindly"):
            mlflow.genai.register_prompt("greeting", template, commit_message="first", tags={"by": "ann"})
        mlflow.genai.set_prompt_alias("greeting", "production", 1)
        dataset = mlflow.genai.datasets.create_dataset("questions", experiment_id=experiment, tags={"by": "ann"})
        dataset.merge_records(
            [
                {"inputs": {"q": f"what is {n}?"}, "expectations": {"expected_response": str(n)}, "tags": {"n": str(n)}}
                for n in range(3)
            ]
        )
        for most in (100, 200):
            ResponseLength(max_length=most, name="short").register(experiment_id=experiment)
        with mlflow.start_span("traced"):
            pass
        mlflow.flush_trace_async_logging()
        mlflow.set_tracking_uri("")
        mlflow.set_registry_uri("")


def told(url: str) -> dict[str, Any]:
    """All that a client is told of it, but for what is each server's own."""
    client = MlflowClient(url, url)
    found: dict[str, Any] = {}
    for experiment in client.search_experiments(view_type=3):
        runs = client.search_runs([experiment.experiment_id], run_view_type=3)
        found[f"experiment {experiment.name}"] = (experiment.lifecycle_stage, experiment.tags)
        for run in runs:
            info, data = run.info, run.data
            inputs = [
                (each.dataset.to_dictionary(), sorted((t.key, t.value) for t in each.tags))
                for each in (run.inputs.dataset_inputs if run.inputs else ())
            ]
            models = [each.model_id for each in run.outputs.model_outputs] if run.outputs else []
            about = (info.run_name, info.status, info.start_time, info.end_time, info.lifecycle_stage, info.user_id)
            values = {
                key: [(m.step, m.timestamp, repr(m.value)) for m in client.get_metric_history(info.run_id, key)]
                for key in data.metrics
            }
            found[f"run {info.run_id}"] = (experiment.name, about, data.params, data.tags, inputs, models, values)
    for model in client.search_registered_models():
        aliases = {alias: int(version) for alias, version in model.aliases.items()}
        found[f"model {model.name}"] = (model.description, model.tags, aliases)
        for version in client.search_model_versions(f"name = '{model.name}'"):
            made = (version.source, version.run_id, version.current_stage, version.description, version.tags)
            found[f"version {model.name} {version.version}"] = made
    for number in (1, 2):
        prompt = client.get_prompt_version("greeting", str(number))
        assert prompt is not None
        found[f"prompt {number}"] = (prompt.template, prompt.commit_message, prompt.tags, sorted(prompt.aliases))
    mlflow.set_tracking_uri(url)
    try:
        (dataset,) = mlflow.genai.datasets.search_datasets(filter_string="name = 'questions'")
        table = dataset.to_df()
        records = sorted(zip(table["inputs"], table["expectations"], table["tags"], strict=True), key=str)
        linked = [client.get_experiment(id).name for id in dataset.experiment_ids]
        found["dataset"] = ((dataset.tags or {}).get("by"), records, linked)
        (experiment,) = client.search_experiments(filter_string="name LIKE 'churn%'")
        versions = list_scorer_versions(name="short", experiment_id=experiment.experiment_id)
        found["scorer"] = [(scorer.model_dump(), version) for scorer, version in versions]
    finally:
        mlflow.set_tracking_uri("")
    found["production"] = client.get_prompt_version_by_alias("greeting", "production").version
    return found


def bring(uri: str, gateway: Gateway, *options: str) -> Any:
    command = [sys.executable, "-m", "gateway", "import", "mlflow", "--from", uri, "--json", *options]
    done = subprocess.run(
        [*command, "--config", str(gateway.config_path)],
        cwd=gateway.directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=["server", "file"])
def uri(request: pytest.FixtureRequest, theirs: str, folder: Path) -> str:
    return theirs if request.param == "server" else f"sqlite:///{folder / 'mlflow.db'}"


def test_all_of_a_server_is_found_after_it_was_imported(
    uri: str, theirs: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(tmp_path / "gateway", {})
    options = ["--their-artifacts", str(folder / "a")] if uri.startswith("sqlite") else []
    brought = bring(uri, gateway, *options)
    assert brought["new"]["runs"] == 4
    assert brought["new"]["prompts"] == brought["new"]["registered models"] == brought["new"]["logged models"] == 1
    assert brought["new"]["evaluation datasets"] == brought["new"]["scorers"] == 1
    assert [each["what"] for each in brought["skipped"]] == ["traces"]
    again = bring(uri, gateway, *options)
    assert again["new"] == again["changed"] == {}
    assert again["unchanged"]["runs"] == 4
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", gateway.key)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    asyncio.run(gateway.start())
    try:
        assert told(gateway.url) == told(theirs)
        client = MlflowClient(gateway.url)
        experiment = client.get_experiment_by_name("churn, it's here")
        assert experiment is not None
        for run in client.search_runs([experiment.experiment_id], "attributes.run_name LIKE 'try%'"):
            path = client.download_artifacts(run.info.run_id, "deep/er/notes ä.txt", str(tmp_path))
            assert Path(path).read_text() == f"notes of {run.data.tags['n']}"
        mlflow.set_tracking_uri(gateway.url)
        mlflow.set_registry_uri(gateway.url)
        assert mlflow.sklearn.load_model("models:/churn@champion").predict(X).tolist() == Y.tolist()
    finally:
        mlflow.set_tracking_uri("")
        mlflow.set_registry_uri("")
        gateway.kill()


def test_what_changed_since_is_brought_by_the_next_import(theirs: str, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "gateway", {})
    bring(theirs, gateway, "--no-files")
    client = MlflowClient(theirs)
    experiment = client.create_experiment(f"later {tmp_path.name}")
    client.create_run(experiment)
    client.set_prompt_alias("greeting", "production", 2)
    brought = bring(theirs, gateway, "--no-files")
    assert brought["new"] == {"experiments": 1, "runs": 1}
    assert brought["changed"] == {"prompts": 1}
    client.set_prompt_alias("greeting", "production", 1)


def test_what_is_no_mlflow_is_said_to_be_none(tmp_path: Path) -> None:
    for uri, said in (
        ("sqlite:///nowhere.db", "there is no file"),
        (f"sqlite:///{Path(__file__)}", "cannot be read as SQLite"),
        (f"http://127.0.0.1:{free_port()}", "does not answer"),
        ("ftp://x", "say http://host:port"),
    ):
        command = [sys.executable, "-m", "gateway", "import", "mlflow", "--from", uri]
        done = subprocess.run(
            [*command, "--store", f"sqlite:///{tmp_path / 'gatelog.db'}", "--artifacts", str(tmp_path / "artifacts")],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (1, 2)
        assert said in done.stderr
