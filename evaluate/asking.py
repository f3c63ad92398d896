"""The calls that scorers make: each a run of the gateway below the evaluation's own, within the same budget."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence

import orjson

from evaluate import replies
from evaluate.calling import Answered, CallFailed, Embedded
from evaluate.ledger import Ledger
from evaluate.pace import Pace
from evaluate.records import Records
from evaluate.replies import Post
from providers.chat import ChatRequest, Json

ATTEMPTS_MOST = 6
ROLE = "gatelog.role"
"""The tag by which a judge's call is told from a cell's."""
Bound = Callable[[str, Json], int | None]
"""The most that a call to a path may cost, in nano-dollars; None where nothing limits it."""


class Asking:
    """What `evaluate.calling` calls Ask and Embed. The same thing asked twice, as after a crash, is paid once."""

    def __init__(
        self,
        evaluation: str,
        post: Post,
        records: Records,
        pace: Pace,
        ledger: Ledger,
        bound: Bound,
        *,
        headers: Mapping[str, str],
    ) -> None:
        self._evaluation, self._post, self._records = evaluation, post, records
        self._pace, self._ledger, self._bound, self._headers = pace, ledger, bound, headers

    async def ask(self, request: ChatRequest, tags: Mapping[str, str]) -> Answered:
        body: Json = {**request}
        completion, run_id, cost = await self._made(replies.CHAT, body, tags)
        return Answered(completion=completion, run_id=run_id, cost_nanos=cost)

    async def embed(self, model: str, texts: Sequence[str], tags: Mapping[str, str]) -> Embedded:
        answer, run_id, cost = await self._made(replies.EMBEDDINGS, {"model": model, "input": list(texts)}, tags)
        try:
            vectors = [each["embedding"] for each in sorted(answer["data"], key=lambda each: each["index"])]
        except (KeyError, TypeError) as exc:
            raise CallFailed(f"the embeddings of {model!r} have no vectors: {exc!r}", run_id=run_id) from exc
        return Embedded(vectors=vectors, run_id=run_id, cost_nanos=cost)

    async def _made(self, path: str, request: Json, tags: Mapping[str, str]) -> tuple[Json, str | None, int | None]:
        body = orjson.dumps(request)
        most = self._bound(path, request)
        if most is None:
            if self._ledger.budget is not None:
                raise CallFailed(
                    "the evaluation has a budget, and nothing limits what a call to "
                    f"{request.get('model')!r} may cost: it needs a price and max_tokens",
                    code="unbounded",
                )
            most = 0
        labelled = {"gatelog.evaluation": self._evaluation, ROLE: "judge", **tags}
        digest = hashlib.sha256(orjson.dumps(labelled, option=orjson.OPT_SORT_KEYS) + body).hexdigest()[:32]
        headers = {**self._headers, "x-gatelog-tags": orjson.dumps(labelled).decode()}
        for attempt in range(ATTEMPTS_MOST):
            if not await self._ledger.hold(most):
                raise CallFailed(self._ledger.refused(most), code="budget")
            reply = await self._once(
                path, body, {**headers, "idempotency-key": f"{self._evaluation}-j-{digest}-{attempt}"}, most
            )
            cost: int | None = None
            if reply.run_id is None:
                self._ledger.settle(most, None)
            else:
                cost = (await self._records.of(reply.run_id))["cost_nanos"]
                self._ledger.settle(most, cost, unknown=cost is None and reply.outcome == "ok")
            if reply.outcome == "ok" and reply.completion is not None:
                return reply.completion, reply.run_id, cost
            if reply.outcome in ("failed", "stop") or attempt == ATTEMPTS_MOST - 1:
                raise CallFailed(
                    reply.error or "no answer", code=reply.code or "error", run_id=reply.run_id, cost_nanos=cost
                )
            await asyncio.sleep(reply.retry_after or min(8.0, 0.25 * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, path: str, body: bytes, headers: Mapping[str, str], most: int) -> replies.Reply:
        try:
            entered = await self._pace.enter()
        except BaseException:
            self._ledger.settle(most, None)
            raise
        throttled, retry_after = False, None
        try:
            reply = replies.read(await self._post(path, body, headers))
            throttled, retry_after = reply.outcome == "throttled", reply.retry_after
            return reply
        except BaseException:
            self._ledger.settle(most, None)
            raise
        finally:
            self._pace.leave(entered, throttled=throttled, retry_after=retry_after)
