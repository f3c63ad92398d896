"""Who may use which route: a policy for each, without which the gateway does not start."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import TypeIs

from gateway.doors import openai as door
from gateway.hosts import host_of
from gateway.keys import OPEN, REFUSED, Caller, Headers, Keys, Role, carried
from gateway.sessions import Sessions, cookie_in, is_plain
from providers.errors import Forbidden, GatewayError, InvalidRequest, NotFound, Unauthenticated
from tracking.mlflow.errors import MlflowError, refusal

Policy = Literal["public", "call", "read", "track", "admin"]
"""`public`: anybody. `call`: make calls. `read`: read runs; that a caller sees its own only is for the route to see to.
`track`: log runs and write the registry. `admin`: keys and configuration."""
MAY: Mapping[Policy, frozenset[Role]] = {
    "call": frozenset({"caller", "admin"}),
    "read": frozenset({"caller", "viewer", "admin"}),
    "track": frozenset({"caller", "admin"}),
    "admin": frozenset({"admin"}),
}
SAFE = frozenset({"GET", "HEAD"})
MLFLOW = ("/api/2.0/", "/api/3.0/", "/ajax-api/")
"""Where MLflow's clients call, and look for errors of MLflow's shape."""

Endpoint = Callable[[Request], Awaitable[Response]]
Row = tuple[str, Endpoint | ASGIApp, Sequence[str], Policy]
"""Path, what answers, methods, and who may ask."""


class UnguardedRouteError(RuntimeError):
    """A route would be reachable that no policy has been decided for."""


def allowed(policy: Policy, caller: Caller | None) -> bool:
    """Whether a caller may; None is somebody who is not known."""
    return policy == "public" or (caller is not None and caller.role in MAY[policy])


class Guard:
    """Makes routes, each behind its policy. The caller is in `scope["caller"]` for whoever comes next."""

    def __init__(self, keys: Keys, sessions: Sessions) -> None:
        self._keys, self._sessions = keys, sessions
        self.made: list[Row] = []
        """Every route, as it was asked for."""

    def route(self, path: str, endpoint: Endpoint | ASGIApp, methods: Sequence[str], policy: Policy) -> Route:
        """A route as Starlette has it. The endpoint is a function of a request, or an object that is ASGI itself."""
        if policy != "public" and policy not in MAY:
            raise UnguardedRouteError(f"route {path!r} has no policy {policy!r}; say public, {', '.join(MAY)}")
        self.made.append((path, endpoint, methods, policy))
        inner: ASGIApp = request_response(endpoint) if _is_function(endpoint) else endpoint
        return Route(path, Guarded(inner, policy, self._keys, self._sessions), methods=list(methods))

    def routes(self, table: Iterable[Row]) -> list[BaseRoute]:
        return [self.route(*row) for row in table]


class Guarded:
    """One endpoint behind its policy."""

    __slots__ = ("_app", "_keys", "_sessions", "policy")

    def __init__(self, app: ASGIApp, policy: Policy, keys: Keys, sessions: Sessions) -> None:
        self._app, self.policy, self._keys, self._sessions = app, policy, keys, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.policy == "public":
            scope["caller"] = None
        else:
            try:
                caller = scope["caller"] = self._at_once(scope["headers"]) or await self._caller(scope)
                if not allowed(self.policy, caller):
                    raise Forbidden(f"a key of role {caller.role!r} may not do this")
            except GatewayError as error:
                await _refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _at_once(self, headers: list[tuple[bytes, bytes]]) -> Caller | None:
        """The caller of nearly every call: by a key that is known, with no cookie. None sends it the long way."""
        if self._keys.open:
            return None
        for name, _ in headers:
            if name == b"cookie":
                return None
        try:
            return self._keys.authenticate(headers)
        except Unauthenticated:
            return None

    async def _caller(self, scope: Scope) -> Caller:
        """By key, or by the cookie of a browser; since it sends that whichever page asks, the page must be ours."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if self._keys.open:
            _same_origin(scope, said=False)
            return OPEN
        for name, _ in headers:
            if name == b"cookie":
                break
        else:
            return await self._by_key(headers)
        cookie = cookie_in(headers, is_plain(scope["scheme"], host_of(headers)))
        signed_in = None if cookie is None else await self._sessions.caller(cookie)
        if carried(headers):
            caller = await self._by_key(headers)
            if signed_in is not None and signed_in != caller:
                raise InvalidRequest(
                    "the key given is not the one that this browser is signed in with; send one",
                    code="ambiguous_credentials",
                )
            return caller
        if signed_in is None:
            raise Unauthenticated(REFUSED)
        _same_origin(scope, said=True)
        return signed_in

    async def _by_key(self, headers: list[tuple[bytes, bytes]]) -> Caller:
        try:
            return self._keys.authenticate(headers)
        except Unauthenticated:
            if not carried(headers):
                raise
            await self._keys.look_again()
            return self._keys.authenticate(headers)


def check(routes: Iterable[BaseRoute]) -> None:
    """Raises UnguardedRouteError, with their names, for routes that no policy stands before."""
    bare = [
        getattr(route, "path", repr(route))
        for route in routes
        if not (isinstance(route, Route) and isinstance(route.endpoint, Guarded))
    ]
    if bare:
        raise UnguardedRouteError(f"no policy stands before {', '.join(bare)}: make routes with Guard.route")


async def refuse(error: GatewayError, send: Send) -> None:
    status, headers, body = door.refusal(error)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refused(_: Request, error: Exception) -> Response:
    """Starlette's handler for what an endpoint raises before it answers."""
    assert isinstance(error, GatewayError), "it is registered for these"
    status, headers, body = door.refusal(error)
    response = Response(body, status)
    response.raw_headers = headers
    return response


async def unknown(scope: Scope, receive: Receive, send: Send) -> None:
    """What is answered where there is no route."""
    nothing = f"there is no {scope['method']} {scope['path']}"
    if scope["path"].startswith(MLFLOW):
        await refusal(MlflowError("ENDPOINT_NOT_FOUND", nothing))(scope, receive, send)
    else:
        await refuse(NotFound(nothing), send)


async def _refuse(error: GatewayError, scope: Scope, receive: Receive, send: Send) -> None:
    """In the words of the API that was called."""
    if scope["path"].startswith(MLFLOW):
        await refusal(error)(scope, receive, send)
    else:
        await refuse(error, send)


def _same_origin(scope: Scope, *, said: bool) -> None:
    """Refuse what may change something and comes from another site's page. `said`: it must tell where it is from."""
    if scope["method"] in SAFE:
        return
    headers: Headers = scope["headers"]
    given = dict(headers)
    site, origin = given.get(b"sec-fetch-site"), given.get(b"origin")
    if site is not None:
        good = site in {b"same-origin", b"none"}
    elif origin is not None:
        good = urlsplit(origin.decode("latin-1")).netloc.lower().encode() == given.get(b"host", b"").lower()
    else:
        good = not said
    if not good:
        raise Forbidden("this comes from a page of another site", code="cross_site")


def _is_function(endpoint: Endpoint | ASGIApp) -> TypeIs[Endpoint]:
    return inspect.isfunction(endpoint) or inspect.ismethod(endpoint)
