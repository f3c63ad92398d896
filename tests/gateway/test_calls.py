"""A call from the caller's socket to its run, through a real server, with a provider that behaves as it is asked to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.harness import PLAIN, Gateway
from tests.vendor import Call as Received
from tests.vendor import Vendor
from tests.vendor_words import text

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
WORDS = 5
PRICE = {"input": 1, "output": 2}
QUICK = {"connect": 1, "first_byte": 0.5, "first_token": 0.8, "idle": 0.5, "total": 5}
ASK = [{"role": "user", "content": "Say some words."}]
CREDENTIAL = "sk-vendor-0123456789"


@dataclass(frozen=True)
class Served:
    """One gateway for all these tests, and the provider behind it."""

    gateway: Gateway
    vendor: Vendor

    def received(self, url: str) -> list[Received]:
        """What came at this provider's URL."""
        return [call for call in self.vendor.calls if call.path.startswith(url.partition("/v1")[0][self._origin :])]

    @property
    def _origin(self) -> int:
        return len(self.vendor.url(prefix=""))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Vendor() as vendor:
        gateway = Gateway(tmp_path_factory.mktemp("calls") / "gateway", config(vendor))
        asyncio.run(gateway.start())
        try:
            yield Served(gateway, vendor)
        finally:
            gateway.kill()


def config(vendor: Vendor) -> Json:
    """An endpoint for each way in which a provider may behave, each with providers of its own: one that fails rests."""
    good = vendor.url("ok", tokens=WORDS)
    urls = {
        "good": [good],
        "kept-redacted": [good],
        "kept-none": [good],
        "twice": [vendor.url("ok", tokens=WORDS, latency=0.3)],
        "passed-over": [vendor.url("503"), good],
        "retried": [vendor.url("500", of="retried")],
        "two": [vendor.url("500", of="two"), good],
        "cut": [vendor.url("rstmid", after=3, gap=0.01), vendor.url("ok", of="cut")],
        "cut-unkept": [vendor.url("rstmid", after=3, gap=0.01, of="unkept")],
        "denied": [vendor.url("401")],
        "busy": [vendor.url("429", retry_after=7)],
        "slow": [vendor.url("ok", latency=20)],
        "slow-stream": [vendor.url("ok", tokens=500, gap=0.02)],
        "completed": [vendor.url("ok", tokens=30, gap=0.02)],
    }
    particular: dict[str, Json] = {
        "kept-redacted": {"log_payloads": "redacted"},
        "kept-none": {"log_payloads": "none"},
        "retried": {"retries": 2},
        "two": {"retries": 1, "fallbacks": []},
        "cut": {"retries": 2},
        "cut-unkept": {"log_payloads": "none"},
        "slow": {"timeouts": {}},
        "completed": {"on_disconnect": "complete"},
    }
    providers = {
        f"{name}-{at}": {"dialect": "openai", "base_url": url, "api_key": CREDENTIAL}
        for name, several in urls.items()
        for at, url in enumerate(several)
    }
    endpoints = []
    for name, several in urls.items():
        targets = [{"provider": f"{name}-{at}", "model": f"model-{at}", "price": PRICE} for at in range(len(several))]
        first = targets if name == "two" else targets[:1]
        endpoints.append(
            {"name": name, "targets": first, "fallbacks": targets[1:], "timeouts": QUICK, "retries": 0}
            | particular.get(name, {})
        )
    return {"providers": providers, "endpoints": endpoints}


@asynccontextmanager
async def asking(gateway: Gateway, model: str, **more: Any) -> AsyncIterator[httpx.Response]:
    headers = more.pop("headers", {})
    async with (
        gateway.client() as client,
        client.stream(
            "POST", "/v1/chat/completions", json={"model": model, "messages": ASK, **more}, headers=headers
        ) as response,
    ):
        yield response


async def ask(gateway: Gateway, model: str, **more: Any) -> httpx.Response:
    async with asking(gateway, model, **more) as response:
        await response.aread()
    return response


