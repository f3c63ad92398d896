"""Faults of reaching a provider and of its streams (U1 to U15 of our fault matrix), on a real socket, on both roads."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator

import pytest
import trustme

from providers.client import Client
from providers.errors import UpstreamError
from tests.faulty import QUICK, REQUEST, STREAMED, cut_error, heard, plain_error, stream_error, target
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio


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
