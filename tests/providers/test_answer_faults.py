"""Faults of what a provider answers (U16 to U28 of our fault matrix), and of a caller who leaves, on both roads."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from providers import errors
from providers.client import Client
from providers.errors import GatewayError, UpstreamError
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
    assert time.monotonic() - began < 10, "a drip goes on for as long as one listens"


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
    assert time.monotonic() - began < 10, "a body that never ends is left"


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
