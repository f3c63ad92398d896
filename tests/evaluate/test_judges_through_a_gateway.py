"""Judges and vectors asked for through a real gateway: each call is a run that says what it was for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from evaluate.calling import Answered, CallFailed, Embedded
from evaluate.scorers.options import Means
from evaluate.scorers.scorer import Scorer
from evaluate.scorers.table import build
from providers.chat import ChatRequest, Json
from tests.evaluate.scoring import sample
from tests.harness import Gateway, Start
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio


class Through:
    """What scorers ask with, in its shortest form."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def ask(self, request: ChatRequest, tags: Mapping[str, str]) -> Answered:
        body, run_id = await self._posted("/v1/chat/completions", {**request}, tags)
        return Answered(completion=body, run_id=run_id, cost_nanos=None)

    async def embed(self, model: str, texts: Sequence[str], tags: Mapping[str, str]) -> Embedded:
        body, run_id = await self._posted("/v1/embeddings", {"model": model, "input": list(texts)}, tags)
        return Embedded(vectors=[each["embedding"] for each in body["data"]], run_id=run_id, cost_nanos=None)

    async def _posted(self, path: str, request: Json, tags: Mapping[str, str]) -> tuple[Json, str]:
        answer = await self._client.post(path, json=request, headers={"x-gatelog-tags": json.dumps(dict(tags))})
        body: Json = answer.json()
        if answer.status_code != 200:
            error = body["error"]
            raise CallFailed(error["message"], code=error["code"], run_id=answer.headers.get("x-gatelog-run-id"))
        return body, answer.headers["x-gatelog-run-id"]


def made(through: Through, **entry: Any) -> Scorer:
    return build([entry], Means(ask=through.ask, embed=through.embed))[0]


ROW = sample("Paris", "Paris", evaluation="e-1", variant="b", inputs={"question": "Capital of France?"})


async def provided(start: Start, base_url: str) -> Gateway:
    provider = {"dialect": "openai", "base_url": base_url, "api_key": "sk-x"}
    return await start({"providers": {"scripted": provider}})


async def test_a_judges_call_is_a_run_that_names_evaluation_cell_and_scorer(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    async with gateway.client() as client:
        judge = made(Through(client), scorer="correctness", model="demo/words")
        score = await judge.score(ROW)
    # The demo provider follows the schema, and the request alone decides its verdict.
    assert score.error is None
    assert score.value in (True, False)
    run = await gateway.run(score.judge_run_ids[0])
    assert run["tags"]["gatelog.evaluation"] == "e-1"
    assert run["tags"]["gatelog.row"] == "r1"
    assert run["tags"]["gatelog.variant"] == "b"
    assert run["tags"]["gatelog.scorer"] == "correctness"


async def test_an_answer_that_is_no_verdict_is_unscored(start_gateway: Start, vendor: Vendor) -> None:
    gateway = await provided(start_gateway, vendor.url("ok"))
    async with gateway.client() as client:
        score = await made(Through(client), scorer="correctness", model="scripted/gpt-x").score(ROW)
    assert score.value is None
    assert score.error is not None
    assert score.error.startswith("the judge's answer is no verdict: ")
    run = await gateway.run(score.judge_run_ids[0])
    assert run["status"] == "ok"


async def test_a_provider_that_fails_leaves_its_reason_and_its_run(start_gateway: Start, vendor: Vendor) -> None:
    gateway = await provided(start_gateway, vendor.url("badjson"))
    async with gateway.client() as client:
        score = await made(Through(client), scorer="safety", model="scripted/gpt-x").score(ROW)
    assert score.value is None
    assert score.error is not None
    assert score.error.startswith("the judge did not answer: ")
    assert len(score.judge_run_ids) == 1


async def test_vectors_come_through_the_gateway_too(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    async with gateway.client() as client:
        score = await made(Through(client), scorer="similarity", model="demo/words").score(ROW)
    assert score.value == pytest.approx(1)
    run = await gateway.run(score.judge_run_ids[0])
    assert run["kind"] == "embeddings"
    assert run["tags"]["gatelog.scorer"] == "similarity"