def events(body: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in body.split("\n\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


async def run_of(gateway: Gateway, response: httpx.Response) -> Json:
    return await gateway.run(response.headers["x-gatelog-run-id"])


async def the_run(gateway: Gateway, session: str) -> Json:
    """Of a call whose caller never saw a header."""
    return await gateway.run((await gateway.settled(1, filter=f"attributes.session = '{session}'"))[0]["id"])


async def test_a_plain_call_is_answered_and_can_be_read_back_with_its_cost(served: Served) -> None:
    annotated = {
        "x-gatelog-experiment": "greetings",
        "x-gatelog-tags": '{"team": "search"}',
        "x-gatelog-user": "ada",
        "x-gatelog-session": "s-1",
        "x-gatelog-parent-run-id": "0" * 32,
    }
    response = await ask(served.gateway, "good", headers=annotated)
    payload = response.json()
    assert payload["choices"][0]["message"]["content"] == text(WORDS)
    usage = payload["usage"]
    nanos = usage["prompt_tokens"] * 1000 + usage["completion_tokens"] * 2000
    assert response.headers["x-gatelog-provider"] == "good-0"
    assert response.headers["x-gatelog-model"] == "model-0"
    assert response.headers["x-gatelog-attempts"] == "1"
    assert round(float(response.headers["x-gatelog-cost-usd"]) * 1e9) == nanos
    assert 0 <= float(response.headers["x-gatelog-overhead-ms"]) < 100
    run = await run_of(served.gateway, response)
    assert (run["status"], run["endpoint"], run["provider"], run["model"]) == ("ok", "good", "good-0", "model-0")
    assert (run["user"], run["session"], run["experiment"]) == ("ada", "s-1", "greetings")
    assert (run["tags"], run["parent_run_id"]) == ({"team": "search"}, "0" * 32)
    assert (run["cost"]["nanos"], run["usage"]["basis"]) == (nanos, "provider")
    assert run["request"]["messages"] == ASK
    assert run["response"] == payload
    assert [(each["provider"], each["status"]) for each in run["attempts"]] == [("good-0", "ok")]


async def test_a_stream_is_passed_on_unchanged_and_recorded_whole(served: Served) -> None:
    response = await ask(served.gateway, "good", stream=True)
    heard = events(response.text)
    assert heard[-1] == "[DONE]"
    assert not any(event["choices"] == [] for event in heard[:-1]), "usage that the caller did not ask for"
    run = await run_of(served.gateway, response)
    assert run["status"] == "ok"
    assert run["response"]["choices"][0]["message"]["content"] == text(WORDS)
    assert run["usage"]["basis"] == "provider"
    assert run["cost"]["nanos"] > 0
    assert run["times"]["ttft_ms"] <= run["times"]["duration_ms"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_target_that_fails_is_passed_over_before_the_first_byte(served: Served, stream: bool) -> None:
    response = await ask(served.gateway, "passed-over", stream=stream)
    assert response.status_code == 200
    assert response.headers["x-gatelog-attempts"] == "2"
    assert response.headers["x-gatelog-model"] == "model-1"
    run = await run_of(served.gateway, response)
    assert [each["status"] for each in run["attempts"]] == ["upstream_503", "ok"]


async def test_a_failing_target_is_retried_as_often_as_configured(served: Served) -> None:
    response = await ask(served.gateway, "retried")
    assert response.status_code == 502
    error = response.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("upstream_error", "upstream_500", None)
    assert response.headers["x-gatelog-attempts"] == "3"
    assert len(served.received(served.vendor.url("500", of="retried"))) == 3
    run = await run_of(served.gateway, response)
    assert (run["status"], run["error"]["code"]) == ("upstream_error", "upstream_500")


async def test_a_target_that_keeps_failing_rests_and_the_other_takes_its_calls(served: Served) -> None:
    for _ in range(30):
        assert (await ask(served.gateway, "two")).status_code == 200
    assert 1 <= len(served.received(served.vendor.url("500", of="two"))) <= 5


async def test_the_provider_is_never_asked_twice_once_the_caller_has_heard_something(served: Served) -> None:
    heard, ended = "", True
    async with asking(served.gateway, "cut", stream=True) as response:
        try:
            async for piece in response.aiter_text():
                heard += piece
        except httpx.RemoteProtocolError:
            ended = False
    assert not ended, "even a client that reads no errors in a stream must see that it was cut"
    assert "[DONE]" not in heard
    assert events(heard)[-1]["error"]["code"] == "upstream_cut"
    assert not any(choice["finish_reason"] for event in events(heard)[:-1] for choice in event["choices"])
    run = await run_of(served.gateway, response)
    assert (run["status"], run["usage"]["basis"]) == ("upstream_cut", "counted")
    said = run["response"]["choices"][0]["message"]["content"]
    assert said
    assert text(100).startswith(said)
    assert run["usage"]["output_tokens"] > 0
    assert run["cost"]["nanos"] > 0
    assert not served.received(served.vendor.url("ok", of="cut"))


async def test_a_cut_answer_is_billed_for_what_was_heard_even_where_nothing_of_it_is_kept(served: Served) -> None:
    async with asking(served.gateway, "cut-unkept", stream=True) as response:
        try:
            await response.aread()
        except httpx.RemoteProtocolError:
            pass
    run = await run_of(served.gateway, response)
    assert (run["status"], run["usage"]["basis"], run["response"]) == ("upstream_cut", "counted", None)
    assert run["usage"]["output_tokens"] > 0
    assert run["cost"]["nanos"] > 0


async def test_a_providers_refusal_of_our_credential_is_not_the_callers_fault(served: Served) -> None:
    response = await ask(served.gateway, "denied")
    assert (response.status_code, response.json()["error"]["code"]) == (502, "upstream_auth")
    assert CREDENTIAL not in response.text
    assert CREDENTIAL not in served.gateway.log


async def test_a_retry_after_is_passed_on(served: Served) -> None:
    response = await ask(served.gateway, "busy")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.headers["x-should-retry"] == "true"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_who_hangs_up_closes_the_call_to_the_provider_and_is_billed_for_what_was_heard(
    served: Served, stream: bool
) -> None:
    session = {"x-gatelog-session": f"hangs-up-{stream}"}
    if stream:
        async with asking(served.gateway, "slow-stream", stream=True, headers=session) as response:
            async for _ in response.aiter_raw():
                break
    else:
        async with served.gateway.client(timeout=0.5) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/v1/chat/completions", json={"model": "slow", "messages": ASK}, headers=session)
    (call,) = served.received(served.vendor.url("ok", tokens=500) if stream else served.vendor.url("ok", latency=20))
    for _ in range(100):
        if call.closed:
            break
        await asyncio.sleep(0.02)
    assert call.closed, "the provider goes on for nobody"
    run = await the_run(served.gateway, f"hangs-up-{stream}")
    assert (run["status"], run["error"]["code"]) == ("client_cancelled", "client_disconnected")
    assert run["usage"]["basis"] == "counted"
    assert run["usage"]["input_tokens"] > 0
    assert (run["usage"]["output_tokens"] > 0) is stream
    assert run["cost"]["nanos"] > 0


async def test_an_endpoint_may_ask_for_answers_to_be_completed_without_their_caller(served: Served) -> None:
    session = {"x-gatelog-session": "completed"}
    async with asking(served.gateway, "completed", stream=True, headers=session) as response:
        async for _ in response.aiter_raw():
            break
    run = await the_run(served.gateway, "completed")
    assert (run["status"], run["usage"]["basis"]) == ("client_cancelled", "provider")
    assert run["response"]["choices"][0]["message"]["content"] == text(30)


async def test_a_call_without_a_key_is_refused_before_anything_is_sent(served: Served) -> None:
    sent = len(served.vendor.calls)
    async with httpx.AsyncClient(base_url=served.gateway.url, **PLAIN) as client:
        response = await client.post("/v1/chat/completions", json={"model": "good", "messages": ASK})
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")
    assert len(served.vendor.calls) == sent


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b"{", 400, "invalid_json", None),
        (b'{"model": "good", "messages": [], "temperature": NaN}', 400, "invalid_json", None),
        (b'["good"]', 400, "invalid_request", None),
        (b'{"messages": []}', 400, "invalid_request", "model"),
        (b'{"model": "good"}', 400, "invalid_request", "messages"),
        (b'{"model": "good", "messages": "hi"}', 400, "invalid_request", "messages"),
        (b'{"model": "good", "messages": [{"role": "robot"}]}', 400, "invalid_request", "messages[0].role"),
        (b'{"model": "nobody", "messages": []}', 404, "model_not_found", "model"),
        (b'{"model": "nobody/at-home", "messages": []}', 404, "model_not_found", "model"),
    ],
)
async def test_nonsense_is_refused_in_the_callers_own_words(
    served: Served, body: bytes, status: int, code: str, param: str | None
) -> None:
    sent = len(served.vendor.calls)
    async with served.gateway.client() as client:
        response = await client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)
    assert error.keys() == {"message", "type", "param", "code"}
    assert len(served.vendor.calls) == sent


