"""Every route has a policy, every caller gets what it allows and no more, and only our own names are answered to."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from gateway import keys_api
from gateway.hosts import Hosts
from gateway.keys import ADMIN, OPEN, Caller, Keys
from gateway.policy import MAY, Guard, UnguardedRouteError, allowed, check, refused, unknown
from gateway.secrets import Secret
from gateway.sessions import Sessions
from providers.errors import GatewayError
from tracking.database import Database, open_store
from tracking.keys import KeyStore
from tracking.sessions import SessionRecord, SessionStore

pytestmark = pytest.mark.anyio
ADMIN_KEY = "an-administrator-knows-this"
HOUR = 3600


async def said(request: Request) -> Response:
    caller: Caller | None = request.scope["caller"]
    return PlainTextResponse(caller.name if caller else "nobody")


class Plain:
    """An endpoint that is ASGI itself, as those of calls are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["caller"].name.encode()})


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Door:
    """The application as far as who may what goes."""

    app: Hosts
    keys: Keys
    sessions: Sessions
    clock: Clock

    def client(self, url: str = "http://localhost:4000") -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=url)


def door(database: Database, *, open: bool = False, bind: str = "127.0.0.1") -> Door:
    clock = Clock()
    keys = Keys(KeyStore(database), bytes(32), admin_key=None if open else Secret(ADMIN_KEY), open=open)
    sessions = Sessions(SessionStore(database), keys, clock=clock)
    guard = Guard(keys, sessions)
    routes = [
        guard.route("/health", said, ["GET"], "public"),
        guard.route("/call", Plain(), ["POST"], "call"),
        guard.route("/read", said, ["GET", "POST"], "read"),
        guard.route("/admin", said, ["GET", "POST"], "admin"),
        guard.route("/login", sessions.follow_link, ["GET"], "public"),
        guard.route("/login", sessions.paste_key, ["POST"], "public"),
        guard.route("/logout", sessions.leave, ["POST"], "read"),
        *guard.routes(keys_api.ROUTES),
    ]
    check(routes)
    app = Starlette(routes=routes, exception_handlers={GatewayError: refused})
    app.router.default = unknown
    app.state.keys = keys
    return Door(Hosts(app, bind, ["llm.example.com", "*.corp.example"]), keys, sessions, clock)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new store. To copy it takes a hundredth of making it."""
    path = tmp_path_factory.mktemp("store") / "gatelog.db"

    async def make() -> None:
        opened = open_store(f"sqlite:///{path}")
        await opened.migrate()
        await opened.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def database(migrated: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated, tmp_path)
    opened = open_store(f"sqlite:///{tmp_path / migrated.name}")
    yield opened
    await opened.close()


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def test_every_role_gets_what_its_policy_allows_and_no_more(database: Database) -> None:
    gate = door(database)
    keys = {"admin": ADMIN_KEY, "nobody": "unknown"}
    for role in ("caller", "viewer"):
        _, key = await gate.keys.create(role, role, by=ADMIN)
        keys[role] = key.reveal()
    expected = {
        ("POST", "/call"): {"caller": 200, "viewer": 403, "admin": 200, "nobody": 401},
        ("GET", "/read"): {"caller": 200, "viewer": 200, "admin": 200, "nobody": 401},
        ("GET", "/admin"): {"caller": 403, "viewer": 403, "admin": 200, "nobody": 401},
        ("GET", "/api/keys"): {"caller": 403, "viewer": 403, "admin": 200, "nobody": 401},
        ("POST", "/api/keys"): {"caller": 403, "viewer": 403, "admin": 415, "nobody": 401},
        ("DELETE", "/api/keys/none"): {"caller": 403, "viewer": 403, "admin": 404, "nobody": 401},
        ("GET", "/health"): {"caller": 200, "viewer": 200, "admin": 200, "nobody": 200},
    }
    async with gate.client() as client:
        for (method, path), statuses in expected.items():
            for who, status in statuses.items():
                response = await client.request(method, path, headers=bearer(keys[who]))
                assert response.status_code == status, (method, path, who)
                if status >= 400:
                    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
        assert (await client.get("/nowhere")).json()["error"]["code"] == "not_found"


def test_who_may_what_is_one_table() -> None:
    for policy, roles in MAY.items():
        assert "admin" in roles
        assert not allowed(policy, None)
    assert allowed("public", None)


async def test_a_route_without_a_policy_stops_the_start_by_its_name(database: Database) -> None:
    keys = Keys(KeyStore(database), bytes(32))
    guard = Guard(keys, Sessions(SessionStore(database), keys))
    good = guard.route("/good", said, ["GET"], "read")
    check([good])
    with pytest.raises(UnguardedRouteError, match="/bare, /static"):
        check([good, Route("/bare", said), Mount("/static", routes=[])])
    with pytest.raises(UnguardedRouteError, match="no policy 'anyone'"):
        guard.route("/odd", said, ["GET"], "anyone")  # type: ignore[arg-type]  # what a slip would be


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("localhost", True),
        ("LOCALHOST:4000", True),
        ("localhost.", True),
        ("127.0.0.1:4000", True),
        ("[::1]:4000", True),
        ("llm.example.com", True),
        ("a.b.corp.example:443", True),
        ("corp.example", False),
        ("evilcorp.example", False),
        ("llm.example.com.evil.example", False),
        ("evil.example", False),
        ("192.168.1.7", False),
        ("localhost/evil", False),
        ("evil.example@localhost", False),
        ("localhost:4000@evil.example", False),
        ("localhost:x", False),
        ("localhost?x", False),
        ("localhost#x", False),
        ("localhost\\x", False),
        ("[::1", False),
        ("[evil.example]", False),
        ("", False),
        ("127.1", False),
        ("0x7f.0.0.1", False),
    ],
)
async def test_only_our_own_names_are_answered_to(database: Database, host: str, good: bool) -> None:
    gate = door(database)
    async with gate.client() as client:
        for path, status in (("/health", 200), ("/admin", 401)):
            response = await client.get(path, headers={"host": host})
            assert response.status_code == (status if good else 421)
            if not good:
                assert response.json()["error"]["code"] == "unknown_host"


async def test_a_gateway_on_every_address_answers_to_addresses_and_not_to_names(database: Database) -> None:
    async with door(database, bind="0.0.0.0").client() as client:
        for host, status in (("192.168.1.7:4000", 200), ("[fe80::1]", 200), ("evil.example", 421)):
            assert (await client.get("/health", headers={"host": host})).status_code == status


async def test_two_hosts_or_none_are_refused(database: Database) -> None:
    app = door(database).app
    for hosts in ([], [(b"host", b"localhost"), (b"host", b"localhost")]):
        sent: list[int] = []

        async def send(message: object, sent: list[int] = sent) -> None:
            assert isinstance(message, dict)
            sent.append(message.get("status", 0))

        async def receive() -> dict[str, object]:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": "/health", "headers": hosts, "query_string": b""}
        await app(scope, receive, send)
        assert sent[0] == 421


async def test_an_administrator_makes_lists_and_revokes_keys(database: Database) -> None:
    gate = door(database)
    async with gate.client() as client:
        client.headers.update(bearer(ADMIN_KEY))
        made = await client.post("/api/keys", json={"name": "app"})
        assert made.status_code == 201
        key = made.json()["key"]
        assert (await client.post("/call", headers=bearer(key))).text == "app"
        listed = await client.get("/api/keys")
        assert listed.headers["cache-control"] == "no-store"
        assert key not in listed.text
        (entry,) = listed.json()["keys"]
        assert entry == {**{k: v for k, v in made.json().items() if k != "key"}}
        assert (entry["role"], entry["created_by"]) == ("caller", "admin")
        assert (await client.delete(f"/api/keys/{entry['id']}")).status_code == 204
        assert (await client.post("/call", headers=bearer(key))).status_code == 401
        assert (await client.get("/api/keys")).json()["keys"][0]["revoked_us"] is not None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b"{}", "name"),
        (b'{"name": ""}', "name"),
        (b'{"name": 7}', "name"),
        (b'{"name": "x", "role": "owner"}', "role"),
        (b'{"name": "x", "expires_us": 1}', "expires_us"),
        (b'{"name": "x", "routes": "*"}', "routes"),
    ],
)
async def test_a_key_that_cannot_be_made_is_refused_by_the_field(
    database: Database, body: bytes, param: str | None
) -> None:
    async with door(database).client() as client:
        headers = {**bearer(ADMIN_KEY), "content-type": "application/json"}
        response = await client.post("/api/keys", content=body, headers=headers)
        assert response.status_code == 400
        assert response.json()["error"]["param"] == param
        assert (await client.get("/api/keys", headers=headers)).json() == {"keys": []}


async def test_a_link_signs_one_browser_in_once(database: Database) -> None:
    gate = door(database)
    link = await gate.sessions.link()
    async with gate.client() as browser, gate.client() as another:
        response = await browser.get(link)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert response.headers["referrer-policy"] == "no-referrer"
        cookie = response.headers["set-cookie"].lower()
        assert cookie.startswith("gatelog=")
        for flag in ("httponly", "samesite=strict", "path=/", "max-age=86400"):
            assert flag in cookie
        assert "secure" not in cookie
        assert (await browser.get("/admin")).text == "admin"
        assert (await another.get(link)).status_code == 401
        assert (await another.get("/admin")).status_code == 401
        assert (await another.get("/login")).status_code == 401


async def test_a_link_is_good_for_a_quarter_of_an_hour(database: Database) -> None:
    gate = door(database)
    link = await gate.sessions.link()
    gate.clock.ahead = 15 * 60 + 1
    async with gate.client() as browser:
        assert (await browser.get(link)).status_code == 401


async def test_behind_tls_a_cookie_is_for_this_host_alone(database: Database) -> None:
    gate = door(database)
    for url in ("https://llm.example.com", "https://localhost", "http://llm.example.com"):
        async with gate.client(url) as browser:
            cookie = (await browser.get(await gate.sessions.link())).headers["set-cookie"]
        assert cookie.startswith("__Host-gatelog=")
        assert "secure" in cookie.lower()
    async with gate.client("https://llm.example.com") as browser:
        await browser.get(await gate.sessions.link())
        assert (await browser.get("/admin")).text == "admin"


async def test_a_pasted_key_signs_in_as_what_it_may(database: Database) -> None:
    gate = door(database)
    record, key = await gate.keys.create("ann", "viewer", by=ADMIN)
    async with gate.client() as browser:
        response = await browser.post("/login", json={"key": key.reveal()})
        assert response.json() == {"name": "ann", "role": "viewer"}
        first = browser.cookies["gatelog"]
        assert (await browser.get("/read")).text == "ann"
        assert (await browser.get("/admin")).status_code == 403
        await browser.post("/login", json={"key": key.reveal()})
        assert browser.cookies["gatelog"] != first
        old = {"cookie": f"gatelog={first}"}
        async with gate.client() as thief:
            assert (await thief.get("/read", headers=old)).status_code == 401, "the id from before is worth nothing"
        await gate.keys.revoke(record.id)
        assert (await browser.get("/read")).status_code == 401


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"key": "unknown"}', 401),
        ("application/json", b'{"key": 7}', 400),
        ("application/json", b'{"key": "x", "more": 1}', 400),
        ("application/json", b"{", 400),
        ("application/json", b" " * 5000, 400),
        ("text/plain", b'{"key": "an-administrator-knows-this"}', 415),
        ("application/x-www-form-urlencoded", b"key=an-administrator-knows-this", 415),
    ],
)
async def test_a_sign_in_that_is_not_one_sets_no_cookie(
    database: Database, content_type: str, body: bytes, status: int
) -> None:
    async with door(database).client() as browser:
        response = await browser.post("/login", content=body, headers={"content-type": content_type})
        assert response.status_code == status
        assert "set-cookie" not in response.headers


async def test_a_session_ends_when_it_is_idle_and_at_the_latest_after_a_day(database: Database) -> None:
    gate = door(database)
    async with gate.client() as browser:
        await browser.get(await gate.sessions.link())
        gate.clock.ahead = 8 * HOUR + 60
        assert (await browser.get("/read")).status_code == 401, "idle for eight hours"
    gate.clock.ahead = 0
    async with gate.client() as browser:
        await browser.get(await gate.sessions.link())
        for hours in range(0, 24, 6):
            gate.clock.ahead = hours * HOUR + 10
            assert (await browser.get("/read")).status_code == 200, f"in use, after {hours} h"
        gate.clock.ahead = 24 * HOUR + 10
        assert (await browser.get("/read")).status_code == 401, "a day has passed"


async def test_who_signs_out_is_out_here_or_everywhere(database: Database) -> None:
    gate = door(database)
    same = {"sec-fetch-site": "same-origin"}
    async with gate.client() as one, gate.client() as two, gate.client() as three:
        for browser in (one, two, three):
            await browser.post("/login", json={"key": ADMIN_KEY})
        kept = {"cookie": f"gatelog={one.cookies['gatelog']}"}
        assert (await one.post("/logout", headers=same)).status_code == 204
        assert "gatelog" not in one.cookies
        assert (await one.get("/read", headers=kept)).status_code == 401, "the server has forgotten it too"
        assert (await two.get("/read")).status_code == 200
        assert (await two.post("/logout?everywhere=true", headers=same)).status_code == 204
        assert (await three.get("/read")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://localhost:4000"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:4000"}, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_another_sites_page_cannot_use_a_signed_in_browser(
    database: Database, headers: dict[str, str], status: int
) -> None:
    gate = door(database)
    async with gate.client() as browser:
        await browser.get(await gate.sessions.link())
        assert (await browser.post("/admin", headers=headers)).status_code == status
        assert (await browser.get("/admin", headers=headers)).status_code == 200
    async with gate.client() as program:
        assert (await program.post("/admin", headers={**bearer(ADMIN_KEY), **headers})).status_code == 200


async def test_a_browser_and_a_key_that_are_not_the_same_caller_are_a_mistake(database: Database) -> None:
    gate = door(database)
    _, key = await gate.keys.create("app", by=ADMIN)
    async with gate.client() as browser:
        await browser.get(await gate.sessions.link())
        assert (await browser.get("/read", headers=bearer(key.reveal()))).status_code == 400
        assert (await browser.get("/read", headers=bearer(ADMIN_KEY))).status_code == 200
        assert (await browser.get("/read", headers=bearer("unknown"))).status_code == 401
    async with gate.client() as stale:
        stale.cookies.set("gatelog", "long-gone")
        assert (await stale.get("/read", headers=bearer(key.reveal()))).text == "app"


async def test_an_open_gateway_serves_everyone_but_other_sites_pages(database: Database) -> None:
    gate = door(database, open=True)
    async with gate.client() as client:
        assert (await client.post("/call")).text == OPEN.name
        assert (await client.post("/admin", headers=bearer("whatever"))).status_code == 200
        assert (await client.post("/admin", headers={"sec-fetch-site": "cross-site"})).status_code == 403
        assert (await client.post("/admin", headers={"origin": "http://evil.example"})).status_code == 403


@pytest.mark.parametrize(
    "cookie", ["gatelog", "gatelog=", "gatelog=x; gatelog=y", 'gatelog="', "\xff=1", ";;;=", "a" * 5000]
)
async def test_a_broken_cookie_is_nobodys(database: Database, cookie: str) -> None:
    async with door(database).client() as client:
        response = await client.get("/read", headers=[(b"cookie", cookie.encode("latin-1"))])
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")


class Away(SessionStore):
    """A store that can be switched off."""

    off = False

    async def get(self, id: str) -> SessionRecord | None:
        if self.off:
            raise OSError("connection refused")
        return await super().get(id)

    async def redeem(self, hash: str, now_us: int) -> bool:
        raise OSError("connection refused")


async def test_while_the_store_is_away_whoever_is_signed_in_stays_so_and_others_are_told(database: Database) -> None:
    gate = door(database)
    store = gate.sessions._store = Away(database)
    async with gate.client() as browser, gate.client() as another:
        await browser.post("/login", json={"key": ADMIN_KEY})
        assert (await browser.get("/read")).status_code == 200
        store.off = True
        gate.clock.ahead = 10
        assert (await browser.get("/read")).status_code == 200
        for response in (
            await another.get("/read", headers={"cookie": "gatelog=unknown"}),
            await another.get("/login?token=x"),
        ):
            assert response.status_code == 503
            assert response.json()["error"]["code"] == "storage_unavailable"
