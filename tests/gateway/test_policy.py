"""Every route has a policy, every caller gets what it allows and no more, and only our own names are answered to."""

from __future__ import annotations

import pytest
from starlette.routing import Mount, Route

from gateway.keys import ADMIN, Keys
from gateway.policy import MAY, Guard, UnguardedRouteError, allowed, check
from gateway.sessions import Sessions
from tests.gateway.guarded import ADMIN_KEY, bearer, door, said
from tracking.database import Database
from tracking.keys import KeyStore
from tracking.sessions import SessionStore

pytestmark = pytest.mark.anyio


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
