"""Prompts that were made on the page are prompts to MLflow's own client, and the other way round."""

from __future__ import annotations

import httpx
from mlflow import MlflowClient
from mlflow.genai import load_prompt, register_prompt, set_prompt_alias

from tests.harness import Gateway


def test_a_prompt_of_the_page_is_loaded_by_mlflow(gatelog: Gateway, rest: httpx.Client) -> None:
    messages = [{"role": "system", "content": "You help {{company}}."}, {"role": "user", "content": "{{ask}}"}]
    version = {
        "messages": messages,
        "model": "chat",
        "params": {"temperature": 0.5, "stop": ["END"], "seed": 7},
        "commit_message": "first",
        "tags": {"team": "search"},
    }
    made = rest.post("/api/prompts", json={"name": "from-page", "version": version})
    assert made.status_code == 201, made.text
    rest.put("/api/prompts/from-page/aliases/live", json={"version": 1}).raise_for_status()
    for uri in ("prompts:/from-page/1", "prompts:/from-page@live"):
        prompt = load_prompt(uri)
        assert prompt.template == messages
        assert (prompt.commit_message, prompt.tags["team"]) == ("first", "search")
        config = prompt.model_config or {}
        assert (config["model_name"], config["temperature"], config["stop_sequences"]) == ("chat", 0.5, ["END"])
        assert config["extra_params"] == {"seed": 7}
    rest.post("/api/prompts/from-page/versions", json={"text": "Say {{x}}"}).raise_for_status()
    assert load_prompt("prompts:/from-page/2").format(x="hi") == "Say hi"


def test_what_mlflow_does_to_an_alias_is_in_its_history(gatelog: Gateway, rest: httpx.Client) -> None:
    for text in ("one {{x}}", "two {{x}}"):
        register_prompt("from-mlflow", text)
    set_prompt_alias("from-mlflow", "live", 1)
    set_prompt_alias("from-mlflow", "live", 2)
    MlflowClient().delete_prompt_alias("from-mlflow", "live")
    moves = rest.get("/api/prompts/from-mlflow/moves").json()["moves"]
    assert [(move["kind"], move["from_version"], move["to_version"], move["by"]) for move in moves] == [
        ("deleted", 2, None, "admin"),
        ("set", 1, 2, "admin"),
        ("set", None, 1, "admin"),
    ]
    prompt = rest.get("/api/prompts/from-mlflow").json()
    assert [(each["version"], each["text"], each["variables"]) for each in prompt["versions"]] == [
        (2, "two {{x}}", ["x"]),
        (1, "one {{x}}", ["x"]),
    ]
