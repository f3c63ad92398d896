"""People label answers over the API, and a judge gets its certificate from what they said."""

from __future__ import annotations

import json
from typing import Any

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from gateway.commands import evals
from tests.evaluate.following import get, grid_of, make, over, post
from tests.harness import Gateway, Start

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
IDENTITY = {"name": "helpful", "judge": True, "prompt_digest": "abc", "model": "demo/words", "params": {}, "votes": 1}


async def judged(gateway: Gateway, **identity: Any) -> str:
    """An evaluation of 24 answers, of which a judge let two in three pass."""
    rows = [{"inputs": {"question": f"question {n}"}} for n in range(12)]
    head = await make(
        gateway,
        rows=rows,
        variants=[
            {"name": name, "endpoint": "demo/words", "messages": "{{ question }}", "params": {"max_tokens": 8}}
            for name in ("plain", "other")
        ],
        scorers=[],
        primary="helpful",
        metrics=[{"name": "helpful", "kind": "binary"}],
        pilot=False,
    )
    id: str = head["id"]
    done = await over(gateway, id)
    assert done["state"] == "finished", done["reason"]
    grid = await grid_of(gateway, id)
    scores = [
        {
            "row": cell["row"],
            "variant": cell["variant"],
            "repeat": cell["repeat"],
            "name": "helpful",
            "value": n % 3 > 0,
            "source": "judge",
            "cost_nanos": 0,
        }
        for n, cell in enumerate(grid["cells"])
    ]
    said = {
        "scores": scores,
        "metrics": [{"name": "helpful", "kind": "binary"}],
        "identities": [{**IDENTITY, **identity}],
    }
    await post(gateway, f"/api/evaluations/{id}/scores", said)
    return id


async def compared(gateway: Gateway, *ids: str) -> list[Json]:
    """The judges of the card that `gatelog eval compare` makes."""
    typed = ["compare", *ids, "--json", "--url", gateway.url, "--key", gateway.key]
    done = await anyio.to_thread.run_sync(CliRunner().invoke, evals.app, typed)
    assert done.exit_code == 0, done.output
    judges: list[Json] = json.loads(done.stdout)["judges"]
    return judges


