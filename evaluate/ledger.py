"""A budget that is not exceeded: the most that a call may cost is held before it, and what it did cost is settled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tracking.money import dollars


@dataclass(slots=True)
class Ledger:
    """Everything in nano-dollars. Without a budget it only adds up."""

    budget: int | None
    spent: int = 0
    held: int = 0
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, most: int) -> bool:
        """Set aside the most that a call may cost, as soon as there is room; False where there never will be."""
        while self.budget is not None and self.spent + self.held + most > self.budget:
            if not self.held:
                return False
            self._settled.clear()
            await self._settled.wait()
        self.held += most
        return True

    def settle(self, most: int, cost: int | None, *, unknown: bool = False) -> None:
        """Give back what was held, and write down what was spent. `unknown`: it cost something, and nobody knows what;
        then what was held counts as spent."""
        self.held -= most
        self.spent += most if unknown else cost or 0
        self._settled.set()

    def refused(self, most: int) -> str:
        """Why a hold was refused."""
        assert self.budget is not None, "without a budget nothing is refused"
        return (
            f"the budget of ${dollars(self.budget)} is used up: ${dollars(self.spent)} is spent, and the next call may "
            f"cost ${dollars(most)}"
        )
