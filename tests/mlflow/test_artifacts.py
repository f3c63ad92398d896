"""Artifacts, as MLflow's own client logs, lists, reads and deletes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mlflow
import numpy as np
import pandas as pd
import pytest
import requests
from mlflow.artifacts import download_artifacts, list_artifacts, load_dict, load_image, load_text
from PIL import Image

pytestmark = [pytest.mark.usefixtures("experiment"), pytest.mark.filterwarnings("default")]
PIXELS = np.array([[[255, 0, 0], [0, 255, 0]]], dtype=np.uint8)


def paths(run_id: str, path: str | None = None) -> list[tuple[str, bool, int | None]]:
    found = mlflow.MlflowClient().list_artifacts(run_id, path)
    return [(each.path, each.is_dir, each.file_size) for each in found]


def test_text_is_logged_listed_and_loaded() -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("hello, wörld", "d/h.txt")
        mlflow.log_text("second", "d/h2.txt")
    id = run.info.run_id
    assert run.info.artifact_uri == f"mlflow-artifacts:/{run.info.experiment_id}/{id}/artifacts"
    assert paths(id) == [("d", True, None)]
    assert paths(id, "d") == [("d/h.txt", False, 13), ("d/h2.txt", False, 6)]
    assert paths(id, "d/h.txt") == []
    assert load_text(f"runs:/{id}/d/h.txt") == "hello, wörld"
    with mlflow.start_run(run_id=id):
        mlflow.log_text("third", "d/h.txt")
    assert load_text(f"{run.info.artifact_uri}/d/h.txt") == "third"


def test_files_and_folders_are_logged_and_downloaded_as_they_are(folder: Path, tmp_path: Path) -> None:
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(folder / "a.txt"))
        mlflow.log_artifact(str(folder / "a.txt"), "one/two")
        mlflow.log_artifacts(str(folder), "all")
    got = Path(download_artifacts(run_id=run.info.run_id, dst_path=str(tmp_path / "down")))
    files = {str(path.relative_to(got)): path.read_bytes() for path in got.rglob("*") if path.is_file()}
    alpha, bytes_ = b"alpha", bytes(range(256))
    assert files == {"a.txt": alpha, "one/two/a.txt": alpha, "all/a.txt": alpha, "all/deep/b.bin": bytes_}
    one = download_artifacts(run_id=run.info.run_id, artifact_path="all/deep/b.bin", dst_path=str(tmp_path / "one"))
    assert Path(one).read_bytes() == bytes_
    deep = list_artifacts(artifact_uri=f"{run.info.artifact_uri}/all")
    assert [(each.path, each.is_dir) for each in deep] == [("all/a.txt", False), ("all/deep", True)]


def test_a_dict_comes_back_from_json_and_yaml() -> None:
    said = {"a": 1, "b": [True, None, "é"]}
    with mlflow.start_run() as run:
        mlflow.log_dict(said, "x.json")
        mlflow.log_dict(said, "y.yml")
    assert load_dict(f"runs:/{run.info.run_id}/x.json") == said
    assert load_text(f"runs:/{run.info.run_id}/y.yml").startswith("a: 1\n")


def test_an_image_comes_back_pixel_for_pixel() -> None:
    with mlflow.start_run() as run:
        mlflow.log_image(PIXELS, "i.png")
        mlflow.log_image(Image.fromarray(PIXELS), "deep/j.png")
        mlflow.log_image(PIXELS, key="dogs", step=3)
    id = run.info.run_id
    for path in ("i.png", "deep/j.png"):
        assert np.array(load_image(f"runs:/{id}/{path}")).tolist() == PIXELS.tolist()
    names = [path for path, _, _ in paths(id, "images")]
    assert len(names) == 2
    assert all(name.startswith("images/dogs") and "step" in name for name in names)
    shown = next(name for name in names if name.endswith(".png"))
    assert np.array(load_image(f"runs:/{id}/{shown}")).tolist() == PIXELS.tolist()
    assert "mlflow.loggedImages" in mlflow.get_run(id).data.tags


def test_a_table_grows_and_is_loaded_with_its_run() -> None:
    with mlflow.start_run() as run:
        mlflow.log_table({"prompt": ["a"], "answer": ["b"]}, "t.json")
        mlflow.log_table(pd.DataFrame({"prompt": ["c"], "answer": ["d"]}), "t.json")
    table = mlflow.load_table("t.json", run_ids=[run.info.run_id], extra_columns=["run_id"])
    assert table.to_dict("list") == {"prompt": ["a", "c"], "answer": ["b", "d"], "run_id": [run.info.run_id] * 2}
    assert "t.json" in mlflow.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"]


def test_a_figure_is_an_image() -> None:
    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([0, 1], [2, 3])
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "f.png")
    plt.close(figure)
    assert load_image(f"runs:/{run.info.run_id}/f.png").width > 100


@pytest.mark.parametrize("name", ["a b.txt", "100%.txt", "été.txt", "a+b&c=d;e.txt", "a'b.txt", "日本.txt", "a..b.txt"])
def test_a_file_of_any_name_is_found_by_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(name)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / name), "d")
    assert paths(run.info.run_id, "d") == [(f"d/{name}", False, len(name.encode()))]
    got = download_artifacts(run_id=run.info.run_id, artifact_path="d", dst_path=str(tmp_path / "down"))
    assert (Path(got) / name).read_text() == name


def test_artifacts_are_deleted_with_what_is_below_them(folder: Path) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "all")
        mlflow.log_text("kept", "kept.txt")
    repository: Any = get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("all/deep")
    assert paths(run.info.run_id, "all") == [("all/a.txt", False, 5)]
    repository.delete_artifacts("all")
    assert paths(run.info.run_id) == [("kept.txt", False, 4)]


def test_a_run_without_artifacts_has_none() -> None:
    with mlflow.start_run() as run:
        pass
    assert paths(run.info.run_id) == []
    assert paths(run.info.run_id, "nothing") == []
    with pytest.raises(mlflow.MlflowException, match=r"Failed to download artifacts from path 'nothing\.txt'"):
        load_text(f"runs:/{run.info.run_id}/nothing.txt")


def test_a_path_that_leads_out_is_refused_by_client_and_server() -> None:
    with mlflow.start_run() as run, pytest.raises(mlflow.MlflowException, match="Invalid artifact path"):
        mlflow.log_text("x", "../up.txt")
    with pytest.raises(requests.HTTPError, match=r"400 Client Error.*Invalid path"):
        mlflow.MlflowClient().list_artifacts(run.info.run_id, "..")


def test_a_large_file_goes_up_in_parts_when_the_client_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(2**20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * 2**20))
    body = os.urandom(12 * 2**20 + 5)
    (tmp_path / "big.bin").write_bytes(body)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "big.bin"), "large")
    assert paths(run.info.run_id, "large") == [("large/big.bin", False, len(body))]
    got = download_artifacts(run_id=run.info.run_id, artifact_path="large/big.bin", dst_path=str(tmp_path / "down"))
    assert Path(got).read_bytes() == body


def test_a_download_in_parts_falls_back_to_a_plain_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "a.txt")
    got = download_artifacts(run_id=run.info.run_id, artifact_path="a.txt", dst_path=str(tmp_path))
    assert Path(got).read_text() == "hello"
