"""Every way in which a provider lets us down: what its caller is told, who answers instead, and what the run says.

The rows U1 to U28 are those of our table of faults; each is asked for plainly and as a stream, with a fallback and
without. What it takes to notice each of them is tested where it is noticed, in tests/providers.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import httpx
import pytest

from tests.harness import Gateway, free_port
from tests.vendor import Vendor
from tests.vendor_words import text

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
WORDS = 5
MOST = 20
PRICE = {"input": 1, "output": 2}
QUICK = {"connect": 1, "first_byte": 0.4, "first_token": 0.5, "idle": 0.4, "total": 1.2}
PATIENT = {**QUICK, "first_byte": 10, "first_token": 10, "idle": 10, "total": 30}
HEAVY = frozenset({"huge", "bomb"})
"""What takes longer to come than the others' patience lasts, where the machine is busy."""
ASK = [{"role": "user", "content": "Say some words."}]
CREDENTIAL = "sk-vendor-0123456789"


@dataclass(frozen=True)
class Met:
    """What a fault comes to: our status and code, the run's status, how its usage is known, and whether a fallback is
    asked. A status of 200 is a stream that had begun: then nothing else can be asked."""

    status: int
    code: str
    run: str = "upstream_error"
    basis: str = "none"
    falls_back: bool = True


def timed_out(which: str) -> Met:
    return Met(504, f"upstream_timeout_{which}", "upstream_timeout", "reserved")


def begun(code: str, run: str = "upstream_cut") -> Met:
    return Met(200, code, run, "counted", falls_back=False)


CUT = Met(502, "upstream_cut", "upstream_cut", "reserved", falls_back=False)
LARGE = Met(502, "upstream_too_large", "upstream_error", "reserved", falls_back=False)
HTTP, CONTENT_TYPE = Met(502, "upstream_bad_http"), Met(502, "upstream_bad_content_type")
CLOSED, AUTH = Met(502, "upstream_closed"), Met(502, "upstream_auth")
JSON, REDIRECT = Met(502, "upstream_bad_json"), Met(502, "upstream_redirect")
THROTTLED = Met(429, "upstream_429")


def failed(status: int) -> Met:
    return Met(502, f"upstream_{status}")


def rejected(status: int) -> Met:
    return Met(status, "upstream_rejected", "rejected", falls_back=False)


Row = tuple[str, str, Met | None, Met | None]
ROWS: list[Row] = [
    ("U1", "refused", Met(502, "upstream_connect"), Met(502, "upstream_connect")),
    ("U2", "nowhere", Met(502, "upstream_dns"), Met(502, "upstream_dns")),
    ("U3", "untrusted", Met(502, "upstream_tls"), Met(502, "upstream_tls")),
    ("U5", "silent", timed_out("first_byte"), timed_out("first_byte")),
    ("U6", "close", CLOSED, CLOSED),
    ("U7", "rst", CLOSED, CLOSED),
    ("U7", "halfline", CLOSED, CLOSED),
    ("U8", "hdronly", timed_out("idle"), timed_out("first_token")),
    ("U9", "gap", timed_out("idle"), begun("upstream_timeout_idle", "upstream_timeout")),
    ("U10", "rstmid", CUT, begun("upstream_cut")),
    ("U11", "trunc", CUT, begun("upstream_cut")),
    ("U11", "trunc_cl", CUT, begun("upstream_cut")),
    ("U12", "trunc_nolen", JSON, begun("upstream_cut")),
    ("U12", "noterminal", None, begun("upstream_cut")),
    ("U13", "garbage", HTTP, HTTP),
    ("U13", "badchunk", CUT, begun("upstream_cut")),
    ("U14", "badsse", None, begun("upstream_bad_event", "upstream_error")),
    ("U15", "noline", None, Met(502, "upstream_event_too_large")),
    ("U16", "huge", LARGE, None),
    ("U17", "bomb", LARGE, LARGE),
    ("U17", "compressed;encoding=br", Met(502, "upstream_bad_encoding"), Met(502, "upstream_bad_encoding")),
    ("U18", "html", CONTENT_TYPE, CONTENT_TYPE),
    ("U19", "error200;code=429", THROTTLED, THROTTLED),
    ("U19", "error200;code=503", failed(503), failed(500)),  # its stream says only that it was a server_error
    ("U19", "errormid", None, begun("upstream_500", "upstream_error")),
    ("U20", "badjson", JSON, CONTENT_TYPE),
    ("U20", "nojson", JSON, CONTENT_TYPE),
    ("U21", "429;retry-after=7", THROTTLED, THROTTLED),
    *(("U22", str(status), failed(status), failed(status)) for status in (500, 502, 503, 504, 529, 408, 409)),
    *(("U23", str(status), rejected(status), rejected(status)) for status in (400, 404, 413, 422)),
    *(("U23", f"{status};echo=1", AUTH, AUTH) for status in (401, 402, 403)),
    ("U24", "drip", timed_out("total"), timed_out("first_token")),
    ("U25", "redirect", REDIRECT, REDIRECT),
    ("U26", "bighdr", HTTP, HTTP),
    ("U26", "manyhdr", HTTP, HTTP),
    ("U26", "100flood", HTTP, HTTP),
]
SURVIVED = [
    ("U26", "100flood;count=16", "provider"),
    ("U27", "extra", "provider"),
    ("U28", "ok;usage=twice", "provider"),
    ("U28", "ok;usage=each", "provider"),
    ("U28", "ok;usage=zero", "provider"),
    ("U28", "ok;usage=none", "counted"),
]
"""What is odd and does no harm: the run's usage is known as it says here."""


