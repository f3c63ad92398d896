"""Webhooks, by MLflow's client and a real receiver: signed, told again until heard, and never at a private address."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookEvent, WebhookStatus
from mlflow.exceptions import RestException as Refused

from tests.harness import PLAIN, Gateway, free_port
from tests.postgres import Postgres
from tracking.database import open_store
from tracking.registry_tables import webhooks

SECRET = "a secret of ours"
CREATED = WebhookEvent.from_str("registered_model.created")
PATIENCE_SECONDS = 20.0


@dataclass
class Receiver:
    """Hears what is posted, and answers with the statuses that it is given, then with 200."""

    port: int
    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/hook"

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self.heard) < count:
            assert time.monotonic() < until, f"heard {len(self.heard)} of {count}"
            time.sleep(0.02)
        return self.heard


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("content-length", "5")
            self.end_headers()
            self.wfile.write(b"heard")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def port() -> int:
    """Where the receiver is, or will be: what the configuration allows."""
    return free_port()


@pytest.fixture
def receiver(port: int) -> Iterator[Receiver]:
    with receiving(Receiver(port)) as listening:
        yield listening


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Gateway]:
    config: dict[str, Any] = {"webhooks": {"allow": [f"localhost:{port}"]}}
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        config["store"] = server.database()
    served = Gateway(tmp_path_factory.mktemp("webhooks") / "gateway", config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_TOKEN", served.key)
        asyncio.run(served.start())
        try:
            yield served
        finally:
            served.kill()


@pytest.fixture
def client(gateway: Gateway) -> Iterator[MlflowClient]:
    """Webhooks of a test are gone after it."""
    client = MlflowClient(gateway.url, gateway.url)
    yield client
    for webhook in client.list_webhooks():
        client.delete_webhook(webhook.webhook_id)


def test_a_webhook_is_kept_changed_and_deleted(client: MlflowClient, receiver: Receiver) -> None:
    made = client.create_webhook("first", receiver.url, [CREATED], description="what for", secret=SECRET)
    assert (made.name, made.url, made.events, made.status) == ("first", receiver.url, [CREATED], WebhookStatus.ACTIVE)
    assert client.get_webhook(made.webhook_id).description == "what for"
    more: list[Any] = [CREATED, WebhookEvent.from_str("prompt_alias.created")]
    changed = client.update_webhook(made.webhook_id, name="renamed", events=more, status=WebhookStatus.DISABLED)
    assert (changed.name, changed.status, changed.url) == ("renamed", WebhookStatus.DISABLED, receiver.url)
    assert set(map(str, changed.events)) == set(map(str, more))
    client.create_webhook("second", receiver.url, [CREATED])
    page = client.list_webhooks(max_results=1)
    rest = client.list_webhooks(max_results=1, page_token=page.token)
    assert [webhook.name for webhook in [*page, *rest]] == ["second", "renamed"]
    client.delete_webhook(made.webhook_id)
    with pytest.raises(Refused, match="not found"):
        client.get_webhook(made.webhook_id)


def test_a_receiver_is_told_with_mlflows_signature(client: MlflowClient, receiver: Receiver) -> None:
    client.create_webhook("signed", receiver.url, [CREATED], secret=SECRET)
    client.create_registered_model("announced", {"team": "a"}, "why")
    client.create_model_version("announced", "s3://bucket/1")  # nobody asked to be told
    ((headers, body),) = receiver.wait(1)
    said = json.loads(body)
    assert (said["entity"], said["action"]) == ("registered_model", "created")
    assert said["data"] == {"name": "announced", "tags": {"team": "a"}, "description": "why"}
    signed = f"{headers['x-mlflow-delivery-id']}.{headers['x-mlflow-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["x-mlflow-signature"] == f"v1,{right}"
    assert abs(int(headers["x-mlflow-timestamp"]) - time.time()) < 60


def test_prompts_are_told_apart_from_models(client: MlflowClient, receiver: Receiver) -> None:
    wanted: list[Any] = [
        WebhookEvent.from_str("prompt.created"),
        WebhookEvent.from_str("prompt_version.created"),
        WebhookEvent.from_str("prompt_alias.created"),
        WebhookEvent.from_str("model_version_alias.created"),
    ]
    client.create_webhook("prompts", receiver.url, wanted)
    client.register_prompt("told", "Hello {{name}}")
    client.set_prompt_alias("told", "live", 1)
    said = {
        (each["entity"], each["action"]): each["data"] for _, body in receiver.wait(3) for each in [json.loads(body)]
    }
    assert said[("prompt", "created")]["name"] == "told"
    assert said[("prompt_version", "created")]["template"] == "Hello {{name}}"
    assert said[("prompt_alias", "created")] == {"name": "told", "alias": "live", "version": "1"}


def test_a_receiver_that_fails_is_told_again_with_the_same_id(client: MlflowClient, receiver: Receiver) -> None:
    receiver.statuses = [500, 429]
    client.create_webhook("failing", receiver.url, [CREATED])
    client.create_registered_model("retried")
    heard = receiver.wait(3)
    assert len({headers["x-mlflow-delivery-id"] for headers, _ in heard}) == 1
    assert len({body for _, body in heard}) == 1


def test_what_was_not_heard_survives_a_kill(client: MlflowClient, gateway: Gateway, port: int) -> None:
    client.create_webhook("durable", f"http://localhost:{port}/hook", [CREATED])
    client.create_registered_model("survives")  # nobody listens
    gateway.kill()
    with receiving(Receiver(port)) as receiver:
        asyncio.run(gateway.start())
        ((_, body),) = receiver.wait(1)
    assert json.loads(body)["data"]["name"] == "survives"


def test_a_webhook_can_be_tried(client: MlflowClient, receiver: Receiver) -> None:
    webhook = client.create_webhook("tried", receiver.url, [CREATED])
    receiver.statuses = [200, 418]
    result = client.test_webhook(webhook.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "heard")
    result = client.test_webhook(webhook.webhook_id, WebhookEvent.from_str("prompt_tag.set"))
    assert (result.success, result.response_status) == (False, 418)
    assert json.loads(receiver.heard[1][1])["entity"] == "prompt_tag"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://127.0.0.1/hook", "non-public"),
        ("https://127.1/hook", "non-public"),
        ("https://2130706433/hook", "non-public"),
        ("https://localhost/hook", "non-public"),
        ("https://10.0.0.1/hook", "non-public"),
        ("https://169.254.169.254/latest/meta-data", "non-public"),
        ("https://100.64.0.1/hook", "non-public"),
        ("https://[::1]/hook", "non-public"),
        ("https://[::ffff:127.0.0.1]/hook", "non-public"),
        ("https://[64:ff9b::7f00:1]/hook", "non-public"),
        ("https://[fd00::1]/hook", "non-public"),
        ("https://0.0.0.0/hook", "non-public"),
        ("https://224.0.0.1/hook", "non-public"),
        ("http://93.184.215.14/hook", "HTTPS"),
        ("ftp://93.184.215.14/hook", "no URL"),
        ("https://user:pass@93.184.215.14/hook", "password"),
        ("https:///hook", "no URL"),
        ("not a url", "no URL"),
    ],
)
def test_a_private_address_is_refused(client: MlflowClient, url: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        client.create_webhook("private", url, [CREATED])
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_only_an_administrator_may_have_the_server_call_somebody(gateway: Gateway, receiver: Receiver) -> None:
    with httpx.Client(base_url=gateway.url, headers=gateway.headers, **PLAIN) as http:
        key = http.post("/api/keys", json={"name": "an application"}).json()["key"]
        events = [{"entity": "PROMPT", "action": "CREATED"}]
        asked = {"name": "theirs", "url": receiver.url, "events": events}
        caller = {"authorization": f"Bearer {key}"}
        assert http.post("/api/2.0/mlflow/webhooks", json=asked, headers=caller).status_code == 403
        assert http.get("/api/2.0/mlflow/webhooks", headers=caller).status_code == 403
        model = {"name": "theirs"}
        assert http.post("/api/2.0/mlflow/registered-models/create", json=model, headers=caller).status_code == 200


def test_an_address_that_is_allowed_no_longer_is_told_nothing(
    client: MlflowClient, gateway: Gateway, receiver: Receiver
) -> None:
    webhook = client.create_webhook("was-allowed", receiver.url, [CREATED])

    def tried(success: bool) -> str:
        until = time.monotonic() + PATIENCE_SECONDS
        while (result := client.test_webhook(webhook.webhook_id)).success is not success:
            assert time.monotonic() < until, result
            time.sleep(0.1)
        return result.error_message or ""

    allowed = gateway.config
    gateway.write_config({**allowed, "webhooks": {"allow": []}})
    try:
        assert "HTTPS" in tried(False)
        receiver.heard.clear()
        tried(False)
        assert receiver.heard == []
    finally:
        gateway.write_config(allowed)
        tried(True)


def test_a_secret_is_readable_nowhere(client: MlflowClient, gateway: Gateway, receiver: Receiver) -> None:
    webhook = client.create_webhook("secretive", receiver.url, [CREATED], secret=SECRET)
    assert SECRET not in str(vars(client.get_webhook(webhook.webhook_id)))

    async def kept() -> list[bytes]:
        database = open_store(gateway.config["store"])
        async with database.reading() as connection:
            rows = list((await connection.execute(sa.select(webhooks.c.secret))).scalars())
        await database.close()
        return rows

    (secret,) = asyncio.run(kept())
    assert secret
    assert SECRET.encode() not in secret
