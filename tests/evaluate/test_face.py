"""`from evaluate import evaluate, compare` does from a program what the command and the API do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio.to_thread
import pytest

from evaluate import Evaluation, EvaluationFailed, compare, evaluate
from evaluate.cells import Cell
from evaluate.client import Gatelog, GatewayRefused, NotReached
from tests.evaluate.grids import grid, right
from tests.harness import Start

ROWS = [{"inputs": {"question": f"question {n}"}, "expectations": {"answer": str(n)}} for n in range(12)]
VARIANTS = {
    "short": {"endpoint": "demo/words", "messages": "{{ question }}", "params": {"max_tokens": 4}},
    "long": {"endpoint": "demo/words", "messages": "{{ question }}", "params": {"max_tokens": 24}},
}


def words(text: str) -> int:
    """How many there are."""
    return len(text.split())


def wrong_on_one(inputs: dict[str, str], cell: Cell) -> bool:
    if inputs["question"] == "question 3":
        raise LookupError("it is not known")
    return cell.variant == "long"


@pytest.mark.anyio
async def test_an_evaluation_from_a_program_ends_in_a_verdict(start_gateway: Start, tmp_path: Path) -> None:
    gateway = await start_gateway({})
    states: list[str] = []

    def run() -> Evaluation:
        return evaluate(
            name="how long",
            rows=ROWS,
            variants=VARIANTS,
            scorers=[words, wrong_on_one],
            progress=lambda head: states.append(head["state"]),
            url=gateway.url,
            key=gateway.key,
        )

    found = await anyio.to_thread.run_sync(run)
    assert found.grid.primary == "words"
    assert states[-1] == "finished"
    comparison = found.card.comparison("long", "words")
    assert comparison.n == 12
    assert comparison.difference.interval is not None
    assert comparison.difference.interval.value > 0
    assert "long is better than short on words" in found.verdicts["long"]
    unsure = found.card.comparison("long", "wrong_on_one")
    assert unsure.n == 11
    lost = [cell.scores["wrong_on_one"] for cell in found.grid.cells if cell.scores["wrong_on_one"].value is None]
    assert [each.error for each in lost] == ["LookupError: it is not known"] * 2

    page = found.report(tmp_path / "report.html")
    assert f'href="{gateway.url}/runs/' in page.read_text()
    with pytest.raises(ValueError, match=r"does not end in \.html, \.md, \.json"):
        found.report(tmp_path / "report.pdf")
    (tmp_path / "gate.yaml").write_text("primary: {metric: words}\nfloors: [{metric: words, lower: 1}]")
    judgement = found.gate(tmp_path / "gate.yaml")
    assert judgement.outcome == "pass", judgement

    again = await anyio.to_thread.run_sync(lambda: compare(found.id, baseline="long", url=gateway.url, key=gateway.key))
    assert again.comparison("short").verdict.word == "worse"


@pytest.mark.anyio
async def test_what_the_gateway_refuses_is_said_in_its_words(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    with pytest.raises(GatewayRefused, match="there is no evaluation"), Gatelog(gateway.url, gateway.key) as gatelog:
        await anyio.to_thread.run_sync(gatelog.head, "0" * 32)
    with pytest.raises(GatewayRefused, match="set GATELOG_KEY"), Gatelog(gateway.url, "wrong") as gatelog:
        await anyio.to_thread.run_sync(gatelog.head, "0" * 32)

    def stopped() -> Evaluation:
        return evaluate(
            rows=ROWS,
            variants=VARIANTS,
            scorers=[words],
            progress=lambda head: _stop(gateway.url, gateway.key, head["id"]),
            concurrency=1,
            url=gateway.url,
            key=gateway.key,
        )

    with pytest.raises(EvaluationFailed, match="the evaluation stopped: stopped by"):
        await anyio.to_thread.run_sync(stopped)


def _stop(url: str, key: str, id: str) -> None:
    with Gatelog(url, key) as gatelog:
        if gatelog.head(id)["state"] == "running":
            gatelog.stop(id)


def test_without_a_gateway_it_is_said_how_to_start_one() -> None:
    with pytest.raises(NotReached, match=r"no gateway answers at http://127.0.0.1:9: .*`gatelog serve` starts one"):
        compare("e", url="http://127.0.0.1:9")


def test_a_grid_at_hand_is_compared_without_a_gateway() -> None:
    card = compare(grid({"old": right(0.5, 1), "new": right(0.9, 2)}), margin=0.02)
    assert card.comparison("new").verdict.word == "better"
    assert card.margin == 0.02


def test_a_scorer_says_what_it_wants_and_what_it_returns() -> None:
    def bare(text):  # type: ignore[no-untyped-def]  # what is refused
        return 1

    def curious(question: str) -> bool:
        return bool(question)

    with pytest.raises(TypeError, match="annotate what the scorer 'bare' returns: `-> bool`"):
        evaluate(variants={}, scorers=[bare])
    with pytest.raises(TypeError, match="the scorer 'curious' wants 'question'; there are text, output, inputs"):
        evaluate(variants={}, scorers=[curious])


def test_the_package_costs_the_gateway_nothing_to_import() -> None:
    code = (
        "import sys, evaluate; heavy = {'numpy', 'scipy', 'httpx', 'pydantic', 'evaluate.face'} & set(sys.modules); "
        "assert not heavy, heavy; from evaluate import compare, evaluate; assert callable(compare); "
        "import evaluate.cards; from evaluate import compare; assert callable(compare)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
