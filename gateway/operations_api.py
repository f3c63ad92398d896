"""What whoever runs the gateway sees of it: its endpoints and providers, how they are, and a call to try one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gateway.directory import Directory
from gateway.inside import Inside
from gateway.keys import Caller
from gateway.policy import Endpoint as Handler
from gateway.policy import Policy
from gateway.routing import Choice, Endpoint, Health
from gateway.settings import Settings
from providers.chat import Json, Kind
from providers.errors import Forbidden
from tracking import rest

BODY_MOST = 4096
TEST_SECONDS = 60.0
TEST_TOKENS = 16
ASKED = "Say hello."
PATHS: dict[Kind, str] = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "embeddings": "/v1/embeddings",
}


class Tried(rest.Sent):
    model: Annotated[str, Field(min_length=1, max_length=300)]


class Condition(NamedTuple):
    """How a target has been doing by one credential."""

    state: Literal["well", "failing", "resting"]
    failures: int
    """In a row."""
    resting_seconds: float


async def endpoints(request: Request) -> Response:
    """`GET /api/gateway/endpoints`"""
    health: Health = request.app.state.health
    return rest.answer({"endpoints": [_endpoint(each, health) for each in _directory(request).endpoints()]})


async def providers(request: Request) -> Response:
    """`GET /api/gateway/providers`"""
    settings: Settings = request.app.state.watcher.loaded.settings
    directory, health = _directory(request), request.app.state.health
    users: dict[str, list[Endpoint]] = {}
    for endpoint in directory.endpoints():
        for name in {choice.target.provider.name for choice in (*endpoint.choices, *endpoint.fallbacks)}:
            users.setdefault(name, []).append(endpoint)
    return rest.answer(
        {
            "providers": [
                {
                    "name": name,
                    "base_url": provider.base_url if provider.inside is None else None,
                    "kinds": sorted(provider.surfaces),
                    "credentials": [credential for credential, _ in settings.providers[name].credentials()],
                    "key_set": any(secret for _, secret in settings.providers[name].credentials()),
                    "key_optional": provider.key_optional,
                    "state": _state(
                        [
                            _condition(choice, health)
                            for endpoint in users.get(name, [])
                            for choice in (*endpoint.choices, *endpoint.fallbacks)
                            if choice.target.provider.name == name
                        ]
                    ),
                    "endpoints": [endpoint.name for endpoint in users.get(name, [])],
                }
                for name, provider in sorted(directory.providers().items())
            ]
        }
    )


async def tried(request: Request) -> Response:
    """`POST /api/gateway/test`: a small call, made by whoever asks, and recorded as any other."""
    model = (await rest.read(request, Tried, BODY_MOST, stored=False)).model
    directory = _directory(request)
    kind: Kind = next((each.kind for each in directory.endpoints() if each.name == model), "chat")
    inside: Inside = request.app.state.inside
    caller: Caller = request.scope["caller"]
    post = inside.post(caller.key_id)
    if post is None:
        raise Forbidden("the key may not make calls")
    began = time.monotonic()
    try:
        async with asyncio.timeout(TEST_SECONDS):
            said = await post(PATHS[kind], orjson.dumps(_asked(kind, model)), {"x-gatelog-tags": '{"source": "test"}'})
    except TimeoutError:
        return rest.answer(_outcome(None, {}, f"there was no answer within {TEST_SECONDS:.0f} s", None, began))
    answer = _object(said.body)
    error = None if said.status == 200 else str(answer.get("error", {}).get("message", f"status {said.status}"))
    return rest.answer(
        _outcome(said.status, said.headers, error, _text(kind, answer) if error is None else None, began)
    )


ROUTES: list[tuple[str, Handler, list[str], Policy]] = [
    ("/api/gateway/endpoints", endpoints, ["GET"], "read"),
    ("/api/gateway/providers", providers, ["GET"], "admin"),
    ("/api/gateway/test", tried, ["POST"], "call"),
]


def _directory(request: Request) -> Directory:
    directory: Directory = request.app.state.directory
    return directory


def _endpoint(endpoint: Endpoint, health: Health) -> Json:
    conditions = [_condition(choice, health) for choice in endpoint.choices]
    return {
        "name": endpoint.name,
        "kind": endpoint.kind,
        "retries": endpoint.retries,
        "log_payloads": endpoint.log_payloads,
        "on_disconnect": endpoint.on_disconnect,
        "state": _state(conditions),
        "targets": _targets(endpoint.choices, health, shared=True),
        "fallbacks": _targets(endpoint.fallbacks, health, shared=False),
    }


def _targets(choices: Iterable[Choice], health: Health, *, shared: bool) -> list[Json]:
    """Targets as they were configured: the credentials of one, which each are a choice, together."""
    together: dict[tuple[str, str], list[Choice]] = {}
    for choice in choices:
        together.setdefault((choice.target.provider.name, choice.target.model), []).append(choice)
    whole = sum(choice.weight for several in together.values() for choice in several)
    found = []
    for (provider, model), several in together.items():
        conditions = [_condition(choice, health) for choice in several]
        weight = sum(choice.weight for choice in several)
        found.append(
            {
                "provider": provider,
                "model": model,
                "weight": weight if shared else None,
                "share": weight / whole if shared else None,
                "state": conditions[0].state if len(conditions) == 1 else _state(conditions),
                "failures": sum(condition.failures for condition in conditions),
                "resting_seconds": round(max(condition.resting_seconds for condition in conditions), 3),
                "priced": several[0].pricing.now() is not None,
                "parameters": several[0].parameters,
                "credentials": [choice.target.credential_name for choice in several],
            }
        )
    return found


def _condition(choice: Choice, health: Health) -> Condition:
    known = health.states().get(choice.account)
    if known is None:
        return Condition("well", 0, 0.0)
    left = known["resting_seconds"]
    return Condition("resting" if left > 0 else "failing", int(known["failures"]), left)


def _state(conditions: list[Condition]) -> str:
    """Of what stands on several: `down` where all of them rest."""
    resting = sum(condition.state == "resting" for condition in conditions)
    if conditions and resting == len(conditions):
        return "down"
    return "degraded" if any(condition.state != "well" for condition in conditions) else "well"


def _asked(kind: Kind, model: str) -> Json:
    if kind == "embeddings":
        return {"model": model, "input": ASKED}
    if kind == "completions":
        return {"model": model, "prompt": ASKED, "max_tokens": TEST_TOKENS}
    return {"model": model, "messages": [{"role": "user", "content": ASKED}], "max_tokens": TEST_TOKENS}


def _outcome(status: int | None, headers: Any, error: str | None, text: str | None, began: float) -> Json:
    return {
        "ok": status == 200,
        "run_id": headers.get("x-gatelog-run-id"),
        "status": status,
        "error": error,
        "provider": headers.get("x-gatelog-provider"),
        "model": headers.get("x-gatelog-model"),
        "attempts": int(headers["x-gatelog-attempts"]) if "x-gatelog-attempts" in headers else None,
        "total_ms": round((time.monotonic() - began) * 1000, 3),
        "cost_usd": headers.get("x-gatelog-cost-usd"),
        "text": text,
    }


def _object(body: bytes) -> dict[str, Any]:
    found = orjson.loads(body) if body[:1] == b"{" else {}
    return found if isinstance(found, dict) else {}


def _text(kind: Kind, answer: Json) -> str:
    if kind == "embeddings":
        return f"{len(answer['data'][0]['embedding'])} numbers"
    choice = answer["choices"][0]
    return str(choice["text"] if kind == "completions" else choice["message"].get("content") or "")
