"""A gateway with something of everything in it: runs, of which one failed, a lab, a prompt, an evaluation, keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness import PLAIN, Gateway
from tests.vendor import Vendor

Json = dict[str, Any]
SECONDS = 60.0
QUESTIONS = ("Where is my parcel?", "May I pay later?", "When are you open?", "Can I send it back?")
TEAMS = ("search", "support", "billing")


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there, by the names that stand in the paths of the page."""

    run: str
    other: str
    """A run that may be compared with the first."""
    failed: str
    lab: str
    prompt: str
    evaluation: str
    experiment: str
    """One that somebody's own program logs in."""
    logged: str
    trial: str
    """Two of its runs."""
    viewer: str
    """A key that may read everything and change nothing."""
    caller: str
    """A key that may see its own calls, and has made none."""

    def path(self, of: str) -> str:
        """`/runs/{run}` with the run's id in it."""
        return of.format(**{name: getattr(self, name) for name in self.__slots__})


def settings(vendor: Vendor) -> Json:
    """Endpoints that cost something, and one that fails."""
    price = {"input": 2, "output": 8}
    return {
        "providers": {
            "scripted": {"dialect": "openai", "base_url": vendor.url("ok"), "api_key": "sk-scripted"},
            "broken": {"dialect": "openai", "base_url": vendor.url("500"), "api_key": "sk-broken"},
        },
        "endpoints": [
            {"name": "chat", "type": "chat", "targets": [{"provider": "demo", "model": "words@0", "price": price}]},
            {"name": "echo", "type": "chat", "targets": [{"provider": "demo", "model": "echo", "price": price}]},
            {"name": "scripted", "type": "chat", "targets": [{"provider": "scripted", "model": "gpt-4o-mini"}]},
            {"name": "failing", "type": "chat", "retries": 0, "targets": [{"provider": "broken", "model": "gpt-4o"}]},
        ],
    }


def ask(gateway: Gateway, method: str, path: str, body: Json | None = None, **headers: str) -> httpx.Response:
    said = httpx.request(
        method, f"{gateway.url}{path}", json=body, headers={**gateway.headers, **headers}, timeout=SECONDS, **PLAIN
    )
    assert said.status_code < 500 or "failing" in str(body), said.text
    return said


def asked(gateway: Gateway, method: str, path: str, body: Json | None = None) -> Json:
    answer = ask(gateway, method, path, body)
    assert answer.is_success, answer.text
    said: Json = answer.json()
    return said


def until(true: Callable[[], bool], gateway: Gateway) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, gateway.log[-3000:]
        time.sleep(0.05)


