"""What every provider owes, checked for each entry of the table against one fixture each.

A fixture holds, for chat, a caller's `request` and what should be `sent`, what was `received` and the `reply` that it
becomes, a `stream` of the same answer with the `terminal` that makes it whole, the `usage` and `finish` of both,
`errors` and `stream_errors`; and for embeddings the first four and the usage. `like` names the fixture that it shares,
in all but what it says itself.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from providers import errors
from providers.chat import FINISH_REASONS, REQUESTS, Kind
from providers.dialect import Surface
from providers.errors import Garbled, InvalidRequest, UpstreamError, from_status, reading
from providers.table import DIALECTS, PROVIDERS, Provider
from providers.usage import Usage
from tests.providers.recorded import Json, added_up, played

FIXTURES = Path(__file__).parent / "fixtures"
NONSENSE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"type": "text"}),
)
BROKEN_MESSAGES: list[list[Json]] = [
    [{"role": "assistant", "tool_calls": [{}]}],
    [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{"}}]}],
    [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1]"}}]}],
    [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": None, "arguments": "{}"}}]}],
    [{"role": "tool", "content": "no id"}],
    [{"role": "function", "name": "f", "content": "retired"}],
    [{"role": "user", "content": [{"type": "text"}]}],
    [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
    [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,raw"}}]}],
    [{"role": "user", "content": [{"type": "file", "file": {}}]}],
    [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]}],
]


def fixture_of(name: str) -> Json:
    own: Json = json.loads((FIXTURES / f"{name}.json").read_text())
    if "like" not in own:
        return own
    shared = fixture_of(own.pop("like"))
    return {kind: {**shared[kind], **own.get(kind, {})} for kind in shared}


@pytest.fixture(params=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def chat(provider: Provider) -> Surface:
    return provider.surfaces["chat"]


@pytest.fixture
def fixture(provider: Provider) -> Json:
    found: Json = fixture_of(provider.name)["chat"]
    return found


def streaming(fixture: Json) -> Json:
    return {**fixture["request"], "stream": True, "stream_options": {"include_usage": True}}


def own_words(surface: Surface) -> bool:
    return surface.PARAMS is not None


def dated(answer: Json) -> Json:
    """Without the moment at which it was read, which no fixture knows."""
    return {**answer, "created": 0} if "created" in answer else answer


def test_every_provider_has_a_fixture() -> None:
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(PROVIDERS)


def test_every_dialect_of_the_config_file_is_that_of_a_provider() -> None:
    for name, template in DIALECTS.items():
        for kind, surface in template.surfaces.items():
            assert type(surface) is type(PROVIDERS[name].surfaces[kind])


def test_a_request_is_sent_in_their_words(chat: Surface, fixture: Json) -> None:
    assert chat.encode(fixture["request"]) == fixture["sent"]


def test_a_reply_comes_back_in_ours(chat: Surface, fixture: Json) -> None:
    assert dated(chat.decode(fixture["received"], fixture["request"])) == dated(fixture["reply"])


def test_encoding_changes_nothing_of_the_request(provider: Provider) -> None:
    for kind, surface in provider.surfaces.items():
        if (fixture := fixture_of(provider.name).get(kind)) is None:
            continue
        for request in (fixture["request"], {**fixture["request"], "stream": True}):
            before = copy.deepcopy(request)
            sent = surface.encode(request)
            assert request == before
            surface.decode(copy.deepcopy(fixture["received"]), request)
            assert request == before
            assert surface.encode(request) == sent


def test_embeddings_are_sent_in_their_words_and_come_back_in_ours(provider: Provider) -> None:
    kind: Kind = "embeddings"
    if kind not in provider.surfaces:
        assert kind not in fixture_of(provider.name) or "like" in (FIXTURES / f"{provider.name}.json").read_text()
        return
    surface, fixture = provider.surfaces[kind], fixture_of(provider.name)[kind]
    assert surface.encode(fixture["request"]) == fixture["sent"]
    assert surface.decode(fixture["received"], fixture["request"]) == fixture["reply"]
    assert known(surface.usage(fixture["received"])) == fixture["usage"]


def test_usage_is_counted_in_our_convention(chat: Surface, fixture: Json) -> None:
    assert known(chat.usage(fixture["received"])) == fixture["usage"]
    _, relay = played(chat, streaming(fixture), fixture["stream"].encode())
    assert known(relay.usage) == fixture["usage"]


def test_the_finish_reason_is_ours_and_the_native_one_is_kept(chat: Surface, fixture: Json) -> None:
    finish, native = fixture["finish"]
    choice = chat.decode(fixture["received"], fixture["request"])["choices"][0]
    assert choice["finish_reason"] == finish
    assert choice.get("native_finish_reason", finish) == native
    _, relay = played(chat, streaming(fixture), fixture["stream"].encode())
    assert (relay.finish, relay.native_finish) == (finish, native)
    assert finish in FINISH_REASONS


def test_a_stream_adds_up_to_the_reply(chat: Surface, fixture: Json) -> None:
    given, relay = played(chat, streaming(fixture), fixture["stream"].encode())
    whole = added_up(given)
    choice = whole["choices"][0]
    expected = fixture["reply"]["choices"][0]
    calls = [{key: value for key, value in call.items() if key != "index"} for call in choice["message"]["tool_calls"]]
    assert {**choice["message"], "tool_calls": calls} == expected["message"]
    assert choice["finish"] == expected["finish_reason"]
    assert whole["usage"] == fixture["reply"]["usage"]
    assert relay.done
    assert relay.error is None
    assert relay.events > 0
    assert b"[DONE]" not in given


def test_a_stream_gives_the_same_bytes_cut_at_every_byte(chat: Surface, fixture: Json) -> None:
    whole = fixture["stream"].encode()
    expected, _ = played(chat, streaming(fixture), whole)
    for at in range(len(whole)):
        given, relay = played(chat, streaming(fixture), whole[:at], whole[at:])
        assert given == expected, at
        assert relay.done


def test_a_stream_gives_the_same_bytes_one_at_a_time(chat: Surface, fixture: Json) -> None:
    whole = fixture["stream"].encode()
    expected, _ = played(chat, streaming(fixture), whole)
    given, _ = played(chat, streaming(fixture), *(whole[at : at + 1] for at in range(len(whole))))
    assert given == expected


def test_a_stream_that_ends_before_its_end_never_looks_whole(chat: Surface, fixture: Json) -> None:
    whole = fixture["stream"].encode()
    terminal = fixture["terminal"].encode()
    for at in range(whole.index(terminal) + len(terminal)):
        _, relay = played(chat, streaming(fixture), whole[:at])
        assert not relay.done, at
        assert relay.error is None, at


def test_usage_is_not_told_to_callers_who_did_not_ask(chat: Surface, fixture: Json) -> None:
    given, relay = played(chat, {**fixture["request"], "stream": True}, fixture["stream"].encode())
    assert relay.usage is not None
    assert added_up(given)["usage"] is None or not own_words(chat)


def test_an_error_is_one_of_ours(chat: Surface, fixture: Json) -> None:
    for wanted in fixture["errors"]:
        complaint = chat.complaint(wanted["body"])
        error = from_status(wanted["status"], complaint.message, code=complaint.code, param=complaint.param)
        assert type(error) is getattr(errors, wanted["raises"])
        assert (error.code, error.message) == (wanted["code"], wanted["message"])
        assert complaint.retry_after == wanted.get("retry_after")


def test_an_error_inside_a_stream_is_one_of_ours(chat: Surface, fixture: Json) -> None:
    whole = fixture["stream"].encode()
    end = 2 + whole.index(b"\n\n") if b"\n\n" in whole else 4 + whole.index(b"\r\n\r\n")
    for wanted in fixture["stream_errors"]:
        for before in (b"", whole[:end]):
            given, relay = played(chat, streaming(fixture), before + wanted["event"].encode(), whole[end:])
            assert type(relay.error) is getattr(errors, wanted["raises"])
            assert relay.error is not None
            assert relay.error.code == wanted["code"]
            assert not relay.done
            assert given == played(chat, streaming(fixture), before)[0]


def test_an_error_with_a_good_status_is_no_answer(chat: Surface, fixture: Json) -> None:
    for wanted in fixture["errors"]:
        if isinstance(wanted["body"], dict):
            with pytest.raises(UpstreamError), reading(Garbled):
                chat.decode(wanted["body"], fixture["request"])


@pytest.mark.parametrize("complaint", [None, [], {}, "gateway timeout", 7, {"error": None}, {"error": {}}, [[[]]]])
def test_a_complaint_of_any_shape_is_a_sentence(chat: Surface, complaint: object) -> None:
    assert isinstance(chat.complaint(complaint).message, str)


def test_nonsense_from_a_caller_is_theirs(chat: Surface, fixture: Json) -> None:
    if not own_words(chat):
        return
    for messages in BROKEN_MESSAGES:
        with pytest.raises(InvalidRequest) as caught, reading(InvalidRequest):
            chat.encode({**fixture["request"], "messages": messages})
        assert "messages[0]" in (caught.value.param or caught.value.message)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_passes_the_door_is_sent_or_refused(provider: Provider, data: st.DataObject) -> None:
    for kind, surface in provider.surfaces.items():
        if kind not in (fixtures := fixture_of(provider.name)):
            continue
        request = mutated(fixtures[kind]["request"], data)
        try:
            admitted = REQUESTS[kind].validate_python(request)
        except ValidationError:
            continue
        try:
            with reading(InvalidRequest):
                orjson.dumps(surface.encode(admitted))
                surface.relay(admitted)
        except InvalidRequest:
            pass


def test_a_parameter_without_a_word_is_refused_by_name(provider: Provider, fixture: Json) -> None:
    request = {**fixture["request"], "no_such_parameter": 1, "logit_bias": None}
    known = provider.surfaces["chat"].PARAMS
    assert provider.refused("chat", fixture["request"]) == provider.refuses & fixture["request"].keys()
    if known is not None:
        assert provider.refused("chat", request) == {"no_such_parameter"}
    for name in provider.refuses:
        assert name in provider.refused("chat", {**fixture["request"], name: 1})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nonsense_from_the_provider_is_an_answer_or_garbled(provider: Provider, data: st.DataObject) -> None:
    for kind, surface in provider.surfaces.items():
        fixture = fixture_of(provider.name).get(kind)
        if fixture is None:
            continue
        payload = mutated(fixture["received"], data)
        try:
            with reading(Garbled):
                answer = surface.decode(copy.deepcopy(payload), fixture["request"])
                json.dumps(answer)
        except UpstreamError:
            pass
        try:
            with reading(Garbled):
                check(surface.usage(payload))
        except Garbled:
            pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nonsense_in_a_stream_is_an_error_of_ours(provider: Provider, data: st.DataObject) -> None:
    surface, fixture = provider.surfaces["chat"], fixture_of(provider.name)["chat"]
    lines = fixture["stream"].encode().split(b"\n")
    events = [at for at, line in enumerate(lines) if line.startswith(b"data: {")]
    at = data.draw(st.sampled_from(events))
    lines[at] = b"data: " + json.dumps(mutated(json.loads(lines[at][6:]), data)).encode()
    _, relay = played(surface, streaming(fixture), b"\n".join(lines))
    assert relay.error is None or isinstance(relay.error, UpstreamError)
    assert not (relay.error and relay.done)
    check(relay.usage)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=60), where=st.integers(0, 4000))
def test_noise_in_a_stream_is_survived(provider: Provider, noise: bytes, where: int) -> None:
    surface, fixture = provider.surfaces["chat"], fixture_of(provider.name)["chat"]
    whole = fixture["stream"].encode()
    at = where % len(whole)
    _, relay = played(surface, streaming(fixture), whole[:at] + noise + whole[at:])
    assert relay.error is None or isinstance(relay.error, UpstreamError)
    check(relay.usage)


def mutated(payload: Any, data: st.DataObject) -> Any:
    """A copy in which one value, somewhere, is missing or something else."""
    changed = copy.deepcopy(payload)
    places = list(_places(changed))
    holder, key = data.draw(st.sampled_from(places))
    if isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(NONSENSE)
    return changed


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def known(usage: Usage | None) -> Json | None:
    if usage is None:
        return None
    check(usage)
    said = {name: getattr(usage, name) for name in Usage.__slots__}
    assert said.pop("suspect") is False
    return {name: value for name, value in said.items() if value is not None}


def check(usage: Usage | None) -> None:
    if usage is None:
        return
    for name in Usage.__slots__:
        value = getattr(usage, name)
        assert value is None or (type(value) in (int, bool) and value >= 0), name
    if usage.suspect:
        return
    if usage.input is not None:
        assert (usage.cache_read or 0) + (usage.cache_write or 0) <= usage.input
    if usage.output is not None:
        assert (usage.reasoning or 0) <= usage.output
