"""Endpoints and providers as they are, and a small call to try one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Gateway, Start
from tests.vendor import Vendor

pytestmark = pytest.mark.anyio


async def started(start_gateway: Start, vendor: Vendor) -> Gateway:
    config: dict[str, Any] = {
        "providers": {
            "good": {"dialect": "openai", "base_url": vendor.url("ok"), "api_keys": ["sk-one", "sk-two"]},
            "broken": {"dialect": "openai", "base_url": vendor.url("401"), "api_key": "sk-broken"},
        },
        "endpoints": [
            {
                "name": "shared",
                "targets": [
                    {"provider": "good", "model": "gpt-4o-mini", "weight": 3, "parameters": {"temperature": 0.2}},
                    {"provider": "demo", "model": "words"},
                ],
                "fallbacks": [{"provider": "demo", "model": "echo"}],
            },
            {"name": "denied", "retries": 0, "targets": [{"provider": "broken", "model": "gpt-4o"}]},
            {"name": "vectors", "type": "embeddings", "targets": [{"provider": "demo", "model": "echo"}]},
            {"name": "older", "type": "completions", "targets": [{"provider": "demo", "model": "words"}]},
        ],
    }
    gateway: Gateway = await start_gateway(config)
    return gateway


async def test_an_endpoint_shows_its_targets_with_their_shares(start_gateway: Start, vendor: Vendor) -> None:
    gateway = await started(start_gateway, vendor)
    async with gateway.client() as client:
        found = {each["name"]: each for each in (await client.get("/api/gateway/endpoints")).json()["endpoints"]}
        shared = found["shared"]
        assert (shared["kind"], shared["state"], shared["retries"]) == ("chat", "well", 2)
        good, demo = shared["targets"]
        assert (good["share"], demo["share"]) == (0.75, 0.25)
        assert good["credentials"] == ["key-1", "key-2"]
        assert good["parameters"] == {"temperature": 0.2}
        assert demo["priced"] is True
        assert [each["model"] for each in shared["fallbacks"]] == ["echo"]
        assert shared["fallbacks"][0]["share"] is None


async def test_a_small_call_says_whether_an_endpoint_works(start_gateway: Start, vendor: Vendor) -> None:
    gateway = await started(start_gateway, vendor)
    async with gateway.client() as client:
        for model in ("shared", "vectors", "older", "demo/words"):
            said = (await client.post("/api/gateway/test", json={"model": model})).json()
            assert said["ok"], said
            assert said["text"]
            assert said["total_ms"] > 0
            assert (await gateway.run(said["run_id"]))["tags"]["source"] == "test"
        denied = (await client.post("/api/gateway/test", json={"model": "denied"})).json()
        assert (denied["ok"], denied["status"] >= 400) == (False, True)
        assert denied["error"]
        unknown = (await client.post("/api/gateway/test", json={"model": "nobody"})).json()
        assert (unknown["status"], unknown["run_id"]) == (404, None)
        assert (await client.post("/api/gateway/test", json={"model": ""})).status_code == 400

        endpoints = {each["name"]: each for each in (await client.get("/api/gateway/endpoints")).json()["endpoints"]}
        assert endpoints["denied"]["state"] == "down", "a target that was refused rests at once"
        assert endpoints["denied"]["targets"][0]["state"] == "resting"
        assert endpoints["denied"]["targets"][0]["resting_seconds"] > 0


async def test_a_provider_shows_no_secret(start_gateway: Start, vendor: Vendor) -> None:
    gateway = await started(start_gateway, vendor)
    async with gateway.client() as client:
        answer = await client.get("/api/gateway/providers")
        assert "sk-" not in answer.text
        found = {each["name"]: each for each in answer.json()["providers"]}
        assert found["good"]["credentials"] == ["key-1", "key-2"]
        assert found["good"]["key_set"] is True
        assert found["good"]["endpoints"] == ["shared"]
        assert found["demo"]["base_url"] is None
        assert set(found["demo"]["endpoints"]) == {"shared", "vectors", "older"}


async def test_who_may_only_read_tries_nothing(start_gateway: Start, vendor: Vendor) -> None:
    gateway = await started(start_gateway, vendor)
    async with gateway.client() as client:
        viewer = (await client.post("/api/keys", json={"name": "v", "role": "viewer"})).json()["key"]
        as_viewer = {"authorization": f"Bearer {viewer}"}
        assert (await client.get("/api/gateway/endpoints", headers=as_viewer)).status_code == 200
        assert (await client.get("/api/gateway/providers", headers=as_viewer)).status_code == 403
        tried = await client.post("/api/gateway/test", json={"model": "shared"}, headers=as_viewer)
        assert tried.status_code == 403