async def test_a_judge_is_certified_by_what_people_say_in_reviews(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    id = await judged(gateway)
    (before,) = (await get(gateway, "/api/judges", evaluation=id))["judges"]
    assert (before["metric"], before["state"]) == ("helpful", "none")

    page = await get(gateway, "/api/reviews", evaluation=id, metric="helpful", size="5")
    assert (page["labelled"], page["left"], len(page["items"])) == (0, 24, 5)
    assert page["metric"] == {"name": "helpful", "kind": "binary", "judged": True}
    item = page["items"][0]
    assert set(item) == {"run_id", "row", "repeat", "inputs", "expectations", "output", "text"}
    assert item["inputs"]["question"].startswith("question ")
    assert item["text"]

    few = await post(gateway, "/api/judges/certificates", {"evaluation": id, "metric": "helpful"}, 400)
    assert "0 answers have both" in few["error"]["message"]

    verdicts = {cell["run_id"]: cell["scores"]["helpful"]["value"] for cell in (await grid_of(gateway, id))["cells"]}
    for number, run in enumerate(verdicts):
        value = verdicts[run] if number != 5 else not verdicts[run]
        label = {"evaluation": id, "metric": "helpful", "run_id": run, "value": value, "rationale": "because"}
        await post(gateway, "/api/reviews", label)
    left = await get(gateway, "/api/reviews", evaluation=id, metric="helpful")
    assert (left["labelled"], left["left"], left["items"]) == (24, 0, [])

    made = await post(gateway, "/api/judges/certificates", {"evaluation": id, "metric": "helpful"}, 201)
    assert made["labels"] == 24
    assert made["kappa"]["low"] < made["kappa"]["value"] < 1
    assert made["sensitivity"]["n"] + made["specificity"]["n"] == 24
    (after,) = (await get(gateway, "/api/judges", evaluation=id))["judges"]
    assert (after["state"], after["certificate"]["id"]) == ("valid", made["id"])
    assert (await get(gateway, f"/api/judges/certificates/{made['id']}"))["id"] == made["id"]

    card = await get(gateway, f"/api/evaluations/{id}/card")
    assert card["judges"][0]["certificate"]["id"] == made["id"]
    corrected = card["arms"][0]["metrics"][0]["corrected"]
    assert corrected["interval"]["method"] == "Rogan-Gladen"

    other = await judged(gateway, model="demo/echo")
    (expired,) = (await get(gateway, "/api/judges", evaluation=other))["judges"]
    assert expired["state"] == "expired"
    assert "model was 'demo/words' and is 'demo/echo'" in expired["why"]

    (same,) = await compared(gateway, id, id)
    assert same["state"] == "valid"
    (both,) = await compared(gateway, id, other)
    assert both["state"] == "none"
    assert both["why"] == "the evaluations had two judges: model 'demo/words' and 'demo/echo'"

    async with gateway.client() as client:
        page_of = await client.get(f"/api/evaluations/{id}/report")
        assert page_of.status_code == 200, page_of.text
        assert page_of.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in page_of.headers["content-security-policy"]
        assert "certified by 24 labels" in page_of.text
        assert f'href="{gateway.url}/runs/' in page_of.text or "Worst regressions" not in page_of.text
        text = await client.get(f"/api/evaluations/{id}/report", params={"form": "md"})
        assert text.text.startswith("# test\n")
        assert (await client.get(f"/api/evaluations/{id}/report", params={"form": "pdf"})).status_code == 400
        assert (await client.delete(f"/api/judges/certificates/{made['id']}")).status_code == 204
        assert (await client.get(f"/api/judges/certificates/{made['id']}")).status_code == 404


async def test_a_label_is_of_the_metric_s_kind_and_of_an_answer_of_the_evaluation(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    id = await judged(gateway)
    run = (await grid_of(gateway, id))["cells"][0]["run_id"]
    label = {"evaluation": id, "metric": "helpful", "run_id": run}
    wrong = await post(gateway, "/api/reviews", {**label, "value": 1}, 400)
    assert wrong["error"]["message"] == "value is 1; helpful is true or false"
    stranger = await post(gateway, "/api/reviews", {**label, "run_id": "0" * 32, "value": True}, 400)
    assert "is not an answer of this evaluation" in stranger["error"]["message"]
    await post(gateway, "/api/reviews", {**label, "value": True})
    await post(gateway, "/api/reviews", {**label, "value": None})
    assert (await get(gateway, "/api/reviews", evaluation=id, metric="helpful"))["labelled"] == 0
    trace = f"tr-{run}"
    by_mlflow = {
        "assessment_name": "helpful",
        "source": {"source_type": "HUMAN", "source_id": "ann"},
        "feedback": {"value": True},
    }
    await post(gateway, f"/api/3.0/mlflow/traces/{trace}/assessments", {"assessment": by_mlflow})
    assert (await get(gateway, "/api/reviews", evaluation=id, metric="helpful"))["labelled"] == 1
    await post(gateway, "/api/reviews", {**label, "value": False, "rationale": "it is not"})
    found = await get(gateway, f"/api/3.0/mlflow/traces/{trace}")
    said = [each for each in found["trace"]["trace_info"]["assessments"] if each["assessment_name"] == "helpful"]
    human = [each for each in said if each["source"]["source_type"] == "HUMAN"]
    assert sorted(each["feedback"]["value"] for each in human) == [False, True]
    nobody = await post(gateway, "/api/judges/certificates", {"evaluation": id, "metric": "exact"}, 400)
    assert nobody["error"]["message"] == "no judge gives 'exact' here; judges give: helpful"
