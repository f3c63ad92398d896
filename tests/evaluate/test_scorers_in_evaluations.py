"""Scorers in evaluations of a real gateway: judges are runs of it, and code of one's own sees nothing of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import yaml

from evaluate import Evaluation, evaluate
from evaluate.client import GatewayRefused
from evaluate.scorers import jail
from tests.harness import Gateway, Start

pytestmark = pytest.mark.anyio
ROWS = [
    {"inputs": {"question": f"question {number}"}, "expectations": {"expected_response": f"question {number}"}}
    for number in range(3)
]
VARIANTS = {
    "echo": {"endpoint": "demo/echo", "messages": "{{ question }}"},
    "words": {"endpoint": "demo/words", "messages": "{{ question }}"},
}


async def evaluated(gateway: Gateway, scorers: list[Any], **more: Any) -> Evaluation:
    def run() -> Evaluation:
        return evaluate(rows=ROWS, variants=VARIANTS, scorers=scorers, url=gateway.url, key=gateway.key, **more)

    return await anyio.to_thread.run_sync(run)


async def test_scorers_of_every_kind_score_the_same_grid(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    found = await evaluated(
        gateway,
        [
            "exact",
            {"scorer": "regex", "pattern": r"\d$", "name": "ends-in-digit"},
            {"scorer": "bleu"},
            {"scorer": "length", "unit": "characters"},
            {"scorer": "correctness", "model": "demo/words"},
            {"scorer": "pairwise", "model": "demo/words"},
            {"scorer": "similarity", "model": "demo/words"},
            {"scorer": "latency", "at_most": 60},
        ],
    )
    assert found.grid.primary == "exact"
    for cell in found.grid.cells:
        scores = cell.scores
        assert {score.error for score in scores.values()} == {None}, scores
        assert scores["exact"].value is (cell.variant == "echo")
        assert scores["ends-in-digit"].value is (cell.variant == "echo")
        assert scores["latency_s"].value is True
        judged = scores["correctness"]
        assert judged.source == "judge"
        assert judged.value in (True, False)
        run = await gateway.run(judged.judge_run_ids[0])
        assert run["tags"]["gatelog.evaluation"] == found.id
        assert run["tags"]["gatelog.row"] == cell.row
        assert run["tags"]["gatelog.scorer"] == "correctness"
        if cell.variant == "echo":
            assert (scores["pairwise"].value, scores["pairwise"].rationale) == (0.5, "it is the baseline itself")
            assert scores["similarity"].value == pytest.approx(1)
        else:
            assert len(scores["pairwise"].judge_run_ids) == 2


@pytest.mark.skipif(not jail.confined(), reason="custom scorers are run where there is Landlock: on Linux")
async def test_a_scorer_of_ones_own_sees_nothing_of_the_gateway_and_cannot_stop_it(start_gateway: Start) -> None:
    gateway = await start_gateway({}, GATELOG_TEST_SECRET="s3cret")
    config = str(gateway.config_path)
    source = (
        "import os, time\n"
        "def score(sample, config):\n"
        "    assert 'GATELOG_TEST_SECRET' not in os.environ\n"
        "    for place in (config, '/proc/1/environ', '/proc/self/environ'):\n"
        "        try:\n"
        "            open(place).read()\n"
        "        except OSError:\n"
        "            continue\n"
        "        return 'read ' + place\n"
        "    if sample['text'] == 'question 1':\n"
        "        time.sleep(60)\n"
        "    return 'saw nothing'\n"
    )
    own = {"scorer": "python", "name": "own", "kind": "category", "source": source, "seconds": 2}
    found = await evaluated(gateway, ["exact", {**own, "options": {"config": config}}])
    for cell in found.grid.cells:
        if cell.text == "question 1":
            assert (cell.scores["own"].value, cell.scores["own"].error) == (None, "it took longer than 2 s")
        else:
            assert cell.scores["own"].value == "saw nothing"


async def test_a_prompt_of_the_registry_judges(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    async with gateway.client() as client:
        tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
        text = {"key": "mlflow.prompt.text", "value": "Is {{ answer }} right? Expected: {{ expected }}"}
        await client.post("/api/2.0/mlflow/registered-models/create", json={"name": "judge", "tags": tags})
        version = {"name": "judge", "source": "x", "tags": [*tags, text]}
        made = await client.post("/api/2.0/mlflow/model-versions/create", json=version)
        assert made.status_code == 200, made.text
    judge = {"scorer": "prompt", "prompt": "prompts:/judge/1", "model": "demo/words", "name": "ours"}
    gone = {"scorer": "prompt", "prompt": "prompts:/judge/7", "model": "demo/words", "name": "gone"}
    found = await evaluated(gateway, [judge, gone])
    for cell in found.grid.cells:
        assert cell.scores["ours"].value in (True, False)
        assert cell.scores["gone"].value is None
        assert str(cell.scores["gone"].error).startswith("the prompt cannot be read: ")


async def test_files_are_sent_as_text_and_the_gateway_reads_none(start_gateway: Start, tmp_path: Path) -> None:
    gateway = await start_gateway({})
    (tmp_path / "shape.json").write_text('{"type": "string"}')
    named = {"scorer": "json_schema", "schema": str(tmp_path / "shape.json")}
    found = await evaluated(gateway, [named])
    assert {cell.scores["json_schema"].value for cell in found.grid.cells} == {False}
    async with gateway.client() as client:
        spec = {"name": "x", "rows": ROWS, "variants": [{"name": "a", "endpoint": "demo/echo", "messages": "x"}]}
        answer = await client.post("/api/evaluations", json={**spec, "scorers": [named]})
    assert answer.status_code == 400
    assert "files may be named only where `gatelog eval` runs" in answer.json()["error"]["message"]


async def test_the_command_reaches_a_private_service_and_sends_a_schema_for_its_path(
    start_gateway: Start, tmp_path: Path
) -> None:
    gateway = await start_gateway({})
    heads: list[bytes] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n0.5")
        writer.close()

    (tmp_path / "shape.json").write_text('{"type": "string"}')
    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    spec = {
        "name": "both",
        "rows": ROWS,
        "variants": [{"name": name, **variant} for name, variant in VARIANTS.items()],
        "scorers": [
            {"scorer": "json_schema", "schema": "shape.json"},
            {
                "scorer": "http",
                "url": f"http://127.0.0.1:{port}/",
                "private": True,
                "headers": {"authorization": "Bearer $SCORER_TOKEN"},
            },
        ],
    }
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(spec))
    async with server:
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "eval", "run", "both.yaml", "--json"),
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "GATELOG_URL": gateway.url,
                "GATELOG_KEY": gateway.key,
                "SCORER_TOKEN": "t0ken",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await asyncio.wait_for(command.communicate(), 120)
    assert command.returncode == 0, told.decode()
    async with gateway.client() as client:
        (head,) = (await client.get("/api/evaluations")).json()["evaluations"]
        grid = (await client.get(f"/api/evaluations/{head['id']}", params={"cells": "true"})).json()
    for cell in grid["cells"]:
        assert cell["scores"]["json_schema"]["value"] is False
        assert cell["scores"]["http"]["value"] == 0.5
    assert all(b"authorization: Bearer t0ken\r\n" in head for head in heads)


async def test_an_entry_that_is_wrong_is_a_refusal_that_says_what_would_be_right(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    with pytest.raises(GatewayRefused, match="there is no scorer 'exakt'; did you mean 'exact'"):
        await evaluated(gateway, ["exakt"])