def call(gateway: Gateway, model: str, *texts: str, tags: str = '{"team": "support"}') -> str:
    """A call's run, which may not be recorded yet."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    body = {"model": model, "messages": messages}
    answer = ask(gateway, "POST", "/v1/chat/completions", body, **{"x-gatelog-tags": tags, "x-gatelog-user": "ann"})
    return str(answer.headers["x-gatelog-run-id"])


def recorded(gateway: Gateway, run: str) -> None:
    until(lambda: ask(gateway, "GET", f"/api/runs/{run}").status_code == 200, gateway)


def lab(gateway: Gateway, endpoints: tuple[str, ...], questions: tuple[str, ...], name: str = "Parcels") -> str:
    columns = [
        {"id": f"c{n}", "name": each, "endpoint": each, "messages": [{"role": "user", "content": "{{question}}"}]}
        for n, each in enumerate(endpoints)
    ]
    rows = [{"id": f"r{n}", "values": {"question": question}} for n, question in enumerate(questions)]
    return str(asked(gateway, "POST", "/api/lab", {"name": name, "state": {"columns": columns, "rows": rows}})["id"])


def answered(gateway: Gateway, lab: str) -> None:
    """Every cell of the lab is run to its end."""
    asked(gateway, "POST", f"/api/lab/{lab}/run", {"cells": "all"})
    until(lambda: asked(gateway, "GET", f"/api/lab/{lab}")["running"] == 0, gateway)


def prompt(gateway: Gateway, name: str = "support-reply") -> str:
    texts = ("You help customers of {{company}}.", "You help customers of {{company}}. Answer in one line.")
    versions = [[{"role": "system", "content": text}, {"role": "user", "content": "{{question}}"}] for text in texts]
    first, second = ({"messages": messages, "model": "chat", "commit_message": "shorter"} for messages in versions)
    asked(gateway, "POST", "/api/prompts", {"name": name, "description": "What support says", "version": first})
    asked(gateway, "POST", f"/api/prompts/{name}/versions", second)
    asked(gateway, "PUT", f"/api/prompts/{name}/aliases/production", {"version": 1, "note": "The first that was good"})
    return name


def evaluation(gateway: Gateway, rows: list[Json], name: str = "Capitals with notes", **more: Any) -> str:
    """One that has finished."""
    variants = [
        {"name": "closed book", "endpoint": "echo", "messages": "{{ question }}", "baseline": True},
        {"name": "open book", "endpoint": "echo", "messages": "{{ question }} {{ notes }}"},
    ]
    spec = {"name": name, "rows": rows, "variants": variants, "scorers": ["contains"], "pilot": False, **more}
    id = str(asked(gateway, "POST", "/api/evaluations", spec)["id"])
    until(lambda: asked(gateway, "GET", f"/api/evaluations/{id}")["state"] == "finished", gateway)
    asked(gateway, "GET", f"/api/evaluations/{id}/card")
    return id


def logged(gateway: Gateway, experiment: str, name: str, rate: float) -> str:
    """A run of somebody's own program, with parameters and metrics over steps."""

    def log(path: str, **body: Any) -> Json:
        return asked(gateway, "POST", f"/api/2.0/mlflow/runs/{path}", body)

    start = int(time.time() * 1000) - 60_000
    id = str(log("create", experiment_id=experiment, run_name=name, start_time=start)["run"]["info"]["run_id"])
    losses = [{"key": "loss", "value": rate**step, "timestamp": start + step * 1000, "step": step} for step in range(9)]
    log("log-batch", run_id=id, metrics=losses, params=[{"key": "rate", "value": str(rate)}])
    log("update", run_id=id, status="FINISHED", end_time=start + 42_000)
    return id


def capitals() -> list[Json]:
    pairs = ("Kenya Nairobi", "Peru Lima", "Cuba Havana", "Japan Tokyo", "Italy Rome", "Latvia Riga", "Fiji Suva")
    return [
        {
            "inputs": {"question": f"Which is the capital of {country}? ({n})", "notes": f"It is {capital}."},
            "expectations": {"expected_response": capital},
            "tags": {"length": "short" if len(capital) < 5 else "long"},
        }
        for n in range(3)
        for country, capital in (pair.split() for pair in pairs)
    ]


def fill(gateway: Gateway) -> Filled:
    for n, question in enumerate(QUESTIONS * 3):
        tags = f'{{"team": "{TEAMS[n % 3]}"}}'
        last = call(gateway, ("chat", "scripted")[n % 2], question, tags=tags)
    failed = call(gateway, "failing", "Will not work")
    run = call(gateway, "chat", "Where is my parcel?", "It is **on its way**.", "And when is it here?")
    made = [asked(gateway, "POST", "/api/keys", {"name": role, "role": role})["key"] for role in ("viewer", "caller")]
    table = lab(gateway, ("chat", "scripted"), QUESTIONS)
    answered(gateway, table)
    held = evaluation(gateway, capitals())
    sent = {"name": "fine-tuning"}
    own = str(asked(gateway, "POST", "/api/2.0/mlflow/experiments/create", sent)["experiment_id"])
    trials = [logged(gateway, own, name, rate) for name, rate in (("slow", 0.9), ("fast", 0.5))]
    recorded(gateway, run)
    return Filled(run, last, failed, table, prompt(gateway), held, own, *trials, *made)
