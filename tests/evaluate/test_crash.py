"""An evaluation among faults and crashes: each cell answered once, every nano-dollar accounted for, the budget kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.evaluate.flaky import Flaky
from tests.evaluate.following import asked, children, grid_of, make, over, until, variant
from tests.harness import Start

pytestmark = pytest.mark.anyio
ROWS, REPEATS = 500, 2
CELLS = ROWS * 2 * REPEATS
BUDGET = 0.2


@pytest.mark.slow
async def test_two_thousand_cells_survive_faults_and_two_kills_each_exactly_once_and_within_budget(
    start_gateway: Start, tell: Callable[[str], None]
) -> None:
    async with Flaky(throttled=0.05, failed=0.02, cut=0.01, delay=0.02, waits_every=10) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(
            gateway,
            rows=asked(ROWS),
            variants=[variant("a"), variant("b")],
            repeats=REPEATS,
            budget_usd=BUDGET,
            concurrency=32,
        )
        id = head["id"]
        for share in (0.3, 0.6):
            await until(gateway, id, lambda now, share=share: now["progress"]["done"] >= share * CELLS)  # type: ignore[misc]
            gateway.kill()
            await gateway.start()
        head = await over(gateway, id, 180.0)
        assert (head["state"], head["reason"]) == ("finished", None), gateway.log[-3000:]

        grid = await grid_of(gateway, id)
        cells = grid["cells"]
        places = Counter((cell["row"], cell["variant"], cell["repeat"]) for cell in cells)
        assert len(places) == CELLS
        assert set(places.values()) == {1}
        assert {cell["status"] for cell in cells} == {"ok"}
        previews = grid["previews"]
        for cell in cells:
            assert cell["text"] == f"answer to {cell['variant']}: {previews[cell['row']]}"
        assert len({cell["run_id"] for cell in cells}) == CELLS

        runs = await children(gateway, id, CELLS)
        answered = Counter(
            (run["tags"]["gatelog.row"], run["tags"]["gatelog.variant"], int(run["tags"]["gatelog.repeat"]))
            for run in runs
            if run["status"] == "ok"
        )
        assert answered == places
        spent = sum(run["cost"]["nanos"] or 0 for run in runs)
        assert head["spent_nanos"] == spent == sum(cell["cost_nanos"] for cell in cells)
        assert spent <= BUDGET * 1e9
        forecast = head["forecast"]
        assert forecast["pilot_cells"] == 60
        assert forecast["low_nanos"] <= spent <= forecast["high_nanos"]
        ended = Counter(run["status"] for run in runs)
        tell(
            f"2,000 cells, two kills: {len(runs)} calls ({dict(ended)}), {dict(provider.faults)}; "
            f"${spent / 1e9:.6f} of a forecast of ${forecast['expected_nanos'] / 1e9:.6f} "
            f"({forecast['low_nanos'] / 1e9:.6f} to {forecast['high_nanos'] / 1e9:.6f})"
        )


async def test_a_gateway_that_is_restarted_goes_on_at_once_and_loses_nothing(start_gateway: Start) -> None:
    async with Flaky(delay=0.1) as provider:
        gateway = await start_gateway(provider.config())
        head = await make(gateway, rows=asked(40), variants=[variant("a")], concurrency=4, pilot=False)
        await until(gateway, head["id"], lambda now: now["progress"]["done"] >= 8)
        assert await gateway.stop() == 0, gateway.log
        await gateway.start()
        head = await over(gateway, head["id"])
        assert (head["state"], head["progress"]["ok"]) == ("finished", 40), gateway.log[-3000:]
        cells = (await grid_of(gateway, head["id"]))["cells"]
        assert {cell["text"] for cell in cells} == {f"answer to a: question {n}" for n in range(40)}
        runs = await children(gateway, head["id"], 40)
        answered = Counter(run["tags"]["gatelog.row"] for run in runs if run["status"] == "ok")
        assert set(answered.values()) == {1}
        assert head["spent_nanos"] == sum(run["cost"]["nanos"] or 0 for run in runs)
