"""Chat over generateContent, where it is more than a change of names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers import gemini, gemini_embeddings
from providers.chat import Kind
from providers.errors import Garbled, InvalidRequest, UnsupportedParameter, reading
from providers.table import PROVIDERS
from tests.providers.recorded import Json, added_up, played

MODEL = "gemini-2.5-flash"


def encoded(*messages: Json, model: str = MODEL, **params: Any) -> Json:
    return gemini.encode({"model": model, "messages": list(messages) or [user("hi")], **params})


def user(content: Any) -> Json:
    return {"role": "user", "content": content}


def candidate(*parts: Json, finish: str | None = "STOP", **rest: Any) -> Json:
    return {"content": {"role": "model", "parts": list(parts)}, **({"finishReason": finish} if finish else {}), **rest}


def answer(*candidates: Json, **rest: Any) -> Json:
    return {"candidates": list(candidates), "responseId": "r", "modelVersion": MODEL, **rest}


def choice(payload: Json) -> Json:
    found: Json = gemini.decode(payload, {"model": MODEL})["choices"][0]
    return found


def events(*payloads: Json) -> bytes:
    return b"".join(f"data: {json.dumps(payload)}\r\n\r\n".encode() for payload in payloads)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"),
        ("models/gemini-2.5-pro", "/models/gemini-2.5-pro:generateContent"),
        ("tunedModels/mine", "/tunedModels/mine:generateContent"),
        ("../../evil?x", "/models/..%2F..%2Fevil%3Fx:generateContent"),
    ],
)
def test_a_model_has_a_path_and_cannot_leave_it(model: str, path: str) -> None:
    assert gemini.path(model, False) == path
    assert gemini.path(model, True) == path.replace(":generate", ":streamGenerate") + "?alt=sse"


def test_openais_parameters_become_a_generation_config() -> None:
    config = encoded(
        top_p=0.9,
        n=2,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        max_completion_tokens=9,
        stop="x",
        modalities=["text", "image"],
        generationConfig={"mediaResolution": "LOW"},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    )["generationConfig"]
    assert config == {
        "mediaResolution": "LOW", "topP": 0.9, "candidateCount": 2, "presencePenalty": 0.1, "frequencyPenalty": 0.2,
        "responseLogprobs": True, "logprobs": 3, "maxOutputTokens": 9, "stopSequences": ["x"],
        "responseModalities": ["TEXT", "IMAGE"], "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "medium", {"thinkingBudget": 8192, "includeThoughts": True}),
        ("gemini-3-pro-preview", "high", {"thinkingLevel": "high", "includeThoughts": True}),
        ("gemini-flash-latest", "low", {"thinkingLevel": "low", "includeThoughts": True}),
    ],
)
def test_effort_is_a_budget_or_a_level_by_generation(model: str, effort: str, sent: Json) -> None:
    assert encoded(model=model, reasoning_effort=effort)["generationConfig"]["thinkingConfig"] == sent


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"model": "gemini-3-pro-preview", "reasoning_effort": "none"}, "reasoning_effort"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"modalities": ["smell"]}, "modalities"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].type"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "y"}]}, "messages[0].tool_call_id"),
        ({"messages": [user([{"type": "refusals"}])]}, "messages[0].content[0].type"),
    ],
)
def test_what_it_cannot_do_is_refused_and_not_bent(params: Json, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        gemini.encode({"model": MODEL, "messages": [user("hi")], **params})
    assert caught.value.param == param


def test_parallel_calls_cannot_be_forbidden() -> None:
    with pytest.raises(UnsupportedParameter):
        encoded(parallel_tool_calls=False)
    assert "toolConfig" not in encoded(parallel_tool_calls=True)


def test_native_tools_pass_beside_functions() -> None:
    body = encoded(
        tools=[{"type": "function", "function": {"name": "f"}}, {"googleSearch": {}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        toolConfig={"includeServerSideToolInvocations": True},
    )
    assert body["tools"] == [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]
    assert body["toolConfig"] == {
        "includeServerSideToolInvocations": True,
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]},
    }


def test_data_and_addresses() -> None:
    parts = encoded(
        user(
            [
                {"type": "image_url", "image_url": {"url": "https://x.test/a.png?b=1"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"file_id": "https://x.test/files/1"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg=="}},
            ]
        )
    )["contents"][0]["parts"]
    assert parts == [
        {"fileData": {"fileUri": "https://x.test/a.png?b=1", "mimeType": "image/png"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        {"fileData": {"fileUri": "https://x.test/files/1"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
    ]


def test_results_of_tools_follow_their_calls_whatever_was_said_between() -> None:
    calls = [{"id": id, "function": {"name": name, "arguments": "{}"}} for id, name in (("a", "f"), ("b", "g"))]
    contents = encoded(
        {"role": "system", "content": "first"},
        user("go"),
        {"role": "assistant", "tool_calls": calls},
        {"role": "system", "content": "careful"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        user("so?"),
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    )["contents"]
    assert [part["functionResponse"]["name"] for part in contents[2]["parts"]] == ["g", "f"]
    assert [content["parts"][0].get("text") for content in contents[3:]] == ["<system>\ncareful\n</system>", "so?"]


def test_a_call_without_an_id_gets_one_that_finds_its_function_again() -> None:
    payload = answer(candidate({"functionCall": {"name": "f"}}, {"functionCall": {"name": "g", "id": "own"}}))
    message = choice(payload)["message"]
    ids = [call["id"] for call in message["tool_calls"]]
    assert choice(payload)["message"]["tool_calls"] == message["tool_calls"]
    results = [{"role": "tool", "tool_call_id": id, "content": "ok"} for id in ids]
    contents = encoded(user("a"), message, *results)["contents"]
    assert contents[1]["parts"] == [
        {"functionCall": {"name": "f", "args": {}}},
        {"functionCall": {"name": "g", "args": {}, "id": "own"}},
    ]
    assert [part["functionResponse"].get("id") for part in contents[2]["parts"]] == [None, "own"]


def test_what_another_model_called_is_marked_as_unsigned_where_signatures_are_needed() -> None:
    call = {"id": "toolu_1", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "tool_calls": [call, call], "thinking_blocks": [{"type": "thinking"}]}
    newer = encoded(user("a"), message, model="gemini-3-pro")["contents"][1]["parts"]
    assert ["thoughtSignature" in part for part in newer] == [True, False]
    older = encoded(user("a"), message, model="gemini-2.5-pro")["contents"][1]["parts"]
    assert ["thoughtSignature" in part for part in older] == [False, False]


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("A_REASON_TO_COME", "error"),
    ],
)
def test_finish_reasons(native: str, finish: str) -> None:
    found = choice(answer(candidate({"text": "x"}, finish=native)))
    assert (found["finish_reason"], found["native_finish_reason"]) == (finish, native)


def test_a_blocked_prompt_is_filtered_content_and_no_answer_at_all_is_garbled() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    found = choice(blocked)
    assert (found["finish_reason"], found["native_finish_reason"]) == ("content_filter", "SAFETY")
    assert found["message"]["content"] is None
    _, relay = played(gemini, {"model": MODEL}, events(blocked))
    assert (relay.done, relay.finish, relay.native_finish) == (True, "content_filter", "SAFETY")
    with pytest.raises(Garbled), reading(Garbled):
        choice({"usageMetadata": {"promptTokenCount": 4}})


def test_several_candidates_are_several_choices_whole_and_streamed() -> None:
    whole = answer(candidate({"text": "a"}, index=0), candidate({"text": "b"}, index=1, finish="MAX_TOKENS"))
    decoded = gemini.decode(whole, {"model": MODEL, "n": 2})
    assert [(c["index"], c["message"]["content"], c["finish_reason"]) for c in decoded["choices"]] == [
        (0, "a", "stop"),
        (1, "b", "length"),
    ]
    first, second = events(answer(whole["candidates"][0])), events(answer(whole["candidates"][1]))
    _, relay = played(gemini, {"model": MODEL, "n": 2}, first)
    assert not relay.done
    given, relay = played(gemini, {"model": MODEL, "n": 2}, first, second)
    assert relay.done
    assert [entry["message"]["content"] for entry in added_up(given)["choices"].values()] == ["a", "b"]


def test_what_follows_the_finish_reason_is_still_read() -> None:
    late = answer(usageMetadata={"promptTokenCount": 2, "candidatesTokenCount": 3, "totalTokenCount": 5})
    _, relay = played(gemini, {"model": MODEL}, events(answer(candidate({"text": "a"})), late))
    assert relay.done
    assert relay.usage is not None
    assert (relay.usage.input, relay.usage.output) == (2, 3)


def test_images_grounding_and_log_probabilities_are_kept() -> None:
    chosen = {"token": "a", "tokenId": 1, "logProbability": -0.5}
    payload = answer(
        candidate(
            {"text": "a"},
            {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
            groundingMetadata={"webSearchQueries": ["q"]},
            logprobsResult={"chosenCandidates": [chosen], "topCandidates": [{"candidates": [chosen]}]},
        )
    )
    found = choice(payload)
    assert found["message"]["images"][0]["image_url"]["url"] == "data:image/png;base64,iVBO"
    assert found["message"]["extra_content"]["google"]["groundingMetadata"] == {"webSearchQueries": ["q"]}
    token = {"token": "a", "logprob": -0.5, "bytes": [97]}
    assert found["logprobs"]["content"] == [{**token, "top_logprobs": [token]}]
    given, _ = played(gemini, {"model": MODEL}, events(payload))
    assert added_up(given)["choices"][0]["message"] == found["message"]


@pytest.mark.parametrize(
    ("said", "output"),
    [
        ({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "totalTokenCount": 18}, 8),
        ({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "totalTokenCount": 15}, 5),
        ({"promptTokenCount": 10, "totalTokenCount": 10}, 0),
        ({"promptTokenCount": 10}, None),
    ],
)
def test_thoughts_are_counted_once(said: Json, output: int | None) -> None:
    usage = gemini.usage({"usageMetadata": said})
    assert usage is not None
    assert usage.output == output


def test_the_modalities_of_the_count() -> None:
    usage = gemini.usage(
        {
            "usageMetadata": {
                "promptTokenCount": 30,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 25}],
            }
        }
    )
    assert usage is not None
    assert (usage.input_audio, usage.output_audio) == (25, None)


def test_a_wait_is_read_from_the_error_and_a_bad_key_is_a_matter_of_credentials() -> None:
    error = {"error": {"code": 429, "message": "m", "status": "S", "details": [{"retryDelay": "3.2s"}]}}
    assert gemini.complaint([error]).retry_after == 3.2
    assert gemini.complaint({"error": {"code": 429, "message": "m", "details": "?"}}).retry_after is None
    bad = {"error": {"code": 400, "message": "API key not valid", "details": [{"reason": "API_KEY_INVALID"}]}}
    assert gemini.complaint(bad).status == 401


def test_embeddings_of_tokens_are_refused_and_missing_ones_are_noticed() -> None:
    with pytest.raises(InvalidRequest, match=r"input\[0\] is 5"):
        gemini_embeddings.encode({"model": "m", "input": [5, 6]})
    with pytest.raises(Garbled), reading(Garbled):
        gemini_embeddings.decode({"embeddings": []}, {"model": "m", "input": "x"})


@pytest.mark.parametrize("kind", ["chat", "completions", "embeddings"])
def test_the_end_user_is_taken_and_not_sent(kind: Kind) -> None:
    assert "user" not in encoded(user="ada")
    assert PROVIDERS["gemini"].refused(kind, {"model": MODEL, "user": "ada"}) == set()
