"""A browser signs in by a link or a key, stays signed in for as long as it may, and no other site can use it."""

from __future__ import annotations

import pytest

from gateway.keys import ADMIN, OPEN
from tests.gateway.guarded import ADMIN_KEY, bearer, door
from tracking.database import Database
from tracking.sessions import SessionRecord, SessionStore

pytestmark = pytest.mark.anyio
HOUR = 3600


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


async def test_anybody_may_ask_who_they_are(database: Database) -> None:
    gate = door(database)
    _, key = await gate.keys.create("ann", "viewer", by=ADMIN)
    async with gate.client() as browser, gate.client() as program:
        nobody = {"name": None, "role": None, "open": False, "version": None}
        assert (await browser.get("/api/whoami")).json() == nobody
        await browser.post("/login", json={"key": key.reveal()})
        answer = (await browser.get("/api/whoami")).json()
        assert (answer["name"], answer["role"], answer["open"]) == ("ann", "viewer", False)
        assert (await program.get("/api/whoami", headers=bearer(ADMIN_KEY))).json()["role"] == "admin"
        assert (await program.get("/api/whoami", headers=bearer("unknown"))).status_code == 401
    async with door(database, open=True).client() as client:
        assert (await client.get("/api/whoami")).json()["open"] is True


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
