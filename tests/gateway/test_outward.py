"""Where the server goes for others: never to a private address, whatever name it has by the time."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest

from gateway.seals import SealError, Seals
from providers.outward import Refused, is_public, receiver, resolved
from providers.outward_pool import Outward, pool

pytestmark = pytest.mark.anyio


def none() -> frozenset[str]:
    return frozenset()


async def test_a_connection_to_a_private_address_is_refused_when_it_is_made() -> None:
    """As after a name was checked and then came to mean another address."""
    heard: list[bytes] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, pool(none) as connections:
        with pytest.raises(Refused, match="non-public"):
            await connections.request("POST", f"https://localhost:{port}/")
        with pytest.raises(Refused, match="non-public"):
            await Outward(none).connect_tcp("127.0.0.1", port)
        stream = await Outward(lambda: {f"localhost:{port}"}).connect_tcp("localhost", port)
        await stream.aclose()
    assert heard in ([], [b""])


async def test_a_name_that_cannot_be_resolved_is_refused_in_words() -> None:
    with pytest.raises(Refused, match=r"'nobody\.invalid' cannot be resolved"):
        await resolved("nobody.invalid", 443, none)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
    ],
)
def test_an_address_that_is_not_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_an_address_on_the_internet_is(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_who_is_allowed_is_named_by_host_and_port() -> None:
    allowed = frozenset({"hooks.internal:8080", "[::1]:9000"})
    assert receiver("http://HOOKS.internal:8080/x", lambda: allowed) == ("hooks.internal", 8080)
    assert receiver("http://[::1]:9000/x", lambda: allowed) == ("::1", 9000)
    assert receiver("https://example.com/x", lambda: allowed) == ("example.com", 443)
    for url in ("http://hooks.internal/x", "http://hooks.internal:8081/x", "http://example.com:8080/"):
        with pytest.raises(Refused, match="HTTPS"):
            receiver(url, lambda: allowed)


def test_what_is_sealed_opens_with_the_same_pepper_and_purpose_alone() -> None:
    seals = Seals(b"p" * 32, "webhooks")
    sealed = seals.seal("a secret")
    assert b"secret" not in sealed
    assert Seals(b"p" * 32, "webhooks").open(sealed) == "a secret"
    for other in (Seals(b"q" * 32, "webhooks"), Seals(b"p" * 32, "others")):
        with pytest.raises(SealError, match=r"auth\.pepper_file"):
            other.open(sealed)
