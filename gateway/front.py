"""The first to see a request: calls go straight to their endpoint, everything else to Starlette.

Starlette's routing and error handling are four layers deep, and a call goes through all of them and back again with
every message; for a call, a look into a table says as much. What is the least bit unusual about a call takes the way of
everything else, which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.calls import Calls
from gateway.hosts import Hosts
from gateway.keys import Keys
from gateway.policy import allowed


class Front:
    def __init__(self, app: ASGIApp, calls: Mapping[str, Calls], hosts: Hosts, keys: Keys) -> None:
        self._app, self._calls, self._hosts, self._keys = app, calls, hosts, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (calls := self._calls.get(scope["path"])) and scope["method"] == "POST":
            sent = scope["headers"]
            headers = dict(sent)
            # A header that is there twice, a cookie, or a host that was not seen before.
            if len(headers) == len(sent) and self._hosts.known(headers.get(b"host")) and b"cookie" not in headers:
                caller = self._keys.known(headers)
                if caller is not None and allowed("call", caller):
                    await calls.serve(scope, headers, caller, receive, send)
                    return
        await self._app(scope, receive, send)
