"""Every fault of a provider that we know of (U1 to U28 of our fault matrix), through a real socket, on both roads."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trustme

from providers import errors
from providers.client import Client, Flow
from providers.errors import GatewayError, UpstreamError
from providers.table import PROVIDERS
from providers.target import Target, Timeouts
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
QUICK = Timeouts(connect=0.3, tls=0.3, first_byte=0.15, first_token=0.25, idle=0.15, total=0.6)
PATIENT = Timeouts(connect=5, tls=5, first_byte=5, first_token=5, idle=5, total=20)
REQUEST = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
STREAMED = {**REQUEST, "stream": True}


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as vendor:
        yield vendor


@pytest.fixture(params=["wire", "slow"])
def road(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(tls=ssl.create_default_context())
    yield client
    await client.aclose()


def target(base_url: str, road: str = "wire", timeouts: Timeouts = PATIENT, **more: Any) -> Target:
    more.setdefault("credential", "sk-secret-of-ours")
    return Target.build(
        PROVIDERS["openai"], "chat", "m", base_url=base_url, timeouts=timeouts, http2=road == "slow", **more
    )


async def plain_error(client: Client, at: Target) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await client.complete(at, REQUEST)
    return shown(caught.value)


async def stream_error(client: Client, at: Target) -> UpstreamError:
    """Of a stream that fails before its first event."""
    with pytest.raises(UpstreamError) as caught:
        await client.stream(at, STREAMED)
    return shown(caught.value)


async def heard(flow: Flow) -> bytes:
    parts = []
    while piece := await flow.read():
        parts.append(piece)
    assert await flow.read() == b""
    return b"".join(parts)


async def cut_error(client: Client, at: Target) -> tuple[bytes, UpstreamError]:
    """Of a stream that fails after its first event: what came before, and why."""
    flow = await client.stream(at, STREAMED)
    said = await heard(flow)
    error = flow.error or flow.relay.error
    assert error is not None
    assert not flow.done
    assert b"[DONE]" not in said
    return said, shown(error)


def shown(error: UpstreamError) -> UpstreamError:
    """No message tells where the provider is, or what we prove ourselves with."""
    for secret in ("127.0.0.1", "localhost", "sk-secret", "Bearer"):
        assert secret not in error.message, error.message
    return error


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_u1_a_refused_connection_is_unreachable(client: Client, road: str) -> None:
    for error in (
        await plain_error(client, at := target(f"http://127.0.0.1:{closed_port()}/v1", road)),
        await stream_error(client, at),
    ):
        assert (error.status, error.code, error.retryable) == (502, "upstream_connect", True)


async def test_u1_a_host_that_never_answers_is_a_connect_timeout(client: Client, road: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # Nobody accepts: once the queue is full, further connections hang as they do behind a silent firewall.
        queue = []
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
            queue.append(waiting)
        error = await plain_error(client, target(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", road, QUICK))
        for waiting in queue:
            waiting.close()
    assert (error.status, error.code, error.retryable) == (504, "upstream_timeout_connect", True)


async def test_u2_a_name_that_does_not_resolve_is_said_to(client: Client, road: str) -> None:
    error = await plain_error(client, target("http://no-such-host.invalid/v1", road))
    assert (error.status, error.code, error.retryable) == (502, "upstream_dns", True)
    assert "no-such-host" not in error.message


class Authority:
    """A certificate authority that clients trust, and one that they do not."""

    def __init__(self) -> None:
        self.known, self.unknown = trustme.CA(), trustme.CA()
        self.trusting = ssl.create_default_context()
        self.known.configure_trust(self.trusting)

    def serving(self, authority: trustme.CA, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def test_u3_a_good_certificate_is_accepted_and_its_connection_kept(authority: Authority, road: str) -> None:
    client = Client(tls=authority.trusting)
    with Vendor(tls=authority.serving(authority.known, "127.0.0.1")) as vendor:
        at = target(vendor.url("ok"), road)
        for _ in range(3):
            assert (await client.complete(at, REQUEST)).status == 200
        flow = await client.stream(at, STREAMED)
        assert b"word7" in await heard(flow)
        assert flow.done
        assert {call.connection for call in vendor.calls} == {1}
        await client.aclose()


@pytest.mark.parametrize(("known", "name"), [(False, "127.0.0.1"), (True, "elsewhere.example")])
async def test_u3_a_bad_certificate_is_no_connection(authority: Authority, road: str, known: bool, name: str) -> None:
    client = Client(tls=authority.trusting)
    issuer = authority.known if known else authority.unknown
    with Vendor(tls=authority.serving(issuer, name)) as vendor:
        error = await plain_error(client, target(vendor.url("ok"), road))
        assert (error.status, error.code) == (502, "upstream_tls")
        assert not vendor.calls
        await client.aclose()


async def test_u3_a_port_that_speaks_no_tls_is_never_spoken_to_in_the_clear(vendor: Vendor) -> None:
    client = Client(tls=ssl.create_default_context())
    for name in ("silent", "ok"):
        error = await plain_error(client, target(vendor.url(name).replace("http:", "https:"), timeouts=QUICK))
        assert (error.status, error.code) == (502, "upstream_tls")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        silent = f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        error = await plain_error(client, target(silent, timeouts=QUICK))
    assert (error.status, error.code) == (502, "upstream_tls")
    await client.aclose()


@pytest.mark.parametrize("url", ["http://h:99999/v1", "http://h:x/v1", "ftp://h/v1", "http:///v1", "http://u:p@h/v1"])
def test_u4_a_base_url_that_cannot_be_is_refused_when_it_is_read(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        target(url)


async def test_u5_silence_is_a_first_byte_timeout(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("silent"), road, QUICK)
    # httpx leaves connecting and the first byte one deadline between them.
    for error in (await plain_error(client, at), await stream_error(client, at)):
        assert (error.status, error.code, error.retryable) == (504, "upstream_timeout_first_byte", False)


async def test_u6_a_connection_closed_before_an_answer_may_be_tried_again(
    client: Client, vendor: Vendor, road: str
) -> None:
    at = target(vendor.url("close"), road)
    for error in (await plain_error(client, at), await stream_error(client, at)):
        assert (error.status, error.code, error.retryable) == (502, "upstream_closed", True)


async def test_u6_a_kept_connection_that_died_is_replaced_once(client: Client, vendor: Vendor) -> None:
    at = target(vendor.url("race", case="once"))
    for _ in range(4):
        assert (await client.complete(at, REQUEST)).status == 200
    received = vendor.received("race")
    assert len(received) == 7, "each call after the first was sent twice: to the dying connection and to a fresh one"
    await client.aclose()
    await plain_error(client, target(vendor.url("close", case="fresh")))
    assert len([call for call in vendor.received("close") if "fresh" in call.path]) == 1, "a fresh one is not retried"


async def test_u6_an_idle_connection_that_the_provider_closed_is_not_used(client: Client, vendor: Vendor) -> None:
    at = target(vendor.url("expire"))
    for _ in range(3):
        assert (await client.complete(at, REQUEST)).status == 200
        await asyncio.sleep(0.02)
    assert len(vendor.received("expire")) == 3


@pytest.mark.parametrize("behaviour", ["rst", "halfline"])
async def test_u7_a_reset_before_the_head_may_be_tried_again(
    client: Client, vendor: Vendor, road: str, behaviour: str
) -> None:
    at = target(vendor.url(behaviour), road)
    for error in (await plain_error(client, at), await stream_error(client, at)):
        assert (error.status, error.code, error.retryable) == (502, "upstream_closed", True)


async def test_u8_a_head_and_then_silence_is_still_a_status(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("hdronly"), road, QUICK)
    assert (await plain_error(client, at)).code == "upstream_timeout_idle"
    error = await stream_error(client, at)
    assert (error.status, error.code) == (504, "upstream_timeout_first_token")


async def test_u9_silence_between_tokens_ends_the_stream(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("gap"), road, QUICK)
    said, error = await cut_error(client, at)
    assert (error.status, error.code) == (504, "upstream_timeout_idle")
    assert b"word1" in said
    assert (await plain_error(client, at)).code == "upstream_timeout_idle"


@pytest.mark.parametrize("behaviour", ["rstmid", "trunc", "trunc_cl", "trunc_nolen"])
async def test_u10_to_u12_an_answer_that_breaks_off_is_cut(
    client: Client, vendor: Vendor, road: str, behaviour: str
) -> None:
    at = target(vendor.url(behaviour), road)
    said, error = await cut_error(client, at)
    assert (error.status, error.code, error.retryable) == (502, "upstream_cut", False)
    assert b"word1" in said
    # A plain answer of no declared length that stops half way can only be told by its JSON.
    assert (await plain_error(client, at)).code == (
        "upstream_bad_json" if behaviour == "trunc_nolen" else "upstream_cut"
    )


async def test_u12_a_body_that_the_end_of_the_connection_ends_is_whole(
    client: Client, vendor: Vendor, road: str
) -> None:
    at = target(vendor.url("trunc_nolen", whole=1), road)
    assert (await client.complete(at, REQUEST)).payload["choices"]
    flow = await client.stream(at, STREAMED)
    assert b"word7" in await heard(flow)
    assert flow.done
    assert flow.error is None


async def test_u12_a_clean_end_without_a_last_event_is_a_cut_unless_the_provider_is_known_for_it(
    client: Client, vendor: Vendor, road: str
) -> None:
    said, error = await cut_error(client, target(vendor.url("noterminal"), road))
    assert error.code == "upstream_cut"
    assert b"word1" in said
    flow = await client.stream(target(vendor.url("noterminal"), road, accept_unterminated=True), STREAMED)
    await heard(flow)
    assert flow.error is None
    assert flow.done


async def test_u12_every_cut_of_a_stream_is_either_whole_or_an_error(client: Client, vendor: Vendor) -> None:
    from tests.vendor_words import Say, events

    stream = b"".join(events(Say("chat", True, 2)))
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    done = stream.index(b"[DONE]") + len(b"[DONE]")
    for end in range(0, len(stream), 7):
        vendor.raw[f"cut{end}"] = [head + stream[:end]]
        at = target(vendor.url("raw", name=f"cut{end}"))
        try:
            flow = await client.stream(at, STREAMED)
        except UpstreamError as error:
            assert error.code == "upstream_cut"  # noqa: PT017 - either way out is right, for different cuts
            continue
        await heard(flow)
        assert flow.done == (end >= done)
        assert (flow.error is None) == flow.done


@pytest.mark.parametrize("stream", [False, True])
async def test_u13_what_is_not_http_is_garbled(client: Client, vendor: Vendor, road: str, stream: bool) -> None:
    at = target(vendor.url("garbage"), road)
    error = await (stream_error if stream else plain_error)(client, at)
    assert error.status == 502
    # To httpx, garbage and a connection that breaks are one exception.
    assert error.code == ("upstream_bad_http" if road == "wire" else "upstream_closed")
    assert error.retryable


async def test_u13_a_bad_chunk_is_a_cut(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("badchunk"), road)
    assert (await plain_error(client, at)).code == "upstream_cut"
    _, error = await cut_error(client, at)
    assert error.code == "upstream_cut"


async def test_u14_an_event_that_is_no_json_ends_the_stream(client: Client, vendor: Vendor) -> None:
    said, error = await cut_error(client, target(vendor.url("badsse")))
    assert b"word1" in said
    assert error.status == 502
    assert error.code in {"upstream_bad_event", "upstream_cut"}


async def test_u15_an_event_without_an_end_is_given_up(client: Client, vendor: Vendor) -> None:
    error = await stream_error(client, target(vendor.url("noline")))
    assert (error.status, error.code) == (502, "upstream_event_too_large")


@pytest.mark.parametrize("chunked", [False, True])
async def test_u16_a_huge_answer_is_given_up(client: Client, vendor: Vendor, chunked: bool) -> None:
    error = await plain_error(client, target(vendor.url("huge", size=65, chunked=1 if chunked else "")))
    assert (error.status, error.code, error.retryable) == (502, "upstream_too_large", False)


async def test_u17_we_ask_for_no_compression_and_bombs_do_not_go_off(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("bomb", size=20), road)
    assert (await plain_error(client, at)).code == "upstream_too_large"
    assert (await stream_error(client, at)).code == "upstream_too_large"
    assert {call.headers["accept-encoding"] for call in vendor.received("bomb")} == {"identity"}


async def test_u17_an_honest_compressed_answer_is_read(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("compressed"), road)
    assert (await client.complete(at, REQUEST)).payload["choices"]
    flow = await client.stream(at, STREAMED)
    assert b"word7" in await heard(flow)
    assert flow.done


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
async def test_u17_other_encodings_are_refused(client: Client, vendor: Vendor, encoding: str) -> None:
    at = target(vendor.url("compressed", encoding=encoding))
    assert (await plain_error(client, at)).code == "upstream_bad_encoding"
    assert (await stream_error(client, at)).code == "upstream_bad_encoding"


async def test_u18_a_page_of_html_is_not_an_answer(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("html"), road)
    for error in (await plain_error(client, at), await stream_error(client, at)):
        assert (error.status, error.code) == (502, "upstream_bad_content_type")
        assert "log in" not in error.message


@pytest.mark.parametrize(("status", "seen", "code"), [(429, 429, "upstream_429"), (503, 502, "upstream_503")])
async def test_u19_an_error_in_a_200_has_its_real_status(
    client: Client, vendor: Vendor, road: str, status: int, seen: int, code: str
) -> None:
    error = await plain_error(client, target(vendor.url("error200", code=status), road))
    assert (error.status, error.code) == (seen, code)
    error = await stream_error(client, target(vendor.url("error200", code=status, plain=1), road))
    assert (error.status, error.code) == (seen, code)


async def test_u19_an_error_as_the_first_event_is_still_a_status(client: Client, vendor: Vendor) -> None:
    error = await stream_error(client, target(vendor.url("error200", code=429)))
    assert error.status in {429, 502}
    assert "not now" in error.message


async def test_u19_an_error_in_the_middle_of_a_stream_ends_it(client: Client, vendor: Vendor) -> None:
    said, error = await cut_error(client, target(vendor.url("errormid")))
    assert b"word1" in said
    assert "gave up" in error.message


@pytest.mark.parametrize("behaviour", ["badjson", "nojson"])
async def test_u20_an_answer_that_is_no_json_object_is_garbled(
    client: Client, vendor: Vendor, road: str, behaviour: str
) -> None:
    at = target(vendor.url(behaviour), road)
    error = await plain_error(client, at)
    assert (error.status, error.code, error.retryable) == (502, "upstream_bad_json", True)
    assert (await stream_error(client, at)).code == "upstream_bad_content_type"


async def test_u21_a_429_says_how_long_to_wait(client: Client, vendor: Vendor, road: str) -> None:
    error = await plain_error(client, target(vendor.url("429", retry_after=7), road))
    assert (error.status, error.code, error.retry_after) == (429, "upstream_429", 7.0)
    error = await stream_error(client, target(vendor.url("429", retry_after="soon"), road))
    assert error.retry_after is None


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529, 408, 409])
async def test_u22_a_failure_of_the_providers_is_retryable_and_names_its_status(
    client: Client, vendor: Vendor, status: int
) -> None:
    for error in (
        await plain_error(client, at := target(vendor.url(str(status)))),
        await stream_error(client, at),
    ):
        assert (error.status, error.code, error.retryable) == (502, f"upstream_{status}", True)
        assert (error.upstream_status, error.upstream_id) == (status, "req-vendor")


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_u23_what_the_caller_did_wrong_is_passed_on_in_the_providers_words(
    client: Client, vendor: Vendor, road: str, status: int
) -> None:
    for error in (
        await plain_error(client, at := target(vendor.url(str(status), say="no such thing"), road)),
        await stream_error(client, at),
    ):
        assert (error.status, error.message, error.retryable) == (status, "no such thing", False)


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_u23_a_credential_that_is_not_accepted_is_our_fault_and_is_never_echoed(
    client: Client, vendor: Vendor, road: str, status: int
) -> None:
    error = await plain_error(client, target(vendor.url(str(status), echo=1), road))
    assert (error.status, error.code, error.retryable) == (502, "upstream_auth", True)
    with pytest.raises(UpstreamError) as caught:
        await client.complete(target(vendor.url("400", echo=1), road), REQUEST)
    assert caught.value.message == "bad key Bearer [credential]"


async def test_u24_a_drip_does_not_reset_any_timeout(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("drip"), road, QUICK)
    assert (await stream_error(client, at)).code == "upstream_timeout_first_token"
    began = time.monotonic()
    assert (await plain_error(client, at)).code == "upstream_timeout_total"
    assert time.monotonic() - began < 1.5


async def test_u25_a_redirect_is_not_followed(client: Client, vendor: Vendor, road: str) -> None:
    for code in (301, 302, 307, 308):
        at = target(vendor.url("redirect", code=code), road)
        for error in (await plain_error(client, at), await stream_error(client, at)):
            assert (error.status, error.code) == (502, "upstream_redirect")
    assert not vendor.received("redirected")


@pytest.mark.parametrize("behaviour", ["bighdr", "bighdr;size=0.0627", "manyhdr", "100flood", "100flood;count=17"])
async def test_u26_a_head_without_measure_is_refused(client: Client, vendor: Vendor, behaviour: str) -> None:
    at = target(vendor.url(behaviour))
    for error in (await plain_error(client, at), await stream_error(client, at)):
        assert (error.status, error.code) == (502, "upstream_bad_http")


@pytest.mark.parametrize("behaviour", ["bighdr;size=0.06", "manyhdr;count=90", "100flood;count=16"])
async def test_u26_a_head_within_measure_is_read(client: Client, vendor: Vendor, behaviour: str) -> None:
    assert (await client.complete(target(vendor.url(behaviour)), REQUEST)).payload["choices"]


async def test_u27_bytes_after_an_answer_never_reach_the_next_call(client: Client, vendor: Vendor) -> None:
    poisoned, good = target(vendor.url("extra")), target(vendor.url("ok", case="u27"))
    for index in range(200):
        if index % 2:
            await heard(await client.stream(poisoned, STREAMED))
        else:
            assert "poison" not in (await client.complete(poisoned, REQUEST)).payload
        assert "poison" not in (await client.complete(good, REQUEST)).payload
    connections = [call.connection for call in vendor.received("extra")]
    assert len(set(connections)) == len(connections), "no connection carried a call after it had been poisoned"


async def test_u27_bytes_that_come_while_nobody_asks_close_the_connection(client: Client, vendor: Vendor) -> None:
    at = target(vendor.url("extra", late=1))
    for _ in range(3):
        assert "poison" not in (await client.complete(at, REQUEST)).payload
        await asyncio.sleep(0.06)


@pytest.mark.parametrize(("usage", "output"), [("twice", 8), ("each", 8), ("zero", 0), ("none", None)])
async def test_u28_usage_is_read_as_it_was_said(client: Client, vendor: Vendor, usage: str, output: int | None) -> None:
    flow = await client.stream(target(vendor.url("ok", usage=usage)), STREAMED)
    await heard(flow)
    assert flow.done
    assert (flow.relay.usage.output if flow.relay.usage is not None else None) == output


async def test_a_provider_that_never_ends_its_body_does_not_keep_the_caller(
    client: Client, vendor: Vendor, road: str
) -> None:
    began = time.monotonic()
    flow = await client.stream(target(vendor.url("noend"), road), STREAMED)
    assert b"word7" in await heard(flow)
    assert flow.done
    assert flow.error is None
    assert time.monotonic() - began < 3


async def test_cancelling_a_call_closes_its_connection_at_once(client: Client, vendor: Vendor, road: str) -> None:
    at = target(vendor.url("silent", case=f"cancel-{road}"), road)
    flows = target(vendor.url("gap", case=f"cancel-{road}"), road)
    asking = asyncio.create_task(client.complete(at, REQUEST))
    flow = await client.stream(flows, STREAMED)
    reading = asyncio.create_task(heard(flow))
    await asyncio.sleep(0.1)
    for task in (asking, reading):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    flow.close()
    calls = [call for call in vendor.calls if f"cancel-{road}" in call.path]
    assert len(calls) == 2
    for _ in range(50):
        if all(call.closed for call in calls):
            break
        await asyncio.sleep(0.02)
    assert all(call.closed for call in calls)


async def test_a_closed_flow_closes_its_connection_and_may_be_closed_again(
    client: Client, vendor: Vendor, road: str
) -> None:
    flow = await client.stream(target(vendor.url("gap", case=f"close-{road}"), road), STREAMED)
    flow.close()
    flow.close()
    call = next(call for call in vendor.calls if f"close-{road}" in call.path)
    for _ in range(50):
        if call.closed:
            break
        await asyncio.sleep(0.02)
    assert call.closed


def test_every_error_of_a_provider_has_a_status_that_says_so() -> None:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, GatewayError):
            assert kind.status >= 400
