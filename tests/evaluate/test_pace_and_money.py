"""How fast a grid is filled, what it may cost, and what it is expected to."""

from __future__ import annotations

import asyncio
import random
from statistics import fmean

import pytest
from scipy import stats

from evaluate.forecast import Expectation, Pilot, by_pilot, by_tokens, quantile_t
from evaluate.ledger import Ledger
from evaluate.pace import Pace

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_few_more_are_under_way_when_all_goes_well_and_half_as_many_after_a_refusal() -> None:
    clock = Clock()
    pace = Pace(16, clock)
    for _ in range(100):
        clock.now += 1
        pace.leave(await pace.enter())
    assert 10 < pace.limit <= 16
    before = pace.limit
    clock.now += 1
    entered = [await pace.enter() for _ in range(4)]
    clock.now += 1
    for each in entered:
        pace.leave(each, throttled=True)
    # Those that were under way together are one piece of news.
    assert pace.limit == before / 2
    assert pace.throttled == 4


async def test_nobody_enters_before_the_providers_wait_is_over() -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(8, loop.time)
    began = loop.time()
    pace.leave(await pace.enter(), throttled=True, retry_after=0.2)
    places = [asyncio.create_task(pace.enter()) for _ in range(2)]
    await asyncio.wait(places)
    assert loop.time() - began >= 0.2
    assert pace.running == 2


async def test_no_more_enter_than_there_is_room_for_and_a_place_given_up_is_the_next_ones() -> None:
    pace = Pace(1, Clock())
    first = await pace.enter()
    waiting = [asyncio.create_task(pace.enter()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    pace.leave(first)
    waiting[0].cancel()  # it was given the place, and does not want it any more
    await asyncio.wait(waiting[:2], return_when=asyncio.ALL_COMPLETED)
    assert (waiting[0].cancelled(), waiting[1].done(), waiting[2].done()) == (True, True, False)
    waiting[2].cancel()


async def test_a_hold_waits_for_what_is_under_way_and_is_refused_when_that_cannot_help() -> None:
    ledger = Ledger(100)
    assert await ledger.hold(60)
    second = asyncio.create_task(ledger.hold(60))
    await asyncio.sleep(0)
    assert not second.done()
    ledger.settle(60, 30)
    assert await second
    ledger.settle(60, 50)
    assert (ledger.spent, ledger.held) == (80, 0)
    assert not await ledger.hold(21)
    assert "is used up" in ledger.refused(21)
    assert await ledger.hold(20)


async def test_what_cost_nobody_knows_counts_as_the_most_that_it_can_have_been() -> None:
    ledger = Ledger(100)
    await ledger.hold(40)
    ledger.settle(40, None, unknown=True)
    await ledger.hold(40)
    ledger.settle(40, None)
    assert (ledger.spent, ledger.held) == (40, 0)


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 19, 29, 200])
def test_students_quantile_is_that_of_scipy_as_nearly_as_a_forecast_needs(freedom: int) -> None:
    assert quantile_t(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.002)


def test_the_interval_of_a_pilot_holds_what_the_whole_comes_to_as_often_as_it_says() -> None:
    dice = random.Random(3)
    held = 0
    rounds = 600
    for _ in range(rounds):
        costs = {name: [dice.randrange(1000, 5000) for _ in range(400)] for name in "ab"}
        pilots = [Pilot(variant=name, cells=400, costs=each[:30], judges=[0] * 30) for name, each in costs.items()]
        found = by_pilot(pilots, 1.0)
        assert found.low_nanos is not None
        assert found.high_nanos is not None
        held += found.low_nanos <= sum(map(sum, costs.values())) <= found.high_nanos
    assert 0.93 <= held / rounds <= 0.985


def test_what_has_no_price_has_no_forecast_and_is_named() -> None:
    pilot = by_pilot([Pilot(variant="a", cells=10, costs=[None, 5], judges=[0, 0])], 1.0)
    assert (pilot.expected_nanos, pilot.low_nanos, pilot.unpriced) == (None, None, ("a",))
    unpriced = Expectation(variant="a", cells=10, inputs=None, outputs=(), most=None, exact=True)
    priced = Expectation(variant="b", cells=10, inputs=[7], outputs=[3] * 20, most=9, exact=True)
    tokens = by_tokens([unpriced, priced], judged=False)
    assert (tokens.expected_nanos, tokens.high_nanos, tokens.unpriced) == (None, None, ("a",))
    assert tokens.by_variant == {"b": 100, "a": None}


def test_logged_answers_tell_how_long_the_next_will_be_and_few_of_them_only_between_what() -> None:
    outputs = [100 + n for n in range(40)]
    known = Expectation(variant="a", cells=1000, inputs=[50] * 10, outputs=outputs, most=9_000, exact=False)
    found = by_tokens([known], judged=True)
    assert found.expected_nanos == round(1000 * (50 + fmean(outputs)))
    assert found.low_nanos is not None
    assert found.low_nanos < found.expected_nanos < (found.high_nanos or 0)
    assert "estimates" in found.method
    assert found.judge_nanos is None
    few = by_tokens([Expectation(variant="a", cells=10, inputs=[50], outputs=[1], most=100, exact=True)], judged=False)
    assert (few.expected_nanos, few.low_nanos, few.high_nanos) == (None, 500, 1500)
