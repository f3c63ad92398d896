"""`gatelog recover`: brings journals into the store without a server, and says what was in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from gateway.commands.options import opened
from providers.assemble import assemble
from providers.chat import Json
from tracking.counting import Counting
from tracking.money import Price
from tracking.recover import Findings, recover
from tracking.tokens import count_request, count_text


def recovered(directory: Path, store: str) -> Findings:
    counting = Counting(request=count_request, text=count_text, assemble=assemble, price=Price.from_snapshot)

    async def read() -> Findings:
        async with opened(store, migrate=True) as database:
            return await recover(directory, database, counting)

    return asyncio.run(read())


def report(findings: Findings) -> Json:
    return {
        "journals": findings.journals,
        "alive": [str(folder) for folder in findings.alive],
        "calls": findings.calls,
        "interrupted": findings.interrupted,
        "orphans": findings.orphans,
        "faults": [
            {"file": str(file), "offset": fault.offset, "bytes": fault.size, "what": fault.what}
            for file, fault in findings.faults
        ],
    }


def lines(directory: Path, findings: Findings) -> Iterator[str]:
    """The findings for people."""
    if not findings.journals and not findings.alive:
        yield f"there is no journal in {directory}"
        return
    yield f"{findings.journals} journals read, with {findings.calls} calls"
    for folder in findings.alive:
        yield f"{folder} belongs to a gateway that runs, which brings it in itself"
    if findings.interrupted:
        yield f"{findings.interrupted} of the calls were interrupted: their process died before they were over"
    if findings.orphans:
        yield f"{findings.orphans} of the calls have lost their beginning, so who asked what is not known"
    for file, fault in findings.faults:
        yield f"{file}: {fault.size} bytes at {fault.offset} skipped: {fault.what}"
