"""When a key was last used is known to the minute, whichever process it was used in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping

import pytest

from gateway.keys import ADMIN, Keys
from tracking.database import Database, open_store
from tracking.keys import KeyStore

pytestmark = pytest.mark.anyio
PEPPER = bytes(range(32))


@pytest.fixture
async def database(store: str) -> AsyncIterator[Database]:
    opened = open_store(store)
    yield opened
    await opened.close()


async def test_it_is_written_down_when_a_key_was_last_used(database: Database) -> None:
    keys, other = Keys(KeyStore(database), PEPPER), Keys(KeyStore(database), PEPPER)
    (busy, key), (idle, _) = [await keys.create(name, by=ADMIN) for name in ("busy", "idle")]
    await other.refresh()
    assert busy.last_used_us is None
    before = time.time_ns() // 1000
    keys.check(key.reveal())
    assert other.by_id(busy.id) is not None, "a browser that is signed in uses its key too"
    for each in (other, keys, keys):
        await each.note_uses()
    used = {record.id: record.last_used_us for record in await keys.all()}
    assert used[idle.id] is None
    assert before <= (used[busy.id] or 0) <= time.time_ns() // 1000


async def test_an_earlier_use_does_not_hide_a_later_one(database: Database) -> None:
    keys = Keys(KeyStore(database), PEPPER)
    record, _ = await keys.create("app", by=ADMIN)
    for at in (20, 10):
        await KeyStore(database).used({record.id: at, "key_unknown": at})
    assert [each.last_used_us for each in await keys.all()] == [20]


async def test_uses_that_the_store_did_not_take_are_written_down_later(database: Database) -> None:
    class Flaky(KeyStore):
        away = True

        async def used(self, at_us: Mapping[str, int]) -> None:
            if self.away:
                raise TimeoutError
            await super().used(at_us)

    store = Flaky(database)
    keys = Keys(store, PEPPER)
    _, key = await keys.create("app", by=ADMIN)
    keys.check(key.reveal())
    await keys.note_uses()
    assert [each.last_used_us for each in await keys.all()] == [None]
    store.away = False
    await keys.note_uses()
    assert [each.last_used_us for each in await keys.all()] != [None]
