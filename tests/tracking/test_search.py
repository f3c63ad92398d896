"""A filter finds what a plain reading of it over the same runs finds, on both databases."""

from __future__ import annotations

import operator
import re
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.errors import InvalidRequest
from tests.tracking.kept import BASE_US, MODELS, Row, opened, row, varied
from tracking.runs import Runs

pytestmark = pytest.mark.anyio
ROWS = varied(150)
SETTINGS = settings(
    max_examples=150,
    deadline=None,
    # The store is only read, so one for all examples is as good as a new one for each.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
async def runs(store: str) -> AsyncIterator[Runs]:
    async with opened(store, ROWS) as database:
        yield Runs(database)


async def found(runs: Runs, text: str) -> set[str]:
    page = await runs.page(text, page_size=1000)
    assert page.next_page_token is None
    return {run["id"] for run in page.runs}


# What each key of a run is, in the key's own unit, worked out from the row by hand.


def ratio(name: str, per: int = 1) -> Callable[[Row], Fraction | None]:
    return lambda row: None if row[name] is None else Fraction(row[name], per)


def summed(row: Row) -> int | None:
    ours: tuple[int | None, int | None] = row["input_tokens"], row["output_tokens"]
    return None if ours[0] is None or ours[1] is None else ours[0] + ours[1]


def overhead(row: Row) -> Fraction | None:
    spent, waited = row["duration_us"], row["upstream_us"]
    return None if spent is None or waited is None else Fraction(spent - waited, 1000)


def ended(row: Row) -> int | None:
    return None if row["duration_us"] is None else (row["started_us"] + row["duration_us"]) // 1000


def tag(name: str) -> Callable[[Row], str | None]:
    return lambda row: (row["tags"] or {}).get(name)


NUMBERS: dict[str, Callable[[Row], Any]] = {
    "metrics.cost_usd": ratio("cost_nanos", 10**9),
    "metric.cost_nanos": ratio("cost_nanos"),
    "metrics.latency_ms": ratio("duration_us", 1000),
    "metrics.overhead_ms": overhead,
    "metrics.prompt_tokens": ratio("input_tokens"),
    "metrics.total_tokens": summed,
    "metrics.attempts": ratio("attempts"),
    "attributes.http_status": ratio("http_status"),
    "attributes.experiment_id": ratio("experiment_id"),
}
TIMES: dict[str, Callable[[Row], Any]] = {
    "start_time": lambda row: row["started_us"] // 1000,
    "attributes.end_time": ended,
}
TEXTS: dict[str, Callable[[Row], str | None]] = {
    "params.model": lambda row: row["model"],
    "param.kind": lambda row: row["kind"],
    "status": lambda row: row["status"],
    "attr.user": lambda row: row["end_user"],
    "`key`": lambda row: row["key_id"],
    "attributes.experiment": lambda row: {0: "Default", 1: "trial"}.get(row["experiment_id"]),
    "tags.team": tag("team"),
    'tags."my key"': tag("my key"),
    'tag.`a"b`': tag('a"b'),
    "tags.mlflow.user": tag("mlflow.user"),
    "tags.é": tag("é"),
    "tags.`$.team`": tag("$.team"),
    "tags.`no''such'--`": tag("no''such'--"),
}
FLAGS: dict[str, Callable[[Row], bool | None]] = {
    "params.stream": lambda row: row["stream"],
    "usage_suspect": lambda row: row["usage_suspect"],
}

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Truth = bool | None
Case = tuple[str, Callable[[Row], Truth]]
"""A filter's text, and what it is of a row: true, false or unknown."""


def known(get: Callable[[Row], Any], holds: Callable[[Any], bool]) -> Callable[[Row], Truth]:
    return lambda row: None if (value := get(row)) is None else holds(value)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


numbers = st.one_of(
    st.sampled_from([Decimal(n) for n in ("0", "1", "1.5", "-1", "0.000001", "1000", "1e-9", "1e30", "-1e99", "2e18")]),
    st.integers(-5, 5).map(Decimal),
    st.decimals(-2000, 2000, places=7),
)
times = st.one_of(
    st.integers(-3, 60).map(lambda n: Decimal(BASE_US // 1000 + n)),
    st.integers(-3, 60).map(lambda n: BASE_US // 1000 + n + Decimal("0.5")),
    st.sampled_from([Decimal(0), Decimal("1e40")]),
)
words = st.sampled_from(
    [*MODELS, "ok", "ann", "search", "Search", "trial", "Default", "chat", "k1", "x", "100%", "' OR 1=1 --", "';--"]
)
wild = st.lists(st.sampled_from(["%", "_", "\\%", "\\_", "\\\\", "\\", *"aegpGP4o*?[]'é-x"]), max_size=6).map("".join)


def like(pattern: str, fold: bool) -> Callable[[str], bool]:
    expression = ""
    for piece in re.findall(r"\\[%_\\]|.", pattern, re.DOTALL):
        expression += {"%": ".*", "_": "."}.get(piece, re.escape(piece[-1]))
    # ASCII letters alone are folded, which Python's own IGNORECASE does not do for texts.
    lower = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
    if fold:
        expression = expression.translate(lower)
    return lambda text: re.fullmatch(expression, text.translate(lower) if fold else text, re.DOTALL) is not None


@st.composite
def comparisons(draw: st.DrawFn) -> Case:
    match draw(st.sampled_from(["number", "number in", "time", "text", "text in", "like", "flag", "null"])):
        case "number":
            key, sign, value = (
                draw(st.sampled_from(sorted(NUMBERS))),
                draw(st.sampled_from(sorted(COMPARE))),
                draw(numbers),
            )
            return f"{key} {sign} {value}", known(NUMBERS[key], lambda it: COMPARE[sign](it, Fraction(value)))
        case "number in":
            key, values = draw(st.sampled_from(sorted(NUMBERS))), draw(st.lists(numbers, min_size=1, max_size=4))
            exact = {Fraction(value) for value in values}
            return f"{key} IN ({', '.join(map(str, values))})", known(NUMBERS[key], lambda it: it in exact)
        case "time":
            key, sign, value = draw(st.sampled_from(sorted(TIMES))), draw(st.sampled_from(sorted(COMPARE))), draw(times)
            return f"{key}{sign}{value}", known(TIMES[key], lambda it: COMPARE[sign](it, Fraction(value)))
        case "text":
            key, sign, word = draw(st.sampled_from(sorted(TEXTS))), draw(st.sampled_from(["=", "!="])), draw(words)
            return f"{key} {sign} {quoted(word)}", known(TEXTS[key], lambda it: COMPARE[sign](it, word))
        case "text in":
            key, some = draw(st.sampled_from(sorted(TEXTS))), draw(st.lists(words, min_size=1, max_size=4))
            return f"{key} in ({','.join(map(quoted, some))})", known(TEXTS[key], lambda it: it in some)
        case "like":
            key, verb, pattern = (
                draw(st.sampled_from(sorted(TEXTS))),
                draw(st.sampled_from(["LIKE", "ILIKE"])),
                draw(wild),
            )
            return f"{key} {verb} {quoted(pattern)}", known(TEXTS[key], like(pattern, verb == "ILIKE"))
        case "flag":
            key, sign, flag = (
                draw(st.sampled_from(sorted(FLAGS))),
                draw(st.sampled_from(["=", "!="])),
                draw(st.booleans()),
            )
            return f"{key} {sign} '{flag}'", known(FLAGS[key], lambda it: COMPARE[sign](it, flag))
        case _:
            fields = {**NUMBERS, **TIMES, **TEXTS, **FLAGS}
            key = draw(st.sampled_from(sorted(fields)))
            return f"{key} IS NULL", lambda row: fields[key](row) is None


def negated(case: Case) -> Case:
    text, holds = case
    return f"NOT ({text})", lambda row: None if (truth := holds(row)) is None else not truth


def joined(cases: list[Case], word: str, decides: bool) -> Case:
    """AND is decided by one that is false, OR by one that is true; otherwise one unknown makes it unknown."""

    def holds(row: Row) -> Truth:
        truths = [holds(row) for _, holds in cases]
        return decides if decides in truths else None if None in truths else not decides

    return f" {word} ".join(f"({text})" for text, _ in cases), holds


def grown(smaller: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    several = st.lists(smaller, min_size=2, max_size=3)
    return st.one_of(
        smaller.map(negated),
        several.map(lambda cases: joined(cases, "AND", False)),
        several.map(lambda cases: joined(cases, "or", True)),
    )


cases = st.recursive(comparisons(), grown, max_leaves=8)


@given(case=cases)
@SETTINGS
async def test_a_filter_finds_what_its_plain_reading_finds(runs: Runs, case: Case) -> None:
    text, holds = case
    assert await found(runs, text) == {row["id"] for row in ROWS if holds(row)}, text


@given(text=st.one_of(st.text(), wild.map(lambda pattern: f"params.model LIKE {quoted(pattern)}")))
@SETTINGS
async def test_any_text_gives_runs_or_a_400_with_a_column(runs: Runs, text: str) -> None:
    message = None
    try:
        await runs.page(text)
    except InvalidRequest as error:
        message = error.message
    assert message is None or re.match(r"filter, column \d+: ", message)


async def test_a_comparison_with_what_is_missing_is_neither_true_nor_false(runs: Runs) -> None:
    """As in SQL: only IS NULL finds what is missing."""
    equal = await found(runs, "params.model = 'gpt-4o'")
    for text in ("params.model != 'gpt-4o'", "NOT params.model = 'gpt-4o'", "params.model NOT IN ('gpt-4o')"):
        other = await found(runs, text)
        missing = await found(runs, "params.model IS NULL")
        assert all((equal, other, missing))
        assert (equal | other | missing, equal & other, other & missing) == (await found(runs, ""), set(), set())


@pytest.mark.parametrize(
    "text",
    [
        "params.model = '''; DROP TABLE calls; --'",
        "params.model = 'x'' OR ''1''=''1'",
        "tags.`') OR 1=1 --` = 'x'",
        "tags.\"$.\\\" = 'x'",
        "tags.`''` IN ('''', '\"', ':x', '%(x)s', '?', '$1')",
        "params.model ILIKE '%'' OR ''%'",
        "params.model IN (':param_1', '%s')",
    ],
)
async def test_sql_in_a_filter_is_only_text(runs: Runs, text: str) -> None:
    assert await found(runs, text) == set()
    assert len(await found(runs, "")) == len(ROWS)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("params.mdoel = 'x'", 1, "did you mean model?"),
        ("metrics.costusd > 1", 1, "did you mean cost_usd"),
        ("metrics.zzz > 1", 1, "there are attempts, cache_read_tokens"),
        ("status = 'ok' AND model = 'x'", 19, "did you mean params.model?"),
        ("prams.model = 'x'", 1, "'prams' is no section"),
        ("status < 'ok'", 8, "< does not compare texts; status takes =, !=, LIKE, ILIKE, IN, IS NULL"),
        ("metrics.cost_usd LIKE '1%'", 18, "LIKE does not compare numbers"),
        ("metrics.cost_usd > '1'", 20, "cost_usd is a number; write the value as a number, without quotes"),
        ("status = 1", 10, "status is a text; put the value in single quotes"),
        ("params.stream = 'maybe'", 17, "stream is true or false; found 'maybe'"),
        ("start_time > 'yesterday'", 14, "'yesterday' is no time for start_time"),
        ("params.model LIKE '" + "%a" * 17 + "'", 19, "at most 16 times '%'"),
        ("params.model LIKE '" + "a" * 1001 + "'", 19, "at most 1000 characters"),
    ],
)
async def test_what_a_key_cannot_mean_is_refused_at_its_column(runs: Runs, text: str, column: int, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await runs.page(text)
    assert caught.value.message.startswith(f"filter, column {column}: ")
    assert words in caught.value.message


async def test_a_time_may_be_iso_8601_or_milliseconds(store: str) -> None:
    second = 1_000_000
    rows = [row(n, started_us=BASE_US + n * second + 999) for n in range(3)]
    async with opened(store, rows) as database:
        runs = Runs(database)
        for moment in (
            "'2026-01-01T00:00:01Z'",
            "'2026-01-01T01:00:01+01:00'",
            "'2026-01-01 00:00:01'",
            "1767225601000",
        ):
            assert await found(runs, f"start_time = {moment}") == {rows[1]["id"]}
            assert await found(runs, f"start_time > {moment}") == {rows[2]["id"]}
        assert await found(runs, "start_time >= '2026-01-01' AND start_time < '2026-01-02'") == {r["id"] for r in rows}


async def test_the_longest_filters_still_run(runs: Runs) -> None:
    many = " OR ".join(["params.model LIKE 'g%' AND tags.team IS NOT NULL"] * 100)
    nested = "NOT (" * 25 + "status = 'ok'" + ")" * 25
    listed = f"run_id IN ({','.join(quoted(row['id']) for row in ROWS * 8)})"
    assert await found(runs, many) == await found(runs, "params.model LIKE 'g%' AND tags.team IS NOT NULL")
    assert await found(runs, nested) == await found(runs, "status != 'ok'")
    assert await found(runs, listed) == await found(runs, "")
