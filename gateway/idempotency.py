"""The same call asked for twice, by its Idempotency-Key: made once, and answered again from its run."""

from __future__ import annotations

import hashlib

from starlette.types import Receive, Send

from gateway.call import Call
from gateway.engine import JSON_TYPE, SSE_TYPE, Engine
from providers import sse
from providers.chat import Json
from providers.errors import Conflict, GatewayError, Unprocessable
from tracking.idempotency import Claims
from tracking.runs import Runs


class Idempotency:
    """One upstream call per key, across restarts and processes. Only calls that send a key come here."""

    def __init__(self, claims: Claims, runs: Runs) -> None:
        self._claims, self._runs = claims, runs

    async def serve(
        self, call: Call, key: str, sent: bytes, body: bytes, receive: Receive, send: Send, engine: Engine
    ) -> None:
        """`sent` is what the caller sent, and `body` what the run keeps, which the registry may have made of it."""
        owner = call.key_id or ""
        # An alias may have been moved since the same thing was asked first, and with it the endpoint.
        name = call.endpoint.name if call.prompt is None and call.registered is None else call.request["model"]
        asked = hashlib.sha256(f"{call.endpoint.kind}\n{name}\n".encode() + sent).hexdigest()
        claim = await self._claims.claim(owner, key, asked, call.id)
        if claim is None:
            try:
                await engine.serve(call, body, receive, send)
            finally:
                if not call.begun:
                    await self._claims.release(owner, key, call.id)
            return
        if claim.request_hash != asked:
            raise Unprocessable(
                f"the Idempotency-Key {key!r} belongs to another request; use a new key for a new request",
                code="idempotency_key_reused",
                param="Idempotency-Key",
            )
        run = await self._runs.get(claim.run_id)
        if run is None:
            raise Conflict(
                f"the call with the Idempotency-Key {key!r} is still under way",
                code="idempotency_in_progress",
                param="Idempotency-Key",
                retry_after=1,
            )
        await self._replay(run, send)

    async def _replay(self, run: Json, send: Send) -> None:
        if run["status"] != "ok":
            raise _failure(run)
        payload = await self._runs.payload(run["id"])
        if payload is None or payload.response is None:
            raise Conflict(
                f"the call was made, as run {run['id']}, and its answer was not kept",
                code="idempotency_answer_not_kept",
            )
        streamed = payload.response_type == "sse"
        body = payload.response + sse.DONE if streamed else payload.response
        headers = [
            (b"x-gatelog-run-id", run["id"].encode()),
            (b"idempotent-replayed", b"true"),
            SSE_TYPE if streamed else JSON_TYPE,
            (b"content-length", b"%d" % len(body)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _failure(run: Json) -> GatewayError:
    """What the first call failed with. It is not made again: nobody can know that the provider did nothing."""
    error = run["error"] or {"code": run["status"], "message": f"the call ended as {run['status']}"}
    again = Conflict(f"the call was made, as run {run['id']}, and failed: {error['message']}", code=error["code"])
    if run["status"] in {"upstream_error", "upstream_timeout", "upstream_cut"}:
        again.status, again.type = 502, "upstream_error"
    return again
