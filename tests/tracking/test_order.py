"""Pages of any order hold every run exactly once, and a page token serves its own query alone."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.errors import InvalidRequest
from tests.tracking.kept import BASE_US, Row, add, opened, row, varied
from tracking.database import Database
from tracking.runs import Runs

pytestmark = pytest.mark.anyio
ROWS = varied(40, seed=7)
COLUMNS = {
    "metrics.cost_usd": "cost_nanos",
    "metrics.attempts": "attempts",
    "params.model": "model",
    "params.stream": "stream",
    "attributes.start_time": "started_us",
    "status": "status",
    "tags.team": "tags",
    "attributes.experiment": "experiment_id",
}


@pytest.fixture
async def database(store: str) -> AsyncIterator[Database]:
    async with opened(store, ROWS) as database:
        yield database


async def walked(runs: Runs, filter: str, order_by: list[str], size: int) -> list[str]:
    ids, token = [], None
    while True:
        page = await runs.page(filter, order_by, size, token)
        assert len(page.runs) == size or page.next_page_token is None
        ids += [run["id"] for run in page.runs]
        token = page.next_page_token
        if token is None:
            return ids


def value(row: Row, key: str) -> object:
    found = row[COLUMNS[key]]
    match key:
        case "tags.team":
            found = (found or {}).get("team")
        case "attributes.experiment":
            found = {0: "Default", 1: "trial"}.get(found)
    return found.encode() if isinstance(found, str) else found


def sorted_plainly(rows: list[Row], terms: list[tuple[str, bool]]) -> list[str]:
    """Python's sort is stable, so the least important term goes first."""
    rows = sorted(rows, key=lambda row: row["id"], reverse=terms[-1][1])
    for key, descending in reversed(terms):
        there = [row for row in rows if value(row, key) is not None]
        missing = [row for row in rows if value(row, key) is None]
        there.sort(key=lambda row: value(row, key), reverse=descending)  # type: ignore[arg-type,return-value]  # one type a key
        rows = there + missing
    return [row["id"] for row in rows]


@given(
    terms=st.lists(st.tuples(st.sampled_from(sorted(COLUMNS)), st.booleans()), min_size=1, max_size=3),
    size=st.sampled_from([1, 2, 7, 20, 39, 40, 41]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_pages_of_any_order_hold_every_run_once_and_in_order(
    database: Database, terms: list[tuple[str, bool]], size: int
) -> None:
    order_by = [f"{key} {'DESC' if descending else 'asc'}" for key, descending in terms]
    assert await walked(Runs(database), "", order_by, size) == sorted_plainly(ROWS, terms)


async def test_newest_runs_come_first_unless_told_otherwise(database: Database) -> None:
    assert await walked(Runs(database), "", [], 8) == sorted_plainly(ROWS, [("attributes.start_time", True)])


async def test_a_filter_holds_on_every_page(database: Database) -> None:
    expected = sorted_plainly([row for row in ROWS if row["status"] == "ok"], [("metrics.cost_usd", False)])
    assert await walked(Runs(database), "status = 'ok'", ["metrics.cost_usd"], 4) == expected


@pytest.mark.parametrize("order_by", [[], ["metrics.cost_usd"], ["metrics.cost_usd DESC", "params.model"]])
async def test_runs_that_come_and_go_meanwhile_neither_repeat_nor_hide_one(
    database: Database, order_by: list[str]
) -> None:
    runs, ids, token, n = Runs(database), [], None, 1_000
    while True:
        page = await runs.page("", order_by, 9, token)
        ids += [run["id"] for run in page.runs]
        token = page.next_page_token
        if token is None:
            break
        more = [row(n + i, started_us=BASE_US + (n + i) * 9, cost_nanos=[None, 0, 2**60][i % 3]) for i in range(5)]
        await add(database, more)
        n += 5
        if len(ids) > 200:  # the new ones come after the old ones in this order; enough of them has been seen
            break
    assert len(ids) == len(set(ids))
    assert {row["id"] for row in ROWS} <= set(ids)


async def test_a_token_of_another_query_is_refused(database: Database) -> None:
    runs = Runs(database)
    token = (await runs.page("status = 'ok'", ["metrics.cost_usd"], 2)).next_page_token
    assert token is not None
    assert (await runs.page("status = 'ok'", ["metrics.cost_usd"], 5, token)).runs
    for filter, order_by, key, narrow in (
        ("", ["metrics.cost_usd"], None, {}),
        ("status = 'ok'", ["metrics.cost_usd DESC"], None, {}),
        ("status = 'ok'", ["metrics.cost_usd"], "k1", {}),
        ("status = 'ok'", ["metrics.cost_usd"], None, {"model": "x"}),
    ):
        with pytest.raises(InvalidRequest, match="belongs to another query") as caught:
            await runs.page(filter, order_by, 2, token, key_id=key, narrow=narrow)
        assert (caught.value.code, caught.value.param) == ("invalid_page_token", "page_token")


def packed(*values: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode()


async def test_a_token_that_was_made_up_is_refused(database: Database) -> None:
    runs = Runs(database)
    token = (await runs.page("", ["metrics.cost_usd", "params.model"], 2)).next_page_token
    assert token is not None
    query = orjson.loads(base64.urlsafe_b64decode(token + "=="))[0]
    id = ROWS[0]["id"]
    for made_up in (
        "",
        "é",
        "!!!",
        "A",
        token[:-4],
        packed(),
        packed(1),
        packed(query),
        packed(query, "text", "m", id),
        packed(query, 2**63, "m", id),
        packed(query, True, "m", id),
        packed(query, 1, 2, id),
        packed(query, 1, "\x00", id),
        packed(query, 1, "m", None),
        packed(query, 1, "m", id, id),
        packed(query, 1, ["m"], id),
        base64.urlsafe_b64encode(b"[" * 5_000).decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await runs.page("", ["metrics.cost_usd", "params.model"], 2, made_up)
        assert caught.value.code == "invalid_page_token", made_up


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("metrics.cost", 1, "did you mean cost_usd"),
        ("metrics.cost_usd DOWN", 18, "found 'DOWN', where ASC, DESC, ',' or the end should be"),
        ("metrics.cost_usd DESC,", 23, "found the end, where another key should be"),
        ("metrics.cost_usd, , status", 19, "found ',', where a key like"),
        ("1", 1, "found '1', where a key like"),
        ("status; DROP TABLE calls", 7, "which means nothing here"),
    ],
)
async def test_an_order_that_cannot_be_read_is_refused_at_its_column(
    database: Database, text: str, column: int, words: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await Runs(database).page(order_by=[text])
    assert (caught.value.code, caught.value.param) == ("invalid_order_by", "order_by")
    assert caught.value.message.startswith(f"order_by, column {column}: ")
    assert words in caught.value.message


async def test_an_order_has_a_bounded_number_of_terms(database: Database) -> None:
    with pytest.raises(InvalidRequest, match="9 terms, and at most 8"):
        await Runs(database).page(order_by=["status"] * 9)


@given(text=st.text())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_any_token_give_runs_or_a_400(database: Database, text: str) -> None:
    runs = Runs(database)
    codes = []
    for order_by, token in ([text], None), ([], text):
        try:
            await runs.page(order_by=order_by, page_token=token)
        except InvalidRequest as error:
            codes.append(error.code)
    assert set(codes) <= {"invalid_order_by", "invalid_page_token"}
