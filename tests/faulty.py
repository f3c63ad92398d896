"""What the tests of a provider's faults share: a target at the pretend provider, and how a call there fails."""

from __future__ import annotations

from typing import Any

import pytest

from providers.client import Client, Flow
from providers.errors import UpstreamError
from providers.table import PROVIDERS
from providers.target import Target, Timeouts

QUICK = Timeouts(connect=0.3, tls=0.3, first_byte=0.15, first_token=0.25, idle=0.15, total=0.6)
PATIENT = Timeouts(connect=5, tls=5, first_byte=5, first_token=5, idle=5, total=20)
REQUEST = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
STREAMED = {**REQUEST, "stream": True}


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