@dataclass(frozen=True)
class Served:
    gateway: Gateway
    vendor: Vendor


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Vendor() as vendor:
        gateway = Gateway(tmp_path_factory.mktemp("faults") / "gateway", config(vendor))
        asyncio.run(gateway.start())
        try:
            yield Served(gateway, vendor)
        finally:
            gateway.kill()


ENDLESS, LATE = "endless", "late"
BEHAVIOURS = list(dict.fromkeys([row[1] for row in ROWS] + [row[1] for row in SURVIVED]))


def alone(behaviour: str) -> str:
    """The endpoint whose only target behaves so."""
    return f"alone-{BEHAVIOURS.index(behaviour)}"


def backed(behaviour: str) -> str:
    """The one that has a fallback besides."""
    return f"backed-{BEHAVIOURS.index(behaviour)}"


def config(vendor: Vendor) -> Json:
    elsewhere = {
        "refused": f"http://127.0.0.1:{free_port()}/v1",
        "nowhere": "http://gatelog-test.invalid/v1",
        "untrusted": f"https://127.0.0.1:{vendor.port}/v1",
    }
    urls = {"good": vendor.url("ok", tokens=WORDS)}
    endpoints: list[Json] = []
    good = {"provider": "good", "model": "good", "price": PRICE}
    for behaviour in BEHAVIOURS:
        name, *options = behaviour.split(";")
        urls[alone(behaviour)] = elsewhere.get(name) or vendor.url(name, **dict(pair.split("=") for pair in options))
        target = {"provider": alone(behaviour), "model": "bad", "price": PRICE}
        timeouts = PATIENT if name in HEAVY else QUICK
        endpoint = {"name": alone(behaviour), "targets": [target], "retries": 0, "timeouts": timeouts}
        endpoints += [endpoint, {**endpoint, "name": backed(behaviour), "fallbacks": [good]}]
    for name, url in {ENDLESS: vendor.url("ok", tokens=300_000), LATE: vendor.url("ok", latency=0.3)}.items():
        urls[name] = url
        long = {"client_write": 0.5, "total": 30}
        endpoints.append({"name": name, "targets": [{"provider": name, "model": "m"}], "timeouts": long})
    providers = {name: {"dialect": "openai", "base_url": url, "api_key": CREDENTIAL} for name, url in urls.items()}
    return {"providers": providers, "endpoints": endpoints}


async def ask(gateway: Gateway, model: str, **more: Any) -> tuple[httpx.Response, str, bool]:
    """The answer, its text as far as it came, and whether it ended as HTTP would have it."""
    request = {"model": model, "messages": ASK, "max_tokens": MOST, **more}
    headers = more.pop("headers", {})
    heard = ""
    async with (
        gateway.client() as client,
        client.stream("POST", "/v1/chat/completions", json=request, headers=headers) as response,
    ):
        try:
            async for piece in response.aiter_text():
                heard += piece
        except httpx.RemoteProtocolError:
            return response, heard, False
    return response, heard, True


