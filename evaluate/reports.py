"""The cards of evaluations: made once for each state of a grid, kept, and attached as reports to the parent run."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence

import orjson
import zstandard

from evaluate import certificates, figures, grids, process
from evaluate.attachments import Attachments
from evaluate.cells import OVER, Grid
from providers.chat import Json
from providers.errors import GatewayError
from tracking.certificates import Certificates
from tracking.evaluations import Evaluations
from tracking.logged_runs import LoggedRuns
from tracking.trace_log import now_us

RESULTS = "evaluation.json"
FILES: Mapping[str, str] = {"html": "report.html", "md": "report.md", "json": "report.json"}
"""Artifacts of the parent run, by the form of the report."""
SECONDS = 600.0
WAIT_SECONDS = 3.0
"""After the last that changed: those who score elsewhere send many batches, one after the other."""

log = logging.getLogger("gatelog.evaluate")


class Reports:
    """`watch` must be running for what is to come `soon`."""

    def __init__(
        self, store: Evaluations, certified: Certificates, logged: LoggedRuns, attachments: Attachments
    ) -> None:
        self._store, self._certified, self._logged, self._attachments = store, certified, logged, attachments
        self._due: dict[str, float] = {}
        self._scored: dict[str, set[str]] = {}
        self._woken = asyncio.Event()

    async def standing(self, kept: Json) -> list[Json]:
        """Of each judge of an evaluation whether it has a certificate."""
        scorers = kept["spec"]["identities"]
        metrics = list(certificates.judges_of(scorers))
        if not metrics:
            return []
        return certificates.standing(scorers, await self._certified.all(metrics))

    async def options(self, kept: Json) -> Json:
        """What a card is made with: what was asked for, and how far the judges agree with people."""
        return {**kept["spec"]["compare"], "judges": await self.standing(kept)}

    async def card(self, kept: Json) -> bytes:
        """The card as JSON. That of an evaluation that is over is attached to its run, as a report in each form."""
        grid, options = await grids.whole(self._store, kept), await self.options(kept)
        digest = await asyncio.to_thread(
            lambda: hashlib.sha256(grid.digest.encode() + orjson.dumps(options)).hexdigest()
        )
        body = await self._store.card(kept["id"], digest)
        if body is not None:
            return await asyncio.to_thread(_unpacked, body)
        forms = list(FILES) if grid.state in OVER else ["json"]
        reports = await made(grid, options, forms, kept["spec"].get("origin"))
        if grid.state in OVER:
            await self._attached(grid, reports)
        plain, packed = await asyncio.to_thread(_packed, reports["json"])
        await self._store.update(kept["id"], card=packed, card_digest=digest)
        return plain

    def soon(self, id: str, scored: Iterable[str] = ()) -> None:
        """It is over, or these metrics of it were scored from outside."""
        self._scored.setdefault(id, set()).update(scored)
        self._due[id] = time.monotonic() + WAIT_SECONDS
        self._woken.set()

    async def watch(self) -> None:
        while True:
            if not self._due:
                self._woken.clear()
                await self._woken.wait()
            id, at = min(self._due.items(), key=lambda each: each[1])
            if (left := at - time.monotonic()) > 0:
                await asyncio.sleep(left)
                continue
            del self._due[id]
            await self._made(id, self._scored.pop(id, set()))

    async def _made(self, id: str, scored: set[str]) -> None:
        try:
            kept = await self._store.get(id)
            if scored:
                await self._log(await grids.whole(self._store, kept), scored)
            await self.card(kept)
        except GatewayError as error:
            # Who asks for its card makes it, or is told the same.
            log.info("evaluation %s has no report: %s", id, error.message)

    async def _log(self, grid: Grid, scored: set[str]) -> None:
        found = await asyncio.to_thread(figures.means, grid, scored)
        await self._logged.log(grid.id, figures.logged(found, now_us()), {}, {})

    async def _attached(self, grid: Grid, reports: Mapping[str, str]) -> None:
        """Scores may have come since the results were."""
        await self._attachments.put(grid.id, RESULTS, await asyncio.to_thread(lambda: orjson.dumps(grid.to_json())))
        for form, name in FILES.items():
            await self._attachments.put(grid.id, name, reports[form].encode())


async def made(grid: Grid, options: Json, forms: Sequence[str], origin: str | None) -> dict[str, str]:
    """A card as texts, by form, with links to a gateway where its origin is known."""
    whole = await asyncio.to_thread(grid.to_json)
    asked: Json = {"grid": whole, "options": options, "forms": list(forms), "origin": origin}
    found: dict[str, str] = await process.asked("reports", asked, "reports", SECONDS)
    return found


def _packed(card: str) -> tuple[bytes, bytes]:
    """Without the spaces that are for people, and in as few bytes as can be."""
    plain = orjson.dumps(orjson.loads(card))
    return plain, zstandard.ZstdCompressor().compress(plain)


def _unpacked(body: bytes) -> bytes:
    plain: bytes = zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return plain
