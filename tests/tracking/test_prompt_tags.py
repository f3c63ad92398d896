"""A prompt is read from the tags of its version as MLflow's clients write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.errors import InvalidRequest
from tracking.prompts import Prompt, read
from tracking.registry_rows import Version


def version(**tags: Any) -> Version:
    said = {name: value if isinstance(value, str) else json.dumps(value) for name, value in tags.items()}
    return Version(
        name="p",
        version=3,
        stage="None",
        description=None,
        source="dummy-source",
        location=None,
        run_id=None,
        run_link=None,
        logged_model_id=None,
        user_id=None,
        tags={"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Hello"} | said,
        aliases=(),
        created_us=0,
        updated_us=0,
    )


def test_a_text_is_what_a_user_says() -> None:
    assert read(version()) == Prompt("p", 3, ({"role": "user", "content": "Hello"},), (), {})


def test_the_model_config_is_said_in_openais_words() -> None:
    config = {
        "provider": "openai",
        "model_name": "gpt-4o",
        "temperature": 0.1,
        "top_p": None,
        "stop_sequences": ["x"],
        "extra_params": {"seed": 7},
    }
    prompt = read(version(_mlflow_prompt_model_config=config))
    assert prompt.models == ("openai/gpt-4o", "gpt-4o")
    assert prompt.parameters == {"temperature": 0.1, "stop": ["x"], "seed": 7}
    assert read(version(_mlflow_prompt_model_config={"model": "chat"})).models == ("chat",)


def test_a_schema_becomes_a_response_format_and_a_response_format_stays() -> None:
    schema = {"type": "object", "title": "An Answer", "properties": {}}
    said = read(version(_mlflow_prompt_response_format=schema)).parameters["response_format"]
    assert said == {"type": "json_schema", "json_schema": {"name": "An_Answer", "schema": schema}}
    said = read(version(_mlflow_prompt_response_format={"type": "json_object"})).parameters["response_format"]
    assert said == {"type": "json_object"}


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({"mlflow.prompt.is_prompt": "false"}, "is a model and no prompt"),
        ({"_mlflow_prompt_type": "chat", "mlflow.prompt.text": "Hello"}, "is not JSON"),
        ({"_mlflow_prompt_type": "chat", "mlflow.prompt.text": {"role": "user"}}, "holds"),
        ({"_mlflow_prompt_type": "chat", "mlflow.prompt.text": ["Hello"]}, "no object"),
        ({"_mlflow_prompt_model_config": "{"}, "_mlflow_prompt_model_config is not JSON"),
    ],
)
def test_a_prompt_that_cannot_be_understood_says_which_tag_is_wrong(tags: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read(version(**tags))
