"""A lab's columns are compared by what scorers and people say of their answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Gateway
from tests.promptlab.people import Person, column, lab_of, over, person, row, serving, state
from tests.vendor import Vendor
from tests.vendor_words import text

pytestmark = pytest.mark.anyio
LONG, SHORT = 9, 2


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Vendor() as vendor:
        urls = {"long": vendor.url("ok", tokens=LONG), "short": vendor.url("ok", tokens=SHORT)}
        with serving(tmp_path_factory.mktemp("verdict"), urls) as gateway:
            yield gateway


async def asked(someone: Person) -> str:
    columns = [column("a", "short", name="Same"), column("b", "long", name="Same")]
    rows = [row(str(n), expected=text(LONG)) for n in range(8)]
    id = await lab_of(someone, state(columns, rows, baseline="a"))
    async with someone.hears(f"/api/lab/{id}/events") as heard:
        await someone.good("POST", f"/api/lab/{id}/run", {"cells": "all"})
        await over(heard, 16)
    return id


async def test_scorers_and_thumbs_make_a_card(gateway: Gateway) -> None:
    ann = await person(gateway, "ann")
    id = await asked(ann)
    cells = {(each["row"], each["column"]): each for each in (await ann.good("GET", f"/api/lab/{id}/cells"))["cells"]}
    await ann.good("PUT", f"/api/runs/{cells['0', 'b']['run_id']}/feedback", {"name": "thumb", "value": True})
    found = await ann.good("POST", f"/api/lab/{id}/verdict", {"scorers": ["exact"]})
    assert found["columns"] == {"a": "Same (a)", "b": "Same (b)"}
    scores = {(each["row"], each["column"]): each["scores"] for each in found["scores"]}
    assert scores["0", "a"]["exact"]["value"] is False
    assert scores["0", "b"]["exact"]["value"] is True
    assert (scores["0", "b"]["thumb"]["value"], scores["0", "b"]["thumb"]["source"]) == (True, "human")
    assert "thumb" not in scores["1", "b"]
    assert all(each["run_id"] == cells[each["row"], each["column"]]["run_id"] for each in found["scores"])
    card = found["card"]
    assert [each["name"] for each in card["arms"]] == ["Same (a)", "Same (b)"]
    assert (card["baseline"], card["primary"], card["rows"]) == ("Same (a)", "exact", 8)
    first = card["comparisons"][0]
    assert (first["candidate"], first["metric"]) == ("Same (b)", "exact")
    plain = await ann.good("POST", f"/api/lab/{id}/verdict", {"primary": "cost"})
    assert (plain["card"]["primary"], plain["scores"][0]["scores"].keys()) == ("cost", {"thumb"})


async def test_what_cannot_be_judged_here_says_so(gateway: Gateway) -> None:
    ann, bob = await person(gateway, "ann"), await person(gateway, "bob")
    empty = await lab_of(ann, state([column("a", "short")], [row("1")]))
    assert (await ann("POST", f"/api/lab/{empty}/verdict", {})).status_code == 409
    assert (await bob("POST", f"/api/lab/{empty}/verdict", {})).status_code == 404
    async with ann.hears(f"/api/lab/{empty}/events") as heard:
        await ann.good("POST", f"/api/lab/{empty}/run", {"cells": "all"})
        await over(heard, 1)
    for body in ({"scorers": ["nothing"]}, {"primary": "nothing"}, {"scorers": [{"correctness": {"model": "short"}}]}):
        answer = await ann("POST", f"/api/lab/{empty}/verdict", body)
        assert answer.status_code == 400, answer.text
