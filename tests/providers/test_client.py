"""What the client promises whatever the provider is: what is sent or refused, how long it waits, which way it goes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from providers import retry_after
from providers.client import Client
from providers.errors import Rejected, Unreachable, UnsupportedParameter, UpstreamError
from providers.slow_road import translated
from providers.table import PROVIDERS
from providers.target import Target, Timeouts
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
REQUEST = {"model": "alias", "messages": [{"role": "user", "content": "hello"}]}
NOW = datetime(2025, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as vendor:
        yield vendor


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(tls=ssl.create_default_context())
    yield client
    await client.aclose()


def target(base_url: str, provider: str = "openai", **more: Any) -> Target:
    return Target.build(PROVIDERS[provider], "chat", "real-model", credential="sk-of-ours", base_url=base_url, **more)


async def test_a_request_carries_the_targets_model_and_proof_and_the_callers_unknown_keys(
    client: Client, vendor: Vendor
) -> None:
    request = {**REQUEST, "some_new_key": {"a": 1}}
    reply = await client.complete(target(vendor.url("ok", case="sent"), headers={"X-Team": "blue"}), request)
    assert reply.payload["choices"][0]["message"]["content"].startswith("word0")
    assert reply.upstream_id == "req-vendor"
    call = next(call for call in vendor.calls if "case=sent" in call.path)
    assert call.json == {**request, "model": "real-model"}
    assert call.headers["authorization"] == "Bearer sk-of-ours"
    assert call.headers["x-team"] == "blue"
    assert call.headers["host"] == f"127.0.0.1:{vendor.port}"
    assert request["model"] == "alias", "the caller's request is never changed"


async def test_calls_one_after_another_share_a_connection_and_calls_at_once_do_not(
    client: Client, vendor: Vendor
) -> None:
    at = target(vendor.url("ok", case="kept"))
    for _ in range(5):
        await client.complete(at, REQUEST)
    assert len({call.connection for call in vendor.calls if "case=kept" in call.path}) == 1
    slow = target(vendor.url("ok", case="atonce", latency=0.1))
    await asyncio.gather(*(client.complete(slow, REQUEST) for _ in range(5)))
    assert len({call.connection for call in vendor.calls if "case=atonce" in call.path}) == 5


async def test_a_parameter_that_the_provider_refuses_is_named_before_anything_is_sent(
    client: Client, vendor: Vendor
) -> None:
    with pytest.raises(UnsupportedParameter, match="groq does not take logprobs"):
        await client.complete(target(vendor.url("ok", case="refused"), "groq"), {**REQUEST, "logprobs": True})
    assert not [call for call in vendor.calls if "case=refused" in call.path]


async def test_a_large_request_is_uploaded_whole_and_its_connection_serves_again(
    client: Client, vendor: Vendor
) -> None:
    at = target(vendor.url("ok", case="large"))
    request = {"model": "real-model", "messages": [{"role": "user", "content": "a" * (5 << 20)}]}
    for _ in range(2):
        await client.complete(at, request)
    calls = [call for call in vendor.calls if "case=large" in call.path]
    assert [len(call.json["messages"][0]["content"]) for call in calls] == [5 << 20] * 2
    assert len({call.connection for call in calls}) == 1


async def test_a_refusal_in_the_middle_of_an_upload_is_heard(client: Client, vendor: Vendor) -> None:
    request = {**REQUEST, "messages": [{"role": "user", "content": "a" * (20 << 20)}]}
    with pytest.raises(Rejected, match="too large for me") as caught:
        await client.complete(target(vendor.url("early")), request)
    assert caught.value.status == 413


async def test_a_reader_who_does_not_read_holds_the_provider_back(client: Client, vendor: Vendor) -> None:
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}\n\n' % (b"a" * 100_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    vendor.raw["flood"] = [head, *[event] * 400, b"data: [DONE]\n\n"]
    timeouts = Timeouts(idle=0.2)
    flow = await client.stream(target(vendor.url("raw", name="flood"), timeouts=timeouts), {**REQUEST, "stream": True})
    # Longer than the idle timeout: it is not the provider who is slow.
    await asyncio.sleep(0.5)
    call = next(call for call in vendor.calls if "name=flood" in call.path)
    assert not call.closed, "40 MB have not gone into anybody's memory"
    size = 0
    while piece := await flow.read():
        assert len(piece) < 4 << 20
        size += len(piece)
    assert flow.error is None
    assert flow.done
    assert size > 40_000_000


async def test_a_credential_shows_nowhere() -> None:
    at = target("http://127.0.0.1:1/v1")
    assert "sk-of-ours" not in repr(at)
    assert repr(at) == "Target('openai/real-model', kind='chat', credential='default')"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"headers": {"Host": "elsewhere"}}, "set by the gateway"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "no header may hold"),
        ({"headers": {"X A": "b"}}, "no name of a header"),
        ({"base_url": "https://host/v1?api-version=1"}, "query"),
        ({"base_url": "https://host/v 1"}, "no path"),
        ({"base_url": ""}, "no host"),
        ({"base_url": "https://host:0/v1"}, "port"),
    ],
)
def test_a_target_that_cannot_be_is_refused_with_a_reason(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        target(**{"base_url": "https://host/v1", **wrong})


def test_a_credential_with_a_line_break_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="no header may hold") as caught:
        Target.build(PROVIDERS["openai"], "chat", "m", credential="sk-secret\n")
    assert "sk-secret" not in str(caught.value)


def test_a_kind_of_call_that_the_provider_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="groq has no embeddings"):
        Target.build(PROVIDERS["groq"], "embeddings", "m", credential="k")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "5"}, 5.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sun, 23 Nov 2025 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 23 Nov 2025 11:00:00 GMT"}, 0.0),
        ({"retry-after": "1e9"}, 3600.0),
        ({"retry-after": "86400"}, 3600.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"x-ratelimit-reset-requests": "20ms"}, 0.02),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-tokens": "1m12.5s"}, 72.5),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-reset-tokens": "40s",
                "x-ratelimit-remaining-tokens": "0",
            },
            40.0,
        ),
        ({"x-ratelimit-reset-requests": "3s", "x-ratelimit-reset-tokens": "40s"}, 3.0),
        ({"x-ratelimit-reset-requests": str(NOW.timestamp() + 12)}, 12.0),
        ({"anthropic-ratelimit-requests-reset": "2025-11-23T12:01:00Z"}, 60.0),
        ({}, None),
    ],
)
def test_a_wait_is_understood_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    found = retry_after.wait({name.encode(): value.encode() for name, value in headers.items()}, NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


async def test_every_error_of_httpx_becomes_one_of_ours() -> None:
    at = target("http://127.0.0.1:1/v1")
    kinds = [
        kind
        for kind in vars(httpx).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind is not httpx.HTTPStatusError
    ]
    assert len(kinds) > 20
    for kind in kinds:
        raised = kind("http://127.0.0.1:1") if not issubclass(kind, httpx.StreamError) else kind.__new__(kind)
        for headed in (False, True):
            with pytest.raises(UpstreamError) as caught, translated(at, "idle", headed=headed):
                raise raised
            assert "127.0.0.1" not in caught.value.message


async def test_a_proxy_is_taken_from_the_environment_once_and_never_for_loopback(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "all_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert target("https://api.example.com/v1").proxy == "http://127.0.0.1:9"
    assert target("https://inside.example/v1").proxy is None
    assert target("https://127.0.0.1/v1").proxy is None
    assert target("http://api.example.com/v1").proxy is None
    with pytest.raises(Unreachable):
        await client.complete(target("https://api.example.com/v1"), REQUEST)


async def test_a_proxy_carries_the_call(client: Client, vendor: Vendor) -> None:
    # The pretend provider answers whatever path it is asked for, so it serves as its own proxy.
    at = target("http://provider.example/v1", proxy=f"http://127.0.0.1:{vendor.port}")
    assert (await client.complete(at, REQUEST)).payload["choices"]
    assert any(call.headers["host"] == "provider.example" for call in vendor.calls)


async def test_a_unix_socket_carries_the_call(client: Client, tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"choices":[]}')
        await writer.drain()
        writer.close()

    path = tmp_path / "model.sock"
    server = await asyncio.start_unix_server(answer, path)
    at = target(f"http+unix://{str(path).replace('/', '%2F')}/v1")
    assert (await client.complete(at, REQUEST)).payload == {"choices": []}
    assert asked[0].startswith(b"POST /v1/chat/completions HTTP/1.1")
    server.close()
    await server.wait_closed()


async def test_an_idle_client_keeps_nothing_open_after_it_is_closed(vendor: Vendor) -> None:
    client = Client(tls=ssl.create_default_context())
    await client.complete(target(vendor.url("ok", case="closing")), REQUEST)
    await client.aclose()
    call = next(call for call in vendor.calls if "case=closing" in call.path)
    for _ in range(50):
        if call.closed:
            break
        await asyncio.sleep(0.02)
    assert call.closed
