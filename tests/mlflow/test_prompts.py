"""Prompts, by MLflow's own client, and calls that are made by them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import mlflow
import pytest
from mlflow.entities.model_registry import PromptModelConfig
from mlflow.genai import (
    delete_prompt_alias,
    load_prompt,
    register_prompt,
    search_prompts,
    set_prompt_alias,
)

from tests.harness import ADMIN_KEY, PLAIN, Gateway
from tests.postgres import Postgres
from tests.vendor import Vendor

Json = dict[str, Any]
SEEN_SECONDS = 6.0
"""In which another process must have seen that an alias was moved: two of its own, the rest is for a busy machine."""


@dataclass(frozen=True)
class Two:
    """Two servers on one store, and the provider behind both."""

    first: Gateway
    second: Gateway
    vendor: Vendor

    def ask(self, model: str, gateway: Gateway | None = None, **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        served = gateway or self.first
        with httpx.Client(base_url=served.url, headers={**served.headers, **headers}, **PLAIN) as client:
            return client.post("/v1/chat/completions", json={"model": model, **more}, timeout=30)

    def sent(self) -> Json:
        """What the provider was asked last."""
        body: Json = json.loads(self.vendor.calls[-1].body)
        return body

    def run(self, response: httpx.Response) -> Json:
        return asyncio.run(self.first.run(response.headers["x-gatelog-run-id"]))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("prompts")
    store = f"sqlite:///{folder / 'gatelog.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        store = server.database()
    with Vendor() as vendor, pytest.MonkeyPatch.context() as patch:
        config = served(vendor, store, folder)
        first, second = Gateway(folder / "first", config), Gateway(folder / "second", config)
        second.write_config({**second.config, "server": {"host": "127.0.0.1", "port": second.port}})
        patch.setenv("MLFLOW_TRACKING_TOKEN", first.key)
        patch.setenv("MLFLOW_PROMPT_CACHE_MAX_SIZE", "0")
        try:
            for gateway in (first, second):
                asyncio.run(gateway.start())
            mlflow.set_tracking_uri(first.url)
            mlflow.set_registry_uri(first.url)
            yield Two(first, second, vendor)
        finally:
            for gateway in (first, second):
                if gateway.process is not None:
                    gateway.kill()
            mlflow.set_tracking_uri("")
            mlflow.set_registry_uri("")


def served(vendor: Vendor, store: str, folder: Path) -> Json:
    provider = {"dialect": "openai", "base_url": vendor.url("ok", tokens=3), "api_key": "sk-vendor-0123456789"}
    target = {"provider": "vendor", "model": "model-0"}
    return {
        "store": store,
        "auth": {"mode": "keys", "admin_key": ADMIN_KEY, "pepper_file": str(folder / "pepper")},
        "providers": {"vendor": provider},
        "endpoints": [
            {"name": "chat", "targets": [{**target, "parameters": {"temperature": 0.9, "top_p": 0.5}}]},
            {"name": "other", "targets": [{**target, "model": "model-1"}]},
            {"name": "embed", "type": "embeddings", "targets": [target]},
        ],
    }


def registered(name: str, template: Any, **more: Any) -> None:
    more.setdefault("model_config", {"model_name": "chat"})
    register_prompt(name, template, **more)


def test_a_prompt_is_registered_loaded_and_filled_by_mlflow(two: Two) -> None:
    made = register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"team": "a"})
    assert (made.version, made.variables) == (1, {"name"})
    register_prompt("greeting", "Good day {{name}}")
    assert load_prompt("prompts:/greeting/1").format(name="Ada") == "Hello Ada"
    assert load_prompt("prompts:/greeting@latest").version == 2
    assert load_prompt("greeting").version == 2
    set_prompt_alias("greeting", "production", 1)
    assert load_prompt("prompts:/greeting@production").template == "Hello {{name}}"
    delete_prompt_alias("greeting", "production")
    with pytest.raises(Exception, match="production"):
        load_prompt("prompts:/greeting@production")
    assert load_prompt("prompts:/nobody/1", allow_missing=True) is None


def test_chat_prompts_keep_their_messages_format_and_model(two: Two) -> None:
    messages = [{"role": "system", "content": "You are {{role}}."}, {"role": "user", "content": "{{question}}"}]
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    config = PromptModelConfig.from_dict({"model_name": "chat", "temperature": 0.1, "max_tokens": 7})
    register_prompt("chatty", messages, response_format=schema, model_config=config)
    prompt = load_prompt("prompts:/chatty/1")
    assert (prompt.template, prompt.response_format) == (messages, schema)
    assert prompt.model_config == {"model_name": "chat", "temperature": 0.1, "max_tokens": 7}


def test_prompts_and_models_are_searched_apart(two: Two) -> None:
    client = mlflow.MlflowClient()
    client.create_registered_model("a-model")
    register_prompt("a-prompt", "text", tags={"team": "a"})
    assert "a-prompt" in [prompt.name for prompt in search_prompts()]
    assert [prompt.name for prompt in search_prompts("name = 'a-prompt'")] == ["a-prompt"]
    assert [model.name for model in client.search_registered_models("name LIKE 'a-%'")] == ["a-model"]
    with pytest.raises(mlflow.MlflowException, match="same name as an existing model"):
        register_prompt("a-model", "text")
    client.set_prompt_tag("a-prompt", "seen", "yes")
    client.set_prompt_version_tag("a-prompt", 1, "checked", "yes")
    assert client.get_prompt_version("a-prompt", 1).tags["checked"] == "yes"
    versions = client.search_prompt_versions("a-prompt")
    assert [version.version for version in versions] == [1]


def test_a_call_by_a_prompt_sends_its_messages_then_the_callers(two: Two) -> None:
    messages = [{"role": "system", "content": "You are {{role}}. {{ role }}!"}, {"role": "user", "content": "Hi."}]
    registered("first", messages, model_config={"model_name": "chat", "temperature": 0.1, "stop_sequences": ["x"]})
    own = [{"role": "user", "content": "And {{role}}?"}]
    response = two.ask("prompts:/first/1", messages=own, prompt_variables={"role": "a {{role}}"}, max_tokens=9)
    assert response.status_code == 200, response.text
    sent = two.sent()
    assert sent["messages"] == [
        {"role": "system", "content": "You are a {{role}}. a {{role}}!"},
        {"role": "user", "content": "Hi."},
        {"role": "user", "content": "And {{role}}?"},
    ]
    assert (sent["model"], sent["temperature"], sent["top_p"]) == ("model-0", 0.1, 0.5)
    assert (sent["stop"], sent["max_tokens"], "prompt_variables" in sent) == (["x"], 9, False)
    run = two.run(response)
    assert (run["endpoint"], run["requested_model"]) == ("chat", "prompts:/first/1")
    assert run["prompt"] == {"name": "first", "version": 1}
    assert run["request"]["prompt_variables"] == {"role": "a {{role}}"}
    assert run["request"]["messages"] == sent["messages"]


def test_what_a_caller_says_wins_over_what_the_prompt_does(two: Two) -> None:
    registered("mild", "Be mild", model_config={"model_name": "chat", "temperature": 0.1})
    assert two.ask("prompts:/mild@latest", temperature=0.7).status_code == 200
    assert two.sent()["temperature"] == 0.7
    assert two.ask("prompts:/mild@latest", headers={"x-gatelog-endpoint": "other"}).status_code == 200
    assert two.sent()["model"] == "model-1"
    assert two.ask("prompts:/mild@latest", stream=True).text.endswith("data: [DONE]\n\n")


def test_a_moved_alias_is_live_at_the_next_call_and_moved_back_rolls_back(two: Two) -> None:
    for text in ("old {{x}}", "new {{x}}"):
        registered("moving", text)

    def said(gateway: Gateway | None = None) -> tuple[str, int]:
        response = two.ask("prompts:/moving@live", gateway, prompt_variables={"x": 1})
        assert response.status_code == 200, response.text
        return two.sent()["messages"][0]["content"], two.run(response)["prompt"]["version"]

    for version, word in ((1, "old"), (2, "new"), (1, "old")):
        set_prompt_alias("moving", "live", version)
        moved = time.monotonic()
        assert said() == (f"{word} 1", version)
        while said(two.second) != (f"{word} 1", version):
            assert time.monotonic() - moved < SEEN_SECONDS
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("model", "more", "status", "code", "says"),
    [
        ("prompts:/strict@live", {}, 400, "prompt_variable_missing", "lacks 'name'"),
        ("prompts:/strict/1", {"prompt_variables": {"name": "a", "nme": "b"}}, 400, "prompt_variable_unknown", "'nme'"),
        ("prompts:/strict/1", {"prompt_variables": ["a"]}, 400, "invalid_request", "object of names"),
        ("prompts:/strict/1", {"prompt_variables": {"name": {"a": 1}}}, 400, "invalid_request", "give a string"),
        ("prompts:/strict/7", {}, 404, "model_not_found", "version=7"),
        ("prompts:/strict@gone", {}, 404, "model_not_found", "alias gone not found"),
        ("prompts:/nobody/1", {}, 404, "model_not_found", "name=nobody, version=1) not found"),
        ("prompts:/nul\x00/1", {}, 400, "invalid_request", "prompts:/name@alias"),
        ("prompts:/strict", {}, 400, "invalid_request", "prompts:/name@alias"),
        ("prompts:/code/1", {}, 400, "prompt_is_code", "Jinja2"),
        ("prompts:/modelless/1", {}, 400, "prompt_without_model", "x-gatelog-endpoint"),
        ("prompts:/lost/1", {}, 404, "model_not_found", "no model 'nowhere'"),
        ("prompts:/strict/1", {"prompt_variables": {"name": "a"}, "messages": "b"}, 400, "invalid_request", "a list"),
    ],
)
def test_a_call_by_a_prompt_that_cannot_be_made_says_why(
    two: Two, strict: None, model: str, more: Json, status: int, code: str, says: str
) -> None:
    response = two.ask(model, **more)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), error
    assert says in error["message"]


@pytest.fixture(scope="module")
def strict(two: Two) -> None:
    registered("strict", "Hello {{name}}")
    set_prompt_alias("strict", "live", 1)
    registered("code", "{% for x in range(9) %}{{ x }}{% endfor %}")
    registered("modelless", "text", model_config=None)
    registered("lost", "text", model_config={"model_name": "nowhere"})


def test_a_filled_prompt_is_no_longer_than_a_body_may_be(two: Two) -> None:
    registered("amplifying", "{{x}}" * 1000)
    response = two.ask("prompts:/amplifying/1", prompt_variables={"x": "y" * 100_000})
    assert (response.status_code, "more than" in response.json()["error"]["message"]) == (400, True)


def test_the_same_key_gives_the_same_answer_though_the_alias_has_moved(two: Two) -> None:
    for text in ("one", "two"):
        registered("replayed", text)
    set_prompt_alias("replayed", "live", 1)
    key = {"idempotency-key": "once"}
    first = two.ask("prompts:/replayed@live", headers=key)
    two.run(first)
    set_prompt_alias("replayed", "live", 2)
    again = two.ask("prompts:/replayed@live", headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true"), again.text
    assert again.headers["x-gatelog-run-id"] == first.headers["x-gatelog-run-id"]


def test_a_registered_model_is_an_endpoint_and_how_it_is_asked(two: Two) -> None:
    client = mlflow.MlflowClient()
    client.create_registered_model("support")
    client.create_model_version("support", "gateway:/chat", tags={"gatelog.parameters": '{"temperature": 0.2}'})
    client.create_model_version("support", "gateway:/vendor/model-9")
    client.create_model_version("support", "s3://bucket/weights")
    ask = [{"role": "user", "content": "Hi"}]
    client.set_registered_model_alias("support", "live", "1")
    response = two.ask("models:/support@live", messages=ask)
    assert (two.sent()["model"], two.sent()["temperature"]) == ("model-0", 0.2)
    run = two.run(response)
    assert (run["registered_model"], run["endpoint"]) == ({"name": "support", "version": 1}, "chat")
    client.set_registered_model_alias("support", "live", "2")
    assert two.ask("models:/support@live", messages=ask).status_code == 200
    assert two.sent()["model"] == "model-9"
    refused = two.ask("models:/support/latest", messages=ask).json()["error"]
    assert (refused["code"], "gateway:/<endpoint>" in refused["message"]) == ("model_not_callable", True)
    assert two.ask("prompts:/support/1").json()["error"]["message"].endswith("ask for it as models:/support")


def test_runs_are_found_by_the_prompt_that_made_them(two: Two) -> None:
    registered("found", "text")
    response = two.ask("prompts:/found/1")
    two.run(response)
    runs = asyncio.run(two.first.runs(filter="params.prompt_name = 'found' AND params.prompt_version = '1'"))
    assert [run["id"] for run in runs] == [response.headers["x-gatelog-run-id"]]
