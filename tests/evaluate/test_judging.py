"""Answers judged by models while a grid is filling: each judge's call a run, within the same budget."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.evaluate.flaky import Flaky
from tests.evaluate.following import asked, children, get, grid_of, make, over, until, variant
from tests.harness import Start

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
ROWS = 12


def answers(question: str) -> str:
    """A judge is shown a fence. It gives even questions a five, odd ones a one, and of one says nothing readable."""
    if not question.startswith("<<<"):
        return f"answer to {question}"
    number = int(question.split("question ")[1].split()[0])
    if number == 5:
        return "I would rather not say."
    return json.dumps({"rationale": "because", "score": 5 if number % 2 == 0 else 1})


async def test_judges_calls_are_runs_below_the_evaluation_and_in_its_cost_and_what_is_unreadable_is_unscored(
    start_gateway: Start,
) -> None:
    async with Flaky(answers=answers) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(
            gateway,
            rows=asked(ROWS),
            variants=[variant("a")],
            scorers=[{"scorer": "fluency", "model": "model"}, "length"],
            budget_usd=0.1,
        )
        head = await over(gateway, head["id"])
        assert head["state"] == "finished", gateway.log[-2000:]
        assert head["primary"] == "fluency"
        cells = (await grid_of(gateway, head["id"]))["cells"]
        scores = [cell["scores"]["fluency"] for cell in cells]
        assert Counter(score["value"] for score in scores) == {5.0: 6, 1.0: 5, None: 1}
        (unscored,) = (score for score in scores if score["value"] is None)
        assert unscored["error"]
        assert all(score["judge_run_ids"] for score in scores)
        runs = await children(gateway, head["id"], 2 * ROWS)
        roles = Counter(run["tags"]["gatelog.role"] for run in runs)
        assert roles["cell"] == ROWS
        assert roles["judge"] >= ROWS
        judged = {run["id"] for run in runs if run["tags"]["gatelog.role"] == "judge"}
        assert {id for score in scores for id in score["judge_run_ids"]} <= judged
        spent = sum(run["cost"]["nanos"] or 0 for run in runs)
        assert head["spent_nanos"] == spent
        of_cells = sum(cell["cost_nanos"] for cell in cells)
        of_judges = sum(score["cost_nanos"] for score in scores)
        assert of_cells + of_judges == spent
        card = await get(gateway, f"/api/evaluations/{head['id']}/card")
        assert card["judge_nanos"] == of_judges


async def test_scoring_goes_on_after_a_crash_with_no_score_lost_or_given_twice(start_gateway: Start) -> None:
    async with Flaky(answers=answers, delay=0.1) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(
            gateway,
            rows=asked(40),
            variants=[variant("a")],
            scorers=[{"scorer": "fluency", "model": "model"}],
            pilot=False,
            concurrency=4,
        )
        id = head["id"]
        await until(gateway, id, lambda now: now["progress"]["scored"] >= 5)
        gateway.kill()
        await gateway.start()
        head = await over(gateway, id, 120.0)
        assert head["state"] == "finished", gateway.log[-2000:]
        assert head["progress"]["scored"] == head["progress"]["to_score"] == 40
        cells = (await grid_of(gateway, id))["cells"]
        assert all("fluency" in cell["scores"] for cell in cells)
        async with gateway.client() as client:
            for cell in cells[:5]:
                trace = await client.get(f"/api/3.0/mlflow/traces/tr-{cell['run_id']}")
                found = trace.json()["trace"]["trace_info"]["assessments"]
                assert [each["assessment_name"] for each in found] == ["fluency"]
