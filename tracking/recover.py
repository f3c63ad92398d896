"""Bringing left-over and damaged journals into the store without a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tracking.counting import Counting
from tracking.database import Database
from tracking.journal import Lease, folders
from tracking.rows import Rows
from tracking.segments import Fault
from tracking.tail import Tail
from tracking.writer import Writer


@dataclass(slots=True)
class Findings:
    """What was in the journals. Files with faults have been renamed to `.damaged`; all others are gone."""

    journals: int = 0
    alive: list[Path] = field(default_factory=list)
    """Journals of processes that live, which bring them in themselves."""
    calls: int = 0
    interrupted: int = 0
    """Of the calls, those whose process died before they were over."""
    orphans: int = 0
    """Of the calls, those whose begin is lost, so that it is not known who asked and what."""
    faults: list[tuple[Path, Fault]] = field(default_factory=list)


async def recover(directory: Path, database: Database, counting: Counting) -> Findings:
    """Read every journal that no living process holds. A call that the store already has is left as it is there."""
    await database.migrate()
    writer, findings = Writer(database, Rows(counting)), Findings()
    for folder in folders(directory):
        if (lease := Lease.take(folder, create=True)) is None:
            findings.alive.append(folder)
            continue
        findings.journals += 1
        tail = Tail(folder, lease=lease)
        try:
            while batch := tail.read():
                refused = await writer.write(batch)
                for call, why in refused:
                    tail.refused(call, why)
                findings.calls += len(batch) - len(refused)
                findings.interrupted += sum(call.end is None for call in batch)
                findings.orphans += sum(call.begin is None for call in batch)
                tail.recorded(batch)
        finally:
            tail.close()
            findings.faults += tail.found
    return findings
