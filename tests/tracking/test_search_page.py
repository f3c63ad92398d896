"""docs/search.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from providers.errors import InvalidRequest
from tests.tracking.kept import opened, row
from tracking.fields import CALLS, SECTIONS
from tracking.grammar import DEEPEST, LONGEST, MOST_COMPARISONS, MOST_VALUES
from tracking.runs import Runs
from tracking.search import LONGEST_PATTERN, MOST_WILDCARDS
from tracking.usage_tables import texts

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text()


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)


FILTERS = [line for block in examples("filter") for line in block.splitlines()]
ORDERS = [line for block in examples("order") for line in block.splitlines()]
TEXT, NUMBER = {"team": "search", "discount": "100%", "it's": "it's"}, 3_000_000_000


@pytest.mark.anyio
async def test_every_filter_and_order_of_the_page_runs(store: str) -> None:
    rows = [
        row(0, cost_nanos=NUMBER, duration_us=NUMBER, tags=TEXT, stream=True),
        row(1, status="upstream_error", error_code="upstream_500", attempts=None, model="GPT-4", tags=None),
        row(
            2,
            input_tokens=NUMBER,
            end_user="cat",
            tags={"my key": "a beta b", "team": "x"},
            prompt_name="support-reply",
            prompt_version=3,
        ),
        row(3, status="rejected"),
    ]
    async with opened(store, rows) as database:
        async with database.writing() as connection:
            said = "where is my refund our refund policy says"
            await connection.execute(sa.insert(texts).values(id=rows[0]["id"], words=said))
        runs = Runs(database)
        assert len(FILTERS) == 19
        for text in FILTERS:
            page = await runs.page(text)
            assert page.runs, f"{text} finds nothing, so it shows nothing"
        assert len(ORDERS) == 4
        for text in ORDERS:
            assert len((await runs.page(order_by=[text])).runs) == len(rows)


@pytest.mark.anyio
async def test_every_fault_of_the_page_is_said_so(store: str) -> None:
    async with opened(store) as database:
        runs = Runs(database)
        assert len(examples("fault")) == 2
        for message in examples("fault"):
            with pytest.raises(InvalidRequest) as caught:
                await runs.page(message.splitlines()[1].strip())
            assert caught.value.message == message


def test_every_key_and_section_is_on_the_page() -> None:
    listed = set(re.findall(r"`(\w+)`", PAGE))
    assert {name for names in CALLS.sections.values() for name in names} <= listed
    assert set(SECTIONS) <= listed


def test_the_limits_are_on_the_page() -> None:
    for limit in (LONGEST, MOST_COMPARISONS, MOST_VALUES, DEEPEST, LONGEST_PATTERN, MOST_WILDCARDS):
        assert f"{limit:,} " in PAGE or f"{limit:,}\n" in PAGE
