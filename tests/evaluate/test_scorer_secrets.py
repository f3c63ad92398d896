"""What scorers are sent with is a secret, and code that scores is taken only from those who may send it."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import httpx
import orjson
import pytest

from tests.evaluate.following import asked, get, grid_of, make, over, post
from tests.harness import Gateway, Start

pytestmark = pytest.mark.anyio

SECRET = "Bearer s3cret-of-a-service"
CODE = {"scorer": "python", "source": "def score(sample):\n    return 1.0\n"}
SPEC = {
    "name": "x",
    "rows": asked(1),
    "variants": [{"name": "a", "endpoint": "demo/echo", "messages": "{{ question }}"}],
}


async def test_headers_of_a_service_are_sealed_and_nobody_is_shown_them(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    service = {"scorer": "http", "url": "https://localhost:9/", "attempts": 1, "headers": {"authorization": SECRET}}
    head = await make(gateway, **{**SPEC, "scorers": ["exact", service]})
    id = head["id"]
    assert (await over(gateway, id))["state"] == "finished"
    (cell,) = (await grid_of(gateway, id))["cells"]
    # It was asked, with all that it is asked with.
    assert "must not resolve to a non-public IP address" in cell["scores"]["http"]["error"]
    said = [await get(gateway, path) for path in (f"/api/evaluations/{id}", f"/api/evaluations/{id}/card")]
    run = await get(gateway, "/api/2.0/mlflow/runs/get", run_id=id)
    assert "s3cret" not in repr([head, cell, said, run])
    kept = [each for each in gateway.directory.rglob("*") if each.is_file()]
    assert any(each.name == "report.html" for each in kept)
    for each in kept:
        assert b"s3cret" not in each.read_bytes(), each

    for headers, why in (
        ({"authorization": f"{SECRET}\r\nx: y"}, "the value of 'authorization' has characters that no header can hold"),
        ({"a b": SECRET}, "'a b' is no name of a header"),
        ({"authorization": [SECRET]}, "the value of 'authorization' is no text"),
        (SECRET, "write an object of names and values"),
    ):
        refused = await post(gateway, "/api/evaluations", {**SPEC, "scorers": [{**service, "headers": headers}]}, 400)
        assert why in refused["error"]["message"]
        assert "s3cret" not in orjson.dumps(refused).decode()
    assert "s3cret" not in gateway.log


async def test_code_that_scores_is_taken_of_those_whom_the_configuration_names(start_gateway: Start) -> None:
    gateway = await start_gateway({})
    keys = {role: (await post(gateway, "/api/keys", {"name": role, "role": role}, 201))["key"] for role in ROLES}
    keys["admin"] = gateway.key
    spec = {**SPEC, "scorers": [CODE], "start": False}
    ways: dict[str, Any] = {
        "/api/evaluations": spec,
        "/api/evaluations/forecast": spec,
        "/api/lab/none/verdict": {"scorers": [CODE]},
    }
    async with gateway.client() as client:

        async def refused() -> set[tuple[str, str]]:
            """Who may not send it, and where."""
            found = set()
            for role, key in keys.items():
                for path, body in ways.items():
                    answer = await client.post(path, json=body, headers={"authorization": f"Bearer {key}"})
                    if answer.status_code == 403:
                        found.add((role, path))
            return found

        of_viewers = {("viewer", path) for path in ways}
        of_callers = {("caller", path) for path in ways}
        assert await refused() == of_viewers | of_callers
        refusal = await client.post(
            "/api/evaluations", json=spec, headers={"authorization": f"Bearer {keys['caller']}"}
        )
        assert "`evaluations.scorer_code` is 'admin'. Let `gatelog eval` run it" in refusal.json()["error"]["message"]

        await configured(gateway, client, "callers")
        assert await refused() == of_viewers
        await configured(gateway, client, "nobody")
        assert await refused() == of_viewers | of_callers | {("admin", path) for path in ways}


ROLES = ("caller", "viewer")


async def configured(gateway: Gateway, client: httpx.AsyncClient, who: str) -> None:
    before = (await client.get("/admin/config")).json()["revision"]
    gateway.write_config({**gateway.config, "evaluations": {"scorer_code": who}})
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGHUP)
    for _ in range(1000):
        if (await client.get("/admin/config")).json()["revision"] != before:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(gateway.log)
