"""Calls at the paths where MLflow's clients look for a gateway, and models as MLflow 2 recorded them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.genai.judges import make_judge
from mlflow.models import Model

from tests.harness import Gateway, Start
from tests.pretend import Answer, Pretend, chat_at

pytestmark = pytest.mark.filterwarnings("default")
LOG_MODEL = "/api/2.0/mlflow/runs/log-model"
MODEL = {"run_id": "r", "artifact_path": "model", "utc_time_created": "2026-01-01 00:00:00", "flavors": {}}


def judged(path: str, request: dict[str, Any]) -> Answer:
    said = json.dumps({"result": "yes", "rationale": f"{request['model']} was asked"})
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    used = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": used}
    return Answer(json.dumps(answer).encode())


@pytest.fixture
async def provider() -> AsyncIterator[Pretend]:
    async with Pretend(judged) as pretend:
        yield pretend


@pytest.mark.anyio
async def test_a_judge_asks_an_endpoint_of_the_gateway(
    start_gateway: Start, provider: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = await start_gateway(chat_at(provider))
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", gateway.key)
    mlflow.set_tracking_uri(gateway.url)

    def judge() -> Any:
        good = make_judge(name="good", instructions="Is {{ outputs }} good?", model="gateway:/chat")
        return good(outputs="this")

    try:
        feedback = await asyncio.to_thread(judge)
    finally:
        mlflow.set_tracking_uri("")
    assert (feedback.value, feedback.rationale) == ("yes", "gpt-4o-mini was asked")
    (run,) = await gateway.settled(1)
    assert (run["endpoint"], run["usage"]["input_tokens"], run["cost"]["nanos"]) == ("chat", 7, 13_000)


def test_models_are_recorded_in_a_run_one_after_another(experiment: str, client: Any) -> None:
    id = client.create_run(experiment).info.run_id
    for n in range(2):
        model = Model(artifact_path=f"model-{n}", run_id=id, utc_time_created=f"2026-01-0{n + 1} 00:00:00")
        model.add_flavor("python_function", loader_module="here", config={"secret": "x"})
        client._record_logged_model(id, model)
    listed = json.loads(client.get_run(id).data.tags["mlflow.log-model.history"])
    assert [model["artifact_path"] for model in listed] == ["model-0", "model-1"]
    assert [model["flavors"] for model in listed] == [{"python_function": {"loader_module": "here"}}] * 2
    assert all(model["run_id"] == id for model in listed)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{", "Malformed model info"),
        ("[]", "it must be a JSON object"),
        ('{"run_id": "r"}', "missing mandatory fields: ['artifact_path', 'flavors', 'utc_time_created']"),
        (json.dumps({**MODEL, "flavors": []}), "it must be an object"),
        (json.dumps({**MODEL, "artifact_path": "x" * 9000}), "exceeds the maximum length"),
        (None, "Missing value for required parameter 'model_json'"),
    ],
)
def test_a_model_that_is_none_is_refused(
    experiment: str, client: MlflowClient, rest: httpx.Client, model: str | None, message: str
) -> None:
    id = client.create_run(experiment).info.run_id
    answer = rest.post(LOG_MODEL, json={"run_id": id, "model_json": model})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert message in answer.json()["message"]
    assert "mlflow.log-model.history" not in client.get_run(id).data.tags


def test_a_run_that_is_not_there_takes_no_model(gatelog: Gateway, rest: httpx.Client) -> None:
    answer = rest.post(LOG_MODEL, json={"run_id": "0" * 32, "model_json": json.dumps(MODEL)})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
