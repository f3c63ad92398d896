"""Webhooks as they are kept, and what is still to be delivered to them."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from tracking import order as orders
from tracking.database import Database
from tracking.engines import AsyncConnection
from tracking.fields import Field, Fields
from tracking.mlflow.errors import invalid, missing
from tracking.registry_tables import webhook_deliveries, webhooks
from tracking.webhook_events import Event

ATTEMPTS_MOST = 15
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1, 3600
"""Each wait is twice the one before: 15 attempts take more than four hours."""
LEASE_SECONDS = 60
"""A delivery that was taken is tried again after so long, whatever became of the process that took it."""
KEPT_DAYS = 7
"""For what was given up, so that somebody can see it."""
AT_ONCE = 20
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
PROBLEM_MOST = 500

Status = Literal["ACTIVE", "DISABLED"]
_w, _d = webhooks.c, webhook_deliveries.c
_ORDER = ("creation_timestamp DESC",)
_FIELDS = Fields(
    {
        "metrics": {},
        "params": {},
        "attributes": {
            "webhook_id": Field(_w.id, required=True),
            "creation_timestamp": Field(_w.created_us, "time", required=True),
        },
    },
    _w.events,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    id: str
    name: str
    description: str | None
    url: str
    secret: bytes | None
    """Sealed."""
    events: tuple[Event, ...]
    status: Status
    created_us: int
    updated_us: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to tell one webhook. Its id is the same in every attempt, so that a receiver can know it again."""

    id: str
    webhook: Webhook
    event: Event
    body: str
    attempts: int
    """Made before."""


