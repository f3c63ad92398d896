"""MLflow's routes for webhooks. They are for administrators: a webhook makes the server call an address."""

from __future__ import annotations

from typing import Any, Protocol, cast

from providers.chat import Json
from tracking.mlflow.errors import invalid
from tracking.mlflow.wire import Ask, Service, filled
from tracking.webhook_events import EXAMPLES, Event
from tracking.webhooks import Status, Webhook, Webhooks, made

USUAL, MOST = 100, 1000


class Answer(Protocol):
    @property
    def ok(self) -> bool: ...
    @property
    def status(self) -> int | None: ...
    @property
    def body(self) -> str: ...
    @property
    def problem(self) -> str | None: ...


class Deliverer(Protocol):
    """Who may be told, and the telling itself."""

    async def check(self, url: str) -> None: ...
    def seal(self, secret: str) -> bytes: ...
    async def test(self, webhook: Webhook, event: Event) -> Answer: ...


async def create(ask: Ask) -> Json:
    url, deliverer, secret = ask.text("url"), _deliverer(ask), ask.text("secret", "")
    await deliverer.check(url)
    events = _events(ask)
    if not events:
        raise ask.missing("events")
    webhook = made(
        ask.text("name"),
        url,
        events,
        description=ask.text("description", None),
        secret=deliverer.seal(secret) if secret else None,
        status=_status(ask) or "ACTIVE",
    )
    await _webhooks(ask).create(webhook)
    return {"webhook": shown(webhook)}


async def listed(ask: Ask) -> Json:
    size = ask.whole("max_results", USUAL) or USUAL
    if not 1 <= size <= MOST:
        raise invalid(f"max_results must be between 1 and {MOST}.")
    found, token = await _webhooks(ask).page(size, ask.text("page_token", "") or None)
    return {"webhooks": [shown(webhook) for webhook in found], "next_page_token": token}


async def get(ask: Ask) -> Json:
    return {"webhook": shown(await _webhooks(ask).get(ask.text("webhook_id")))}


async def update(ask: Ask) -> Json:
    """What is absent stays; an empty secret takes the one away that there was."""
    changed: dict[str, Any] = {}
    if name := ask.text("name", ""):
        changed["name"] = name
    if ask.has("description"):
        changed["description"] = ask.text("description", "")
    if url := ask.text("url", ""):
        await _deliverer(ask).check(url)
        changed["url"] = url
    if events := _events(ask):
        changed["events"] = events
    if ask.has("secret"):
        secret = ask.text("secret", "")
        changed["secret"] = _deliverer(ask).seal(secret) if secret else None
    if (status := _status(ask)) is not None:
        changed["status"] = status
    return {"webhook": shown(await _webhooks(ask).change(ask.text("webhook_id"), **changed))}


async def delete(ask: Ask) -> Json:
    await _webhooks(ask).delete(ask.text("webhook_id"))
    return {}


async def test(ask: Ask) -> Json:
    webhook = await _webhooks(ask).get(ask.text("webhook_id"))
    said = ask.object("event")
    answer = await _deliverer(ask).test(webhook, webhook.events[0] if said is None else _event(said))
    result = {
        "success": answer.ok,
        "response_status": answer.status,
        "response_body": answer.body or None,
        "error_message": answer.problem,
    }
    return {"result": filled(result)}


SERVICES: list[Service] = [
    ("POST", "2.0", "webhooks", create, "admin"),
    ("GET", "2.0", "webhooks", listed, "admin"),
    ("GET", "2.0", "webhooks/{webhook_id}", get, "admin"),
    ("PATCH", "2.0", "webhooks/{webhook_id}", update, "admin"),
    ("DELETE", "2.0", "webhooks/{webhook_id}", delete, "admin"),
    ("POST", "2.0", "webhooks/{webhook_id}/test", test, "admin"),
]


def shown(webhook: Webhook) -> Json:
    """Never its secret."""
    return filled(
        {
            "webhook_id": webhook.id,
            "name": webhook.name,
            "description": webhook.description,
            "url": webhook.url,
            "events": [dict(zip(("entity", "action"), event.split("."), strict=True)) for event in webhook.events],
            "status": webhook.status,
            "creation_timestamp": webhook.created_us // 1000,
            "last_updated_timestamp": webhook.updated_us // 1000,
        }
    )


def _webhooks(ask: Ask) -> Webhooks:
    webhooks: Webhooks = ask.state.webhooks
    return webhooks


def _deliverer(ask: Ask) -> Deliverer:
    deliverer: Deliverer = ask.state.deliverer
    return deliverer


def _events(ask: Ask) -> list[Event]:
    return list(dict.fromkeys(map(_event, ask.objects("events"))))


def _event(said: Ask) -> Event:
    event = f"{said.text('entity')}.{said.text('action')}".upper()
    if event not in EXAMPLES:
        raise invalid(f"there is no event {event[:100]}; there are {', '.join(EXAMPLES)}")
    return cast(Event, event)


def _status(ask: Ask) -> Status | None:
    if not ask.text("status", ""):
        return None
    return cast(Status, ask.one_of("status", ("ACTIVE", "DISABLED")))
