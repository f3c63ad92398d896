"""Models, as MLflow's own client logs them, finds them and loads them."""

from __future__ import annotations

from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow.entities import LoggedModelStatus
from sklearn.linear_model import LogisticRegression

pytestmark = [pytest.mark.usefixtures("experiment"), pytest.mark.filterwarnings("default")]
X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
FLAVOURS: dict[str, Any] = {"pip_requirements": ["scikit-learn"]}
"""So that no environment is looked into for what the model needs."""


def fitted() -> LogisticRegression:
    return LogisticRegression().fit(X, Y)


def test_a_model_that_is_logged_is_loaded_by_its_run_and_by_its_id() -> None:
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(fitted(), name="model", **FLAVOURS)
    model = mlflow.get_logged_model(info.model_id)
    assert model.model_id.startswith("m-")
    assert (model.name, model.status, model.source_run_id) == ("model", LoggedModelStatus.READY, run.info.run_id)
    assert model.artifact_location == f"mlflow-artifacts:/{run.info.experiment_id}/models/{model.model_id}/artifacts"
    for uri in (f"models:/{info.model_id}", f"runs:/{run.info.run_id}/model", info.model_uri):
        assert mlflow.sklearn.load_model(uri).predict(X).tolist() == Y.tolist(), uri
        assert mlflow.pyfunc.load_model(uri).predict(X).tolist() == Y.tolist(), uri
    outputs = mlflow.get_run(run.info.run_id).outputs
    assert outputs is not None
    assert [each.model_id for each in outputs.model_outputs] == [info.model_id]
    last = mlflow.last_logged_model()
    assert last is not None
    assert last.model_id == info.model_id


def test_a_model_of_python_is_loaded_and_asked() -> None:
    from mlflow.pyfunc.model import PythonModel  # to import it warns, which only a test of this module may

    class Doubler(PythonModel):
        def predict(self, context: Any, model_input: list[int], params: Any = None) -> list[int]:
            return [2 * each for each in model_input]

    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="doubler", python_model=Doubler(), pip_requirements=["mlflow"])
    assert mlflow.pyfunc.load_model(info.model_uri).predict([1, 2]) == [2, 4]
    files = mlflow.MlflowClient().list_logged_model_artifacts(info.model_id)
    assert "MLmodel" in [each.path for each in files]


def test_autolog_keeps_the_params_the_metrics_and_the_model(experiment: str) -> None:
    mlflow.sklearn.autolog(log_input_examples=False, log_model_signatures=True)
    try:
        with mlflow.start_run() as run:
            fitted()
    finally:
        mlflow.sklearn.autolog(disable=True)
    found = mlflow.get_run(run.info.run_id)
    assert found.data.params["C"] == "1.0"
    assert found.data.metrics["training_accuracy_score"] == 1.0
    assert found.inputs is not None
    assert [each.dataset.name for each in found.inputs.dataset_inputs] == ["dataset"]
    (model,) = mlflow.search_logged_models([experiment], output_format="list")
    assert model.source_run_id == run.info.run_id
    assert model.params["C"] == "1.0"
    assert {metric.key: metric.value for metric in model.metrics or ()}["training_accuracy_score"] == 1.0
    assert mlflow.sklearn.load_model(f"models:/{model.model_id}").predict(X).tolist() == Y.tolist()
    plots = [each.path for each in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
    assert "training_confusion_matrix.png" in plots


def test_models_are_made_finished_tagged_and_deleted_by_hand(experiment: str) -> None:
    client = mlflow.MlflowClient()
    made = mlflow.create_external_model(name="agent", params={"temperature": "0"}, tags={"a": "1"}, model_type="agent")
    assert (made.status, made.model_type, made.params, made.tags["a"]) == (
        LoggedModelStatus.READY,
        "agent",
        {"temperature": "0"},
        "1",
    )
    mlflow.set_logged_model_tags(made.model_id, {"b": "2", "c/d e": "3"})
    mlflow.delete_logged_model_tag(made.model_id, "a")
    client.delete_logged_model_tag(made.model_id, "c/d e")
    mlflow.log_model_params({"top_p": "1"}, model_id=made.model_id)
    found = mlflow.get_logged_model(made.model_id)
    assert "a" not in found.tags
    assert "c/d e" not in found.tags
    assert found.tags["b"] == "2"
    assert found.params == {"temperature": "0", "top_p": "1"}
    pending = mlflow.initialize_logged_model(name="later")
    assert pending.status == LoggedModelStatus.PENDING
    assert mlflow.finalize_logged_model(pending.model_id, "FAILED").status == LoggedModelStatus.FAILED
    client.delete_logged_model(made.model_id)
    with pytest.raises(mlflow.MlflowException, match="not found"):
        mlflow.get_logged_model(made.model_id)
    assert [model.name for model in mlflow.search_logged_models([experiment], output_format="list")] == ["later"]


def test_models_are_searched_by_params_tags_and_metrics(experiment: str) -> None:
    models = {}
    for name, accuracy in (("small", 0.7), ("medium", 0.8), ("large", 0.9)):
        models[name] = mlflow.create_external_model(name=name, params={"size": name}, tags={"team": name[0]}).model_id
        with mlflow.start_run():
            mlflow.log_metric("accuracy", accuracy, step=1, model_id=models[name])

    def names(**query: Any) -> list[str]:
        return [model.name for model in mlflow.search_logged_models([experiment], output_format="list", **query)]

    best_first = [{"field_name": "metrics.accuracy", "ascending": False}]
    assert names() == ["large", "medium", "small"]
    assert names(filter_string="metrics.accuracy > 0.75", order_by=best_first) == ["large", "medium"]
    assert names(filter_string="params.size = 'small'") == ["small"]
    assert names(filter_string="tags.team IN ('l', 's') AND name LIKE 's%'") == ["small"]
    assert names(filter_string="name = 'small' OR NOT metrics.accuracy < 0.9") == ["large", "small"]
    assert names(order_by=[{"field_name": "name"}], max_results=2) == ["large", "medium"]
    table = mlflow.search_logged_models([experiment], filter_string="name = 'large'")
    assert table["model_id"].tolist() == [models["large"]]
    (metric,) = mlflow.get_logged_model(models["large"]).metrics or []
    assert (metric.key, metric.value, metric.step, metric.model_id) == ("accuracy", 0.9, 1, models["large"])
    with pytest.raises(mlflow.MlflowException, match="filter, column 1"):
        names(filter_string="nothing = 1")


def test_a_registered_version_of_a_logged_model_is_loaded_by_number_and_by_alias() -> None:
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(fitted(), name="model", registered_model_name="rm", **FLAVOURS)
    number = info.registered_model_version
    client.set_registered_model_alias("rm", "champion", number)
    version = client.get_model_version("rm", number)
    assert (version.source, version.run_id) == (f"models:/{info.model_id}", run.info.run_id)
    assert (
        client.get_model_version_download_uri("rm", number) == mlflow.get_logged_model(info.model_id).artifact_location
    )
    for uri in (f"models:/rm/{number}", "models:/rm@champion"):
        assert mlflow.sklearn.load_model(uri).predict(X).tolist() == Y.tolist(), uri
    assert mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    again = mlflow.register_model(f"runs:/{run.info.run_id}/model", "rm2")
    assert mlflow.sklearn.load_model(f"models:/rm2/{again.version}").predict(X).tolist() == Y.tolist()