class Webhooks:
    """What is taken by `due` is tried by one process at a time, and at least once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect = database.reader.dialect.name

    async def create(self, webhook: Webhook) -> None:
        _named(webhook.name)
        async with self._database.changing() as connection:
            await connection.execute(webhooks.insert().values(**_row(webhook)))

    async def change(self, id: str, **changed: Any) -> Webhook:
        """Fields of `Webhook` by their names."""
        if "name" in changed:
            _named(changed["name"])
        if "events" in changed:
            changed["events"] = list(changed["events"])
        async with self._database.changing() as connection:
            values = {**changed, "updated_us": _now()}
            await connection.execute(webhooks.update().where(_w.id == id).values(**values))
            return await _one(connection, id)

    async def get(self, id: str) -> Webhook:
        async with self._database.asking() as connection:
            return await _one(connection, id)

    async def delete(self, id: str) -> None:
        """With all that it has not been told."""
        async with self._database.changing() as connection:
            await _one(connection, id)
            await connection.execute(webhooks.delete().where(_w.id == id))

    async def page(self, size: int, token: str | None) -> tuple[list[Webhook], str | None]:
        """The newest first."""
        order = orders.order(_ORDER, _FIELDS, self._dialect, "webhook_id")
        query = orders.fingerprint("webhooks")
        select = sa.select(webhooks, *order.columns()).order_by(*order.clauses()).limit(size + 1)
        if token is not None:
            select = select.where(order.after(orders.values(token, query, order)))
        async with self._database.asking() as connection:
            rows = (await connection.execute(select)).mappings().all()
        found = [_webhook(row) for row in rows[:size]]
        if len(rows) <= size:
            return found, None
        last = rows[size - 1]
        return found, orders.token(query, tuple(last[f"order_{n}"] for n in range(len(order.terms))))

    async def due(self) -> list[Delivery]:
        """Take some of what is to be tried now. Nobody else has it for `LEASE_SECONDS`."""
        now = _now()
        select = sa.select(_d.id).where(_d.due_us <= now).order_by(_d.due_us).limit(AT_ONCE)
        async with self._database.changing() as connection:
            # Several processes may take at once; on SQLite they are one after another anyway.
            ids = list((await connection.execute(select.with_for_update(skip_locked=True))).scalars())
            if not ids:
                return []
            mine = webhook_deliveries.update().where(_d.id.in_(ids))
            await connection.execute(mine.values(due_us=now + LEASE_SECONDS * 1_000_000))
            both = sa.select(webhooks, _d.id.label("delivery"), _d.event, _d.body, _d.attempts).join_from(
                webhook_deliveries, webhooks
            )
            rows = (await connection.execute(both.where(_d.id.in_(ids)))).mappings().all()
        return [Delivery(row["delivery"], _webhook(row), row["event"], row["body"], row["attempts"]) for row in rows]

    async def any_due(self) -> bool:
        async with self._database.asking() as connection:
            found = await connection.execute(sa.select(_d.id).where(_d.due_us <= _now()).limit(1))
            return found.first() is not None

    async def delivered(self, delivery: Delivery) -> None:
        async with self._database.changing() as connection:
            await connection.execute(webhook_deliveries.delete().where(_d.id == delivery.id))

    async def failed(self, delivery: Delivery, problem: str, *, final: bool) -> None:
        """Try it again later; not again where that is of no use (`final`) or has been done often enough."""
        attempts, now = delivery.attempts + 1, _now()
        wait = min(FIRST_WAIT_SECONDS * 2**delivery.attempts, LONGEST_WAIT_SECONDS) * 1_000_000
        due = None if final or attempts >= ATTEMPTS_MOST else now + wait
        async with self._database.changing() as connection:
            chosen = webhook_deliveries.update().where(_d.id == delivery.id)
            await connection.execute(chosen.values(attempts=attempts, due_us=due, problem=problem[:PROBLEM_MOST]))
            old = now - KEPT_DAYS * 86_400 * 1_000_000
            await connection.execute(webhook_deliveries.delete().where(_d.due_us.is_(None), _d.created_us < old))


def made(
    name: str, url: str, events: Sequence[Event], *, description: str | None, secret: bytes | None, status: Status
) -> Webhook:
    """A new one."""
    now = _now()
    return Webhook(
        id=str(uuid.uuid4()),
        name=name,
        description=description,
        url=url,
        secret=secret,
        events=tuple(events),
        status=status,
        created_us=now,
        updated_us=now,
    )


async def announce(connection: AsyncConnection, event: Event, data: dict[str, Any]) -> None:
    """Write, in the transaction that makes a change, what every active webhook is to be told of it."""
    found = await connection.execute(sa.select(_w.id, _w.events).where(_w.status == "ACTIVE"))
    listening = [row.id for row in found if event in row.events]
    if not listening:
        return
    now, body = _now(), message(event, data)
    rows = [
        {
            "id": str(uuid.uuid4()),
            "webhook_id": id,
            "event": event,
            "body": body,
            "created_us": now,
            "due_us": now,
            "attempts": 0,
        }
        for id in listening
    ]
    await connection.execute(webhook_deliveries.insert(), rows)


def message(event: Event, data: dict[str, Any]) -> str:
    """What a webhook is sent."""
    entity, action = event.split(".")
    sent = {
        "entity": entity.lower(),
        "action": action.lower(),
        "timestamp": datetime.now(UTC).isoformat(),
        "data": data,
    }
    return orjson.dumps(sent).decode()


def _now() -> int:
    return time.time_ns() // 1000


def _named(name: str) -> None:
    if not NAME.fullmatch(name):
        raise invalid(
            f"Webhook name {name[:100]!r} is invalid. It must start and end with a letter or digit, be less than 63 "
            "characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )


async def _one(connection: AsyncConnection, id: str) -> Webhook:
    row = (await connection.execute(sa.select(webhooks).where(_w.id == id))).mappings().one_or_none()
    if row is None:
        raise missing(f"Webhook with ID {id[:100]} not found.")
    return _webhook(row)


def _webhook(row: sa.RowMapping) -> Webhook:
    return Webhook(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        url=row["url"],
        secret=row["secret"],
        events=tuple(row["events"]),
        status=row["status"],
        created_us=row["created_us"],
        updated_us=row["updated_us"],
    )


def _row(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "description": webhook.description,
        "url": webhook.url,
        "secret": webhook.secret,
        "events": list(webhook.events),
        "status": webhook.status,
        "created_us": webhook.created_us,
        "updated_us": webhook.updated_us,
    }
