"""What a lab will cost is said beforehand, and which answer is better by people who do not know whose it is."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from tests.harness import Gateway
from tests.promptlab.people import Json, Person, column, lab_of, over, person, row, serving, state
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio
INPUT, OUTPUT = 1000, 2000
"""Nano-dollars of a token."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Vendor() as vendor:
        urls = {
            "long": vendor.url("ok", tokens=9),
            "short": vendor.url("ok", tokens=2),
            "new": vendor.url("ok", tokens=3),
        }
        with serving(tmp_path_factory.mktemp("votes"), urls) as gateway:
            yield gateway


async def ran(someone: Person, id: str, count: int) -> None:
    async with someone.hears(f"/api/lab/{id}/events") as heard:
        await someone.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        await over(heard, count)


async def test_a_forecast_goes_by_what_the_columns_cells_came_to(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    made = state([column("a", "long")], [row(str(n)) for n in range(6)])
    id = await lab_of(ann, made)
    await ran(ann, id, 6)
    cells = (await ann.good("GET", f"/api/lab/{id}/cells"))["cells"]
    real = sum(cell["cost"]["nanos"] for cell in cells)
    said = await ann.good("POST", f"/api/lab/{id}/forecast", {"cells": "all"})
    (one,) = said["columns"]
    assert (said["cells"], said["calls"], said["unknown_calls"]) == (6, 6, 0)
    assert (one["basis"], one["samples"], one["output_tokens"]) == (
        "history",
        6,
        6 * cells[0]["usage"]["output_tokens"],
    )
    assert said["cost"]["low_nanos"] <= said["cost"]["nanos"] <= said["cost"]["high_nanos"]
    output = sum(cell["usage"]["output_tokens"] for cell in cells) * OUTPUT
    assert said["cost"]["nanos"] == one["input_tokens"] * INPUT + output
    assert real - output == sum(cell["usage"]["input_tokens"] for cell in cells) * INPUT
    assert one["cost"]["level"] == 0.95


async def test_without_a_history_a_forecast_is_as_wide_as_the_limit(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    columns = [column("a", "new", params={"max_tokens": 100}), column("b", "new"), column("c", "demo/words")]
    id = await lab_of(ann, state([*columns, column("d", "nothing")], [row("1"), row("2")]))
    said = await ann.good("POST", f"/api/lab/{id}/forecast", {"cells": "all"})
    a, b, c, d = said["columns"]
    assert (a["basis"], a["cost"]["nanos"]) == ("limit", None)
    assert a["cost"]["high_nanos"] - a["cost"]["low_nanos"] == 2 * 100 * OUTPUT
    assert (b["cost"]["high_nanos"], b["why"][:7]) == (None, "nothing")
    assert c["cost"]["high_nanos"] is None
    assert (d["cost"], "no model 'nothing'" in d["why"]) == (None, True)
    assert (said["cost"], said["unknown_calls"]) == (None, 6)
    alone = await ann.good("POST", f"/api/lab/{id}/forecast", {"cells": [{"row": "1", "column": "a"}]})
    assert (alone["cost"]["nanos"], alone["cost"]["high_nanos"]) == (None, alone["columns"][0]["cost"]["high_nanos"])


async def test_each_pair_is_shown_in_both_orders_without_a_name(gateway: Gateway) -> None:
    ann, eve = await person(gateway, "ann"), await person(gateway, "eve", "viewer")
    id = await lab_of(ann, state([column("a", "long"), column("b", "short")], [row("1"), row("2")]))
    assert await ann.good("GET", f"/api/lab/{id}/pairs/next") == {"pair": None, "left": 0, "done": 0}
    await ran(ann, id, 4)
    shown: list[Json] = []
    for n in range(4):
        found = await ann.good("GET", f"/api/lab/{id}/pairs/next")
        assert (found["left"], found["done"]) == (4 - n, n)
        assert await ann.good("GET", f"/api/lab/{id}/pairs/next") == found
        assert set(found["pair"]) == {"id", "row", "left", "right"}
        assert set(found["pair"]["left"]["message"]) <= {"role", "content", "tool_calls"}
        longer = len(found["pair"]["left"]["text"]) > len(found["pair"]["right"]["text"])
        choice = "left" if n == 3 or longer else "right"
        vote = await ann.good(
            "POST", f"/api/lab/{id}/votes", {"pair": found["pair"]["id"], "choice": choice, "note": "x"}
        )
        shown.append({**vote, "longer_first": longer})
        twice = await ann("POST", f"/api/lab/{id}/votes", {"pair": found["pair"]["id"], "choice": "tie"})
        assert (twice.status_code, twice.json()["error"]["code"]) == (409, "voted_already")
    assert {(vote["row"], vote["first"]) for vote in shown} == {("1", "a"), ("1", "b"), ("2", "a"), ("2", "b")}
    assert len({vote["row"] for vote in shown[:2]}) == 2, "the second order comes after all of the first"
    counted = await ann.good("GET", f"/api/lab/{id}/votes")
    assert len(counted["votes"]) == 4
    wins = sum(vote["winner"] == "a" for vote in shown)
    assert counted["columns"] == [
        {"column": "a", "against": "b", "wins": wins, "losses": 4 - wins, "ties": 0, "both_bad": 0}
    ]
    consistency = counted["consistency"]
    assert (consistency["pairs_in_both_orders"], consistency["decided"]) == (2, 4)
    assert consistency["first_shown_wins"] == sum(vote["choice"] == "left" for vote in shown)
    said = (await ann.good("GET", f"/api/runs/{shown[0]['run_first']}/feedback"))["feedback"]
    assert {(each["name"], each["rationale"]) for each in said} == {("preference", "x")}
    assert len(said) == 2
    assert (await eve("POST", f"/api/lab/{id}/votes", {"pair": "x", "choice": "tie"})).status_code == 403
    assert (await ann("POST", f"/api/lab/{id}/votes", {"pair": "x", "choice": "tie"})).status_code == 404
    lines = (await ann("GET", f"/api/lab/{id}/export", format="dpo")).text.splitlines()
    agreed = [orjson.loads(line) for line in lines]
    assert len(agreed) == (2 if consistency["same_winner"] == 2 else 1)
    for example in agreed:
        assert [message["role"] for message in example["prompt"]] == ["system", "user"]
        assert example["chosen"][0]["role"] == example["rejected"][0]["role"] == "assistant"
        assert len(example["chosen"][0]["content"]) > len(example["rejected"][0]["content"])
