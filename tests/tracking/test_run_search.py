"""Runs and calls searched as one, against a plain reading of what the search itself shows of each."""

from __future__ import annotations

import math
import operator
import random
import re
from collections.abc import AsyncIterator, Callable
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.chat import Json
from providers.errors import InvalidRequest
from tests.tracking.kept import BASE_US, MODELS, opened, varied
from tracking.database import Database
from tracking.logged_runs import LoggedRuns, Metric
from tracking.run_search import RunSearch

pytestmark = pytest.mark.anyio
SETTINGS = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EXPERIMENTS = [0, 1, 99]
VALUES = [-1.5, 0.0, 0.001, 1.0, 1.5, 2.0, 1e9, 5e-324, math.nan, math.inf]
NUMBERS = ["metrics.cost_usd", "metrics.latency_ms", "metrics.attempts", "metrics.acc", "metrics.`a b`"]
TEXTS = ["params.model", "params.stream", "params.lr", "tags.team", "attributes.status", "attributes.run_name"]
SIGNS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
Truth = bool | None
Case = tuple[str, Callable[[Json], Truth]]


@pytest.fixture
async def search(store: str) -> AsyncIterator[RunSearch]:
    async with opened(store, varied(30)) as database:
        await fill(database, 20)
        yield RunSearch(database)


async def fill(database: Database, count: int) -> None:
    """Runs that began when the calls did, with values that many of them share."""
    log, rng = LoggedRuns(database), random.Random(7)
    for n in range(count):
        tags = rng.choice([{}, {"team": "search"}, {"team": ""}])
        began = BASE_US // 1000 + n // 4
        id = await log.create(rng.choice([0, 1]), rng.choice(["one", "chat"]), None, began, tags)
        keys = rng.sample(["cost_usd", "latency_ms", "acc", "a b"], rng.randrange(4))
        metrics = [Metric(key=key, value=rng.choice(VALUES), timestamp_ms=1) for key in keys]
        params = {key: rng.choice(MODELS) for key in rng.sample(["model", "lr"], rng.randrange(3))}
        await log.log(id, metrics, params, {})
        if rng.random() < 0.5:
            await log.update(id, rng.choice(["FINISHED", "FAILED"]), began + 5, None)


async def everything(search: RunSearch) -> list[Json]:
    found, token = await search.page(EXPERIMENTS, "", [], 1_000, None)
    assert token is None
    assert len(found) == 50
    return found


def value(run: Json, key: str) -> Any:
    """What a run shows of a key. NaN is no value, and the infinities are the largest numbers."""
    section, _, name = key.replace("`", "").partition(".")
    if section == "attributes":
        return run["info"].get(name)
    for each in run["data"].get(section, []):
        if each["key"] == name:
            if section != "metrics":
                return each["value"]
            number = float(each["value"])
            largest = 1.7976931348623157e308
            return None if math.isnan(number) else max(-largest, min(largest, number))
    return None


def quoted(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))


@st.composite
def comparisons(draw: st.DrawFn) -> Case:
    match draw(st.sampled_from(["number", "text", "in", "null"])):
        case "number":
            key, sign = draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(sorted(SIGNS)))
            number = draw(st.sampled_from([each for each in VALUES if math.isfinite(each)]))
            return f"{key} {sign} {number!r}", known(key, lambda it: SIGNS[sign](it, number))
        case "text":
            key, sign = draw(st.sampled_from(TEXTS)), draw(st.sampled_from(["=", "!="]))
            word = draw(st.sampled_from([*MODELS, "search", "FINISHED", "KILLED", "True", "chat"]))
            return f"{key} {sign} {quoted(word)}", known(key, lambda it: SIGNS[sign](it, word))
        case "in":
            key, some = draw(st.sampled_from(TEXTS)), draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=3))
            return f"{key} IN ({', '.join(map(quoted, some))})", known(key, lambda it: it in some)
        case _:
            key = draw(st.sampled_from([*NUMBERS, *TEXTS]))
            return f"{key} IS NULL", lambda run: value(run, key) is None


def known(key: str, holds: Callable[[Any], bool]) -> Callable[[Json], Truth]:
    return lambda run: None if (it := value(run, key)) is None else holds(it)


def joined(one: Case, word: str, other: Case) -> Case:
    decides = word == "OR"

    def holds(run: Json) -> Truth:
        truths = (one[1](run), other[1](run))
        return decides if decides in truths else None if None in truths else not decides

    return f"({one[0]}) {word} ({other[0]})", holds


def negated(case: Case) -> Case:
    return f"NOT ({case[0]})", lambda run: None if (truth := case[1](run)) is None else not truth


cases = st.recursive(
    comparisons(),
    lambda smaller: st.one_of(
        smaller.map(negated), st.builds(joined, smaller, st.sampled_from(["AND", "OR"]), smaller)
    ),
    max_leaves=6,
)
orders = st.lists(st.tuples(st.sampled_from([*NUMBERS, *TEXTS]), st.booleans()), max_size=3)


def ids(runs: list[Json]) -> list[str]:
    return [run["info"]["run_id"] for run in runs]


@given(case=cases)
@SETTINGS
async def test_a_filter_finds_the_runs_and_calls_that_its_plain_reading_finds(search: RunSearch, case: Case) -> None:
    text, holds = case
    found, _ = await search.page(EXPERIMENTS, text, [], 1_000, None)
    assert ids(found) == ids([run for run in await everything(search) if holds(run)]), text


@given(terms=orders, size=st.integers(8, 40))
@SETTINGS
async def test_pages_of_any_order_hold_every_run_and_call_once_and_in_order(
    search: RunSearch, terms: list[tuple[str, bool]], size: int
) -> None:
    order_by = [f"{key} {'DESC' if down else 'ASC'}" for key, down in terms]
    found: list[Json] = []
    token: str | None = None
    while True:
        page, token = await search.page(EXPERIMENTS, "", order_by, size, token)
        found += page
        if token is None:
            break
    assert sorted(ids(found)) == sorted(ids(await everything(search)))

    def compared(one: Json, other: Json) -> int:
        for key, down in terms:
            ours, theirs = value(one, key), value(other, key)
            if ours == theirs:
                continue
            if ours is None or theirs is None:
                return 1 if ours is None else -1
            return (-1 if down else 1) if ours > theirs else (1 if down else -1)
        return 0

    assert ids(sorted(found, key=cmp_to_key(compared))) == ids(found), order_by


@given(text=st.text())
@SETTINGS
async def test_any_text_gives_runs_or_a_400_with_a_column(search: RunSearch, text: str) -> None:
    message = None
    try:
        await search.page([0], text, [], 10, None)
    except InvalidRequest as error:
        message = error.message
    assert message is None or re.match(r"filter, column \d+: ", message)