def events(heard: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in heard.split("\n\n") if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


CASES = [
    pytest.param(behaviour, met, stream, fallback, id=f"{row}-{behaviour}-{stream=!s:.1}-{fallback=!s:.1}")
    for (row, behaviour, *mets), fallback in product(ROWS, (False, True))
    for stream, met in zip((False, True), mets, strict=True)
    if met is not None
]


@pytest.mark.parametrize(("behaviour", "met", "stream", "fallback"), CASES)
async def test_a_fault_is_told_and_recorded_for_what_it_is(
    served: Served, behaviour: str, met: Met, stream: bool, fallback: bool
) -> None:
    response, heard, whole = await ask(
        served.gateway, backed(behaviour) if fallback else alone(behaviour), stream=stream
    )
    run = await served.gateway.run(response.headers["x-gatelog-run-id"])
    tried = [attempt["status"] for attempt in run["attempts"]]
    assert CREDENTIAL not in heard
    if fallback and met.falls_back:
        assert (response.status_code, response.headers["x-gatelog-model"], whole) == (200, "good", True)
        assert (run["status"], run["model"], tried) == ("ok", "good", [met.code, "ok"])
        assert run["usage"]["basis"] == "provider"
        assert run["response"]["choices"][0]["message"]["content"] == text(WORDS)
        return
    assert response.status_code == met.status
    if met.status == 200:
        last = events(heard)[-1]
        assert not whole, "even a client that reads no errors in a stream must see that it was cut"
        assert "[DONE]" not in heard
        assert not any(choice["finish_reason"] for event in events(heard)[:-1] for choice in event["choices"])
    else:
        last = json.loads(heard)
    assert sorted(last["error"]) == ["code", "message", "param", "type"]
    if met.run != "rejected":  # the code of what a caller did wrong is the provider's own
        assert last["error"]["code"] == met.code
    assert (run["status"], run["http_status"]) == (met.run, met.status)
    assert run["error"]["code"] == last["error"]["code"]
    assert tried == [last["error"]["code"]]
    assert run["usage"]["basis"] == met.basis
    if met.basis == "counted":
        assert 0 < run["usage"]["output_tokens"] < MOST
        assert text(100).startswith(run["response"]["choices"][0]["message"]["content"])
    elif met.basis == "reserved":
        assert run["usage"]["output_tokens"] == MOST
    else:
        assert run["cost"]["nanos"] is None
    assert (run["cost"]["nanos"] is not None) == (met.basis != "none")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("row", "behaviour", "basis"), SURVIVED)
async def test_what_is_only_odd_does_no_harm(
    served: Served, row: str, behaviour: str, basis: str, stream: bool
) -> None:
    for _ in range(2):  # what one call leaves on its connection is not the next one's
        response, heard, whole = await ask(served.gateway, alone(behaviour), stream=stream)
        assert (response.status_code, whole) == (200, True), row
        assert "poison" not in heard
        run = await served.gateway.run(response.headers["x-gatelog-run-id"])
        assert (run["status"], run["usage"]["basis"]) == ("ok", basis)
        if basis == "provider":
            assert run["usage"]["output_tokens"] == (0 if "zero" in behaviour else 8)
        else:
            assert run["usage"]["output_tokens"] > 0


@pytest.mark.alone
async def test_a_caller_who_does_not_read_is_cut_and_its_run_says_so(served: Served) -> None:
    """C4. What the provider still sends waits with the provider, not in our memory."""
    body = json.dumps({"model": ENDLESS, "messages": ASK, "max_tokens": MOST, "stream": True}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {served.gateway.key}\r\n"
        f"x-gatelog-session: does-not-read\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    counted, _, _ = await ask(served.gateway, alone("ok;usage=none"), stream=True)
    await served.gateway.run(counted.headers["x-gatelog-run-id"])  # the first that is counted loads the vocabulary
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", served.gateway.port))
        caller.sendall(head.encode() + body)
        before = sum(process.memory_info().rss for process in served.gateway.family)
        (run,) = await served.gateway.settled(1, filter="attributes.session = 'does-not-read'")
        after = sum(process.memory_info().rss for process in served.gateway.family)
    assert (run["status"], run["error"]["code"]) == ("client_cancelled", "client_too_slow")
    assert run["usage"]["basis"] == "counted"
    assert after - before < 30 << 20


@pytest.mark.alone
async def test_a_key_that_is_used_while_its_call_is_under_way_or_for_another_body_makes_no_second_call(
    served: Served,
) -> None:
    """C14."""
    key = {"idempotency-key": "once"}
    first = asyncio.create_task(ask(served.gateway, LATE, headers=key))
    await asyncio.sleep(0.15)
    response, heard, _ = await ask(served.gateway, LATE, headers=key)
    assert (response.status_code, json.loads(heard)["error"]["type"]) == (409, "conflict_error")
    response, answer, _ = await first
    assert response.status_code == 200
    response, _, _ = await ask(served.gateway, LATE, headers=key, temperature=1)
    assert response.status_code == 422
    await served.gateway.run((await ask(served.gateway, LATE))[0].headers["x-gatelog-run-id"])
    response, again, _ = await ask(served.gateway, LATE, headers=key)
    assert (response.headers["idempotent-replayed"], again) == ("true", answer)
    assert len([call for call in served.vendor.calls if ";latency=0.3/" in call.path]) == 2
