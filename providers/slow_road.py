"""The roads that our own HTTP/1.1 does not go - through a proxy, by HTTP/2, over a unix socket - on httpx."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from providers.errors import Closed, Cut, Garbled, Unreachable, UpstreamError
from providers.inflate import too_large
from providers.roads import cut, timed_out
from providers.target import Target
from providers.trust import Trust

LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)
GRACE_SECONDS = 1.0


class SlowRoad:
    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._clients: dict[tuple[str | None, bool, str | None], httpx.AsyncClient] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def send(self, target: Target, body: bytes, stream: bool) -> Response:
        timeouts = target.timeouts
        url = f"{target.origin}{target.stream_path if stream else target.path}"
        headers = {
            **dict(target.headers),
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
            "accept-encoding": "identity",
        }
        client = self._client(target, await self._trust.context())
        # Its own timeouts bound connecting and each write; the deadlines of reading are ours, as on the fast road.
        timeout = httpx.Timeout(None, connect=timeouts.connect, write=timeouts.first_byte, pool=timeouts.connect)
        request = client.build_request("POST", url, content=body, headers=headers, timeout=timeout)
        now = asyncio.get_running_loop().time()
        ends = now + timeouts.total
        with translated(target, "first_byte"):
            async with asyncio.timeout_at(min(ends, now + timeouts.connect + timeouts.tls + timeouts.first_byte)):
                response = await client.send(request, stream=True)
        return Response(self, target, response, stream, ends)

    async def aclose(self) -> None:
        await asyncio.gather(*self._closing, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    def drop(self, response: httpx.Response) -> None:
        """httpx can only be closed by awaiting; the task is awaited when the road is."""
        task = asyncio.get_running_loop().create_task(response.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _client(self, target: Target, tls: ssl.SSLContext) -> httpx.AsyncClient:
        key = (target.proxy, target.http2, target.socket)
        client = self._clients.get(key)
        if client is None:
            transport = httpx.AsyncHTTPTransport(
                verify=tls,
                trust_env=False,
                http2=target.http2,
                limits=LIMITS,
                proxy=target.proxy,
                uds=target.socket,
                retries=0,
            )
            client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)
            self._clients[key] = client
        return client


class Response:
    """An exchange."""

    __slots__ = ("_deadline", "_ends", "_phase", "_pieces", "_response", "_road", "_target", "headers", "status")

    def __init__(self, road: SlowRoad, target: Target, response: httpx.Response, stream: bool, ends: float) -> None:
        self._road = road
        self._target = target
        self._response: httpx.Response | None = response
        self._pieces = response.aiter_raw()
        self._ends = ends
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.raw}
        if stream:
            self._expect("first_token", target.timeouts.first_token)
        else:
            self._expect("idle", target.timeouts.idle)

    async def read(self) -> bytes:
        try:
            with translated(self._target, self._phase if self._deadline < self._ends else "total", headed=True):
                async with asyncio.timeout_at(self._deadline):
                    piece = await anext(self._pieces, b"")
        except (UpstreamError, asyncio.CancelledError):
            self.close()
            raise
        if not piece:
            self.close()
        return piece

    async def whole(self, most: int) -> bytes:
        pieces, size = [], 0
        while piece := await self.read():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                self.close()
                raise too_large(self._target.provider.name, most)
            self.advanced()
        return b"".join(pieces)

    def advanced(self) -> None:
        self._expect("idle", self._target.timeouts.idle)

    def finishing(self) -> None:
        self._expect("idle", GRACE_SECONDS)

    def close(self) -> None:
        if self._response is not None:
            self._road.drop(self._response)
            self._response = None

    def _expect(self, phase: str, seconds: float) -> None:
        self._phase = phase
        self._deadline = min(self._ends, asyncio.get_running_loop().time() + seconds)


@contextmanager
def translated(target: Target, phase: str, *, headed: bool = False) -> Iterator[None]:
    """Whatever httpx raises, in our words, without the address that it was talking to."""
    who = target.provider.name
    try:
        yield
    except httpx.ConnectTimeout as exc:
        raise timed_out(target, "connect") from exc
    except (httpx.TimeoutException, TimeoutError) as exc:
        raise timed_out(target, phase) from exc
    except httpx.ProxyError as exc:
        raise Unreachable(f"the proxy did not lead to {who}") from exc
    except httpx.ConnectError as exc:
        raise _unreachable(who, exc) from exc
    except httpx.UnsupportedProtocol as exc:
        raise Unreachable(f"{who} cannot be reached by what its base URL begins with") from exc
    except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.StreamError) as exc:
        raise (cut(target) if headed else Closed(f"{who} closed the connection before it answered")) from exc
    except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict) as exc:
        error: Cut | Garbled = (
            cut(target) if headed else Garbled(f"{who} did not answer in HTTP", code="upstream_bad_http")
        )
        raise error from exc


def _unreachable(who: str, exc: BaseException) -> Unreachable:
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"the host name of {who} could not be resolved", code="upstream_dns")
        if isinstance(cause, ssl.SSLError):
            return Unreachable(f"no secure connection to {who} could be made", code="upstream_tls")
        cause = cause.__cause__ or cause.__context__
    return Unreachable(f"{who} could not be reached")
