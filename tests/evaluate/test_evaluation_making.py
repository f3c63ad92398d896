"""What is told before an evaluation is made, and which of its cells are found afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from evaluate.reviews import scale
from evaluate.scorers.catalogue import catalogue
from evaluate.scorers.table import SCORERS
from tests.evaluate.following import get, grid_of, make, over, post
from tests.harness import Gateway

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
NUMBERS = ("one", "two", "three", "four", "five", "six")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("making") / "gateway"
    target = {"provider": "demo", "model": "echo", "price": {"input": 1, "output": 2}}
    started = Gateway(folder, {"endpoints": [{"name": "priced", "type": "chat", "targets": [target]}]})
    await started.start()
    try:
        yield started
    finally:
        await started.stop()


def asked(**more: Any) -> Json:
    return {
        "name": "numbers",
        "rows": [{"inputs": {"word": each}, "expectations": {"expected_response": each}} for each in NUMBERS],
        "variants": [
            {"name": "plain", "endpoint": "priced", "messages": "{{ word }}", "params": {"max_tokens": 50}},
            {"name": "other", "endpoint": "priced", "messages": "say {{ word }}", "params": {"max_tokens": 50}},
        ],
        "scorers": ["exact"],
        **more,
    }


async def test_what_it_would_cost_is_told_with_an_interval_and_nothing_is_made(gateway: Gateway) -> None:
    before = len((await get(gateway, "/api/evaluations"))["evaluations"])
    found = await post(gateway, "/api/evaluations/forecast", asked(repeats=3))
    assert (found["rows"], found["cells"], found["primary"], found["judged"]) == (6, 36, "exact", False)
    assert [each["name"] for each in found["metrics"]] == ["exact", "cost", "latency"]
    forecast = found["forecast"]
    # Nothing is logged yet: between answers of nothing and of 50 tokens, at two dollars a million.
    assert forecast["high_nanos"] - forecast["low_nanos"] == pytest.approx(36 * 50 * 2000, abs=2)
    assert "fewer than 20 answers" in forecast["method"]
    assert len((await get(gateway, "/api/evaluations"))["evaluations"]) == before


async def test_what_cannot_be_made_is_refused_before_it_is_with_what_would_be_right(gateway: Gateway) -> None:
    wrong = await post(gateway, "/api/evaluations/forecast", asked(scorers=["exakt"]), 400)
    assert "did you mean 'exact'" in wrong["error"]["message"]
    wrong = await post(gateway, "/api/evaluations/forecast", asked(primary="bleu"), 400)
    assert (wrong["error"]["param"], "no metric 'bleu'" in wrong["error"]["message"]) == ("primary", True)
    unlimited = [{"name": "a", "endpoint": "priced", "messages": "{{ word }}"}]
    wrong = await post(gateway, "/api/evaluations/forecast", asked(variants=unlimited, budget_usd=1), 400)
    assert "params.max_tokens" in wrong["error"]["message"]


async def test_cells_are_found_by_their_scores_and_by_what_got_worse(gateway: Gateway) -> None:
    id = (await make(gateway, **{**asked(), "pilot": False}))["id"]
    assert (await over(gateway, id))["state"] == "finished"
    path = f"/api/evaluations/{id}/cells"
    everything = await get(gateway, path)
    assert len(everything["cells"]) == 12
    assert sorted(everything["previews"].values()) == sorted(NUMBERS)

    right = await get(gateway, path, score="1..")
    assert {cell["variant"] for cell in right["cells"]} == {"plain"}
    worse = await get(gateway, path, change="worse")
    assert [cell["variant"] for cell in worse["cells"]] == ["other"] * 6
    assert (await get(gateway, path, change="better"))["cells"] == []
    assert len((await get(gateway, path, change="worse", variant="other", score="..0.5"))["cells"]) == 6
    assert (await get(gateway, path, score="unscored"))["cells"] == []
    assert len((await get(gateway, path, metric="cost", score="0.0000001.."))["cells"]) == 12

    first = await get(gateway, path, change="worse", page_size="4")
    rest = await get(gateway, path, change="worse", page_size="4", page_token=first["next_page_token"])
    found = [cell["row"] for cell in (*first["cells"], *rest["cells"])]
    assert (len(first["cells"]), found, rest["next_page_token"]) == (4, [each["row"] for each in worse["cells"]], None)

    (row,) = (await get(gateway, f"/api/evaluations/{id}/rows", row=found[0]))["rows"]
    assert row["inputs"]["word"] == everything["previews"][found[0]]
    assert (await get(gateway, f"/api/evaluations/{id}/rows", row="0" * 32))["rows"] == []
    assert len((await grid_of(gateway, id))["cells"]) == 12
    async with gateway.client() as client:
        for query, said in (
            ({"score": "low"}, "say unscored, or two ends"),
            ({"change": "odd"}, "say worse or better"),
            ({"metric": "bleu"}, "no metric 'bleu' in this evaluation; it has exact, cost, latency"),
        ):
            answer = await client.get(path, params=query)
            assert answer.status_code == 400
            assert said in answer.json()["error"]["message"]


async def test_the_queues_of_an_evaluation_say_how_long_they_are_and_how_people_answer(gateway: Gateway) -> None:
    metrics = [{"name": "tone", "kind": "numeric"}]
    id = (await make(gateway, **{**asked(), "pilot": False, "metrics": metrics}))["id"]
    await over(gateway, id)
    expected = {"judged": False, "labelled": 0, "left": 12}
    found = (await get(gateway, "/api/reviews", evaluation=id))["queues"]
    assert found == [{"metric": "exact", "scale": "yes_no", **expected}, {"metric": "tone", "scale": "1-5", **expected}]
    queue = await get(gateway, "/api/reviews", evaluation=id, metric="tone", size="1")
    assert queue["scale"] == "1-5"
    run = queue["items"][0]["run_id"]
    await post(gateway, "/api/reviews", {"evaluation": id, "metric": "tone", "run_id": run, "value": 4})
    tone = (await get(gateway, "/api/reviews", evaluation=id))["queues"][1]
    assert (tone["labelled"], tone["left"]) == (1, 11)


def test_people_are_asked_what_one_key_can_answer() -> None:
    assert scale("binary", {}) == "yes_no"
    assert scale("numeric", {"scorer": "fluency"}) == "1-5"
    assert scale(None, {"scorer": "criteria", "scale": ["rude", "polite"]}) == ["rude", "polite"]
    assert scale("numeric", {"scorer": "pairwise"}) is None
    assert scale("numeric", {"scorer": "retrieval_relevance"}) is None


async def test_scorers_are_listed_with_what_they_take(gateway: Gateway) -> None:
    found = {each["scorer"]: each for each in (await get(gateway, "/api/evaluations/scorers"))["scorers"]}
    assert found["exact"]["about"] == "The answer is what was expected."
    options = {each["name"]: each for each in found["criteria"]["options"]}
    assert found["criteria"]["judge"]
    assert (options["model"]["type"], options["model"]["required"]) == ("text", True)
    assert (options["votes"]["type"], options["votes"]["default"]) == ("whole", 1)
    assert options["scale"]["choices"] == ["yes_no", "1-5"]
    assert {each["name"]: each["type"] for each in found["json_schema"]["options"]}["schema"] == "json"


def test_every_scorer_that_a_request_may_ask_for_is_in_the_catalogue() -> None:
    assert SCORERS.keys() - {each["scorer"] for each in catalogue()} == {"python", "installed"}
