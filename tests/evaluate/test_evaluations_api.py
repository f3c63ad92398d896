"""Evaluations over REST: forecast, started, stopped, resumed, held to a budget, scored from outside, and refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.evaluate.flaky import Flaky, prompt_tokens_of, words_of
from tests.evaluate.following import asked, children, get, grid_of, make, over, post, until, variant
from tests.harness import Gateway, Start

pytestmark = pytest.mark.anyio
Json = dict[str, Any]


def echo(name: str, **more: Any) -> Json:
    return {"name": name, "endpoint": "demo/echo", "messages": "{{ question }}", **more}


async def refused(gateway: Gateway, path: str, body: Any, key: str | None = None) -> tuple[int, str]:
    async with gateway.client() as client:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code >= 400, answer.text
    return answer.status_code, answer.json()["error"]["message"]


async def key_of(gateway: Gateway, role: str) -> Json:
    return await post(gateway, "/api/keys", {"name": role, "role": role}, 201)


async def test_it_is_forecast_before_it_is_begun_and_again_from_its_first_cells(start_gateway: Start) -> None:
    async with Flaky() as provider:
        gateway = await start_gateway(provider.config())
        head = await make(gateway, rows=asked(60), variants=[variant("a"), variant("b")], start=False)
        assert (head["state"], head["progress"]["done"]) == ("created", 0)
        before = head["forecast"]
        assert before["expected_nanos"] is None
        # Between answers of nothing and of max_tokens, at two dollars a million.
        assert before["high_nanos"] - before["low_nanos"] == pytest.approx(120 * 64 * 2000, abs=2)
        assert sum(provider.received.values()) == 0

        await post(gateway, f"/api/evaluations/{head['id']}/start", {})
        head = await over(gateway, head["id"])
        after = head["forecast"]
        assert after["pilot_cells"] == 60
        assert after["low_nanos"] <= head["spent_nanos"] <= after["high_nanos"]
        assert set(after["by_variant"]) == {"a", "b"}

        # What was logged by now tells how long answers are.
        again = await make(gateway, rows=asked(60), variants=[variant("a"), variant("b")], start=False)
        logged = again["forecast"]
        assert "latest logged answers" in logged["method"]
        assert logged["low_nanos"] <= head["spent_nanos"] <= logged["high_nanos"]


async def test_a_budget_stops_it_before_it_is_exceeded_and_a_larger_one_need_not_be_asked_for(
    start_gateway: Start,
) -> None:
    async with Flaky(delay=0.01) as provider:
        gateway = await start_gateway(provider.config())
        budget = 0.002
        head = await make(
            gateway, rows=asked(100), variants=[variant("a")], budget_usd=budget, concurrency=8, pilot=False
        )
        head = await over(gateway, head["id"])
        assert head["state"] == "stopped"
        assert head["reason"].startswith("the budget of $0.002 is used up")
        runs = await children(gateway, head["id"], head["progress"]["ok"])
        spent = sum(run["cost"]["nanos"] for run in runs)
        assert head["spent_nanos"] == spent <= budget * 1e9
        # Not far below: another call could not have been paid for.
        assert spent + 20 * 1000 + 64 * 2000 > budget * 1e9
        assert head["progress"]["pending"] == 100 - head["progress"]["ok"] > 0


async def test_a_budget_that_cannot_be_kept_is_refused_with_what_it_takes(start_gateway: Start) -> None:
    async with Flaky() as provider:
        config = provider.config()
        config["endpoints"].append({"name": "free", "targets": [{"provider": "flaky", "model": "unheard-of"}]})
        gateway = await start_gateway(config)
        spec = {"name": "x", "rows": asked(1), "budget_usd": 1}
        said = await refused(gateway, "/api/evaluations", {**spec, "variants": [variant("a", params={})]})
        assert said[0] == 400
        assert "params.max_tokens" in said[1]
        said = await refused(gateway, "/api/evaluations", {**spec, "variants": [variant("a", endpoint="free")]})
        assert "has no price" in said[1]


async def test_it_is_stopped_and_goes_on_where_it_was(start_gateway: Start) -> None:
    async with Flaky(delay=0.05) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(gateway, rows=asked(80), variants=[variant("a")], concurrency=4, pilot=False)
        id = head["id"]
        await until(gateway, id, lambda now: now["progress"]["done"] >= 8)
        await post(gateway, f"/api/evaluations/{id}/stop", {})
        head = await over(gateway, id)
        assert (head["state"], head["reason"]) == ("stopped", "stopped by admin")
        done = head["progress"]["done"]
        assert 8 <= done < 80
        await post(gateway, f"/api/evaluations/{id}/resume", {})
        head = await over(gateway, id)
        assert (head["state"], head["progress"]["ok"], head["reason"]) == ("finished", 80, None)
        assert set(provider.answered.values()) == {1}
        status, message = await refused(gateway, f"/api/evaluations/{id}/start", {})
        assert (status, message) == (
            409,
            "the evaluation is finished; what is created, stopped or failed can be started",
        )


async def test_a_provider_that_says_too_many_is_asked_less_at_once_and_waited_for(start_gateway: Start) -> None:
    async with Flaky(throttled=0.1, delay=0.02, waits_every=4) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(gateway, rows=asked(60), variants=[variant("a")], concurrency=32, pilot=False)
        head = await over(gateway, head["id"])
        assert (head["state"], head["progress"]["ok"]) == ("finished", 60)
        assert provider.faults["throttled"] > 0
        assert set(provider.answered.values()) == {1}
        assert provider.most_running < 32


async def test_what_always_fails_is_an_error_of_its_cell_and_of_no_other(start_gateway: Start) -> None:
    async with Flaky(failed=1.0) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(gateway, rows=asked(2), variants=[variant("a"), echo("b")], scorers=["length"])
        head = await over(gateway, head["id"])
        assert (head["state"], head["progress"]["ok"], head["progress"]["errors"]) == ("finished", 2, 2)
        failed = (await get(gateway, f"/api/evaluations/{head['id']}/cells", status="error"))["cells"]
        assert {cell["variant"] for cell in failed} == {"a"}
        assert "upstream_500" in failed[0]["error"]
        assert len(await children(gateway, head["id"], 2 * 4 + 2)) == 2 * 4 + 2


async def test_prompts_of_the_registry_are_pinned_to_their_version_and_rows_fill_them(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    async with gateway.client() as client:
        for text in ("First: {{ question }}", "Second: {{question}}"):
            tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
            await client.post("/api/2.0/mlflow/registered-models/create", json={"name": "ask", "tags": tags})
            made = await client.post(
                "/api/2.0/mlflow/model-versions/create",
                json={"name": "ask", "source": "x", "tags": [*tags, {"key": "mlflow.prompt.text", "value": text}]},
            )
            assert made.status_code == 200, made.text
        alias = {"name": "ask", "alias": "live", "version": "1"}
        await client.post("/api/2.0/mlflow/registered-models/alias", json=alias)
    variants = [
        {"name": "live", "endpoint": "demo/echo", "prompt": "prompts:/ask@live"},
        {"name": "new", "endpoint": "demo/echo", "prompt": "prompts:/ask/2"},
    ]
    rows = [{"inputs": {"question": "why?", "unused": [1]}}]
    head = await over(gateway, (await make(gateway, rows=rows, variants=variants))["id"])
    assert [each["prompt"] for each in head["variants"]] == ["prompts:/ask/1", "prompts:/ask/2"]
    cells = (await grid_of(gateway, head["id"]))["cells"]
    assert [cell["text"] for cell in cells] == ["First: why?", "Second: why?"]
    run = await gateway.run(cells[1]["run_id"])
    assert run["prompt"] == {"name": "ask", "version": 2}


async def test_streamed_answers_tell_the_time_to_the_first_token_and_plain_ones_do_not(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    rows = asked(2)
    for stream in (True, False):
        head = await over(gateway, (await make(gateway, rows=rows, variants=[echo("a")], stream=stream))["id"])
        cells = (await grid_of(gateway, head["id"]))["cells"]
        assert [cell["text"] for cell in cells] == ["question 0", "question 1"]
        assert all((cell["ttft_us"] is not None) == stream for cell in cells)
        assert all(cell["latency_us"] > 0 for cell in cells)


async def test_scores_from_elsewhere_stand_beside_its_own_and_unscored_is_not_zero(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    head = await make(
        gateway, rows=asked(8), variants=[echo("a"), echo("b")], scorers=["length"],
        metrics=[{"name": "liked", "kind": "binary"}], primary="liked",
    )  # fmt: skip
    id = (await over(gateway, head["id"]))["id"]
    cells = (await grid_of(gateway, id))["cells"]
    scores = [
        {
            "row": cell["row"],
            "variant": cell["variant"],
            "name": "liked",
            "value": None if n == 0 else cell["variant"] == "b",
            "rationale": "said Ann",
            "source": "human",
        }
        for n, cell in enumerate(cells)
    ]
    assert await post(gateway, f"/api/evaluations/{id}/scores", {"scores": scores}) == {"scored": 16, "cells": 16}
    after = (await grid_of(gateway, id))["cells"]
    assert after[0]["scores"]["liked"]["value"] is None
    assert after[1]["scores"]["liked"] | {"value": True} == after[1]["scores"]["liked"]
    assert "length" in after[1]["scores"]
    card = await get(gateway, f"/api/evaluations/{id}/card")
    liked = {arm["name"]: arm["metrics"][0] for arm in card["arms"]}
    assert (liked["a"]["metric"], liked["a"]["scored"], liked["a"]["unscored"]) == ("liked", 7, 1)
    status, message = await refused(
        gateway, f"/api/evaluations/{id}/scores", {"scores": [{**scores[0], "row": "nothing"}]}
    )
    assert (status, message.startswith("scores[0]: there is no cell of row 'nothing'")) == (400, True)


async def test_a_callers_evaluations_are_its_own_and_end_with_its_key(start_gateway: Start) -> None:
    async with Flaky(delay=0.2) as provider:
        gateway = await start_gateway(provider.config())
        one, other = await key_of(gateway, "caller"), await key_of(gateway, "caller")
        spec = {"name": "mine", "rows": asked(40), "variants": [variant("a")], "concurrency": 2, "pilot": False}
        async with gateway.client() as client:
            mine = {"authorization": f"Bearer {one['key']}"}
            theirs = {"authorization": f"Bearer {other['key']}"}
            made = await client.post("/api/evaluations", json=spec, headers=mine)
            assert made.status_code == 201, made.text
            id = made.json()["id"]
            for path in ("", "/cells", "/rows", "/card", "/events"):
                answer = await client.get(f"/api/evaluations/{id}{path}", headers=theirs)
                assert answer.status_code == 404, path
            assert (await client.get("/api/evaluations", headers=theirs)).json()["evaluations"] == []
            assert len((await client.get("/api/evaluations", headers=mine)).json()["evaluations"]) == 1
            await until(gateway, id, lambda now: now["progress"]["done"] >= 2)
            run = (await children(gateway, id, 1))[0]
            assert run["key_id"] == one["id"]
            assert (await client.delete(f"/api/keys/{one['id']}")).status_code < 300
        head = await over(gateway, id)
        assert head["state"] == "stopped"
        assert "key" in head["reason"]
        assert head["progress"]["pending"] > 0


async def test_events_tell_how_far_it_is_until_it_is_over(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    head = await make(gateway, rows=asked(30), variants=[echo("a")])
    async with gateway.client() as client, client.stream("GET", f"/api/evaluations/{head['id']}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = [json.loads(line[5:]) async for line in answer.aiter_lines() if line.startswith("data:")]
    assert heard[-1]["state"] == "finished"
    assert heard[-1]["progress"]["done"] == 30
    counts = [each["progress"]["done"] for each in heard]
    assert counts == sorted(counts)


async def test_lists_and_cells_come_by_the_page(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    ids = [(await make(gateway, rows=asked(3), variants=[echo("a"), echo("b")], start=False))["id"] for _ in range(3)]
    first = await get(gateway, "/api/evaluations", page_size=2)
    second = await get(gateway, "/api/evaluations", page_size=2, page_token=first["next_page_token"])
    assert [each["id"] for each in (*first["evaluations"], *second["evaluations"])] == ids[::-1]
    assert second["next_page_token"] is None
    path = f"/api/evaluations/{ids[0]}"
    seen: list[tuple[str, str]] = []
    token: Json = {}
    while True:
        page = await get(gateway, f"{path}/cells", page_size=4, **token)
        seen += [(cell["row"], cell["variant"]) for cell in page["cells"]]
        if page["next_page_token"] is None:
            break
        token = {"page_token": page["next_page_token"]}
    assert len(seen) == len(set(seen)) == 6
    rows = await get(gateway, f"{path}/rows", page_size=2)
    assert [row["inputs"] for row in rows["rows"]] == [{"question": "question 0"}, {"question": "question 1"}]
    assert rows["next_page_token"] == "2"
    assert len((await get(gateway, f"{path}/cells", row=seen[0][0]))["cells"]) == 2


REFUSED: list[tuple[Json, str]] = [
    ({"variants": []}, "variants"),
    ({"rows": []}, "there are no rows to ask"),
    ({"rows": [{"inputs": {}}]}, "rows[0]: there is nothing to ask"),
    ({"rows": [{"question": "a\u0000b"}]}, "NUL"),
    ({"rows": None, "dataset": {"name": "nothing"}}, "there is no dataset 'nothing'"),
    ({"dataset": {"name": "x"}}, "say `dataset` or `rows`"),
    ({"variants": [echo("a"), echo("a")]}, "two variants are named 'a'"),
    ({"variants": [echo("a", messages="{{ answer }}")]}, "takes 'answer', which row"),
    ({"variants": [echo("a", messages=None)]}, "brings no `messages`"),
    ({"variants": [echo("a", endpoint="nowhere")]}, "there is no model 'nowhere'"),
    ({"variants": [echo("a", messages=None, prompt="prompts:/no/1")]}, "prompts:/no/1"),
    ({"scorers": ["exakt"]}, "there is no scorer 'exakt'; did you mean 'exact'?"),
    ({"scorers": [{"scorer": "python", "file": "x.py"}]}, "files may be named only where `gatelog eval` runs"),
    ({"primary": "exact"}, "no metric 'exact'; there are"),
    ({"repeats": 101}, "repeats"),
    ({"seed": 1, "unheard": 1}, "unheard"),
    ({"variants": [echo("a", endpoint="embed")]}, "takes embeddings, not chat"),
]


async def test_what_cannot_be_evaluated_is_refused_before_any_call(start_gateway: Start) -> None:
    target = {"provider": "openai", "model": "text-embedding-3-small"}
    gateway = await start_gateway(
        {
            "providers": {"openai": {"api_key": "sk-0123456789abcdef"}},
            "endpoints": [{"name": "embed", "type": "embeddings", "targets": [target]}],
        }
    )
    for changes, problem in REFUSED:
        spec = {"name": "x", "rows": asked(2), "variants": [echo("a")], **changes}
        status, message = await refused(gateway, "/api/evaluations", spec)
        assert 400 <= status < 500, changes
        assert problem in message, changes
    assert (await get(gateway, "/api/evaluations"))["evaluations"] == []


async def test_what_is_not_there_and_who_may_not_are_told(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    viewer = await key_of(gateway, "viewer")
    status, _ = await refused(gateway, "/api/evaluations", {}, viewer["key"])
    assert status == 403
    async with gateway.client() as client:
        for path in ("", "/cells", "/rows", "/events", "/card"):
            assert (await client.get(f"/api/evaluations/nothing{path}")).status_code == 404
        for token in ("x", "1.", "99999999999999999999.a"):
            assert (await client.get("/api/evaluations", params={"page_token": token})).status_code == 400
        assert (await client.get("/api/evaluations", params={"sort": "x"})).status_code == 400
        plain = await client.post("/api/evaluations", content=b"{}", headers={"content-type": "text/plain"})
        assert plain.status_code == 415


async def test_an_answer_has_as_many_tokens_as_the_pretend_provider_says(start_gateway: Start) -> None:
    """And costs what these cost: a dollar and two dollars a million."""
    async with Flaky() as provider:
        gateway = await start_gateway(provider.config())
        head = await over(gateway, (await make(gateway, rows=asked(3), variants=[variant("a")]))["id"])
        grid = await grid_of(gateway, head["id"])
        for cell in grid["cells"]:
            question = f"a: {grid['previews'][cell['row']]}"
            heard, words = prompt_tokens_of(question), words_of(question)
            assert (cell["prompt_tokens"], cell["completion_tokens"]) == (heard, words)
            assert cell["cost_nanos"] == heard * 1000 + words * 2000
            assert cell["model"] == "gpt-4o-mini-2024-07-18"


async def test_an_evaluation_that_runs_is_not_deleted_and_one_that_is_over_is(start_gateway: Start) -> None:
    async with Flaky(delay=0.3) as provider:
        gateway = await start_gateway(provider.config())
        id = (await make(gateway, rows=asked(6), variants=[variant("a")], concurrency=1))["id"]
        async with gateway.client() as client:
            assert (await client.delete(f"/api/evaluations/{id}")).status_code == 409
            await post(gateway, f"/api/evaluations/{id}/stop", {})
            await over(gateway, id)
            assert (await client.delete(f"/api/evaluations/{id}")).status_code == 200
            assert (await client.get(f"/api/evaluations/{id}")).status_code == 404
            run: httpx.Response = await client.get("/api/2.0/mlflow/runs/get", params={"run_id": id})
            assert run.json()["run"]["info"]["status"] == "KILLED"