async def test_a_body_that_is_not_declared_as_json_or_too_large_is_refused(served: Served) -> None:
    async with served.gateway.client() as client:
        response = await client.post("/v1/chat/completions", content=b"{}", headers={"content-type": "text/plain"})
        large = await client.post(
            "/v1/chat/completions", content=b" " * (33 << 20), headers={"content-type": "application/json"}
        )
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert (large.status_code, large.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("payloads", ["redacted", "none"])
async def test_what_an_endpoint_may_not_keep_is_nowhere_on_the_disk(served: Served, payloads: str) -> None:
    secret = f"the-moon-is-made-of-{payloads}-cheese"
    said = [{"role": "user", "content": secret}]
    response = await ask(served.gateway, f"kept-{payloads}", messages=said)
    stream = await ask(served.gateway, f"kept-{payloads}", messages=said, stream=True)
    for answer in (response, stream):
        assert answer.status_code == 200
        run = await run_of(served.gateway, answer)
        assert run["usage"]["output_tokens"] > 0
        assert secret not in json.dumps(run)
        assert "word1" not in json.dumps(run)
    for path in served.gateway.directory.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


async def test_a_key_that_is_sent_twice_makes_one_call(served: Served) -> None:
    gateway, key = served.gateway, {"idempotency-key": "order-66"}
    both = await asyncio.gather(*(ask(gateway, "twice", headers=key) for _ in range(2)))
    first, second = sorted(both, key=lambda response: response.status_code)
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.json()["error"]["code"] == "idempotency_in_progress"
    await run_of(gateway, first)
    again = await ask(gateway, "twice", headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.content == first.content
    assert again.headers["x-gatelog-run-id"] == first.headers["x-gatelog-run-id"]
    other = await ask(gateway, "twice", headers=key, temperature=0.5)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert len(served.received(served.vendor.url("ok", tokens=WORDS, latency=0.3))) == 1


async def test_mlflows_gateway_routes_answer_by_the_endpoints_name(served: Served) -> None:
    async with served.gateway.client() as client:
        answer = await client.post("/gateway/good/invocations", json={"messages": ASK})
        listed = (await client.get("/api/2.0/endpoints/")).json()
        unknown = await client.post("/gateway/nobody/invocations", json={"messages": ASK})
    assert answer.json()["choices"][0]["message"]["content"] == text(WORDS)
    assert "good" in [each["name"] for each in listed["endpoints"]]
    assert unknown.status_code == 404


async def test_every_way_to_an_endpoint_says_the_same_about_its_run(served: Served) -> None:
    """By the road of nearly all calls, a slightly unusual one, MLflow's, and with an Idempotency-Key."""
    body, key = {"model": "good", "messages": ASK}, {"idempotency-key": "the-same-about-its-run"}
    async with served.gateway.client() as client:
        answers = [
            await client.post("/v1/chat/completions", json=body),
            await client.post("/v1/chat/completions?a=b", json=body),
            await client.post("/gateway/good/invocations", json=body),
            await client.post("/v1/chat/completions", json=body, headers=key),
        ]
    said = [{name for name in answer.headers if name.startswith(("x-gatelog-", "content-"))} for answer in answers]
    assert "x-gatelog-cost-usd" in said[0]
    assert all(each == said[0] for each in said)
    assert len({answer.headers["x-gatelog-cost-usd"] for answer in answers}) == 1


async def test_a_model_whose_name_breaks_a_line_adds_no_header(served: Served) -> None:
    response = await ask(served.gateway, "demo/words\r\nx-made-up: 1")
    assert "x-made-up" not in response.headers
    assert response.status_code in {200, 404}
