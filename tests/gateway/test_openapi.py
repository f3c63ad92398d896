"""The description of the API has every route that is served and no other, and is true; its page needs nobody else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from gateway.app import create_app
from gateway.openapi import shapes
from gateway.policy import MAY, Guarded, Policy
from gateway.settings import Loaded, Settings
from tests.harness import PLAIN, Gateway
from tracking import shape
from tracking.mlflow.wire import PREFIXES

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
CHAT = {"name": "chat", "targets": [{"provider": "demo", "model": "echo", "price": {"input": 1, "output": 2}}]}
HELLO = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(tmp_path_factory.mktemp("openapi") / "gateway", {"endpoints": [CHAT]})
    asyncio.run(made.start())
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def document(gateway: Gateway) -> Json:
    async def read() -> Json:
        async with gateway.client() as client:
            answer = await client.get("/openapi.json")
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

    return asyncio.run(read())


def served(app: Any) -> list[Route]:
    """The routes of an application that is wrapped by others."""
    while not hasattr(app, "routes"):
        app = app._app
    return list(app.routes)


def operations(document: Json) -> dict[tuple[str, str], Json]:
    return {
        (method.upper(), path): said for path, methods in document["paths"].items() for method, said in methods.items()
    }


def plain(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def test_it_has_every_route_and_no_other_with_its_policy(document: Json, tmp_path: Any) -> None:
    settings = Settings.model_validate({"store": f"sqlite:///{tmp_path}/gatelog.db", "auth": {"mode": "open"}})
    routes = served(create_app(Loaded(settings, "test", None)))
    assert len(routes) > 200
    policies: dict[tuple[str, str], Policy] = {}
    for route in routes:
        assert isinstance(route.endpoint, Guarded)
        for method in (route.methods or set()) - {"HEAD"}:
            policies.setdefault((method, plain(route.path)), route.endpoint.policy)
    described = operations(document)
    assert described.keys() == policies.keys()
    for place, said in described.items():
        assert said["x-gatelog-policy"] == policies[place], place
        assert set(said["x-gatelog-roles"]) == (MAY[policies[place]] if policies[place] != "public" else set())
        assert ("security" in said) == (policies[place] == "public"), "a key is asked for but where nobody needs one"


def test_it_is_openapi(document: Json) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    ids = [said["operationId"] for said in operations(document).values()]
    assert len(ids) == len(set(ids))


def test_every_operation_says_what_it_does(document: Json) -> None:
    areas = {tag["name"] for tag in document["tags"]}
    for place, said in operations(document).items():
        assert set(said["tags"]) <= areas
        assert re.fullmatch(r"\S.*[^.\s]", said["summary"]), place
        assert "/" not in said["summary"].split(":")[0], f"{place} has neither a docstring nor a summary"


def test_mlflows_routes_are_listed_by_service_and_once(document: Json) -> None:
    services = [tag["name"] for tag in document["tags"] if tag["name"].startswith("MLflow: ")]
    assert len(services) >= 12
    for (method, path), said in operations(document).items():
        twin = said.get("x-gatelog-same-as")
        if twin is not None:
            assert (path, said["tags"]) == (
                PREFIXES[1] + twin.removeprefix(PREFIXES[0]),
                operations(document)[method, twin]["tags"],
            )
        if "/mlflow/" in path and not path.startswith("/gateway/"):
            assert said["tags"][0] in services, path


async def test_what_is_answered_is_as_described(gateway: Gateway, document: Json) -> None:
    asked: list[tuple[str, str, Json | None]] = [
        ("POST", "/v1/chat/completions", {"model": "chat", "messages": HELLO}),
        ("POST", "/v1/completions", {"model": "demo/echo", "prompt": "Once"}),
        ("POST", "/v1/embeddings", {"model": "demo/words", "input": ["one"]}),
        ("GET", "/v1/models", None),
        ("GET", "/v1/models/{id}", None),
        ("GET", "/api/2.0/endpoints/", None),
        ("GET", "/api/2.0/endpoints/{name}", None),
        ("POST", "/api/keys", {"name": "app"}),
        ("GET", "/api/keys", None),
        ("POST", "/login", {"key": gateway.key}),
        ("GET", "/ready", None),
        ("GET", "/admin/status", None),
        ("GET", "/admin/config", None),
        ("GET", "/api/runs", None),
        ("GET", "/api/runs/{id}", None),
        ("GET", "/api/usage", None),
    ]
    values = {"/v1/models/{id}": "chat", "/api/2.0/endpoints/{name}": "chat"}
    async with gateway.client() as client:
        for method, path, body in asked:
            if path == "/api/runs":
                await gateway.settled(3)
            place = re.sub(r"\{\w+\}", values.get(path, ""), path)
            answer = await client.request(method, place, json=body)
            said = operations(document)[method, path]
            content = said["responses"][str(answer.status_code)]["content"]["application/json"]
            check(document, content["schema"], answer.json())
            if path == "/api/runs":
                values["/api/runs/{id}"] = answer.json()["runs"][0]["id"]
        for body in ({"model": "nobody/nothing", "messages": HELLO}, {}):
            answer = await client.post("/v1/chat/completions", json=body)
            check(document, {"$ref": "#/components/schemas/Error"}, answer.json())
        answer = await client.get("/api/2.0/mlflow/runs/get?run_id=nothing")
        check(document, {"$ref": "#/components/schemas/MlflowError"}, answer.json())


def check(document: Json, schema: Json, said: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(said)


async def test_every_example_is_taken(gateway: Gateway, document: Json) -> None:
    async with gateway.client() as client:
        for (method, path), said in operations(document).items():
            example = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            query = said.get("x-gatelog-query")
            if (example is None and query is None) or path == "/login":
                continue
            place = path.replace("{endpoint}", "chat")
            answer = await client.request(method, f"{place}?{query}" if query else place, json=example)
            assert answer.status_code in (200, 201), (method, path, answer.text)


def test_a_run_is_described_whole() -> None:
    class Nothing(dict[Any, Any]):
        def __missing__(self, _: object) -> int:
            return 0

    shown = shape.run(Nothing())  # type: ignore[arg-type]  # a row of which every column is 0
    for name, described in (("", shapes.ListedRun), ("times", shapes.Times), ("usage", shapes.Tokens)):
        assert set(shown[name] if name else shown) == set(described.__annotations__), name


async def test_the_page_needs_nothing_from_elsewhere(gateway: Gateway, document: Json) -> None:
    async with gateway.client() as client:
        answer = await client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", answer.text, re.DOTALL)
        assert policy[f"{kind}-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert not re.search(r"""(src|href)="(?!#|/)|url\(|@import|\son\w+=|\sstyle=|javascript:""", answer.text)
    for (method, path), said in operations(document).items():
        assert (f'id="{said["operationId"]}"' in answer.text) == ("x-gatelog-same-as" not in said), (method, path)


async def test_both_ask_for_a_key_and_are_made_once(gateway: Gateway) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, **PLAIN) as stranger:
        for path in ("/openapi.json", "/docs"):
            assert (await stranger.get(path)).status_code == 401
    async with gateway.client() as client:
        answers = await asyncio.gather(*(client.get("/openapi.json") for _ in range(5)))
    assert len({answer.content for answer in answers}) == 1
