"""What the entries of the table promise, and what each says of a request."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from providers import complaints, mistral
from providers.chat import Json, Kind
from providers.dialect import Complaint
from providers.habits import CARRIERS
from providers.table import DIALECTS, PROVIDERS, azure_deployments

SAID = {"role", "content", "tool_calls"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_entry_is_under_its_own_name_and_has_chat(name: str) -> None:
    provider = PROVIDERS[name]
    assert provider.name == name
    assert "chat" in provider.surfaces
    assert provider.surfaces.keys() <= set(get_args(Kind))
    assert provider.base_url or provider.base_url_variables
    assert not provider.base_url.endswith("/")


def test_the_languages_of_the_config_file_are_these() -> None:
    assert set(DIALECTS) == {"openai", "anthropic", "gemini"}


def test_what_a_provider_refuses_is_named_unless_it_is_null() -> None:
    groq = PROVIDERS["groq"]
    request: Json = {"model": "m", "messages": [], "logit_bias": {}, "logprobs": None, "anything": 1, "stream": True}
    assert groq.refused("chat", request) == {"logit_bias"}
    assert PROVIDERS["openai"].refused("chat", request) == set()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("openai", SAID | CARRIERS), ("groq", SAID), ("cerebras", SAID), ("mistral", SAID)],
)
def test_what_another_provider_added_to_its_answer_is_left_out_for_those_who_refuse_it(
    name: str, kept: set[str]
) -> None:
    call: Json = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message: Json = {
        "role": "assistant",
        "content": "hello",
        "tool_calls": [{**call, "extra_content": {"google": {"thought_signature": "s"}}}],
        "reasoning_content": "hm",
        "thinking_blocks": [],
        "extra_content": {},
        "images": [],
    }
    request: Json = {"model": "m", "messages": [{"role": "user", "content": "hi"}, message]}
    before = json.dumps(request)
    sent = PROVIDERS[name].surfaces["chat"].encode(request)["messages"]
    assert sent[0] == request["messages"][0]
    assert set(sent[1]) == kept
    assert (sent[1]["tool_calls"] == [call]) == (name != "openai")
    assert json.dumps(request) == before
    if name == "mistral":  # which has a place for it
        assert sent[1]["content"][0]["type"] == "thinking"


@pytest.mark.parametrize("kind", ["chat", "completions", "embeddings"])
def test_azure_has_the_deployment_in_its_url(kind: Kind) -> None:
    path = azure_deployments("2025-01-01").surfaces[kind].path("my model/1", stream=False)
    assert path.startswith("/openai/deployments/my%20model%2F1/")
    assert path.endswith("completions?api-version=2025-01-01" if kind != "embeddings" else "?api-version=2025-01-01")


def test_a_key_is_proven_as_each_wants_it() -> None:
    assert PROVIDERS["openai"].auth("k") == {"authorization": "Bearer k"}
    assert PROVIDERS["azure"].auth("k") == {"api-key": "k"}


def test_a_stream_always_reports_its_usage_and_keeps_the_callers_other_options() -> None:
    request: Json = {"model": "m", "messages": [], "stream": True, "stream_options": {"include_obfuscation": False}}
    before = json.dumps(request)
    sent = PROVIDERS["openai"].surfaces["chat"].encode(request)
    assert sent["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert PROVIDERS["mistral"].surfaces["chat"].encode(request)["stream_options"] == {"include_obfuscation": False}
    assert json.dumps(request) == before
    asked = {**request, "stream_options": {"include_usage": True}}
    assert "stream_options" not in PROVIDERS["mistral"].surfaces["chat"].encode(asked)
    plain = {"model": "m", "messages": []}
    assert PROVIDERS["openai"].surfaces["chat"].encode(plain) is plain


def test_mistral_is_asked_in_its_own_spelling_and_gets_its_thinking_back() -> None:
    thought = {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}
    request: Json = {
        "messages": [{"role": "user", "content": "2 + 2?"}, thought],
        "seed": 1,
        "max_completion_tokens": 5,
    }
    sent = mistral.spell(request)
    assert (sent["random_seed"], sent["max_tokens"], sent["messages"][0]) == (1, 5, request["messages"][0])
    assert sent["messages"][1] == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}]},
            {"type": "text", "text": "4"},
        ],
    }
    answer = {"choices": [{"index": 0, "message": sent["messages"][1], "finish_reason": "stop"}]}
    assert mistral.plain(answer)["choices"][0]["message"] == thought
    assert mistral.spell({"messages": []}) == {"messages": []}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "m", "type": "t", "param": "p", "code": "c"}}, Complaint("m", "c", "p")),
        ({"error": {"message": "m", "code": 429}}, Complaint("m", status=429)),
        ({"error": "no key", "code": "The caller is unknown"}, Complaint("The caller is unknown: no key")),
        ({"detail": "Unauthorized"}, Complaint("Unauthorized")),
        ({"detail": [{"loc": ["body", "n"], "msg": "too many"}]}, Complaint("body.n: too many", param="body.n")),
        ({"object": "error", "message": "m", "type": "invalid_request_error"}, Complaint("m", status=400)),
        ([{"error": {"message": "m"}}], Complaint("m")),
        ("<html>", Complaint("<html>")),
        ({"error": None}, Complaint("{'error': None}")),
        ([], Complaint("[]")),
    ],
)
def test_a_complaint_is_read_in_whichever_shape_it_comes(body: object, expected: Complaint) -> None:
    assert complaints.read(body) == expected
