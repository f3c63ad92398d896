"""Runs are found by the words that were said in them."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from providers.errors import InvalidRequest
from tests.tracking.logged import WORDS, begin, end
from tracking.database import open_store
from tracking.retention import Retention
from tracking.rows import Rows
from tracking.runs import Runs
from tracking.tail import Logged
from tracking.texts import Texts
from tracking.traces import Traces
from tracking.writer import Writer

pytestmark = pytest.mark.anyio
SAID = [
    ("Where is my refund?", "Your refund is on its way"),
    ("Refund POLICY please", "See the policy_page (refunds)"),
    ("Où est l'Élan", "ÉLAN: 3,5 kg"),
    ("the way of my refund", None),
]


def logged(n: int, asked: str, answered: str | None) -> Logged:
    started = begin(f"{n:032x}")
    request = orjson.dumps({"model": "hidden", "messages": [{"role": "user", "content": asked}]})
    answer = b"" if answered is None else orjson.dumps({"choices": [{"message": {"content": answered}}]})
    return Logged(started, request, end(started["id"], response_type="json"), answer, [])


async def found(store: str, *filters: str) -> list[list[int]]:
    database = open_store(store)
    runs = Runs(database)
    try:
        return [sorted(int(run["id"], 16) for run in (await runs.page(filter)).runs) for filter in filters]
    finally:
        await database.close()


async def index(store: str) -> int:
    database = open_store(store)
    await database.migrate()
    assert await Writer(database, Rows(WORDS)).write([logged(n, *said) for n, said in enumerate(SAID)]) == []
    counted = await Texts(database).index()
    await database.close()
    return counted


@pytest.mark.parametrize(
    ("filter", "wanted"),
    [
        ("text = 'refund'", [0, 1, 3]),
        ("text = 'refund policy'", [1]),
        ("text = 'way refund'", [0, 3]),
        ("text = '\"refund is on\"'", [0]),
        ("text = '\"is refund\"'", []),
        ("attributes.text = 'page'", [1]),
        ("text = 'élan' AND NOT text = 'refund'", [2]),
        ("text = 'refund' AND params.model = 'other'", []),
        ("text = 'hidden' OR text = 'role'", []),
        ("text = 'AND OR NEAR( * ^'", []),
    ],
)
async def test_runs_are_found_by_what_was_said_in_them(store: str, filter: str, wanted: list[int]) -> None:
    assert await index(store) == len(SAID)
    assert await found(store, filter) == [wanted]


async def test_a_text_without_words_and_an_order_by_text_are_refused(tmp_path: Any) -> None:
    store = f"sqlite:///{tmp_path}/gatelog.db"
    await index(store)
    for filter in ("text = '...'", "text LIKE '%a%'", "text = 1"):
        with pytest.raises(InvalidRequest):
            await found(store, filter)
    database = open_store(store)
    with pytest.raises(InvalidRequest, match="no order by what was said"):
        await Runs(database).page("", ["text"])
    await database.close()


async def test_words_go_with_what_was_said(store: str) -> None:
    await index(store)
    database = open_store(store)
    await Retention(database, runs_days=None, payloads_days=1).sweep()
    await database.close()
    assert await found(store, "text = 'refund'", "") == [[], [0, 1, 2, 3]]


async def test_pages_of_a_common_word_are_those_of_the_order_however_many_have_it(store: str) -> None:
    database = open_store(store)
    await database.migrate()
    rng = random.Random(1)
    batch = []
    for n in range(1_500):
        call = logged(n, "a common word" if n % 3 else "nothing", "answer")
        assert call.begin is not None
        # Many in the same milliseconds, and a third of them in the same microsecond.
        call.begin["started_us"] = 1_767_225_600_000_000 + rng.choice([0, 0, rng.randrange(9) * 500, n * 100_000])
        batch.append(call)
    rng.shuffle(batch)
    assert await Writer(database, Rows(WORDS)).write(batch) == []
    await Texts(database).index()
    runs, traces = Runs(database), Traces(database)
    for filter, size in (("text = 'common'", 200), ("text = 'word common' AND NOT text = 'nothing'", 1_000)):
        ids: list[str] = []
        token = None
        while True:
            page = await runs.page(filter, (), size, token)
            ids += [run["id"] for run in page.runs]
            if (token := page.next_page_token) is None:
                break
        having = [call for call in batch if b"common" in call.request]
        begun = {call.id: call.begin["started_us"] for call in having if call.begin is not None}
        newest = sorted(begun, key=lambda each: (begun[each], each), reverse=True)
        assert ids == newest
        asked = filter.replace("text = 'common'", "trace.text LIKE '%common%'")
        infos: list[str] = []
        while True:
            found = await traces.page([], asked, (), 500, token)
            infos += [info["trace_id"] for info in found.infos]
            if (token := found.next_page_token) is None:
                break
        assert infos == [f"tr-{id}" for id in newest]
    await database.close()
