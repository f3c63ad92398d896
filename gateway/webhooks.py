"""Telling webhooks what happened: signed as MLflow signs, again until heard, never at private addresses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.seals import SealError, Seals
from providers.errors import StorageUnavailable
from providers.outward import Allowed, Refused, receiver, resolved
from tracking.mlflow.errors import invalid
from tracking.webhook_events import EXAMPLES, Event
from tracking.webhooks import Delivery, Webhook, Webhooks, message

if TYPE_CHECKING:
    from httpcore import AsyncConnectionPool

TIMEOUT_SECONDS = 30.0
LOOK_SECONDS = 1.0
"""Between looks for what is to be delivered."""
ANSWER_MOST = 16 << 10
"""Bytes of a receiver's answer that are read."""
AGAIN = frozenset({408, 425, 429})
"""Beside 500 and above, the statuses after which it is worth to try again."""

log = logging.getLogger("gatelog.webhooks")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said, or why it did not."""

    status: int | None
    body: str
    problem: str | None = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def again(self) -> bool:
        return self.status is None or self.status >= 500 or self.status in AGAIN


class Deliverer:
    """Delivers what is due, whichever process wrote it. What was not heard when the process ends is due again after."""

    def __init__(self, webhooks: Webhooks, seals: Seals, allowed: Allowed) -> None:
        self._webhooks, self._seals, self._allowed = webhooks, seals, allowed
        self._pool: AsyncConnectionPool | None = None

    async def check(self, url: str) -> None:
        """Raises MlflowError for a URL that nothing would be sent to."""
        try:
            host, port = receiver(url, self._allowed)
            await resolved(host, port, self._allowed)
        except Refused as exc:
            raise invalid(f"Invalid Webhook URL: {exc}") from exc

    def seal(self, secret: str) -> bytes:
        return self._seals.seal(secret)

    async def test(self, webhook: Webhook, event: Event) -> Answer:
        """Send an example, once, and give what the receiver said."""
        return await self._told(webhook, str(uuid.uuid4()), message(event, dict(EXAMPLES[event])))

    async def watch(self) -> None:
        while True:
            try:
                if not await self._some():
                    await asyncio.sleep(LOOK_SECONDS)
            except StorageUnavailable as error:
                log.warning("webhooks wait: %s", error.message)
                await asyncio.sleep(LOOK_SECONDS)

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def _some(self) -> bool:
        """Deliver what is due now; whether there was anything."""
        if not await self._webhooks.any_due():
            return False
        due = await self._webhooks.due()
        async with asyncio.TaskGroup() as group:
            for delivery in due:
                group.create_task(self._deliver(delivery))
        return bool(due)

    async def _deliver(self, delivery: Delivery) -> None:
        webhook = delivery.webhook
        answer = await self._told(webhook, delivery.id, delivery.body)
        try:
            if answer.ok:
                await self._webhooks.delivered(delivery)
                return
            problem = answer.problem or f"it answered {answer.status}"
            log.warning(
                "webhook %s was not told of %s, attempt %d: %s",
                webhook.name,
                delivery.event,
                delivery.attempts + 1,
                problem,
            )
            await self._webhooks.failed(delivery, problem, final=not answer.again)
        except StorageUnavailable as error:
            log.warning("webhook %s will be told of %s again: %s", webhook.name, delivery.event, error.message)

    async def _told(self, webhook: Webhook, id: str, body: str) -> Answer:
        try:
            receiver(webhook.url, self._allowed)
            headers = self._signed(webhook, id, body)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._posted(webhook.url, headers, body)
        except TimeoutError:
            return Answer(None, "", f"it did not answer within {TIMEOUT_SECONDS:g} s")
        except (Refused, SealError) as exc:
            return Answer(None, "", str(exc))

    async def _posted(self, url: str, headers: list[tuple[str | bytes, str | bytes]], body: str) -> Answer:
        # Not at the top: most gateways tell nobody, and all of them start.
        from providers.outward_pool import LOST, pool

        if self._pool is None:
            self._pool = pool(self._allowed)
        heard = b""
        try:
            async with self._pool.stream("POST", url, headers=headers, content=body.encode()) as response:
                async for piece in response.aiter_stream():
                    heard += piece
                    if len(heard) > ANSWER_MOST:
                        break
                return Answer(response.status, heard[:ANSWER_MOST].decode(errors="replace"))
        except LOST as exc:
            return Answer(None, "", f"{type(exc).__name__}: {exc}".rstrip(": "))

    def _signed(self, webhook: Webhook, id: str, body: str) -> list[tuple[str | bytes, str | bytes]]:
        """The time is that of the attempt, so that a receiver may refuse what is old."""
        now = str(int(time.time()))
        headers: list[tuple[str | bytes, str | bytes]] = [
            ("content-type", "application/json"),
            ("user-agent", "gatelog"),
            ("X-MLflow-Delivery-Id", id),
            ("X-MLflow-Timestamp", now),
        ]
        if webhook.secret is not None:
            key = self._seals.open(webhook.secret).encode()
            signature = hmac.new(key, f"{id}.{now}.{body}".encode(), hashlib.sha256).digest()
            headers.append(("X-MLflow-Signature", f"v1,{base64.b64encode(signature).decode()}"))
        return headers
