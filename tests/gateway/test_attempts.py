"""Whoever fails to sign in too often waits, alone, and not for long."""

from __future__ import annotations

import pytest

from gateway.attempts import FAILURES_MOST, KNOWN_MOST, WINDOW_SECONDS, Attempts
from providers.errors import RateLimited, Unauthenticated
from tests.gateway.guarded import ADMIN_KEY, door
from tracking.database import Database


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(attempts: Attempts, address: str | None) -> None:
    with pytest.raises(Unauthenticated), attempts.counted(address):
        raise Unauthenticated("wrong")


def waits(attempts: Attempts, address: str | None) -> float | None:
    try:
        with attempts.counted(address):
            return None
    except RateLimited as error:
        return error.retry_after


def test_after_ten_failures_an_address_waits_until_the_minute_is_over() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(FAILURES_MOST):
        assert waits(attempts, "192.0.2.1") is None
        fail(attempts, "192.0.2.1")
    clock.now += 15
    assert waits(attempts, "192.0.2.1") == WINDOW_SECONDS - 15
    assert waits(attempts, "192.0.2.2") is None
    clock.now += WINDOW_SECONDS - 15
    assert waits(attempts, "192.0.2.1") is None
    fail(attempts, "192.0.2.1")
    assert waits(attempts, "192.0.2.1") is None, "the count has begun anew"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        (None, "", True),
        ("unix", "unix", True),
    ],
)
def test_one_machine_is_counted_once_however_many_addresses_it_has(
    one: str | None, other: str | None, same: bool
) -> None:
    attempts = Attempts()
    for _ in range(FAILURES_MOST):
        fail(attempts, one)
    assert (waits(attempts, other) is not None) == same


def test_no_more_addresses_are_remembered_than_fit() -> None:
    attempts = Attempts()
    for _ in range(FAILURES_MOST):
        fail(attempts, "192.0.2.1")
    for n in range(KNOWN_MOST):
        fail(attempts, f"10.0.{n // 256}.{n % 256}")
    assert waits(attempts, "192.0.2.1") is None


@pytest.mark.anyio
async def test_a_browser_that_guesses_is_told_to_wait_and_keys_go_on_working(database: Database) -> None:
    gate = door(database)
    async with gate.client() as browser:
        for n in range(FAILURES_MOST):
            wrong = [browser.post("/login", json={"key": "wrong"}), browser.get("/login?token=wrong")]
            assert (await wrong[n % 2]).status_code == 401
            wrong[1 - n % 2].close()
        for late in (browser.post("/login", json={"key": ADMIN_KEY}), browser.get(await gate.sessions.link())):
            answer = await late
            assert answer.status_code == 429
            assert answer.json()["error"]["code"] == "rate_limited"
            assert 1 <= int(answer.headers["retry-after"]) <= WINDOW_SECONDS
        assert (await browser.get("/read", headers={"authorization": f"Bearer {ADMIN_KEY}"})).status_code == 200
        gate.clock.ahead = WINDOW_SECONDS
        assert (await browser.post("/login", json={"key": ADMIN_KEY})).status_code == 200
